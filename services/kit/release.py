"""Letting a record out of quarantine: tried again or discarded, by a named person with a reason, then those behind it.

Everything happens in one transaction that holds the case: the record, then the events that waited behind it, in the
order in which they came, up to the next record of the case that is still held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from schemas.identity import derived_event_id
from schemas.quarantines import QuarantineResolved, QuarantineResolvedData
from schemas.topics import quarantine as quarantine_topic
from services.kit.codec import Decoded, Poison, decode
from services.kit.errors import Conflict, NotFound, Unavailable
from services.kit.inbox import record_id
from services.kit.kafka_compat import RawRecord
from services.kit.path import (
    Consumer,
    FlushableTransaction,
    HandlerFailed,
    MoreKeys,
    Offenders,
    Outcome,
    Settling,
    Store,
    confirm_locked,
    known_unread,
    reason_for,
)
from services.kit.quarantine import DoesNotOpen, Held, Parked, Record
from services.kit.quarantine import Outcome as Resolution

_ROUNDS: Final = 5


@dataclass(frozen=True, slots=True)
class Released:
    """What came of it. `state` is still `held` if a retry failed, with the new reason."""

    quarantine_id: UUID
    state: str
    reason: str
    released: int  # events that waited and were handled now, or put aside in their turn


async def release(
    store: Store, consumer: Consumer, quarantine_id: UUID, *, resolution: Resolution, by: str, reason: str
) -> Released:
    """Try a record again or discard it, and let those that waited behind it go on.

    Args:
        store: The service's database.
        consumer: The subscription that the record came by.
        quarantine_id: Which record.
        resolution: What to do with it.
        by: The account's id.
        reason: Why, in that person's words.

    Raises:
        NotFound: There is no such record of this consumer.
        Conflict: It was resolved already, another record of its case must go first, or it is to be retried and this service
            has not the key to open it.
    """
    known: set[str] = {f"quarantine:{quarantine_id}"}
    for _ in range(_ROUNDS):
        try:
            async with store.begin() as tx:
                found = await _find(tx, consumer, quarantine_id)
                if found.record.case_key:
                    known.add(found.record.case_key)
                await tx.lock_cases(known)
                # Looked at again now that the case is held: somebody else may have been quicker, and nobody adds to it now.
                found = await _find(tx, consumer, quarantine_id)
                waiting = await _waiting(tx, found)
                items = [_item(consumer, record) for record in (found.record, *(one.record for one in waiting))]
                offenders = await confirm_locked(tx, consumer, items, known)
                return await _Release(tx, consumer, found, waiting, offenders).run(items, resolution, by, reason)
        except MoreKeys as more:
            known |= more.keys
    raise Unavailable("the cases that this record touches keep changing; try again")


async def _find(tx: FlushableTransaction, consumer: Consumer, quarantine_id: UUID) -> Held:
    found = await tx.held.find(quarantine_id)
    if found is None or found.record.consumer != consumer.group_id:
        raise NotFound
    if found.state != "held":
        raise Conflict(f"this record was {found.state} already")
    return found


async def _waiting(tx: FlushableTransaction, found: Held) -> list[Parked]:
    if not (found.parks and found.record.case_key):
        return []
    return await tx.held.waiting(found.record.consumer, found.record.case_key)


def _item(consumer: Consumer, record: Record) -> Decoded:
    raw = RawRecord(
        record.topic, record.partition, record.offset, record.key, record.payload, record.headers, timestamp=0
    )
    if record.sealed:
        return Poison(raw, str(DoesNotOpen.__doc__), record_id(*raw[:3], raw.value))
    return decode(raw, consumer.parse)


class _Release:
    def __init__(
        self,
        tx: FlushableTransaction,
        consumer: Consumer,
        found: Held,
        waiting: Sequence[Parked],
        offenders: Offenders,
    ) -> None:
        self._tx = tx
        self._offenders = offenders
        self._consumer = consumer
        self._found = found
        self._waiting = waiting
        self._settling = Settling(tx, consumer, Outcome(), isolate=True, offenders=offenders)

    async def run(self, items: Sequence[Decoded], resolution: Resolution, by: str, reason: str) -> Released:
        quarantine_id, record = self._found.quarantine_id, self._found.record
        waiting = list(zip(self._waiting, items[1:], strict=True))
        if resolution == "retried":
            await self._must_be_first()
            if record.sealed:
                raise Conflict(
                    f"{DoesNotOpen.__doc__} Give it the key that it had then, and retry; or discard the record."
                )
            first = items[0]
            copies = [one.arrival for one, item in waiting if item.record_id == first.record_id]
            # What was put aside unread is known by its own id only if a copy was read: that one waits, or had its effect.
            unread = not copies and await known_unread(self._tx, self._consumer, [first])
            failure = await self._retry(first, admit=first.record_id if unread else None)
            if failure:
                await self._tx.held.failed_again(quarantine_id, reason=failure)
                return Released(quarantine_id, "held", failure, 0)
            if copies:
                await self._tx.held.unpark(copies)
                waiting = [(one, item) for one, item in waiting if one.arrival not in copies]
        await self._tx.held.resolve(quarantine_id, outcome=resolution, by=by, reason=reason, now=self._tx.now)
        message = QuarantineResolved(
            # Of this decision alone: after a restore a person decides once more, and what was said before must not stand for it.
            id=derived_event_id("quarantine-resolved", quarantine_id, self._tx.now.isoformat()),
            source=f"/handrail/{self._tx.service}",
            time=self._tx.now,
            recorded_at=self._tx.now,
            case_key=record.case_key if self._found.parks else None,
            causation_id=derived_event_id("quarantined", quarantine_id),
            data=QuarantineResolvedData(
                quarantine_id=quarantine_id, service=self._tx.service, outcome=resolution, by=by, reason=reason
            ),
        )
        # As it was put aside: who reads of both does so in this order.
        self._tx.emit(quarantine_topic(self._tx.service), message, key=message.case_key or str(quarantine_id))
        return Released(quarantine_id, resolution, reason, await self._let_on(waiting))

    async def _must_be_first(self) -> None:
        if not (self._found.parks and self._found.record.case_key):
            return
        first = await self._tx.held.first_parking(self._consumer.group_id, self._found.record.case_key)
        if first and first.quarantine_id != self._found.quarantine_id:
            raise Conflict(f"record {first.quarantine_id} of the same case came first; retry or discard it before")

    async def _retry(self, item: Decoded, *, admit: UUID | None = None) -> str | None:
        """Hand one record to the handler; return why it failed, or nothing. `admit`: see `Settling.attempt`."""
        if isinstance(item, Poison):
            return item.reason
        if id(item) in self._offenders:
            return reason_for(self._offenders[id(item)])
        try:
            await self._settling.attempt([item], admit=admit)
        except HandlerFailed as failure:
            return reason_for(failure.__cause__)
        return None

    async def _let_on(self, waiting: Sequence[tuple[Parked, Decoded]]) -> int:
        """Handle the events that waited, up to the next held record; the first that fails is held in its place."""
        case_key = self._found.record.case_key
        if not (self._found.parks and case_key):
            return 0
        following = await self._tx.held.first_parking(self._consumer.group_id, case_key)
        gone: list[int] = []
        for one, item in waiting:
            if following and one.arrival > following.arrival:
                break
            gone.append(one.arrival)
            failure = await self._retry(item)
            if failure:
                await self._settling.hold(item, one.record, failure, arrival=one.arrival)
                break
        await self._tx.held.unpark(gone)
        return len(gone)
