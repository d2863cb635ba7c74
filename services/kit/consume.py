"""Subscribing: FastStream and aiokafka bring batches and keep the group, `services.kit.path` does the work.

Why not FastStream's own data path: by default it acknowledges what failed, and it loses a batch with an odd header
(tests/integration/kit show both). Here a batch is acknowledged after its commit, and read again if there was none; where
a consumer goes on is what its fence says, whatever Kafka was told.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaRouter

from schemas.messages import parse as parse_message
from services.kit import metrics
from services.kit.codec import Decoded, Event, Parse, RawBatchCodec
from services.kit.consumed import report
from services.kit.errors import summary
from services.kit.faults import faultpoint
from services.kit.fence import REWOUND, Place, firsts
from services.kit.health import Answering, Health
from services.kit.kafka_compat import Subscriber, safe_parser, subscribe
from services.kit.logging import where
from services.kit.path import Consumer, Handler, Keys, Outcome, Store, TopicChanged, handle_batch, mark_of
from services.kit.tracing import batch_span

_log = structlog.get_logger("services.kit.consume")

BATCH_S: Final = 0.5
"""How long a transaction should take: no relay of the database publishes past one that is still open."""
FEWEST: Final = 100
"""Records that a batch may have at first, and after one that failed; `fitting` says how many then."""
MOST: Final = 2_000
# After a batch, unless much is waiting: what comes meanwhile shares the next one, which costs the same with one event or twenty.
REST_S: Final = 0.02
UNHURRIED_REST_S: Final = 0.25  # where no recipient waits for it
SESSION_TIMEOUT_MS: Final = 6_000  # with 30 s, a killed service came back after exactly 30 s
HEARTBEAT_MS: Final = 2_000
# So long a group waits for whoever ended while it was joining: aiokafka takes its leave only as a member.
REBALANCE_TIMEOUT_MS: Final = 20_000
DRAIN_S: Final = (
    15.0  # below the rebalance timeout; a batch that takes longer is turned away by the fence, and read again
)
MAX_POLL_MS: Final = 300_000
IDLE_LIMIT_S: Final = 240.0  # below MAX_POLL_MS and above the longest back-off
BACK_OFF_FIRST_S: Final = 0.2
BACK_OFF_CAP_S: Final = 30.0
BACK_OFF_TOTAL_S: Final = 120.0  # below half of MAX_POLL_MS


class Consume:
    """The subscriptions of one service."""

    def __init__(self, store: Store, health: Health) -> None:
        self._store = store
        self._health = health
        self.workers: dict[str, Worker] = {}

    def batches(
        self,
        router: KafkaRouter | KafkaBroker,
        *topics: str,
        group_id: str,
        keys: Keys | None = None,
        parse: Parse = parse_message,
        raw: bool = False,
        pattern: str | None = None,
        rest_s: float = REST_S,
    ) -> Callable[[Handler], Handler]:
        """Return a decorator for `async def on_x(events: Sequence[Event], tx: Transaction) -> None`.

        Args:
            router: Where FastStream finds the subscriber.
            topics: Names; or none, and a `pattern`.
            group_id: The consumer group, and the consumer's name in fence, inbox and quarantine; one per subscription.
            keys: `async (events, connection) -> keys`: further cases to lock, asked again once they are locked.
            parse: Reads a message from its bytes.
            raw: The handler gets `RawRecord`s and decides itself what they are.
            pattern: A regular expression for topic names.
            rest_s: How long an event may wait after a batch for others to share the next one.
        """
        if group_id in self.workers:
            raise ValueError(f"group {group_id!r} has a subscription already; each needs a group of its own")

        def decorate(handler: Handler) -> Handler:
            consumer = Consumer(group_id, handler, None if raw else parse, keys)
            worker = Worker(self._store, consumer, rest_s)
            decorator, worker.subscriber = subscribe(
                router,
                *topics,
                pattern=pattern,
                group_id=group_id,
                most=lambda: worker.most,
                failed=worker.read_failed,
                ack_policy=AckPolicy.MANUAL,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                session_timeout_ms=SESSION_TIMEOUT_MS,
                heartbeat_interval_ms=HEARTBEAT_MS,
                rebalance_timeout_ms=REBALANCE_TIMEOUT_MS,
                max_poll_interval_ms=MAX_POLL_MS,
                max_partition_fetch_bytes=4 << 20,
                parser=safe_parser,
                codec=RawBatchCodec(consumer.parse),
                listener=worker,
                title=group_id,
            )

            @decorator  # type: ignore[untyped-decorator] # FastStream's subscriber, seen through kafka_compat
            async def receive(batch: list[Any]) -> None:
                await worker.receive(batch)

            self.workers[group_id] = worker
            self._health.live[f"consumer {group_id}"] = worker.wrong
            self._health.going[f"consumer {group_id}"] = worker.stopped
            self._health.ready[f"consumer {group_id}"] = worker.unready
            metrics.STOPPED.labels(group_id).set_function(lambda: worker.stopped() is not None)
            return handler

        return decorate


def fitting(records: int, seconds: float) -> int:
    """Return how many records the next transaction may have to take `BATCH_S`, by what the last one took."""
    return max(FEWEST, min(MOST, int(records * BATCH_S / seconds))) if seconds else MOST


class Worker(ConsumerRebalanceListener):
    """Runs one subscription: retries, seeks, stops, and keeps its fence in step with Kafka's assignment."""

    subscriber: Subscriber

    def __init__(self, store: Store, consumer: Consumer, rest_s: float = REST_S) -> None:
        self._store = store
        self.consumer = consumer
        self._rest_s = rest_s
        self.most = FEWEST
        """How many records the next batch may have."""
        self._stopped: str | None = None
        self._assigned = False
        self._kafka = Answering("Kafka")
        self._hurry = asyncio.Event()  # somebody waits for the batch in hand: do not back off
        self._holes: dict[Place, int] = {}
        self._next_offsets: dict[Place, int] = {}
        self._stopping: asyncio.Task[None] | None = None
        self._assigning: asyncio.Task[None] | None = None

    async def receive(self, items: Sequence[Decoded]) -> None:
        """Handle one batch and acknowledge it. If it could not be handled, this raises and it is read again."""
        started, wanted = time.monotonic(), self.most
        try:
            outcome = await self._handle(items, started)
            await self._look_for_cut(outcome.gaps)
        except Exception:
            for place, offset in firsts(map(mark_of, items)).items():
                self.subscriber.seek(place, offset)
            self.most = FEWEST
            raise
        self._take_down(outcome)
        seconds = time.monotonic() - started
        self.most = fitting(len(items), seconds)
        self._report(items, outcome, seconds)
        self.subscriber.acknowledge(outcome.advance, soon=self._assigned)
        if len(items) < wanted // 2:
            await self._pause(self._rest_s)

    async def _handle(self, items: Sequence[Decoded], started: float) -> Outcome:
        if self._stopped:
            raise RuntimeError(self._stopped)
        faultpoint("consume.received")
        traces = (item.message.traceparent for item in items if isinstance(item, Event))
        try:
            with batch_span(f"consume {self.consumer.group_id}", traces):
                return await self._until_done(items, started)
        except TopicChanged as changed:
            self._stop(changed)
            raise

    def _take_down(self, outcome: Outcome) -> None:
        """Remember where the partitions stand, and read those again of which something was skipped."""
        group = self.consumer.group_id
        # Only of what is here: a batch that outlasts a rebalance has partitions of which another copy measures the lag now.
        self._next_offsets |= {
            place: offset for place, offset in outcome.advance.items() if place in self._next_offsets
        }
        for place in [place for place in self._holes if place in outcome.advance]:
            del self._holes[place]  # a second look found nothing nearer
            metrics.HOLES.labels(group).inc()
        for place, offset in outcome.gaps.items():
            self._holes[place] = offset
            self.subscriber.seek(place, max(offset, 0))
            _log.warning(
                "consume.gap", consumer=group, topic=place.topic, partition=place.partition, expected_offset=offset
            )

    async def _look_for_cut(self, gaps: Mapping[Place, int]) -> None:
        """Stop before a gap that lies before the first record there is: a second look would find nothing, and take it for a hole."""
        wanted = {place: offset for place, offset in gaps.items() if offset != REWOUND}
        if wanted and not self._check_bounds(await self._kafka.answer(self.subscriber.bounds(wanted)), wanted):
            raise RuntimeError(self._stopped)

    def read_failed(self, error: Exception, place: Place | None) -> None:
        """Say that something could not be read, and of which partition if it is one's own."""
        group = self.consumer.group_id
        metrics.READ_FAILURES.labels(group).inc()
        there = {"topic": place.topic, "partition": place.partition} if place else {}
        _log.warning("consume.read_failed", consumer=group, error=summary(error), **there)

    async def _stand_first(self) -> None:
        """See to it that the fence stands before anything is read past it, or a record lost before it would not show.

        Raises:
            RuntimeError: The partitions are on their way to somebody else, or back.
        """
        if not (self._assigned or self._hurry.is_set()):
            await self._stand_up_again()
        if not self._assigned:
            raise RuntimeError("where this consumer stands in its partitions is not known yet; the batch is read again")

    async def _until_done(self, items: Sequence[Decoded], started: float) -> Outcome:
        attempt = 0
        while True:
            try:
                await self._stand_first()
                return await handle_batch(self._store, self.consumer, items, self._holes)
            except TopicChanged:
                raise
            except Exception as error:  # the top of the path: whatever it is, the batch is not lost
                attempt += 1
                delay = min(BACK_OFF_CAP_S, BACK_OFF_FIRST_S * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
                metrics.RETRIES.labels(self.consumer.group_id).inc()
                _log.warning(
                    "consume.retry",
                    consumer=self.consumer.group_id,
                    records=len(items),
                    attempt=attempt,
                    delay_ms=round(delay * 1000),
                    error=summary(error),
                    where=where(error),
                )
                if time.monotonic() - started + delay > BACK_OFF_TOTAL_S or self._hurry.is_set():
                    raise
                await self._pause(delay)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        except TimeoutError:
            return

    def _report(self, items: Sequence[Decoded], outcome: Outcome, seconds: float) -> None:
        report(self.consumer.group_id, len(items), outcome, seconds)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Finish the batch in hand before the partitions go to somebody else."""
        del revoked
        self._assigned = False
        self._hurry.set()
        await self.finish()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Start from the fence and not from Kafka's offsets; stop if the topic is not the one that was read before."""
        self._assigned = False
        self._hurry.clear()
        self._holes.clear()
        metrics.REBALANCES.labels(self.consumer.group_id).inc()
        places = sorted(Place(tp.topic, tp.partition) for tp in assigned)
        # In a task of its own: aiokafka cancels its listener when it stops, and a connection would be left open.
        self._assigning = asyncio.create_task(self._stand_on_fence(places))
        await asyncio.shield(self._assigning)

    async def _stand_on_fence(self, places: Sequence[Place]) -> None:
        group = self.consumer.group_id
        async with self._store.begin() as tx:
            held = await tx.fence.hold(group, places)
        next_offsets = {place: offset for place, offset in held.items() if offset != REWOUND}
        # Asked after the fence was read: what its last owner read meanwhile must not look like a topic cut short.
        bounds = await self._kafka.answer(self.subscriber.bounds(places))
        # Written down from the first day, so that even a loss in the very first batch shows as a gap.
        new = {place: bounds[place][0] for place in places if place not in next_offsets}
        if new:
            async with self._store.begin() as tx:
                await tx.fence.advance(group, new)
        if asyncio.current_task() is not self._assigning or self._hurry.is_set():
            return  # others were assigned meanwhile, or these revoked: with these, nobody knows yet where to stand
        for place in self._next_offsets.keys() - {*places}:
            metrics.LAG.remove(group, *place)  # who has it now says it
        self._next_offsets = next_offsets | new
        if not self._check_bounds(bounds, self._next_offsets):
            return
        for place, offset in self._next_offsets.items():
            self.subscriber.seek(place, offset)
        self._assigned = True

    def _check_bounds(self, bounds: Mapping[Place, tuple[int, int]], next_offsets: Mapping[Place, int]) -> bool:
        for place, (begin, end) in bounds.items():
            next_offset = next_offsets.get(place, begin)
            if not begin <= next_offset <= end:
                self._stop(TopicChanged(place, min(begin, end), next_offset))
                return False
        return True

    async def watch(self) -> None:
        """Measure lag, and look whether a topic has become shorter than what was read of it; every few seconds."""
        if self._stopped or self._hurry.is_set():
            return
        if not self._assigned:
            await self._stand_up_again()
            return
        stood = dict(self._next_offsets)  # before asking: while one broker keeps us waiting, the others are read on
        try:
            bounds = await self._kafka.answer(self.subscriber.bounds(stood))
        except Exception:
            for place in stood:
                metrics.LAG.labels(self.consumer.group_id, *place).set(math.nan)
            raise
        for place, (_, end) in bounds.items():
            metrics.LAG.labels(self.consumer.group_id, *place).set(max(0, end - stood[place]))
        if self._check_bounds(bounds, stood) and await self._set_back(stood) and not self._hurry.is_set():
            await self._stand_up_again()

    async def _set_back(self, stood: Mapping[Place, int]) -> bool:
        """Return whether the fence is before where this consumer stood already.

        A server that took over without the last commits has undone what they did, and a person may rewind. Without another
        record nothing shows the gap, and what lies between would be read by nobody.
        """
        async with self._store.begin() as tx:
            held = await tx.fence.look(self.consumer.group_id)
        back = {place: held.get(place, REWOUND) for place in stood if held.get(place, REWOUND) < stood[place]}
        for (topic, partition), offset in back.items():
            there = {"topic": topic, "partition": partition, "offset": stood[Place(topic, partition)]}
            _log.warning("consume.set_back", consumer=self.consumer.group_id, expected_offset=offset, **there)
        return bool(back)

    async def _stand_up_again(self) -> None:
        """Take the partitions over if that failed: aiokafka only logs it, and a database may have been away just then."""
        if self._assigning is None:
            return
        if self._assigning.done():
            self._assigning = asyncio.create_task(self._stand_on_fence(sorted(self.subscriber.assignment())))
        await asyncio.shield(self._assigning)

    def _stop(self, changed: TopicChanged) -> None:
        if self._stopped:
            return
        self._stopped = str(changed)
        _log.critical(
            "consume.stopped",
            consumer=self.consumer.group_id,
            topic=changed.place.topic,
            partition=changed.place.partition,
            offset=changed.offset,
            expected_offset=changed.expected,
            reason=self._stopped,
        )
        # In a task of its own: FastStream's stop cancels the task that it is called from.
        self._stopping = asyncio.create_task(self.subscriber.stop())

    def hurry(self) -> None:
        """The process is stopping: finish or give back the batch in hand."""
        self._hurry.set()

    async def finish(self) -> None:
        """Wait for the batch in hand, and tell Kafka what it was not told yet."""
        await self.subscriber.drain(DRAIN_S)
        await self.subscriber.tell()

    async def leave(self) -> None:
        """Finish, and tell Kafka no more: the subscriber is about to be stopped."""
        await self.finish()
        await self.subscriber.settle()

    async def settled(self) -> None:
        """Wait until nothing of this consumer runs any more; its subscriber has been stopped."""
        unfinished = [task for task in (self._assigning, self._stopping) if task]
        await asyncio.gather(*unfinished, return_exceptions=True)

    def wrong(self) -> str | None:
        """Return why this consumer is dead, or nothing."""
        return self.subscriber.problem(IDLE_LIMIT_S)

    def stopped(self) -> str | None:
        """Return why this consumer, or a partition of it, has stopped, until a person puts that right, or nothing."""
        return self._stopped or self.subscriber.damaged()

    async def unready(self) -> str | None:
        """Return why this consumer is not at work, or nothing."""
        if self._stopped or not self._assigned:
            return self._stopped or "no partitions are assigned yet"
        return self._kafka.wrong()
