"""The roles that a migration makes, asked of PostgreSQL: by an administrator who is no superuser, and with no password told."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from handrail.embedded.postgres import DatabaseAddress
from services.kit.migrate import migrate_all
from tests.support import kit
from tests.support.stack import database_of, execute, fresh_database

LODGER = f"lodger_{os.getpid()}"  # a role belongs to the whole server
PASSWORD = "kit-lodger-password"
OWNERS_PASSWORD = "kit-owner-password"


@pytest.fixture
def services(tmp_path: Path) -> Path:
    """A folder with a service whose role nobody else has."""
    shutil.copytree(Path(kit.__file__).parent / "kit_service" / kit.SERVICE, tmp_path / LODGER)
    for migration in tmp_path.rglob("*.py"):
        migration.write_text(migration.read_text().replace(f'"{kit.SERVICE}"', f'"{LODGER}"'))
    return tmp_path


def powers(database: DatabaseAddress, role: str, password: str) -> list[bool]:
    """Sign in as a role; return which powers it has over others."""

    async def ask() -> list[bool]:
        connection = await asyncpg.connect(database.url(user=role, password=password))
        try:
            query = "SELECT ARRAY[rolsuper, rolcreatedb, rolcreaterole] FROM pg_roles WHERE rolname = current_user"
            found: list[bool] = await connection.fetchval(query)
            return found
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_an_administrator_need_not_be_a_superuser_and_a_stranger_is_told_no_password(services: Path) -> None:
    database = database_of(f"{LODGER}_owner", OWNERS_PASSWORD)
    for _ in range(2):
        migrate_all(database.url(), {LODGER: PASSWORD}, services=services)
    assert powers(database, f"handrail_{LODGER}", PASSWORD) == [False, False, False]

    stranger = database_of(f"{LODGER}_stranger", OWNERS_PASSWORD)
    with pytest.raises(DBAPIError, match="permission denied") as refused:
        migrate_all(stranger.url(), {LODGER: PASSWORD}, services=services)

    assert PASSWORD not in str(refused.value)


def test_a_role_that_was_given_powers_loses_them(services: Path) -> None:
    database = fresh_database("roles")
    migrate_all(database.url(), {LODGER: PASSWORD}, services=services)

    execute(database, f"ALTER ROLE handrail_{LODGER} SUPERUSER CREATEDB")
    migrate_all(database.url(), {LODGER: PASSWORD}, services=services)

    assert powers(database, f"handrail_{LODGER}", PASSWORD) == [False, False, False]
