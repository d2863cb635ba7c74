"""Faults of what is read and written: records skipped, read again from the start, and one case from many sides at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Final

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from schemas.topics import CASE_EVENTS, SERVICES
from services.kit.cursor import rewind
from services.kit.database import Database
from tests.support.faults.builds import SECOND
from tests.support.faults.quiet import ends_of
from tests.support.faults.rig import Rig, wait_for
from tests.support.faults.table import Fault, Landed, Scene

SIDES: Final = 4
TIMES: Final = 12
CASES: Final = 3
SKIPPED: Final = 10


def offsets_moved_on(scene: Scene) -> Landed:
    """Move the group's offsets at Kafka past records that routing has not read."""
    rig, copies = scene.rig, ("routing", f"routing{SECOND}")
    for copy in copies:
        rig.process(copy).stop()
    unread = wait_for(lambda: (count := unread_cases(rig)) >= SKIPPED and count, "records that routing has not read")
    moved = [
        TopicPartition(topic, number, end) for (topic, number), end in ends_of(rig).items() if topic == CASE_EVENTS
    ]
    request = [ConsumerGroupTopicPartitions("routing", moved)]
    admin = rig.installation.stack.kafka.admin()  # kept: its requests end with it
    for answer in admin.alter_consumer_group_offsets(request).values():
        answer.result(30)
    for copy in copies:
        rig.start(copy)
    for copy in copies:
        rig.wait_ready(copy)
    return Landed("a group's offsets moved past unread records", f"{unread} records that the group would have skipped")


def published_again(scene: Scene) -> Landed:
    """Rewind every relay, so that everything ever said is published and read once more."""
    wait_for(lambda: len(scene.load.sent.accepted) >= SKIPPED, "events of this row")
    before = sum(ends_of(scene.rig).values())
    said = sum(scene.rig.ask(f"SELECT count(*) FROM {service}.outbox") for service in SERVICES)  # noqa: S608
    publish_again(scene.rig, SERVICES)
    again = wait_for(
        lambda: (count := sum(ends_of(scene.rig).values()) - before) >= said and count, "everything published again"
    )
    return Landed(f"{said} messages published again from the start", f"{again} more records on the topics")


def publish_again(rig: Rig, services: Sequence[str]) -> None:
    """Have relays begin again from the start."""

    async def rewind_relays() -> None:
        for service in services:
            database = Database(rig.installation.database_url(service), service)
            async with database.begin() as transaction:
                await rewind(transaction.connection)
            await database.close()

    asyncio.run(rewind_relays())


def one_case_at_once(scene: Scene) -> Landed:
    """Report the same cases many times at the same moment, at both copies of intake."""
    waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    reporters = [
        threading.Thread(target=scene.load.post_at_once, args=(case,), kwargs={"sides": SIDES, "times": TIMES})
        for case in (f"{scene.load.prefix}-at-once-{number}" for number in range(CASES))
    ]
    for reporter in reporters:
        reporter.start()
    try:
        seen = wait_for(lambda: scene.rig.ask(waits), "a transaction that waits for a case")
    finally:
        for reporter in reporters:
            reporter.join()
    return Landed(
        f"{CASES} cases reported from {SIDES} sides, {TIMES} times each", f"{seen} transactions that waited for a case"
    )


MOVED_ON: Final = Fault("Kafka: offsets moved past unread records", offsets_moved_on)
PUBLISHED_AGAIN: Final = Fault("Kafka: everything published again", published_again)
AT_ONCE: Final = Fault("One case from many sides at once", one_case_at_once)
FAULTS: Final = (
    MOVED_ON,
    PUBLISHED_AGAIN,
    AT_ONCE,
)


def unread_cases(rig: Rig) -> int:
    """Return how many case events routing has not read."""
    query = "SELECT coalesce(sum(next_offset), 0) FROM routing.consumer_offset WHERE topic = $1"
    ends = sum(end for (topic, _), end in ends_of(rig).items() if topic == CASE_EVENTS)
    return int(ends - rig.ask(query, CASE_EVENTS))
