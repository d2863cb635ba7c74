"""Publishing to Kafka: one batch per partition, idempotent, acknowledged by all replicas, or not at all.

Crash-only: after any failure the producer is thrown away and a new one made, because a broken idempotent producer
fails or hangs for ever. FastStream's `publish_batch` is not used: it puts a whole batch on one partition whatever the
keys say (shown in tests/integration/kit). The partition of a key is Java's (murmur2).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from services.kit.errors import Unavailable
from services.kit.fence import Place
from services.kit.kafka_compat import end_producer, partition_of, sender_died

SEND_TIMEOUT_S: Final = 30.0
_PORTION: Final = 5_000
_BATCH_BYTES: Final = 1_000_000  # below the broker's `message.max.bytes` of 1,048,588


class Outgoing(NamedTuple):
    """One record to publish."""

    topic: str
    key: bytes
    value: bytes


class Published(NamedTuple):
    """One record as it stands on a topic."""

    place: Place
    offset: int
    key: bytes
    value: bytes


class Publisher(Protocol):
    """Puts records on topics."""

    async def publish(self, records: Sequence[Outgoing]) -> dict[Place, tuple[int, int]]:
        """Publish in order per partition; return the first and last offset that each partition gave.

        Raises:
            Unavailable: Some may be published and some not: publish all of them again.
        """
        ...

    async def ends(self, places: Iterable[Place]) -> dict[Place, int]:
        """Return the end offset of partitions; one that does not exist has none."""
        ...

    def after(self, topics: Iterable[str], acknowledged: Mapping[Place, int]) -> AsyncGenerator[Sequence[Published]]:
        """Yield, in portions, what stands on these topics now beyond the offsets given; without one, from the start.

        Raises:
            Unavailable: Kafka cannot be asked.
        """
        ...

    async def close(self) -> None:
        """Let go of the broker."""
        ...


class KafkaPublisher:
    """Publishes through aiokafka."""

    def __init__(self, connection: Mapping[str, Any], client_id: str) -> None:
        self._connection = dict(connection)
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None

    async def publish(self, records: Sequence[Outgoing]) -> dict[Place, tuple[int, int]]:
        """Publish in order per partition; return the first and last offset that each partition gave."""
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                producer = await self._ready()
                return await _send(producer, await _by_place(producer, records))
        except (KafkaError, TimeoutError, OSError) as error:
            await self.close()
            raise Unavailable(f"publishing to Kafka failed: {type(error).__name__}") from error

    async def ends(self, places: Iterable[Place]) -> dict[Place, int]:
        """Return the end offset of partitions; one that does not exist has none."""
        consumer = AIOKafkaConsumer(client_id=self._client_id, enable_auto_commit=False, **self._connection)
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                producer = await self._ready()
                await consumer.start()
                existing = await consumer.topics()
                wanted = [place for place in places if place.topic in existing]
                there = {topic: await producer.partitions_for(topic) for topic in {place.topic for place in wanted}}
                partitions = [TopicPartition(*place) for place in wanted if place.partition in there[place.topic]]
                found = await consumer.end_offsets(partitions) if partitions else {}
                return {Place(tp.topic, tp.partition): offset for tp, offset in found.items()}
        except (KafkaError, TimeoutError, OSError) as error:
            raise Unavailable(f"asking Kafka failed: {type(error).__name__}") from error
        finally:
            await consumer.stop()

    async def after(
        self, topics: Iterable[str], acknowledged: Mapping[Place, int]
    ) -> AsyncGenerator[Sequence[Published]]:
        """Yield, in portions, what stands on these topics now beyond the offsets given; without one, from the start."""
        consumer = AIOKafkaConsumer(client_id=self._client_id, enable_auto_commit=False, **self._connection)
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await consumer.start()
                unread = await _unread(consumer, await self._partitions(consumer, topics), acknowledged)
            consumer.assign(list(unread))
            for partition, (first, _) in unread.items():
                consumer.seek(partition, first)
            stands = {tp: first for tp, (first, _) in unread.items()}
            while stands:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    found, stands = await _portion(consumer, stands)
                yield [
                    Published(Place(*tp), one.offset, one.key or b"", one.value or b"")
                    for tp in found
                    for one in found[tp]
                ]
                stands = {tp: offset for tp, offset in stands.items() if offset < unread[tp][1]}
        except (KafkaError, TimeoutError, OSError) as error:
            raise Unavailable(f"reading what was published failed: {type(error).__name__}") from error
        finally:
            await consumer.stop()

    async def _partitions(self, consumer: AIOKafkaConsumer, topics: Iterable[str]) -> list[TopicPartition]:
        producer = await self._ready()
        existing = await consumer.topics()
        return [
            TopicPartition(topic, partition)
            for topic in sorted(set(topics) & existing)
            for partition in await producer.partitions_for(topic)
        ]

    async def close(self) -> None:
        """Let go of the broker, whatever state the producer is in."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await end_producer(producer)  # nothing waits in it but what is published again

    async def _ready(self) -> AIOKafkaProducer:
        if self._producer is not None and sender_died(self._producer):
            await self.close()
        if self._producer is None:
            producer = AIOKafkaProducer(
                client_id=self._client_id,
                acks="all",
                enable_idempotence=True,
                compression_type="zstd",
                max_batch_size=_BATCH_BYTES,
                linger_ms=0,
                **self._connection,
            )
            self._producer = producer
            await producer.start()
        return self._producer


async def _unread(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], acknowledged: Mapping[Place, int]
) -> dict[TopicPartition, tuple[int, int]]:
    """Return first offset and end of each partition that has more than was acknowledged."""
    if not partitions:
        return {}
    begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    spans = {tp: (max(begins[tp], acknowledged.get(Place(*tp), -1) + 1), ends[tp]) for tp in partitions}
    return {tp: (first, end) for tp, (first, end) in spans.items() if first < end}


async def _portion(
    consumer: AIOKafkaConsumer, stands: Mapping[TopicPartition, int]
) -> tuple[dict[TopicPartition, list[Any]], dict[TopicPartition, int]]:
    """Return what comes next, and where each partition stands then, once one stands elsewhere than before.

    aiokafka keeps errors of a fetch to itself, and goes to the end of a partition that became shorter.
    """
    while True:
        found = await consumer.getmany(*stands, timeout_ms=1_000, max_records=_PORTION)
        reached = {tp: await consumer.position(tp) for tp in stands}
        if reached != stands:
            return found, reached


async def _by_place(producer: AIOKafkaProducer, records: Sequence[Outgoing]) -> dict[Place, list[Outgoing]]:
    counts = {topic: len(await producer.partitions_for(topic)) for topic in {record.topic for record in records}}
    found: dict[Place, list[Outgoing]] = {}
    for record in records:
        place = Place(record.topic, partition_of(record.key, counts[record.topic]))
        found.setdefault(place, []).append(record)
    return found


async def _send(producer: AIOKafkaProducer, waiting: dict[Place, list[Outgoing]]) -> dict[Place, tuple[int, int]]:
    """Send rounds of at most one batch per partition: if one fails, none after it in its partition is on the way."""
    offsets: dict[Place, tuple[int, int]] = {}
    while waiting:
        sent: list[tuple[Place, int, asyncio.Future[Any]]] = []
        rest: dict[Place, list[Outgoing]] = {}
        for place, records in waiting.items():
            batch = producer.create_batch()
            count = 0
            while count < len(records) and batch.append(
                key=records[count].key, value=records[count].value, timestamp=None
            ):
                count += 1
            if count == 0:
                raise ValueError("a record is larger than a whole batch; the outbox should have refused it")
            if count < len(records):
                rest[place] = records[count:]
            sent.append((place, count, await producer.send_batch(batch, place.topic, partition=place.partition)))
        for place, count, future in sent:
            first = (await future).offset
            offsets[place] = (offsets.get(place, (first, 0))[0], first + count - 1)
        waiting = rest
    return offsets
