"""Every use of a private or half-public name of FastStream and aiokafka (with `kafka_mended` and `kafka_records`).

Canary tests pin each of them, and the versions are pinned in `pyproject.toml` (`faststream<0.8`, `aiokafka<0.15`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError
from aiokafka.partitioner import murmur2
from faststream.kafka import KafkaBroker, KafkaRouter

from services.kit import kafka_mended, kafka_records
from services.kit.errors import summary
from services.kit.fence import Place
from services.kit.logging import where

kafka_records.install()
kafka_mended.install()


class RawRecord(NamedTuple):
    """One record as Kafka gave it: nothing is decoded, headers keep their bytes (or their lack of any)."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp: int  # milliseconds since 1970, as the producer said


async def safe_parser(message: Any, original: Any) -> Any:
    """Parse a batch without letting FastStream touch the headers.

    Its own parser decodes every header as UTF-8; one that is null or something else raises, the batch is neither
    acknowledged nor rejected, and the next commit passes it: all of it is lost (shown in tests/integration/kit).
    """
    parsed = await original((replace(message[0], headers=()),))
    parsed.raw_message = message  # the codec reads this: all partitions of the batch
    return parsed


def raw_record(record: ConsumerRecord[bytes, bytes]) -> RawRecord:
    """Return our own picture of aiokafka's record."""
    return RawRecord(
        record.topic,
        record.partition,
        record.offset,
        record.key,
        record.value or b"",
        tuple(record.headers),
        record.timestamp,
    )


Failed = Callable[[Exception, Place | None], None]
PAUSE_S: Final = 5.0
"""After this a batch that could not be read is asked for again; FastStream waits as long after an error of its own."""
TELL_EVERY_S: Final = 0.5
TELL_WITHIN_S: Final = 2.0
ENDS_WITHIN_S: Final = 5.0


class _Pause(NamedTuple):
    """Why a partition is not read on, and since when by the machine's monotonic clock, in seconds."""

    damage: Exception
    since: float


class Subscriber:
    """What the kit needs of a FastStream batch subscriber.

    Args:
        subscriber: FastStream's.
        most: How many records the next batch may have.
        failed: Called with each error that kept something from being read, and with the partition if it is one's own.
    """

    def __init__(self, subscriber: Any, most: Callable[[], int], failed: Failed) -> None:
        self._subscriber = subscriber
        self._most = most
        self._failed = failed
        self._paused: dict[TopicPartition, _Pause] = {}
        self._looking = False
        self._looked_at = time.monotonic()
        self._untold: dict[Place, int] = {}
        self._telling: asyncio.Task[None] | None = None
        self._settled = False

    @property
    def _consumer(self) -> AIOKafkaConsumer | None:
        consumer: AIOKafkaConsumer | None = self._subscriber.consumer
        return consumer

    def problem(self, idle_limit_s: float) -> str | None:
        """Return why the consume loop is dead, or nothing. A subscriber that has not started yet is not dead."""
        if not self._subscriber.running:
            return None
        tasks = self._subscriber.tasks
        if not tasks or all(task.done() for task in tasks):
            return "the consume loop has ended"
        if ended := _ended_task(self._consumer):
            return f"aiokafka's {ended}"
        idle = 0.0 if self._looking else time.monotonic() - self._looked_at
        return f"no read for {idle:.0f} s, expected at most {idle_limit_s:.0f} s" if idle > idle_limit_s else None

    async def read(self, consumer: AIOKafkaConsumer) -> tuple[ConsumerRecord[bytes, bytes], ...]:
        """Return what there is, as soon as there is anything; nothing after `LOOK_MS`.

        aiokafka asks for no more while a record lies unread, so what it has is what came first: the rest of what came while
        the batch before was in hand is asked for once that is taken.

        Raises:
            KafkaError: Nothing could be read. FastStream waits after one; after any other it would begin again at once.
        """
        most = self._most()
        found: tuple[ConsumerRecord[bytes, bytes], ...] = ()
        self._looking = True
        try:
            found = await _records(consumer, LOOK_MS, most)
            if 0 < len(found) < most:
                found += await _records(consumer, LOOK_AGAIN_MS, most - len(found))
        except ConsumerStoppedError:
            raise
        except Exception as error:
            self._failed(error, None)
            if not found:
                if isinstance(error, KafkaError):
                    raise
                raise KafkaError(type(error).__name__) from error
        finally:
            self._looking, self._looked_at = False, time.monotonic()
        self._mind_paused(consumer)
        return found

    def _mind_paused(self, consumer: AIOKafkaConsumer) -> None:
        """Tell of each partition whose next batch cannot be read, and ask for the batch again after a while."""
        now, paused = time.monotonic(), dict[TopicPartition, _Pause]()
        for tp in consumer.paused():
            damage, pause = kafka_records.damage(consumer, tp), self._paused.get(tp)
            if pause is None or pause.damage is not damage:  # for the first time, or asked for again in vain
                self._failed(damage, Place(tp.topic, tp.partition))
                pause = _Pause(damage, now)
            elif now - pause.since >= PAUSE_S:
                consumer.resume(tp)
            paused[tp] = pause
        self._paused = paused

    def damaged(self) -> str | None:
        """Return in which partitions a batch cannot be read, or nothing. All that comes after it waits."""
        if not self._paused:
            return None
        places = ", ".join(f"{tp.topic}[{tp.partition}]" for tp in sorted(self._paused))
        return f"a batch in {places} cannot be read; it is asked for again, and what comes after it waits"

    @property
    def running(self) -> bool:
        """Whether it has been started and not stopped."""
        return bool(self._subscriber.running)

    def assignment(self) -> set[Place]:
        """Return the partitions that this process has now."""
        return {Place(tp.topic, tp.partition) for tp in self._consumer.assignment()} if self._consumer else set()

    def seek(self, place: Place, offset: int) -> None:
        """Read a partition from an offset, if this process still has it."""
        if self._consumer and place in self.assignment():
            self._consumer.seek(TopicPartition(*place), offset)

    def acknowledge(self, next_offsets: Mapping[Place, int], *, soon: bool) -> None:
        """Have Kafka told how far this consumer is: soon, beside its work and seldom, or else with what comes next.

        Waiting for the answer took a tenth of the time of a busy consumer. Only those who watch its lag from outside read it:
        a consumer goes on from the fence. Not `soon` while its group rebalances: what comes in between has an old generation,
        and aiokafka would join again.
        """
        self._untold |= next_offsets
        if soon and not self._settled and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(self._tell_and_rest())

    async def _tell_and_rest(self) -> None:
        while self._untold:
            await self.tell()
            await asyncio.sleep(TELL_EVERY_S)

    async def tell(self) -> None:
        """Tell Kafka now what it was not told yet of the partitions that this process has. If that fails, leave it."""
        consumer, here, untold = self._consumer, self.assignment(), self._untold
        self._untold = {}
        offsets = {TopicPartition(*place): offset for place, offset in untold.items() if place in here}
        if consumer and offsets:
            with suppress(Exception):  # whatever it is: nothing depends on it
                async with asyncio.timeout(TELL_WITHIN_S):
                    await consumer.commit(offsets)

    async def settle(self) -> None:
        """Let nothing go on beside the work, from now on."""
        self._settled = True
        if self._telling:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)

    async def bounds(self, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
        """Return the first offset and the end offset of partitions, as the broker says."""
        consumer = self._consumer
        if consumer is None:
            return {}
        partitions = [TopicPartition(*place) for place in places]
        begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        return {Place(tp.topic, tp.partition): (begins[tp], ends[tp]) for tp in partitions}

    async def ends(self) -> dict[Place, int] | None:
        """Return the end offset of every partition of its topics, whoever has it; nothing while the broker does not say."""
        consumer = self._consumer
        if consumer is None or not self.running:
            return None
        known = {topic: consumer.partitions_for_topic(topic) for topic in consumer.subscription()}
        if not all(known.values()):
            return None
        places = [TopicPartition(topic, number) for topic, numbers in known.items() for number in numbers]
        try:
            async with asyncio.timeout(ENDS_WITHIN_S):
                ends = await consumer.end_offsets(places)
        except (KafkaError, TimeoutError):
            return None
        return {Place(tp.topic, tp.partition): end for tp, end in ends.items()}

    async def drain(self, timeout_s: float) -> None:
        """Wait until no batch is in hand."""
        lock = self._subscriber.lock
        if hasattr(lock, "wait_release"):  # a subscriber that was never started has a null lock
            await lock.wait_release(timeout_s)

    async def stop(self) -> None:
        """Stop reading for good."""
        await self.settle()
        await self._subscriber.stop()


LOOK_MS: Final = 1_000
"""How long a consumer waits for the first record of a batch before it looks whether it is to stop."""
LOOK_AGAIN_MS: Final = 10


def subscribe(
    router: KafkaRouter | KafkaBroker,
    *topics: str,
    most: Callable[[], int],
    failed: Failed,
    **options: Any,
) -> tuple[Any, Subscriber]:
    """Return the decorator for a batch handler, and our view of its subscriber; see `Subscriber`."""
    subscriber: Any = router.subscriber(*topics, batch=True, **options)
    ours = Subscriber(subscriber, most, failed)
    # FastStream's own sleeps after it found nothing, as long as it looked: what came meanwhile waited.
    subscriber.get_msg = ours.read
    return subscriber, ours


def _ended_task(consumer: AIOKafkaConsumer | None) -> str | None:
    """Return which of the tasks that a consumer cannot read without has ended, and how: it would go on to give nothing."""
    coordinator = getattr(consumer, "_coordinator", None)
    tasks: dict[str, asyncio.Future[Any] | None] = {
        "metadata": getattr(getattr(consumer, "_client", None), "_sync_task", None),
        "fetching": getattr(getattr(consumer, "_fetcher", None), "_fetch_task", None),
        "coordination": getattr(coordinator, "_coordination_task", None),
    }
    for name, kept in (("heartbeat", "_heartbeat_task"), ("committed offsets", "_commit_refresh_task")):
        task = getattr(coordinator, kept, None)
        if task and task.done() and not task.cancelled() and task.exception():
            tasks = {name: task}  # they end without an error whenever the group is joined again
    ended = ((name, task) for name, task in tasks.items() if task and task.done())
    return next((f"{name} task has ended: {_end_of(task)}" for name, task in ended), None)


def _end_of(task: asyncio.Future[Any]) -> str:
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    return f"{summary(error)} at {where(error, ('services', 'aiokafka'))}" if error else "without an error"


async def _records(
    consumer: AIOKafkaConsumer, timeout_ms: int, max_records: int
) -> tuple[ConsumerRecord[bytes, bytes], ...]:
    found = await consumer.getmany(timeout_ms=timeout_ms, max_records=max_records)
    return tuple(chain.from_iterable(found.values()))


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of a key, as Java's default partitioner does (murmur2). aiokafka's is slow, hence the cache."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


def sender_died(producer: AIOKafkaProducer) -> bool:
    """Return whether the producer's background task has ended: every later send would fail or hang."""
    task = producer._sender.sender_task  # noqa: SLF001
    return task is None or task.done()


CLOSE_WITHIN_S: Final = 5.0  # each of: what a producer does, and its connections


async def end_producer(producer: AIOKafkaProducer) -> None:
    """End a producer, with what it has not sent: afterwards it sends nothing more.

    aiokafka's own `stop` first waits until all is sent, and an idempotent producer tries a batch for ever: one that was
    left in that wait went on, and sent it behind what was newer.
    """
    sender = producer._sender.sender_task  # noqa: SLF001
    if sender is not None and not sender.done():
        routine: Any = sender.get_coro()
        requests = routine.cr_frame.f_locals.get("tasks", ())  # one that waits for its broker would be sent later
        ending = {sender, *requests}
        for task in ending:
            task.cancel()
        await asyncio.wait(ending, timeout=CLOSE_WITHIN_S)
    producer._closed = True  # noqa: SLF001
    with suppress(KafkaError, TimeoutError, OSError):  # it is broken, which is why it is ended
        async with asyncio.timeout(CLOSE_WITHIN_S):
            await producer.client.close()
