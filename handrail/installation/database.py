"""Make the installation's own database on the embedded server; on a given server, the one that its address names is used."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Final

import asyncpg

from handrail.embedded.errors import EmbeddedError
from handrail.embedded.postgres import DatabaseAddress
from schemas.topics import SERVICES

DATABASE: Final = "handrail"
_TIMEOUT_S: Final = 10.0
_OURS: Final = """SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = ANY($1::text[]))
    OR EXISTS (SELECT FROM pg_namespace WHERE nspname = ANY($2::text[]))"""


def ensure_database(server: DatabaseAddress) -> None:
    """Create the database if the server lacks it."""
    asyncio.run(_ensure(server))


def reach_database(server: DatabaseAddress) -> None:
    """Sign in once, so that a wrong address is one line and not the failure of a migration.

    Raises:
        EmbeddedError: Nothing answers there, or it refuses the account.
    """
    _ask(server, "SELECT 1")


def has_roles(server: DatabaseAddress, services: Collection[str] = SERVICES) -> bool:
    """Whether the server has the role of any of these services, or the database a schema.

    Raises:
        EmbeddedError: Nothing answers there, or it refuses the account.
    """
    return bool(_ask(server, _OURS, [f"handrail_{service}" for service in services], list(services)))


def make_ready(url: str, passwords: Mapping[str, str]) -> None:
    """Make what is missing of roles, schemas and tables. `passwords`: by service.

    Raises:
        EmbeddedError: The server refuses a statement. Says why in the server's words, without the statement.
    """
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - slow, and so is Alembic

    from services.kit.migrate import migrate_all  # noqa: PLC0415

    try:
        migrate_all(url, passwords)
    except DBAPIError as error:
        server = error.orig.__cause__ if error.orig else None
        reason = server.message if isinstance(server, asyncpg.PostgresError) else type(error.orig).__name__
        raise EmbeddedError(f"PostgreSQL refuses to make roles and tables ready: {reason}") from error


def _ask(server: DatabaseAddress, question: str, *values: object) -> object:
    try:
        return asyncio.run(_sign_in_and_ask(server, question, *values))
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise EmbeddedError(f"cannot sign in to PostgreSQL at {server.host_and_port}: {reason}") from error


async def _sign_in_and_ask(server: DatabaseAddress, question: str, *values: object) -> object:
    connection = await asyncpg.connect(server.url(), timeout=_TIMEOUT_S)
    try:
        return await connection.fetchval(question, *values, timeout=_TIMEOUT_S)
    finally:
        await connection.close()


async def _ensure(server: DatabaseAddress) -> None:
    connection = await asyncpg.connect(server.url())
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()
