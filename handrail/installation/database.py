"""Make the installation's own database on the embedded server; on a given server, the one that its address names is used."""

from __future__ import annotations

import asyncio
from typing import Final

import asyncpg

from handrail.embedded.errors import EmbeddedError
from handrail.embedded.postgres import DatabaseAddress

DATABASE: Final = "handrail"
_TIMEOUT_S: Final = 10.0


def ensure_database(server: DatabaseAddress) -> None:
    """Create the database if the server lacks it."""
    asyncio.run(_ensure(server))


def reach_database(server: DatabaseAddress) -> None:
    """Sign in once, so that a wrong address is one line and not the failure of a migration.

    Raises:
        EmbeddedError: Nothing answers there, or it refuses the account.
    """
    try:
        asyncio.run(_sign_in(server))
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise EmbeddedError(f"cannot sign in to PostgreSQL at {server.host}:{server.port}: {reason}") from error


async def _sign_in(server: DatabaseAddress) -> None:
    connection = await asyncpg.connect(server.url(), timeout=_TIMEOUT_S)
    await connection.close()


async def _ensure(server: DatabaseAddress) -> None:
    connection = await asyncpg.connect(server.url())
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()
