"""A service made of nothing but the kit, on a fresh PostgreSQL database: role, schema and tables as migrations make them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import asyncpg
import orjson
from sqlalchemy import text

from handrail.embedded.postgres import DatabaseAddress
from schemas.case_events import BecameAware, BecameAwareData, Reporter
from services.kit.cursor import OutboxRow, PostgresCursor
from services.kit.database import Database
from services.kit.fence import REWOUND, Place, rewind
from services.kit.memory import MemoryCursor, MemoryStore
from services.kit.migrate import migrate_all
from tests.support.stack import fresh_database

SERVICE = "kit"
PASSWORD = "kit-test-password"
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
_NAMES = UUID("00000000-0000-4000-8000-000000000000")


def migrated() -> str:
    """Return the URL with which the kit's service logs in to a new database."""
    return _login(_migrated())


@cache
def _shared() -> DatabaseAddress:
    return _migrated()


def _migrated() -> DatabaseAddress:
    address = fresh_database("kit")
    migrate_again(address.url())
    return address


def migrate_again(admin_url: str) -> None:
    """Bring a database of the kit's service up to date, as each start of an installation does."""
    migrate_all(admin_url, {SERVICE: PASSWORD}, services=Path(__file__).parent / "kit_service")


def _login(address: DatabaseAddress) -> str:
    return f"postgresql://handrail_{SERVICE}:{PASSWORD}@{address.host}:{address.port}/{address.database}"


def database(url: str, *, quarantine_key: str | None = None) -> Database:
    """Open the service's database."""
    return Database(url, SERVICE, quarantine_key=quarantine_key)


def case(number: int) -> str:
    """Return an invented case key."""
    return f"{number:032x}"


def aware(name: str, case_key: str) -> BecameAware:
    """Return an invented message about a case; the same name, the same id."""
    return BecameAware(
        id=uuid5(_NAMES, name),
        source="/tests",
        time=NOON,
        recorded_at=NOON,
        case_key=case_key,
        data=BecameAwareData(
            reporter=Reporter(client="test-client", body="local_authority", area="E08000035"),
            aware_on=NOON.date(),
            how=name,
        ),
    )


@dataclass
class Backend:
    """A store and what tests ask of it, in memory or in PostgreSQL."""

    store: Any
    cursor: Callable[[], Any]
    move_to_another_database: Callable[[], Awaitable[None]]
    close: Callable[[], Awaitable[None]]

    async def outbox(self) -> list[OutboxRow]:
        """Return what the relay would publish now, from the beginning."""
        cursor = self.cursor()
        position = await cursor.acquire()
        rows: list[OutboxRow] = await cursor.read(replace(position, xid=0, id=0), 10_000)
        await cursor.release()
        return rows

    async def rewind(self, consumer: str, place: Place) -> None:
        """Let a consumer read a partition from its beginning again."""
        if isinstance(self.store, MemoryStore):
            self.store.state.offsets[consumer, place] = REWOUND
            return
        async with self.store.engine.begin() as connection:
            await rewind(connection, consumer, place.topic)

    async def said(self) -> list[str]:
        """Return, in order, what the messages about cases say, and the types of all others."""
        bodies = [orjson.loads(row.payload) for row in await self.outbox()]
        return [body["data"].get("how", body["type"]) for body in bodies]


def memory_backend() -> Backend:
    """Return the memory twins."""
    store = MemoryStore(SERVICE, NOON)

    async def move() -> None:
        store.identity = "memory/2"

    async def close() -> None:
        return None

    return Backend(store, lambda: MemoryCursor(store), move, close)


async def postgres_backend() -> Backend:
    """Return the real ones, on emptied tables."""
    connection = await asyncpg.connect(_shared().url())
    try:
        await connection.execute(
            "TRUNCATE kit.outbox, kit.inbox, kit.consumer_offset, kit.case_head, kit.quarantine, kit.parked_event,"
            " kit.published_before;"
            "UPDATE kit.relay_cursor SET xid = '0', id = 0, producer_seq = 0, epoch = 0, acknowledged = '{}',"
            " database_identity = NULL"
        )
    finally:
        await connection.close()
    store = database(_login(_shared()))

    async def move() -> None:
        async with store.begin() as tx:
            await tx.connection.execute(text("UPDATE relay_cursor SET database_identity = 'elsewhere/1'"))

    return Backend(store, lambda: PostgresCursor(store.engine, SERVICE), move, store.close)
