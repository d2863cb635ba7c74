"""A worker of the consume path on a memory store, and a subscriber that answers as it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import TopicPartition

from services.kit.consume import Worker
from services.kit.fence import Place
from services.kit.memory import MemoryStore, MemoryTransaction
from services.kit.path import Consumer

GROUP = "group"
PLACE = Place("topic", 0)
Bounds = dict[Place, tuple[int, int]]


class FakeSubscriber:
    """One partition of one topic. `meanwhile` happens between the broker's answer and its arrival."""

    def __init__(self) -> None:
        self.begin = self.end = 0
        self.sought: list[int] = []
        self.acknowledged: list[int] = []
        self.did: list[str] = []
        self.stopped = False
        self.here = {PLACE}
        self.unreadable: str | None = None
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    async def bounds(self, places: Iterable[Place]) -> Bounds:
        found = dict.fromkeys(places, (self.begin, self.end))
        if self.meanwhile:
            await self.meanwhile()
        return found

    async def drain(self, timeout_s: float) -> None:
        del timeout_s
        self.did.append("waited for the batch in hand")

    async def tell(self) -> None:
        self.did.append("told")

    async def settle(self) -> None:
        self.did.append("settled")

    def assignment(self) -> set[Place]:
        return self.here

    def damaged(self) -> str | None:
        return self.unreadable

    def seek(self, place: Place, offset: int) -> None:
        assert place == PLACE
        self.sought.append(offset)

    def acknowledge(self, next_offsets: Mapping[Place, int], *, soon: bool) -> None:
        self.acknowledged += next_offsets.values()
        self.did.append("acknowledged, soon" if soon else "acknowledged")

    async def stop(self) -> None:
        self.stopped = True

    def problem(self, idle_limit_s: float) -> str | None:
        del idle_limit_s
        return None


class FailingStore(MemoryStore):
    """A store that is away for some transactions."""

    failures = 0

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[MemoryTransaction]:
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        async with super().begin() as tx:
            yield tx


async def handler(events: Sequence[Any], tx: Any) -> None:
    del events, tx


def worker_on(store: MemoryStore, subscriber: FakeSubscriber) -> Worker:
    worker = Worker(store, Consumer(GROUP, handler, None))
    worker.subscriber = subscriber  # type: ignore[assignment] # answers what the worker asks
    return worker


async def fenced(store: MemoryStore, next_offset: int) -> None:
    async with store.begin() as tx:
        await tx.fence.advance(GROUP, {PLACE: next_offset})


async def assign(worker: Worker) -> None:
    await worker.on_partitions_assigned({TopicPartition(*PLACE)})
