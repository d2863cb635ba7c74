"""Services without one of the parts that hold the promise: each must turn a row of the fault table red.

Only the test build of a service (`tests.support.faults.service`) can do this; nothing of it is in what is shipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text

from services.kit import cursor
from services.kit.consume import Worker
from services.kit.fence import Place, PostgresFence
from services.kit.inbox import PostgresInbox
from services.kit.transaction import PostgresTransaction


def _fence() -> None:
    """Believe Kafka's own offsets: start where the group's stand, and miss no record that was skipped."""

    async def hold(self: PostgresFence, consumer: str, places: Sequence[Place]) -> dict[Place, int]:
        del self, consumer, places
        return {}

    async def stand(self: Worker, places: Sequence[Place]) -> None:
        del places
        self._assigned = True

    PostgresFence.hold = hold  # type: ignore[method-assign]
    Worker._stand_on_fence = stand  # type: ignore[method-assign]


def _inbox() -> None:
    """Take every record for a new one."""
    admit = PostgresInbox.admit

    async def admit_all(self: PostgresInbox, consumer: str, ids: Sequence[UUID]) -> set[UUID]:
        await admit(self, consumer, ids)
        return set(ids)

    PostgresInbox.admit = admit_all  # type: ignore[method-assign]


def _locks() -> None:
    """Hold no case."""

    async def lock_cases(self: PostgresTransaction, keys: Iterable[str], *, minted: bool = False) -> None:
        del minted
        self._locked |= set(keys)

    PostgresTransaction.lock_cases = lock_cases  # type: ignore[method-assign]


def _snapshot() -> None:
    """Let the relay pass transactions that are still running."""
    bounded = str(cursor._READ)
    unbounded = bounded.replace("AND xid < pg_snapshot_xmin(pg_current_snapshot())", "")
    if unbounded == bounded:
        raise LookupError("the relay's query has no snapshot bound that could be taken out")
    vars(cursor)["_READ"] = text(unbounded)


PARTS: Final[Mapping[str, Callable[[], None]]] = {
    "fence": _fence,
    "inbox": _inbox,
    "locks": _locks,
    "snapshot": _snapshot,
}


def take_out(part: str) -> None:
    """Take one part out of this process."""
    PARTS[part]()
