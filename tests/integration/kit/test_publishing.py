"""Publishing on real Kafka: keys, order, rewinding, and topics that became shorter."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from confluent_kafka import Producer
from sqlalchemy import text

from services.kit.cursor import rewind
from services.kit.publisher import KafkaPublisher, Outgoing
from services.kit.quarantine import Record
from services.kit.runtime import Runtime, kafka_connection
from services.kit.settings import KitSettings
from tests.support import kit
from tests.support.eventually import eventually
from tests.support.kit import aware, case
from tests.support.kit_kafka import delete_topic, make_topic, read_all, running
from tests.support.stack import stack


def nothing_to_read(_runtime: Runtime) -> list[Any]:
    return []


def url_of(settings: KitSettings) -> str:
    return settings.database_url.get_secret_value()


async def emit(settings: KitSettings, topic: str, *names: str, number: int = 1) -> None:
    store = kit.database(url_of(settings))
    try:
        async with store.begin() as tx:
            await tx.lock_cases([case(number)])
            for name in names:
                tx.emit(topic, aware(name, case(number)))
    finally:
        await store.close()


async def said(settings: KitSettings, topic: str) -> list[tuple[int, str]]:
    bodies = [orjson.loads(record.value) for record in await read_all(settings, topic)]
    return [(body["producerseq"], body["data"]["how"]) for body in bodies]


async def test_a_key_goes_to_the_partition_that_another_client_gives_it(settings: KitSettings) -> None:
    """Librdkafka's `murmur2` partitioner is compatible with Java's; ours must be too."""
    ours, theirs = make_topic(partitions=12), make_topic(partitions=12)
    keys = [case(number).encode() for number in range(200)]
    oracle = Producer(stack().kafka.client_config() | {"partitioner": "murmur2"})
    for key in keys:
        oracle.produce(theirs, key=key, value=b"x")
    await asyncio.to_thread(oracle.flush, 30)
    publisher = KafkaPublisher(kafka_connection(settings), "test")

    await publisher.publish([Outgoing(ours, key, b"x") for key in keys])
    await publisher.close()

    placed = {record.key: record.partition for record in await read_all(settings, ours)}
    expected = {record.key: record.partition for record in await read_all(settings, theirs)}
    assert placed == expected
    assert len(set(placed.values())) == 12


async def test_more_than_one_batch_of_a_partition_keeps_its_order(settings: KitSettings) -> None:
    topic = make_topic()
    publisher = KafkaPublisher(kafka_connection(settings), "test")
    values = [f"{number:04d}".encode() + b"x" * 10_000 for number in range(250)]  # 2.5 MB: three batches

    offsets = await publisher.publish([Outgoing(topic, b"key", value) for value in values])
    await publisher.close()

    assert [record.value for record in await read_all(settings, topic)] == values
    assert list(offsets.values()) == [(0, 249)]


async def test_two_writers_of_one_case_come_out_in_the_order_in_which_they_held_it(settings: KitSettings) -> None:
    topic = make_topic(partitions=3)
    store = kit.database(url_of(settings))
    holds: list[str] = []

    async def writer(number: int) -> None:
        async with store.begin() as tx:
            await tx.lock_cases([case(1)])
            holds.append(f"writer {number}")
            await tx.connection.execute(text("SELECT pg_sleep(0.01)"))
            tx.emit(topic, aware(f"writer {number}", case(1)))

    async with running(settings, nothing_to_read):
        await asyncio.gather(*(writer(number) for number in range(20)))
        await store.close()

        async def all_there() -> bool:
            return len(await said(settings, topic)) == 20

        await eventually(all_there, "twenty messages")

    assert [how for _, how in await said(settings, topic)] == holds


async def test_a_shorter_topic_is_refused_until_a_person_rewinds(settings: KitSettings) -> None:
    topic = make_topic()
    await emit(settings, topic, "a", "b")
    async with running(settings, nothing_to_read):
        await eventually(lambda: _saved(settings, 2), "published")
    delete_topic(topic)
    await eventually(lambda: _made_again(topic), "the topic can be made again")
    await emit(settings, topic, "c")

    async with running(settings, nothing_to_read) as runtime:
        refusal = await eventually(runtime.relay.unready, "refused")
        assert "handrail relay rewind kit" in refusal
        assert await said(settings, topic) == []

    store = kit.database(url_of(settings))
    async with store.engine.begin() as connection:
        await rewind(connection)
    await store.close()
    async with running(settings, nothing_to_read):
        await eventually(lambda: _saved(settings, 3), "published again")

    assert await said(settings, topic) == [(1, "a"), (2, "b"), (3, "c")]


async def test_what_is_put_aside_is_kept_encrypted_if_there_is_a_key(settings: KitSettings) -> None:
    key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    record = Record("reader", "topic", 0, 5, None, b"Invented Name", None, (("ce_subject", b"Invented Name"),))
    store = kit.database(url_of(settings), quarantine_key=key)
    async with store.begin() as tx:
        quarantine_id = await tx.quarantine(record, reason="a reason")
    async with store.begin() as tx:
        kept = await tx.held.find(quarantine_id)
        row = (await tx.connection.execute(text("SELECT payload, headers FROM quarantine"))).one()
    await store.close()

    assert kept is not None
    assert (kept.record.payload, kept.record.headers) == (record.payload, record.headers)
    assert b"Invented" not in row.payload + row.headers
    assert len(row.payload) == 12 + len(record.payload) + 16  # nonce, bytes, tag


async def _saved(settings: KitSettings, count: int) -> bool:
    store = kit.database(url_of(settings))
    try:
        async with store.connect() as connection:
            found: int = (await connection.execute(text("SELECT producer_seq FROM relay_cursor"))).scalar_one()
        return found == count
    finally:
        await store.close()


def _made_again(topic: str) -> bool:
    try:
        make_topic(name=topic)
    except Exception as error:
        if "TOPIC_ALREADY_EXISTS" in str(error):
            return False
        raise
    return True
