"""Planted bugs: the shipped services with one part replaced by a worse one. Nothing of this is in what is shipped."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from aiokafka import TopicPartition

from services.audit.domain.entry import Entry
from services.audit.store.log import Head
from services.deadlines.domain.catch_up import DueRung
from services.deadlines.domain.duty import Duty
from services.deadlines.domain.ladder import Rung
from services.deadlines.store import Tables
from services.kit.consume import Worker
from services.kit.cursor import OutboxRow, Position
from services.kit.fence import Place
from services.kit.memory import MemoryCursor, MemoryTransaction
from tests.simulation.database import Connections
from tests.simulation.road import Build
from tests.support.audit_memory import MemoryLog
from tests.support.deadlines_memory import MemoryRungs, memory_tables, rows


class _MovesTheFenceAtOnce:
    """Moves the fence in a transaction of its own, before what was read has had its effect."""

    def __init__(self, fence: Any, tx: MemoryTransaction) -> None:
        self._fence = fence
        self._tx = tx

    async def hold(self, consumer: str, places: Sequence[Place]) -> dict[Place, int]:
        found: dict[Place, int] = await self._fence.hold(consumer, places)
        return found

    async def look(self, consumer: str) -> dict[Place, int]:
        found: dict[Place, int] = await self._fence.look(consumer)
        return found

    async def advance(self, consumer: str, next_offsets: Mapping[Place, int]) -> None:
        await self._fence.advance(consumer, next_offsets)
        self._tx.store.state.offsets.update({(consumer, place): offset for place, offset in next_offsets.items()})


class AcknowledgesBeforeCommit(Connections):
    """What was read counts as done before it is."""

    def dress(self, tx: MemoryTransaction) -> None:
        super().dress(tx)
        tx.fence = _MovesTheFenceAtOnce(tx.fence, tx)


class ReadsPastRunningTransactions(MemoryCursor):
    """Reads the outbox without the snapshot's bound, and so past a transaction that commits late."""

    async def read(self, position: Position, limit: int) -> list[OutboxRow]:
        running, self._store.running = self._store.running, set()
        try:
            return await super().read(position, limit)
        finally:
            self._store.running = running


class HoldsNoCase(Connections):
    """Takes no advisory lock: `minted` says that nobody else can know the case."""

    def dress(self, tx: MemoryTransaction) -> None:
        super().dress(tx)
        lock_cases = type(tx).lock_cases

        async def remember(keys: Iterable[str], *, minted: bool = False) -> None:
            del minted
            await lock_cases(tx, keys, minted=True)

        tx.lock_cases = remember  # type: ignore[method-assign]


class _KnowsNothing:
    """Takes every record for new, and every record below the fence for the one that was there."""

    async def known(self, consumer: str, ids: Sequence[UUID]) -> set[UUID]:
        del consumer
        return set(ids)

    async def admit(self, consumer: str, ids: Sequence[UUID]) -> set[UUID]:
        del consumer
        return set(ids)

    async def forget(self, consumer: str, event_id: UUID) -> None:
        """There is nothing to forget."""


class RemembersNoRecord(Connections):
    """Has no inbox."""

    def dress(self, tx: MemoryTransaction) -> None:
        super().dress(tx)
        tx.inbox = _KnowsNothing()


class _StandsNowhere:
    """Keeps no offsets: as if nothing had been read yet."""

    async def hold(self, consumer: str, places: Sequence[Place]) -> dict[Place, int]:
        del consumer, places
        return {}

    async def look(self, consumer: str) -> dict[Place, int]:
        del consumer
        return {}

    async def advance(self, consumer: str, next_offsets: Mapping[Place, int]) -> None:
        del consumer, next_offsets


class KeepsNoOffsets(Connections):
    """Has no fence."""

    def dress(self, tx: MemoryTransaction) -> None:
        super().dress(tx)
        tx.fence = _StandsNowhere()


class TrustsKafka(Worker):
    """Goes on where Kafka's acknowledged offsets say, for there is no fence to stand on."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        del assigned
        self._hurry.clear()
        self._assigned = True


class TimersWithoutGeneration(MemoryRungs):
    """Arms and claims timers as if a duty had one date for ever."""

    async def arm(self, tx: Any, ladders: Iterable[tuple[Duty, Sequence[Rung]]], now: datetime) -> None:
        await super().arm(tx, [(replace(duty, generation=1), rungs) for duty, rungs in ladders], now)

    async def claim(self, tx: Any, case_keys: Collection[str], now: datetime) -> list[DueRung]:
        mine = [row for row in rows(tx, "rung") if row.case_key in case_keys]
        kept = tx.view("kept")
        for row in mine:
            kept["rung", row.rung_id] = replace(row, generation=kept["duty", row.duty_id].generation)
        return await super().claim(tx, case_keys, now)


def _without_generation(read_legal: Callable[[], tuple[datetime, int]]) -> Tables:
    return replace(memory_tables(read_legal), rungs=TimersWithoutGeneration())


class HoldsNoHead(MemoryLog):
    """Takes no lock on the head: two sequencers append behind the same entry."""

    async def lock_head(self, tx: Any, origin: str) -> Head:
        return await self.read_head(tx) or Head(origin)


class KnowsNoEntry(MemoryLog):
    """Does not look what stands in the log already."""

    async def known(self, tx: Any, ids: Collection[UUID]) -> dict[UUID, bytes | None]:
        del tx, ids
        return {}


class SignsBeforeCommit(MemoryLog):
    """Reads the head past the transaction that moves it, and so one that may never be committed."""

    _moved: Head | None = None

    async def add(self, tx: Any, head: Head, entries: Sequence[Entry]) -> Head:
        self._moved = await super().add(tx, head, entries)
        return self._moved

    async def read_head(self, tx: Any) -> Head | None:
        return self._moved or await super().read_head(tx)


BUGS: Final = {
    "acknowledges before the commit": Build(connections=AcknowledgesBeforeCommit),
    "reads past running transactions": Build(cursor=ReadsPastRunningTransactions),
    "holds no case": Build(connections=HoldsNoCase),
    "has no inbox": Build(connections=RemembersNoRecord),
    "has no fence": Build(connections=KeepsNoOffsets, worker=TrustsKafka),
    "timers without generation": Build(tables=_without_generation),
    "holds no head": Build(log=HoldsNoHead),
    "knows no entry": Build(log=KnowsNoEntry),
    "signs before the commit": Build(log=SignsBeforeCommit),
}
