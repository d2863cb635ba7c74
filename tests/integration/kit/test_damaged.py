"""A batch that arrives damaged, in a consumer that has other partitions: on real Kafka."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from faststream.kafka import KafkaRouter
from prometheus_client import REGISTRY

from services.kit import kafka_compat
from services.kit.codec import Event
from services.kit.kafka_records import TolerantRecords
from services.kit.runtime import Runtime
from services.kit.settings import KitSettings
from tests.support.eventually import eventually
from tests.support.kit import aware, case
from tests.support.kit_kafka import make_topic, new_name, producer, running

WHOLE, DAMAGED = b"as it was sent", b"as it was bent"


async def test_a_damaged_batch_stops_its_own_partition_until_it_can_be_read_and_nothing_is_lost(
    settings: KitSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = True

    def arrive(raw: bytes) -> TolerantRecords:
        return TolerantRecords(raw.replace(WHOLE, DAMAGED) if damaged else raw)

    monkeypatch.setattr(fetcher, "MemoryRecords", arrive)
    monkeypatch.setattr(kafka_compat, "PAUSE_S", 0.1)
    topic, group, heard = make_topic(partitions=2), new_name("kit"), list[str]()

    async with producer(settings) as opened:

        async def send(partition: int, *texts: str) -> None:
            for each in texts:  # a batch of its own
                value = aware(each, case(partition)).wire()
                await opened.send_and_wait(topic, value, key=case(partition).encode(), partition=partition)

        def build(runtime: Runtime) -> list[KafkaRouter]:
            router = KafkaRouter()

            @runtime.consume.batches(router, topic, group_id=group)
            async def on_events(events: Sequence[Event], _tx: Any) -> None:
                heard.extend(event.message.data.how for event in events)

            return [router]

        await send(0, "before", WHOLE.decode(), "after")
        async with running(settings, build) as runtime:
            for number in range(10):  # the damaged batch is asked for again between them
                await send(1, f"healthy {number}")
                await eventually(partial(heard.__contains__, f"healthy {number}"), "the other partition")
                await eventually(runtime.health.unwell, "a batch that cannot be read")
            await eventually(lambda: stopped(group) == 1, "the metric")
            assert [each for each in heard if not each.startswith("healthy")] == ["before"]
            assert [f"a batch in {topic}[0] cannot be read" in each for each in runtime.health.unwell().values()] == [
                True
            ]

            damaged = False
            await eventually(lambda: "after" in heard, "what had waited")
            await eventually(lambda: not runtime.health.unwell(), "a consumer with which nothing is wrong")
            assert stopped(group) == 0

    assert [each for each in heard if not each.startswith("healthy")] == ["before", WHOLE.decode(), "after"]
    assert len(heard) == 13


def stopped(group: str) -> float | None:
    """Return the metric that says whether a consumer stopped."""
    return REGISTRY.get_sample_value("handrail_consumer_stopped", {"consumer": group})
