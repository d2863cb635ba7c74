"""The consume path on real Kafka and PostgreSQL: kills, zombies, rebalances and topics that are not what they were."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from faststream.kafka import KafkaRouter
from sqlalchemy import text

from services.kit.codec import Event
from services.kit.database import Database
from services.kit.fence import rewind
from services.kit.runtime import Runtime, kafka_connection
from services.kit.settings import KitSettings
from tests.support import kit
from tests.support.eventually import eventually
from tests.support.kit import aware, case
from tests.support.kit_kafka import (
    delete_topic,
    environment,
    is_rebalancing,
    make_topic,
    new_name,
    producer,
    read_all,
    running,
)
from tests.support.kit_process import repeat
from tests.support.repository import ROOT


@dataclass(frozen=True)
class Road:
    """Where a test's service reads and writes."""

    settings: KitSettings
    source: str
    destination: str
    group: str

    @property
    def url(self) -> str:
        return self.settings.database_url.get_secret_value()

    async def send(self, *names: str, number: int | None = None) -> None:
        async with producer(self.settings) as opened:
            for place, name in enumerate(names):
                key = case(place if number is None else number)
                await opened.send_and_wait(self.source, aware(name, key).wire(), key=key.encode())

    async def effects(self) -> list[str]:
        """Return what was written to the outbox, in order."""
        store = kit.database(self.url)
        try:
            async with store.connect() as connection:
                rows = await connection.execute(text("SELECT payload FROM outbox ORDER BY xid, id"))
                return [said(payload) for payload in rows.scalars()]
        finally:
            await store.close()

    async def handled(self) -> int:
        """Return how many records the consumer's fence says are behind it."""
        store = kit.database(self.url)
        try:
            async with store.connect() as connection:
                behind = text("SELECT sum(next_offset) FROM consumer_offset WHERE consumer = :group")
                return int(await connection.scalar(behind, {"group": self.group}))
        finally:
            await store.close()

    async def published(self) -> list[str]:
        return [said(record.value) for record in await read_all(self.settings, self.destination)]

    @contextmanager
    def process(self, fault: str | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """Run the service in a process of its own."""
        started = subprocess.Popen(
            [sys.executable, "-m", "tests.support.kit_process", self.source, self.destination, self.group],
            cwd=ROOT,
            env=environment(self.url) | ({"HANDRAIL_FAULT": fault} if fault else {}),
            stderr=subprocess.DEVNULL,
        )
        try:
            yield started
        finally:
            if started.poll() is None:
                os.kill(started.pid, signal.SIGCONT)
                started.kill()
            started.wait(30)

    @asynccontextmanager
    async def here(self) -> AsyncIterator[Runtime]:
        """Run the service in this process."""
        build = lambda runtime: repeat(runtime, self.source, self.destination, self.group)  # noqa: E731
        async with running(self.settings, build) as runtime:
            yield runtime


def said(payload: bytes) -> str:
    body: dict[str, Any] = orjson.loads(payload)
    return str(body["data"].get("how", body["type"]))


@pytest.fixture
def road(settings: KitSettings) -> Road:
    return Road(settings, make_topic(partitions=2), make_topic(partitions=2), new_name("group"))


def has_died(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is not None


def is_stopped(process: subprocess.Popen[bytes]) -> bool:
    status = (ROOT / f"/proc/{process.pid}/stat").read_text()
    return status.rpartition(")")[2].split()[0] == "T"


NAMES = [f"event {number}" for number in range(30)]
HEARD = sorted(f"heard {name}" for name in NAMES)


async def test_a_batch_killed_between_commit_and_acknowledgement_has_one_effect(road: Road) -> None:
    await road.send(*NAMES)
    with road.process("consume.committed:kill") as first:
        await eventually(lambda: has_died(first), "the killed process")
    assert await road.effects()

    async with road.here():
        await road.send("afterwards", number=99)
        await eventually(lambda: _contains(road, "heard afterwards"), "the event after the kill")

    assert sorted(await road.effects()) == sorted([*HEARD, "heard afterwards"])


async def test_kafka_has_been_told_how_far_a_consumer_came_when_that_has_stopped(road: Road) -> None:
    await road.send(*NAMES)
    async with road.here():
        await eventually(lambda: _has(road, len(NAMES)), "all events")

    onlooker = AIOKafkaConsumer(group_id=road.group, enable_auto_commit=False, **kafka_connection(road.settings))
    await onlooker.start()
    try:
        told = [await onlooker.committed(TopicPartition(road.source, number)) for number in range(2)]
    finally:
        await onlooker.stop()
    assert sum(told) == len(NAMES)


async def test_a_batch_killed_before_its_commit_is_handled_by_the_next_process(road: Road) -> None:
    await road.send(*NAMES)
    with road.process("consume.before_commit:kill") as first:
        await eventually(lambda: has_died(first), "the killed process")
    assert not await road.effects()

    async with road.here():
        await eventually(lambda: _has(road, len(NAMES)), "all events")

    assert sorted(await road.effects()) == HEARD


async def test_a_relay_killed_between_sending_and_its_cursor_only_repeats(road: Road) -> None:
    await road.send(*NAMES)
    with road.process("relay.sent:kill") as first:
        await eventually(lambda: has_died(first), "the killed process")
    sent_before = await road.published()

    async with road.here():
        await eventually(lambda: _published(road, set(HEARD)), "everything on the topic")
        await eventually(lambda: _published_count(road, len(NAMES) + len(sent_before)), "the repetition")

    records = await read_all(road.settings, road.destination)
    numbers = {said(record.value): orjson.loads(record.value)["producerseq"] for record in records}
    repeated = Counter((said(record.value), orjson.loads(record.value)["producerseq"]) for record in records)
    assert sent_before
    assert sorted(numbers.values()) == list(range(1, len(NAMES) + 1))
    assert len(repeated) == len(NAMES)  # the repetition has the same numbers


async def test_a_process_that_slept_through_its_session_changes_nothing_when_it_wakes(road: Road) -> None:
    await road.send(*NAMES)
    with road.process("consume.received:stop") as zombie:
        await eventually(lambda: is_stopped(zombie), "the process that sleeps")
        async with road.here():
            await eventually(lambda: _has(road, len(NAMES)), "the other process took over")
            os.kill(zombie.pid, signal.SIGCONT)
            await road.send("afterwards", number=99)
            await eventually(lambda: _contains(road, "heard afterwards"), "life goes on")

        assert sorted(await road.effects()) == sorted([*HEARD, "heard afterwards"])
        assert zombie.poll() is None


async def test_a_rebalance_waits_for_the_batch_in_hand(road: Road) -> None:
    seen: Counter[str] = Counter()
    in_hand, go_on = asyncio.Event(), asyncio.Event()

    def build(runtime: Runtime) -> list[KafkaRouter]:
        router = KafkaRouter()

        @runtime.consume.batches(router, road.source, group_id=road.group)
        async def on_events(events: Sequence[Event], _tx: Any) -> None:
            seen.update(event.message.data.how for event in events)
            in_hand.set()
            await go_on.wait()

        return [router]

    await road.send(*NAMES)
    async with running(road.settings, build):
        await in_hand.wait()
        async with running(road.settings, build) as second:  # its arrival takes partitions away from the first
            worker = second.consume.workers[road.group]
            await eventually(lambda: is_rebalancing(road.group), "the rebalance is under way")
            assert not worker.subscriber.assignment()
            go_on.set()
            await eventually(worker.subscriber.assignment, "the second has partitions")
            await eventually(lambda: len(seen) == len(NAMES), "all events")

    assert set(seen.values()) == {1}


async def test_a_topic_deleted_and_made_again_stops_the_consumer(road: Road) -> None:
    await road.send("a", "b", "c", number=1)
    async with road.here() as runtime:
        await eventually(lambda: _has(road, 3), "three events")
    delete_topic(road.source)
    await eventually(lambda: _made_again(road.source), "the topic can be made again")
    await road.send(*[f"other {number}" for number in range(5)], number=1)

    async with road.here() as runtime:
        worker = runtime.consume.workers[road.group]
        wrong = await eventually(worker.stopped, "the consumer stops")
        unwell, dead = runtime.health.unwell(), runtime.health.dead()

    assert "deleted and made again" in wrong
    assert f"consumer {road.group}" in unwell
    assert dead == {}, "a person has to put it right: the process goes on with its other work"
    assert len(await road.effects()) == 3

    store = kit.database(road.url)
    async with store.engine.begin() as connection:
        await rewind(connection, road.group, road.source)
    await store.close()
    async with road.here():
        await eventually(lambda: _has(road, 8), "the new topic is read from its beginning")


async def test_a_consumer_that_is_rewound_while_it_runs_reads_from_the_beginning(road: Road) -> None:
    await road.send("a", "b", "c", number=1)
    async with road.here():
        await eventually(lambda: _has(road, 3), "three events")
        store = kit.database(road.url)
        async with store.engine.begin() as connection:
            await connection.execute(text("DELETE FROM inbox"))  # so that what is read again shows
            await rewind(connection, road.group, road.source)
        await store.close()
        await road.send("d", number=1)
        await eventually(lambda: _has(road, 7), "the three and the next one")

    assert await road.effects() == [f"heard {name}" for name in ("a", "b", "c", "a", "b", "c", "d")]


async def test_what_a_server_lacks_that_took_over_is_read_again_though_no_record_follows(road: Road) -> None:
    await road.send("a", "b", "c", number=1)
    async with road.here():
        await eventually(lambda: _has(road, 3), "three events")
        store = kit.database(road.url)
        async with store.engine.begin() as connection:  # it did not get the last two commits
            await connection.execute(
                text("DELETE FROM inbox WHERE event_id = ANY(:ids)"),
                {"ids": [aware(name, case(1)).id for name in "bc"]},
            )
            back = text("UPDATE consumer_offset SET next_offset = next_offset - 2 WHERE next_offset > 0")
            await connection.execute(back)
        await store.close()
        await eventually(lambda: _has(road, 5), "the last two once more")

    assert await road.effects() == [f"heard {name}" for name in "abcbc"]


async def test_stopping_finishes_the_batch_in_hand(road: Road) -> None:
    taken: list[str] = []
    in_hand, go_on = asyncio.Event(), asyncio.Event()
    runtime, router = Runtime(road.settings, kit.SERVICE), KafkaRouter()

    @runtime.consume.batches(router, road.source, group_id=road.group)
    async def on_events(events: Sequence[Event], tx: Any) -> None:
        taken.extend(event.message.data.how for event in events)
        in_hand.set()
        await go_on.wait()
        for event in events:
            tx.emit(road.destination, aware(f"heard {event.message.data.how}", str(event.case_key)))

    await road.send(*NAMES)
    await runtime.start([router], ())
    await in_hand.wait()
    stopping = asyncio.create_task(runtime.stop())
    try:
        await eventually(lambda: "task watch" in runtime.health.dead(), "all has ended but what the batch needs")
        before = await road.effects()
        assert not stopping.done()
    finally:
        go_on.set()
        await stopping

    assert before == []
    assert taken
    assert sorted(await road.effects()) == sorted(f"heard {name}" for name in taken)
    assert await road.handled() == len(taken)


async def test_a_process_that_is_told_to_end_ends_with_success(road: Road) -> None:
    await road.send(*NAMES)
    with road.process() as process:
        await eventually(lambda: _contains(road, HEARD[0]), "the first effects")
        process.terminate()
        await eventually(lambda: has_died(process), "the process ends")

    assert process.returncode == 0


async def test_a_service_starts_and_stays_alive_while_kafka_is_away(settings: KitSettings) -> None:
    away = settings.model_copy(update={"kafka_bootstrap": "127.0.0.1:9"})
    road = Road(away, "nowhere", "nowhere", new_name("group"))
    async with road.here() as runtime:
        store: Database = runtime.database
        async with store.begin() as tx:
            await tx.lock_cases([case(1)])
            tx.emit("nowhere", aware("kept", case(1)))
        unready = await runtime.health.unready()

        assert runtime.health.dead() == {}
        assert f"consumer {road.group}" in unready
    assert await road.effects() == ["kept"]


async def _has(road: Road, count: int) -> bool:
    return len(await road.effects()) >= count


async def _contains(road: Road, name: str) -> bool:
    return name in await road.effects()


async def _published(road: Road, names: set[str]) -> bool:
    return names <= set(await road.published())


async def _published_count(road: Road, count: int) -> bool:
    return len(await road.published()) >= count


def _made_again(topic: str) -> bool:
    try:
        make_topic(partitions=2, name=topic)
    except Exception as error:
        if "TOPIC_ALREADY_EXISTS" in str(error):
            return False
        raise
    return True
