"""Makes the database ready: roles, schemas, the legal clock, and each service's tables by its own Alembic history.

One schema and one login role per service; a role sees its own schema and the clock, nothing else, and owns nothing.
Everything runs as the administrator, in one transaction per step, and may be run again at any time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from services.kit.database import asyncpg_url
from services.kit.scram import scram_verifier

_SERVICES: Final = Path(__file__).parents[1]
_LOCK: Final = 0x68616E647261696C  # "handrail": only one migration at a time

_CLOCK: Final = (
    "CREATE SCHEMA IF NOT EXISTS clock",
    """CREATE TABLE IF NOT EXISTS clock.legal_clock (
        one boolean PRIMARY KEY DEFAULT true CHECK (one), offset_s bigint NOT NULL DEFAULT 0,
        moved_at timestamptz, moved_by text, reason text)""",
    "INSERT INTO clock.legal_clock (one) VALUES (true) ON CONFLICT DO NOTHING",
    """CREATE OR REPLACE FUNCTION clock.legal_now() RETURNS timestamptz LANGUAGE sql VOLATILE
        RETURN clock_timestamp() + make_interval(secs => (SELECT offset_s FROM clock.legal_clock))""",
    # Which database this is. Only administrators may read the control file, so this function does it for the relays.
    """CREATE OR REPLACE FUNCTION clock.database_identity() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = pg_catalog
        RETURN (SELECT system_identifier::text FROM pg_control_system())
            || '/' || (SELECT oid::text FROM pg_database WHERE datname = current_database())""",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
)


def migrate_all(admin_url: str, role_passwords: Mapping[str, str], *, services: Path = _SERVICES) -> None:
    """Bring the whole database up to date. Blocking; may be called inside or outside an event loop.

    Args:
        admin_url: URL of an account that may create roles and schemas.
        role_passwords: Password by service name; the role of `routing` is `handrail_routing`.
        services: Folder in which each service has its `migrations`.
    """
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, _migrate_all(asyncpg_url(admin_url), role_passwords, services)).result()


async def _migrate_all(url: str, role_passwords: Mapping[str, str], services: Path) -> None:
    engine = create_async_engine(url, poolclass=NullPool, hide_parameters=True)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await connection.run_sync(_prepare, role_passwords)
            for service in role_passwords:
                await connection.run_sync(_upgrade, service, services / service / "migrations")
    finally:
        await engine.dispose()


def _prepare(connection: Connection, role_passwords: Mapping[str, str]) -> None:
    for statement in _CLOCK:
        connection.execute(text(statement))
    database = connection.execute(text("SELECT quote_ident(current_database())")).scalar_one()
    connection.execute(text(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC"))
    for service, password in role_passwords.items():
        role = f"handrail_{service}"
        exists = connection.execute(
            text("SELECT rolsuper OR rolcreatedb OR rolcreaterole AS powers FROM pg_roles WHERE rolname = :role"),
            {"role": role},
        ).first()
        # DDL takes no parameters: PostgreSQL itself does the quoting.
        statement = connection.execute(
            text(
                "SELECT format('%s ROLE %I LOGIN PASSWORD %L', CAST(:verb AS text), CAST(:role AS text), CAST(:password AS text))"
            ),
            {
                "verb": "ALTER" if exists else "CREATE",
                "role": role,
                "password": scram_verifier(password) if password.isascii() else password,
            },
        ).scalar_one()
        connection.exec_driver_sql(statement)
        if exists and exists.powers:  # only a superuser may even ask for this, and the administrator need not be one
            connection.execute(text(f"ALTER ROLE {role} NOSUPERUSER NOCREATEDB NOCREATEROLE"))
        for grant in (
            f"GRANT CONNECT ON DATABASE {database} TO {role}",
            f"CREATE SCHEMA IF NOT EXISTS {service}",
            f"GRANT USAGE ON SCHEMA {service}, clock TO {role}",
            f"GRANT SELECT ON clock.legal_clock TO {role}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA {service} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA {service} GRANT USAGE, SELECT ON SEQUENCES TO {role}",
            f"ALTER ROLE {role} IN DATABASE {database} SET search_path = {service}",
        ):
            connection.execute(text(grant))
    if "deadlines" in role_passwords:
        connection.execute(text("GRANT UPDATE ON clock.legal_clock TO handrail_deadlines"))


# A transaction's id means nothing in another cluster: rows would hide behind its snapshots, or be passed over. Written
# again in their order, by one transaction, they come before everything that is said from now on. Any of the old ids may
# be this transaction's own: what is old is known by being taken out first.
_UNSETTLED: Final = "SELECT coalesce(max(xid) >= pg_snapshot_xmax(pg_current_snapshot()), false) FROM outbox"
_SETTLE: Final = """
    WITH taken AS (
        DELETE FROM outbox RETURNING xid, id, created_at, topic, key, event_id, payload
    ), old AS (
        SELECT *, row_number() OVER (ORDER BY xid, id) AS number FROM taken
    ), written AS (
        INSERT INTO outbox (created_at, topic, key, event_id, payload)
        SELECT created_at, topic, key, event_id, payload FROM old ORDER BY number RETURNING xid, id
    ), new AS (
        SELECT xid, id, row_number() OVER (ORDER BY id) AS number FROM written
    ), placed AS (
        UPDATE published_before SET after_xid = new.xid, after_id = new.id
        FROM old JOIN new USING (number) WHERE (after_xid, after_id) = (old.xid, old.id)
    )
    UPDATE relay_cursor AS c SET xid = new.xid, id = new.id FROM new
    WHERE new.number = (SELECT count(*) FROM old WHERE (old.xid, old.id) <= (c.xid, c.id))
"""


def _settle(connection: Connection) -> None:
    """Write the outbox again if it came from another cluster, so that its rows have transaction ids of this one."""
    if connection.execute(text(_UNSETTLED)).scalar_one():
        connection.execute(text(_SETTLE))


def _upgrade(connection: Connection, service: str, folder: Path) -> None:
    if not folder.is_dir():
        raise FileNotFoundError(f"{service}/migrations is missing: each service has its own Alembic history")
    connection.execute(text(f"SET LOCAL search_path = {service}"))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "newline")  # the clone may stand in a path with a space
    config.set_main_option("version_locations", str(folder).replace("%", "%%"))
    config.attributes.update(connection=connection, schema=service)
    command.upgrade(config, "head")
    _settle(connection)
