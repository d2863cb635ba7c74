"""The tables of deadlines twice: in memory, and on a real database whose tables are emptied."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import asyncpg

from handrail.embedded.postgres import DatabaseAddress
from services.deadlines.store import POSTGRES, Tables
from services.kit.database import Database
from services.kit.migrate import migrate_all
from tests.support.deadlines import NOON
from tests.support.deadlines_memory import memory_tables
from tests.support.self_connected import SelfConnectedStore
from tests.support.stack import SERVICE_PASSWORDS, fresh_database


@dataclass
class Backend:
    """A store of transactions, and the tables that live on it."""

    store: Any
    tables: Tables
    close: Callable[[], Awaitable[None]]


def memory_backend() -> Backend:
    """Return the memory twins."""

    async def close() -> None:
        return None

    return Backend(SelfConnectedStore("deadlines", NOON), memory_tables(lambda: (NOON, 0)), close)


@cache
def _shared() -> DatabaseAddress:
    address = fresh_database("deadlines")
    migrate_all(address.url(), {"deadlines": SERVICE_PASSWORDS["deadlines"]})
    return address


async def postgres_backend() -> Backend:
    """Return the real ones, on emptied tables."""
    connection = await asyncpg.connect(_shared().url())
    try:
        await connection.execute(
            "TRUNCATE deadlines.duty, deadlines.rung, deadlines.alert, deadlines.tick, deadlines.case_party"
        )
    finally:
        await connection.close()
    url = _shared().url(user="handrail_deadlines", password=SERVICE_PASSWORDS["deadlines"])
    store = Database(url, "deadlines")
    return Backend(store, POSTGRES, store.close)
