"""What FastStream 0.7.8 does by default with a batch: the reasons for the kit's own data path.

If one of these tests fails, the library has changed, and the kit may be able to do with less.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaRouter
from faststream.security import SASLScram512
from sqlalchemy import text

from services.kit.codec import Event
from services.kit.runtime import Runtime, kafka_connection
from services.kit.settings import KitSettings
from tests.support.eventually import eventually
from tests.support.kit import aware, case
from tests.support.kit_kafka import make_topic, new_name, producer, read_all, running

ODD_HEADERS: dict[str, list[tuple[str, bytes | None]]] = {
    "null": [("trace", None)],
    "not UTF-8": [("trace", b"\xff\xfe")],
}


def broker_of(settings: KitSettings) -> KafkaBroker:
    security = SASLScram512(settings.kafka_user, settings.kafka_password.get_secret_value(), use_ssl=False)
    return KafkaBroker(settings.kafka_bootstrap, security=security, logger=None)


async def send_ten(settings: KitSettings, topic: str, headers: list[tuple[str, bytes | None]] | None = None) -> None:
    """Send ten events of ten cases in one batch, the fifth with these headers."""
    async with producer(settings) as opened:
        batch = opened.create_batch()
        for number in range(10):
            batch.append(
                key=case(number).encode(),
                value=aware(f"event {number}", case(number)).wire(),
                timestamp=None,
                headers=(headers or []) if number == 4 else [],
            )
        await (await opened.send_batch(batch, topic, partition=0))


async def committed(settings: KitSettings, group: str, topic: str) -> int | None:
    consumer = AIOKafkaConsumer(group_id=group, enable_auto_commit=False, **kafka_connection(settings))
    await consumer.start()
    try:
        offset: int | None = await consumer.committed(TopicPartition(topic, 0))
        return offset
    finally:
        await consumer.stop()


@pytest.mark.parametrize("headers", ODD_HEADERS.values(), ids=ODD_HEADERS)
async def test_faststreams_own_parser_loses_a_whole_batch_for_one_odd_header(
    settings: KitSettings, headers: list[tuple[str, bytes | None]]
) -> None:
    topic, group = make_topic(), new_name("trap")
    await send_ten(settings, topic, headers)
    broker = broker_of(settings)
    heard: list[bytes] = []

    @broker.subscriber(
        topic, group_id=group, batch=True, auto_offset_reset="earliest", ack_policy=AckPolicy.NACK_ON_ERROR
    )
    async def on_batch(batch: list[Any]) -> None:
        heard.extend(batch)

    async with broker:
        await broker.start()
        async with producer(settings) as opened:

            async def something_later_is_heard() -> bool:
                await opened.send_and_wait(topic, b"later", partition=0)
                return bool(heard)

            await eventually(something_later_is_heard, "a record after the lost ones")

    assert set(heard) == {b"later"}
    assert (await committed(settings, group, topic) or 0) > 10  # and nobody will ever read them again


@pytest.mark.parametrize("headers", ODD_HEADERS.values(), ids=ODD_HEADERS)
async def test_the_kit_loses_nothing_for_an_odd_header(
    settings: KitSettings, headers: list[tuple[str, bytes | None]]
) -> None:
    topic, group = make_topic(), new_name("kit")
    await send_ten(settings, topic, headers)
    heard: list[str] = []

    def build(runtime: Runtime) -> list[KafkaRouter]:
        router = KafkaRouter()

        @runtime.consume.batches(router, topic, group_id=group)
        async def on_events(events: Sequence[Event], _tx: Any) -> None:
            heard.extend(event.message.data.how for event in events)

        return [router]

    async with running(settings, build):
        await eventually(lambda: len(heard) >= 10, "ten events")

    assert heard == [f"event {number}" for number in range(10)]


async def test_faststream_by_default_commits_past_a_handler_that_raised(settings: KitSettings) -> None:
    topic, group = make_topic(), new_name("trap")
    await send_ten(settings, topic)
    broker = broker_of(settings)
    tried: list[bytes] = []

    @broker.subscriber(topic, group_id=group, batch=True, auto_offset_reset="earliest")
    async def on_batch(batch: list[Any]) -> None:
        tried.extend(batch)
        raise ZeroDivisionError

    async with broker:
        await broker.start()
        await eventually(lambda: len(tried) >= 10, "the handler was given the ten events")

    assert len(tried) == 10
    assert await committed(settings, group, topic) == 10  # and nobody will ever handle them


async def test_the_kit_puts_aside_the_one_event_that_its_handler_fails_on_and_goes_on(settings: KitSettings) -> None:
    source, destination, group = make_topic(), make_topic(), new_name("kit")
    await send_ten(settings, source)

    def build(runtime: Runtime) -> list[KafkaRouter]:
        router = KafkaRouter()

        @runtime.consume.batches(router, source, group_id=group)
        async def on_events(events: Sequence[Event], tx: Any) -> None:
            for event in events:
                if event.message.data.how == "event 4":
                    raise ZeroDivisionError
                tx.emit(destination, aware(f"heard {event.message.data.how}", str(event.case_key)))

        return [router]

    async def heard() -> list[str]:
        return [orjson.loads(record.value)["data"]["how"] for record in await read_all(settings, destination)]

    async def all_are_settled() -> bool:
        return await committed(settings, group, source) == 10 and len(await heard()) >= 9

    async with running(settings, build) as runtime:
        await eventually(all_are_settled, "nine events and the end of the topic")
        async with runtime.database.connect() as connection:
            held = (await connection.execute(text('SELECT topic, "offset", reason FROM quarantine'))).all()

    assert sorted(await heard()) == [f"heard event {number}" for number in range(10) if number != 4]
    assert [tuple(row) for row in held] == [(source, 4, "handling it failed: ZeroDivisionError")]


async def test_publish_batch_puts_all_keys_of_a_batch_on_one_partition(settings: KitSettings) -> None:
    topic = make_topic(partitions=4)
    broker = broker_of(settings)
    async with broker:
        await broker.start()
        await broker.publish_batch(*[b"x"] * 40, topic=topic)

    assert len({record.partition for record in await read_all(settings, topic)}) == 1
