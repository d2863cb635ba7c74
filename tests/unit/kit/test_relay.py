"""The relay on a memory cursor and a publisher that can be told to fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from services.kit.errors import Unavailable
from services.kit.fence import Place
from services.kit.memory import MemoryCursor, MemoryStore
from services.kit.publisher import Outgoing, Published
from services.kit.relay import REST_S, Relay
from tests.simulation.loop import run as simulated
from tests.support.eventually import eventually
from tests.support.kit import NOON, aware, case


class FakeBroker:
    """One topic partition per topic, which remembers what it was sent."""

    def __init__(self) -> None:
        self.topics: dict[str, list[Outgoing]] = {}
        self.published: list[int] = []
        self.failures = 0
        self.most: int | None = None
        self.keeps_before_failing = False
        self.lets_out = 0

    async def publish(self, records: Sequence[Outgoing]) -> dict[Place, tuple[int, int]]:
        if self.failures:
            self.failures -= 1
            if self.keeps_before_failing:
                self._keep(records)
            raise Unavailable
        if self.most is not None and len(records) > self.most:
            self._keep(records[: self.most])  # and then its time was over
            raise Unavailable
        return self._keep(records)

    def _keep(self, records: Sequence[Outgoing]) -> dict[Place, tuple[int, int]]:
        self.published.append(len(records))
        offsets: dict[Place, tuple[int, int]] = {}
        for record in records:
            topic = self.topics.setdefault(record.topic, [])
            place = Place(record.topic, 0)
            offsets[place] = (offsets.get(place, (len(topic), 0))[0], len(topic))
            topic.append(record)
        return offsets

    async def ends(self, places: Iterable[Place]) -> dict[Place, int]:
        return {place: len(self.topics[place.topic]) for place in places if place.topic in self.topics}

    async def after(
        self, topics: Iterable[str], acknowledged: Mapping[Place, int]
    ) -> AsyncGenerator[Sequence[Published]]:
        if self.lets_out:
            self.lets_out -= 1
            raise asyncio.CancelledError
        for place in (Place(topic, 0) for topic in topics):
            yield [
                Published(place, offset, record.key, record.value)
                for offset, record in enumerate(self.topics.get(place.topic, []))
                if offset > acknowledged.get(place, -1)
            ]

    async def close(self) -> None:
        return None

    def numbers(self, topic: str = "topic") -> list[tuple[int, str]]:
        bodies = [orjson.loads(record.value) for record in self.topics.get(topic, [])]
        return [(body["producerseq"], body["data"]["how"]) for body in bodies]


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[Relay]:
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        relay.stop()
        await task


def relay_of(store: MemoryStore, broker: FakeBroker) -> Relay:
    return Relay("kit", MemoryCursor(store), broker, store.committed)


async def emit(store: MemoryStore, *names: str) -> None:
    async with store.begin() as tx:
        await tx.lock_cases([case(1)])
        for name in names:
            tx.emit("topic", aware(name, case(1)))


async def test_messages_are_numbered_without_a_gap_across_relays() -> None:
    store, broker = MemoryStore("kit", NOON), FakeBroker()
    for names in (("a", "b"), ("c",)):
        await emit(store, *names)
        async with running(relay_of(store, broker)):
            await eventually(lambda: store.cursor.producer_seq == len(store.state.outbox), "published")

    assert broker.numbers() == [(1, "a"), (2, "b"), (3, "c")]


def test_a_commit_is_published_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    store, broker = MemoryStore("kit", NOON), FakeBroker()
    for pause in ("POLL_FIRST_S", "POLL_LAST_S"):
        monkeypatch.setattr(f"services.kit.relay.{pause}", 3600.0)

    async def published_a_second_later() -> list[tuple[int, str]]:
        async with running(relay_of(store, broker)):
            await asyncio.sleep(1)  # it has found nothing and waits
            await emit(store, "a")
            await asyncio.sleep(1)
            return broker.numbers()

    assert simulated(published_a_second_later()) == [(1, "a")]


def test_commits_of_one_moment_share_a_publication() -> None:
    store, broker = MemoryStore("kit", NOON), FakeBroker()

    async def story() -> None:
        async with running(relay_of(store, broker)):
            for name in ("a", "b", "c"):
                await emit(store, name)
                await asyncio.sleep(REST_S / 4)
            await asyncio.sleep(REST_S)

    simulated(story())

    assert broker.published == [1, 2]
    assert broker.numbers() == [(1, "a"), (2, "b"), (3, "c")]


async def test_a_cancellation_that_kafkas_library_lets_out_does_not_end_the_relay() -> None:
    """Found by the fault table: a process that slept was never heard of again, and everybody waited for it."""
    store, broker = MemoryStore("kit", NOON), FakeBroker()
    broker.lets_out = 2
    await emit(store, "a")

    async with running(relay_of(store, broker)):
        await eventually(broker.numbers, "published")

    assert broker.numbers() == [(1, "a")]


async def test_a_relay_that_is_cancelled_ends() -> None:
    task = asyncio.create_task(relay_of(MemoryStore("kit", NOON), FakeBroker()).run())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)


async def test_a_failure_after_sending_only_repeats_with_the_same_numbers() -> None:
    store, broker = MemoryStore("kit", NOON), FakeBroker()
    broker.failures, broker.keeps_before_failing = 1, True
    await emit(store, "a", "b")

    async with running(relay_of(store, broker)):
        await eventually(lambda: len(broker.numbers()) == 4, "repeated")

    assert broker.numbers() == [(1, "a"), (2, "b")] * 2


def test_what_takes_too_long_to_send_at_once_is_sent_in_smaller_parts_with_the_same_numbers() -> None:
    store, broker = MemoryStore("kit", NOON), FakeBroker()
    broker.most = 2
    names = [str(number) for number in range(1, 12)]

    async def published_within_a_minute() -> int:
        await emit(store, *names)
        async with running(relay_of(store, broker)):
            await asyncio.sleep(60)
        return store.cursor.producer_seq

    assert simulated(published_within_a_minute()) == len(names)
    assert sorted(set(broker.numbers())) == [(int(name), name) for name in sorted(names, key=int)]


async def test_a_topic_that_became_shorter_is_refused_with_the_way_out() -> None:
    store, broker = MemoryStore("kit", NOON), FakeBroker()
    await emit(store, "a", "b")
    async with running(relay_of(store, broker)):
        await eventually(lambda: store.cursor.producer_seq == 2, "published")
    broker.topics.clear()
    await emit(store, "c")

    relay = relay_of(store, broker)
    async with running(relay):
        refusal = await eventually(relay.unready, "refused")

    assert "handrail relay rewind kit" in str(refusal)
    assert broker.numbers() == []


async def test_a_topic_made_again_while_the_relay_runs_is_noticed_with_the_next_message() -> None:
    store, broker = MemoryStore("kit", NOON), FakeBroker()
    relay = relay_of(store, broker)
    async with running(relay):
        await emit(store, "a", "b")
        await eventually(lambda: store.cursor.producer_seq == 2, "published")
        broker.topics.clear()
        await emit(store, "c")
        refusal = await eventually(relay.unready, "refused")

    assert "shorter than what was published" in str(refusal)
    assert store.cursor.producer_seq == 2


async def test_what_is_sent_to_a_topic_made_again_stands_before_its_history_so_it_must_be_emptied() -> None:
    store, broker = MemoryStore("kit", NOON), FakeBroker()
    relay = relay_of(store, broker)
    async with running(relay):
        await emit(store, "a", "b")
        await eventually(lambda: store.cursor.producer_seq == 2, "published")
        broker.topics.clear()
        await emit(store, "c")
        refusal = await eventually(relay.unready, "refused")
        stands = broker.numbers()
        await emit(store, "d")

    assert stands == broker.numbers() == [(3, "c")]
    assert "Make it again, empty" in str(refusal)


async def test_another_database_is_refused_with_the_way_out() -> None:
    store, broker = MemoryStore("kit", NOON), FakeBroker()
    await emit(store, "a")
    async with running(relay_of(store, broker)):
        await eventually(broker.numbers, "published")
    store.identity = "a copy"
    await emit(store, "b")

    relay = relay_of(store, broker)
    async with running(relay):
        refusal = await eventually(relay.unready, "refused")

    assert "another database" in str(refusal)
    assert "handrail relay catch-up kit" in str(refusal)
    assert broker.numbers() == [(1, "a")]


async def test_a_second_relay_stands_by() -> None:
    store, broker = MemoryStore("kit", NOON), FakeBroker()
    first, second = relay_of(store, broker), relay_of(store, broker)
    async with running(first):
        await emit(store, "a")
        await eventually(broker.numbers, "published")
        async with running(second):
            await emit(store, "b")
            await eventually(lambda: len(broker.numbers()) == 2, "published")

    assert broker.numbers() == [(1, "a"), (2, "b")]
    assert store.cursor.epoch == 1


async def test_another_server_than_the_one_that_was_compared_is_not_written_to_before_it_is_compared() -> None:
    """A standby's relay meets no error of its own: connections to the new server are there before it looks again."""
    store, broker = MemoryStore("kit", NOON), FakeBroker()
    store.cursor = replace(store.cursor, server=NOON)
    first, second = relay_of(store, broker), relay_of(store, broker)
    async with running(first), running(second):
        for relay in (first, second):
            await relay.admit()
            await relay.admit(NOON)

        later = NOON + timedelta(seconds=1)
        store.cursor = replace(store.cursor, server=later)
        for relay in (first, second):
            with pytest.raises(Unavailable):
                await relay.admit(later)
            await relay.admit()
            await relay.admit(later)
