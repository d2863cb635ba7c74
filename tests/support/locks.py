"""Whether a transaction waits for a lock, on both kinds of store."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from sqlalchemy import text

from services.kit.memory import MemoryStore
from tests.support.eventually import eventually

_WAITING: Final = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


async def waits_for_a_lock(store: Any, task: asyncio.Future[Any]) -> bool:
    """Return whether a task, the only one that could, comes to wait for a lock before it is done."""

    async def waits_or_is_done() -> bool:
        return task.done() or await _somebody_waits(store)

    await eventually(waits_or_is_done, "the task waits for a lock, or is done")
    return not task.done()


async def _somebody_waits(store: Any) -> bool:
    if isinstance(store, MemoryStore):
        return any(lock._waiters for lock in store._locks.values())
    async with store.connect() as connection:
        return bool(await connection.scalar(_WAITING))
