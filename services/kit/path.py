"""The road of one batch through one transaction, the same on PostgreSQL and in memory.

Locks, fence, inbox, what must wait, the handler, outbox; then the commit, which is the only thing that has an effect.
If the handler fails, or the consumer cannot name the cases of the batch, the transaction is tried again with the batch
halved until the offender is alone: it goes to quarantine, the later events of its case wait behind it, and everybody
else's events are handled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from uuid import UUID

from services.kit.codec import Decoded, Event, Parse, Poison, Raw
from services.kit.errors import Refused, is_infrastructure
from services.kit.faults import faultpoint
from services.kit.fence import Mark, Place, Verdict, judge
from services.kit.kafka_compat import RawRecord
from services.kit.quarantine import Record
from services.kit.transaction import Transaction

Handler = Callable[[Sequence[Any], Any], Awaitable[None]]
Keys = Callable[[Sequence[Any], Any], Awaitable[Iterable[str]]]
"""Names the cases to hold for some events, in any portions: what is asked in parts adds up."""
Offenders = Mapping[int, Exception]
"""Why the cases of an item could not be named, by the item's `id`."""
_KEY_ROUNDS: Final = 5


class FlushableTransaction(Transaction, Protocol):
    """A transaction whose messages can be written before its end."""

    async def flush(self) -> None:
        """Write the messages to the outbox."""
        ...


class Store(Protocol):
    """Opens transactions: `Database` or its memory twin."""

    service: str

    def begin(self) -> AbstractAsyncContextManager[FlushableTransaction]:
        """Open a transaction that commits when the block ends."""
        ...


@dataclass(frozen=True)
class Consumer:
    """What a service subscribed with. Without `parse`, its handler gets `RawRecord`s."""

    group_id: str
    handler: Handler
    parse: Parse | None
    keys: Keys | None = None


@dataclass
class Outcome:
    """What became of a batch. `gaps`: read these partitions again from here; `advance`: where the others stand now."""

    counts: Counter[str] = field(default_factory=Counter)
    gaps: Mapping[Place, int] = field(default_factory=dict)
    advance: Mapping[Place, int] = field(default_factory=dict)
    errors: list[Exception] = field(default_factory=list)


class TopicChanged(RuntimeError):
    """A topic is not the one that was read before: it was deleted and made again, or cut short."""

    def __init__(self, place: Place, offset: int, expected: int) -> None:
        self.place, self.offset, self.expected = place, offset, expected
        super().__init__(
            f"{place.topic}/{place.partition}: offset {offset} is not what this consumer read there, and it stood at "
            f"{expected}. The topic was deleted and made again, or cut short. Nothing more is read. Make it again, empty, "
            "publish its history (handrail relay rewind), then let this consumer start over (handrail consumer rewind)."
        )


class MoreKeys(Exception):
    """More cases must be held than was known before; start again and lock all of them in order."""

    def __init__(self, keys: set[str]) -> None:
        self.keys = keys
        super().__init__("more cases to hold")


class HandlerFailed(Exception):
    """The handler, or the naming of cases, raised; the transaction is undone and the batch will be halved."""


def kept(consumer: str, item: RawRecord | Decoded, case_key: str | None = None) -> Record:
    """Return what quarantine keeps of an item."""
    if isinstance(item, Event):
        return Record(consumer, item.topic, item.partition, item.offset, item.key, item.raw, item.case_key)
    raw = item if isinstance(item, RawRecord) else item.record
    key = case_key or (item.case_key if isinstance(item, Poison) else None)
    return Record(consumer, raw.topic, raw.partition, raw.offset, raw.key, raw.value, key, raw.headers)


def _for_handler(items: Iterable[Decoded]) -> list[Any]:
    return [item.record if isinstance(item, Raw) else item for item in items if isinstance(item, (Event, Raw))]


def _case_of(item: Decoded) -> str | None:
    return item.case_key if isinstance(item, (Event, Poison)) else None


async def lock_all(
    tx: FlushableTransaction, consumer: Consumer, items: Sequence[Decoded], known: set[str], *, isolate: bool
) -> Offenders:
    """Lock the cases of a batch and those that the consumer adds; what is added is asked for again once they are held.

    Returns:
        The items whose cases the consumer could not name, with its errors; of these, only their own case is held.

    Raises:
        MoreKeys: After locking, more was needed; the caller starts again with those in `known`.
        HandlerFailed: The consumer could not name the cases, and this attempt does not isolate.
    """
    asking = _Asking(tx, consumer, isolate=isolate)
    wanted = known | {case for item in items if (case := _case_of(item))} | await asking.keys(items)
    await tx.lock_cases(wanted)
    return await asking.confirm(items, wanted)


async def confirm_locked(
    tx: FlushableTransaction, consumer: Consumer, items: Sequence[Decoded], held: set[str]
) -> Offenders:
    """Return the items whose cases the consumer cannot name, when the cases of all others are held.

    Raises:
        MoreKeys: They are not; the caller starts again with those in `known`.
    """
    return await _Asking(tx, consumer, isolate=True).confirm(items, held)


class _Asking:
    """Asks a consumer which cases must be held, and finds the items for which it cannot say."""

    def __init__(self, tx: FlushableTransaction, consumer: Consumer, *, isolate: bool) -> None:
        self._tx = tx
        self._ask = consumer.keys
        self._isolated = isolate
        self.offenders: dict[int, Exception] = {}

    async def confirm(self, items: Sequence[Decoded], held: set[str]) -> Offenders:
        wanted = await self.keys(items)
        if not wanted <= held:
            raise MoreKeys(held | wanted)
        return self.offenders

    async def keys(self, items: Sequence[Decoded]) -> set[str]:
        readable = [item for item in items if isinstance(item, (Event, Raw)) and id(item) not in self.offenders]
        if not readable or self._ask is None:
            return set()
        try:
            if not self._isolated:
                return await self._named(self._ask, readable)
            async with self._tx.savepoint():
                return await self._named(self._ask, readable)
        except Exception as error:
            if is_infrastructure(error):
                raise
            if not self._isolated:
                raise HandlerFailed from error
            if len(readable) == 1:
                self.offenders[id(readable[0])] = error
                return set()
        half = len(readable) // 2
        return await self.keys(readable[:half]) | await self.keys(readable[half:])

    async def _named(self, ask: Keys, items: Sequence[Event | Raw]) -> set[str]:
        return set(await ask(_for_handler(items), getattr(self._tx, "connection", None)))


async def handle_batch(
    store: Store, consumer: Consumer, items: Sequence[Decoded], known_holes: Mapping[Place, int] | None = None
) -> Outcome:
    """Take one batch through one transaction.

    Raises:
        TopicChanged: The consumer must stop.
        Exception: A part is away (`errors.is_infrastructure`); nothing happened, try again.
    """
    known: set[str] = set()
    isolate = False
    for _ in range(_KEY_ROUNDS + 1):
        try:
            async with store.begin() as tx:
                tx.traces = {
                    item.message.id: item.message.traceparent
                    for item in items
                    if isinstance(item, Event) and item.message.traceparent
                }
                offenders = await lock_all(tx, consumer, items, known, isolate=isolate)
                outcome, fresh = await _admit(tx, consumer, items, known_holes or {})
                await Settling(tx, consumer, outcome, isolate=isolate, offenders=offenders).settle(fresh)
                if fresh:
                    faultpoint("consume.before_commit")
        except MoreKeys as more:
            known |= more.keys
        except HandlerFailed:
            isolate = True
        else:
            if fresh:
                faultpoint("consume.committed")
            return outcome
    raise TimeoutError("the cases to hold changed each time they were looked at")


async def _admit(
    tx: FlushableTransaction, consumer: Consumer, items: Sequence[Decoded], known_holes: Mapping[Place, int]
) -> tuple[Outcome, list[Decoded]]:
    """Put the batch against fence and inbox; return what is new, in order."""
    marks = [mark_of(item) for item in items]
    places = sorted({mark.place for mark in marks})
    next_offsets = await tx.fence.hold(consumer.group_id, places)
    verdict = judge(marks, next_offsets, known_holes)
    if verdict.below:
        await _check_below(tx, consumer, dict(zip(marks, items, strict=True)), verdict, next_offsets)
    await tx.fence.advance(consumer.group_id, verdict.advance)
    above = [
        (mark.record_id, item)
        for mark, item in zip(marks, items, strict=True)
        if mark.place not in verdict.gaps and mark.offset >= next_offsets.get(mark.place, 0)
    ]
    new = await tx.inbox.admit(consumer.group_id, [each for each, _ in above]) if above else set()
    fresh = [item for _, item in above]
    if len(new) < len(above):  # looking up each id costs more than the rest of this, and is seldom needed
        fresh = []
        for each, item in above:
            if each in new:
                new.discard(each)  # the same message twice in one batch
                fresh.append(item)
    outcome = Outcome(gaps=verdict.gaps, advance=verdict.advance)
    outcome.counts["dropped"] = sum(mark.place in verdict.gaps for mark in marks)
    outcome.counts["overtaken"] = len(verdict.below)
    outcome.counts["duplicates"] = len(above) - len(fresh)
    outcome.counts["fresh"] = len(fresh)
    return outcome, fresh


async def known_unread(tx: FlushableTransaction, consumer: Consumer, items: Iterable[Decoded]) -> set[int]:
    """Return the `id`s of the events that an older version of this service had in this very place and could not read."""
    unread = {id(item): item.unread_id for item in items if isinstance(item, Event)}
    known = await tx.inbox.known(consumer.group_id, list(unread.values())) if unread else set()
    return {which for which, each in unread.items() if each in known} if known else set()


async def _check_below(
    tx: FlushableTransaction,
    consumer: Consumer,
    items: Mapping[Mark, Decoded],
    verdict: Verdict,
    next_offsets: Mapping[Place, int],
) -> None:
    known = await tx.inbox.known(consumer.group_id, [mark.record_id for mark in verdict.below])
    strange = [mark for mark in verdict.below if mark.record_id not in known]
    unread = await known_unread(tx, consumer, [items[mark] for mark in strange])
    for mark in strange:
        if id(items[mark]) not in unread:
            raise TopicChanged(mark.place, mark.offset, next_offsets[mark.place])


def mark_of(item: Decoded) -> Mark:
    """Return where an item stood, and the id under which the inbox knows it."""
    if isinstance(item, Event):
        return Mark(Place(item.topic, item.partition), item.offset, item.record_id)
    record = item.record
    return Mark(Place(record.topic, record.partition), record.offset, item.record_id)


class Settling:
    """Hands the new records of a transaction to the handler, and puts aside what cannot be handled now."""

    def __init__(
        self, tx: FlushableTransaction, consumer: Consumer, outcome: Outcome, *, isolate: bool, offenders: Offenders
    ) -> None:
        self._tx = tx
        self._consumer = consumer
        self._outcome = outcome
        self._isolated = isolate
        self._offenders = offenders
        self._parking: set[str] = set()  # cases whose events wait

    async def settle(self, items: Sequence[Decoded]) -> None:
        """Handle what can be handled, in order; then put aside the rest, in order.

        Raises:
            HandlerFailed: The handler raised, and this attempt does not isolate.
        """
        cases = sorted({case for item in items if (case := _case_of(item))})
        if cases:
            self._parking = await self._tx.held.parking(self._consumer.group_id, cases)
        ready: list[Event | Raw] = []
        aside: list[Event | Poison | Raw] = []
        blocked = set(self._parking)
        for item in items:
            case = _case_of(item)
            if isinstance(item, Poison) or id(item) in self._offenders:
                aside.append(item)
                if case:
                    blocked.add(case)
            elif isinstance(item, Event) and case in blocked:
                aside.append(item)
            else:
                ready.append(item)
        if ready and self._isolated:
            await self._isolate(ready)
        elif ready:
            await self._handle(ready)
        await self._put_aside(aside)

    async def _handle(self, items: Sequence[Event | Raw]) -> None:
        try:
            await self._consumer.handler(_for_handler(items), self._tx)
            await self._tx.flush()
        except Exception as error:
            if is_infrastructure(error):
                raise
            raise HandlerFailed from error

    async def _isolate(self, items: Sequence[Event | Raw]) -> None:
        waiting = [item for item in items if isinstance(item, Event) and item.case_key in self._parking]
        await self._put_aside(waiting)
        items = [item for item in items if item not in waiting] if waiting else items
        if not items:
            return
        try:
            await self.attempt(items)
        except HandlerFailed as failure:
            if len(items) == 1:
                await self._hold(items[0], failure.__cause__)
                return
            half = len(items) // 2
            await self._isolate(items[:half])
            await self._isolate(items[half:])

    async def attempt(self, items: Sequence[Event | Raw], *, admit: UUID | None = None) -> None:
        """Run the handler so that, if it fails, nothing of it remains; not at all if the inbox knows what is to be admitted.

        Raises:
            HandlerFailed: It failed; its cause says how.
        """
        await self._tx.flush()  # what was emitted before must not be undone with it
        async with self._tx.savepoint():
            if admit is None or await self._tx.inbox.admit(self._consumer.group_id, [admit]):
                await self._handle(items)

    async def _hold(self, item: Event | Raw, error: BaseException | None) -> None:
        if isinstance(error, Exception):
            self._outcome.errors.append(error)
        record = kept(self._consumer.group_id, item)
        await self.hold(item, record, reason_for(error))
        if record.case_key:
            self._parking.add(record.case_key)
        self._outcome.counts["failed"] += 1

    async def hold(self, item: Decoded, record: Record, reason: str, *, arrival: int | None = None) -> None:
        """Put a record aside. What an older version had unread is known as that alone again, so that a retry has its effect."""
        await self._tx.quarantine(record, reason=reason, parks=record.case_key is not None, arrival=arrival)
        if await known_unread(self._tx, self._consumer, [item]):
            await self._tx.inbox.forget(self._consumer.group_id, item.record_id)

    async def _put_aside(self, items: Sequence[Event | Poison | Raw]) -> None:
        """Quarantine poison and offenders and park the rest, so that `arrival` keeps their order."""
        waiting: list[Record] = []
        for item in items:
            record = kept(self._consumer.group_id, item)
            if isinstance(item, Event) and (id(item) not in self._offenders or item.case_key in self._parking):
                waiting.append(record)
                continue
            await self._park(waiting)
            waiting = []
            if isinstance(item, Poison):
                await self._tx.quarantine(record, reason=item.reason, parks=record.case_key is not None)
                self._outcome.counts["poison"] += 1
                self._parking |= {record.case_key} if record.case_key else set()
            else:
                await self._hold(item, self._offenders[id(item)])
        await self._park(waiting)

    async def _park(self, records: list[Record]) -> None:
        if records:
            await self._tx.held.park(records, now=self._tx.now)
            self._outcome.counts["parked"] += len(records)


def reason_for(error: BaseException | None) -> str:
    """Return why a record is in quarantine: our own sentence if the handler gave one, else only the error's type."""
    if isinstance(error, Refused):
        return error.detail
    return f"handling it failed: {type(error).__name__}"
