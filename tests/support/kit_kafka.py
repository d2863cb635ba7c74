"""Topics, settings and processes for the kit's tests on real Kafka; every test has topics and groups of its own."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from collections.abc import Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import NewTopic
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import text

from schemas.topics import PARTITIONS, written_by
from services.kit.database import Database
from services.kit.fence import Place
from services.kit.publisher import KafkaPublisher
from services.kit.runtime import Runtime, kafka_connection
from services.kit.settings import KitSettings
from tests.support.ending import folder_of_the_run
from tests.support.eventually import eventually
from tests.support.stack import stack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_numbers = itertools.count(1)


@cache
def token_key_file() -> Path:
    """Return a public key file; nobody has the private key."""
    path = folder_of_the_run("handrail-kit-") / "token.pub"
    public = Ed25519PrivateKey.generate().public_key()
    path.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


def settings(database_url: str) -> KitSettings:
    """Return settings for the run's broker, as its administrator."""
    kafka = stack().kafka
    return KitSettings(
        kafka_bootstrap=kafka.bootstrap,
        kafka_user=kafka.user,
        kafka_password=kafka.password,
        kafka_security=kafka.security_protocol,
        kafka_ca_file=kafka.ca_file,
        database_url=database_url,
        token_public_key_file=token_key_file(),
    )


def environment(database_url: str) -> dict[str, str]:
    """Return the same settings as the environment of a process."""
    given = settings(database_url)
    return {
        **os.environ,
        "HANDRAIL_KAFKA_BOOTSTRAP": given.kafka_bootstrap,
        "HANDRAIL_KAFKA_USER": given.kafka_user,
        "HANDRAIL_KAFKA_PASSWORD": given.kafka_password.get_secret_value(),
        "HANDRAIL_KAFKA_SECURITY": given.kafka_security,
        "HANDRAIL_DATABASE_URL": database_url,
        "HANDRAIL_TOKEN_PUBLIC_KEY_FILE": str(token_key_file()),
    }


def new_name(prefix: str) -> str:
    """Return a name that nobody else in this run uses."""
    return f"{prefix}-{os.getpid()}-{next(_numbers)}"


def make_topic(partitions: int = 1, name: str | None = None) -> str:
    """Make a topic."""
    topic = name or new_name("kit-test")
    admin = stack().kafka.admin()  # kept: its requests end with it
    futures = admin.create_topics([NewTopic(topic, partitions, replication_factor=1)])
    for future in futures.values():
        future.result(30)
    return topic


def delete_topic(topic: str) -> None:
    """Delete a topic and wait until it is gone."""
    admin = stack().kafka.admin()
    for future in admin.delete_topics([topic]).values():
        future.result(30)


async def is_rebalancing(group: str) -> bool:
    """Whether the broker waits for the members of a consumer group to come together again."""
    admin = stack().kafka.admin()  # kept: its requests end with it
    [asked] = admin.describe_consumer_groups([group]).values()
    found: Any = await asyncio.wrap_future(asked)  # the members' heartbeats go on meanwhile
    return bool(found.state == ConsumerGroupState.PREPARING_REBALANCING)


@asynccontextmanager
async def producer(given: KitSettings) -> AsyncIterator[AIOKafkaProducer]:
    """Open a plain producer."""
    opened = AIOKafkaProducer(acks="all", **kafka_connection(given))
    await opened.start()
    try:
        yield opened
    finally:
        await opened.stop()


async def read_all(given: KitSettings, topic: str) -> list[Any]:
    """Return every record of a topic, partition by partition."""
    consumer = AIOKafkaConsumer(enable_auto_commit=False, **kafka_connection(given))
    await consumer.start()
    try:
        known = stack().kafka.admin().list_topics(topic, timeout=30).topics[topic].partitions
        partitions = [TopicPartition(topic, number) for number in sorted(known)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[Any] = []
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found.extend(records)
        return sorted(found, key=lambda record: (record.partition, record.offset))
    finally:
        await consumer.stop()


async def begin_after_others(database_url: str, service: str) -> None:
    """Let a new database begin where the run's topics are now: what other tests' databases said is not lacking in this one."""
    given = settings(database_url)
    publisher, database = KafkaPublisher(kafka_connection(given), "test"), Database(database_url, service)
    ends = await publisher.ends(Place(topic, number) for topic in written_by(service) for number in range(PARTITIONS))
    there = {f"{place.topic}/{place.partition}": end - 1 for place, end in ends.items() if end}
    async with database.begin() as tx:
        await tx.connection.execute(
            text("UPDATE relay_cursor SET acknowledged = CAST(CAST(:there AS text) AS jsonb)"),
            {"there": json.dumps(there)},
        )
    await publisher.close()
    await database.close()


@asynccontextmanager
async def running(
    given: KitSettings, build: Callable[[Runtime], list[Any]], service: str = "kit"
) -> AsyncIterator[Runtime]:
    """Run a service in this process; `build` subscribes and returns its routers."""
    runtime = Runtime(given, service)
    await runtime.start(build(runtime), ())
    try:
        await compared(runtime)
        yield runtime
    finally:
        await runtime.stop()


async def compared(runtime: Runtime) -> None:
    """Wait until the relay knows whether this database was restored: nothing is written before, for five seconds at most."""
    await eventually(runtime.relay._compared.is_set, "the relay has compared its numbers with Kafka")
