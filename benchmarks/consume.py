"""`make bench-consume`: the kit's consume path against `benchmarks.naive`, on the same broker and the same database.

Both read the same events and, for each, keep one row and publish one answer; a run ends when the last answer is on its
topic. The naive one keeps no inbox, no fence and no outbox: it is given every advantage of what it leaves out.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition
from faststream.kafka import KafkaRouter
from sqlalchemy import text

from benchmarks import naive
from benchmarks.figures import Figure, Machine, conclude, cpu_seconds, family_seconds, table
from handrail.embedded.postgres import DatabaseAddress
from schemas.case_events import BecameAware, BecameAwareData, Reporter
from services.kit.codec import Event
from services.kit.migrate import migrate_all
from services.kit.publisher import KafkaPublisher, Outgoing
from services.kit.runtime import Runtime, kafka_connection
from services.kit.settings import KitSettings
from services.kit.transaction import Transaction
from tests.support import kit, kit_kafka
from tests.support.eventually import eventually
from tests.support.stack import fresh_database, stack

GOAL_TIMES: Final = 45.0
GOAL_PER_S: Final = 6_000.0
EVENTS: Final = 100_000  # about as long as the naive way takes for its own: what starting costs is small in both
NAIVE_EVENTS: Final = 2_500
PARTITIONS: Final = 12
CASES: Final = 4_000
_EVENT_TABLE: Final = "CREATE TABLE kit.event (event_id uuid PRIMARY KEY, case_key text NOT NULL, said text NOT NULL)"
_KEEP: Final = text("""
    INSERT INTO event (event_id, case_key, said)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:cases AS text[]), CAST(:said AS text[]))
""")


def new_database() -> DatabaseAddress:
    """Make a database with the kit's tables and a table for events."""
    address = fresh_database("bench")
    migrate_all(address.url(), {kit.SERVICE: kit.PASSWORD}, services=Path(kit.__file__).parent / "kit_service")

    async def make() -> None:
        connection = await asyncpg.connect(address.url())
        try:
            await connection.execute(_EVENT_TABLE)
        finally:
            await connection.close()

    asyncio.run(make())
    return address


def settings(address: DatabaseAddress) -> KitSettings:
    """Return the settings of a service on such a database."""
    return kit_kafka.settings(address.url(user=f"handrail_{kit.SERVICE}", password=kit.PASSWORD))


async def fill(given: KitSettings, topic: str, count: int) -> None:
    """Put events on a topic."""
    publisher = KafkaPublisher(kafka_connection(given), "bench")
    for start in range(0, count, 1_000):
        batch = (_event(number) for number in range(start, min(start + 1_000, count)))
        await publisher.publish([Outgoing(topic, str(one.case_key).encode(), one.wire()) for one in batch])
    await publisher.close()


def _event(number: int) -> BecameAware:
    now = datetime.now(UTC)
    return BecameAware(
        id=uuid4(),
        source="/bench",
        time=now,
        recorded_at=now,
        case_key=kit.case(number % CASES),
        data=BecameAwareData(
            reporter=Reporter(client="bench-client", body="local_authority", area="E08000035"),
            aware_on=now.date(),
            how=f"report {number}",
        ),
    )


async def consume(given: KitSettings, source: str, destination: str, count: int) -> None:
    """Handle `count` events as a service does, with the kit."""

    def subscribe(runtime: Runtime) -> list[KafkaRouter]:
        router = KafkaRouter()

        @runtime.consume.batches(router, source, group_id="bench")
        async def on_events(events: Sequence[Event], tx: Transaction) -> None:
            messages = [event.message for event in events]
            values: dict[str, Any] = {
                "ids": [one.id for one in messages],
                "cases": [one.case_key for one in messages],
                "said": [one.data.how for one in messages],
            }
            await tx.connection.execute(_KEEP, values)
            for one in messages:
                tx.emit(destination, one.model_copy(update={"id": uuid4(), "causation_id": one.id, **_UNSET}))

        return [router]

    async with kit_kafka.running(given, subscribe):
        await _published(given, destination, count)


_UNSET: Final = {"producer": None, "case_seq": None, "producer_seq": None}


async def _published(given: KitSettings, topic: str, count: int) -> None:
    consumer = AIOKafkaConsumer(enable_auto_commit=False, **kafka_connection(given))
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]

        async def all_there() -> bool:
            return bool(sum((await consumer.end_offsets(partitions)).values()) >= count)

        await eventually(all_there, "the last answer on its topic", within_s=600)
    finally:
        await consumer.stop()


async def _measure(
    handle: Callable[[KitSettings, str, str, int], Awaitable[None]], given: KitSettings, count: int
) -> tuple[float, float]:
    """Return events per second, and CPU seconds of this process per event."""
    source, destination = kit_kafka.make_topic(PARTITIONS), kit_kafka.make_topic(PARTITIONS)
    await fill(given, source, count)
    began, cpu = time.monotonic(), cpu_seconds(os.getpid())
    await handle(given, source, destination, count)
    return count / (time.monotonic() - began), (cpu_seconds(os.getpid()) - cpu) / count


def main() -> int:
    """Measure both and conclude."""
    print(stack().description)
    kit_kafka.make_topic(name="safeguarding.kit.quarantine.v1")
    tuned, plain = settings(new_database()), settings(new_database())
    machine, cpu = Machine(), family_seconds()
    plain_per_s, plain_cpu = uvloop.run(_measure(naive.consume, plain, NAIVE_EVENTS))
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # as `services.kit.runtime.serve` does
    kit_per_s, kit_cpu = uvloop.run(_measure(consume, tuned, EVENTS))
    rows = [
        ("the kit", f"{kit_per_s:,.0f}/s"),
        ("the kit, CPU of its process", f"{kit_cpu * 1e6:,.0f} us"),
        ("naive", f"{plain_per_s:,.0f}/s"),
        ("naive, CPU of its process", f"{plain_cpu * 1e6:,.0f} us"),
    ]
    table(rows, f"{EVENTS:,} events by the kit, {NAIVE_EVENTS:,} by the naive way; per event")
    print(machine.report(family_seconds() - cpu))
    times = Figure(kit_per_s / plain_per_s, GOAL_TIMES, "x")
    return conclude("bench-consume", times, Figure(kit_per_s, GOAL_PER_S, "events/s"))


if __name__ == "__main__":
    sys.exit(main())
