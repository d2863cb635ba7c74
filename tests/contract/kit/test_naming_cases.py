"""Which cases a batch speaks of, asked of the service before it is handled: what becomes of an event of which it cannot say; on both stores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from sqlalchemy import text

from schemas.messages import parse
from services.kit.codec import Event, decode
from services.kit.kafka_compat import RawRecord
from services.kit.path import Consumer, handle_batch
from tests.support.batches import Service, event, poison, record
from tests.support.kit import Backend, aware, case


def beside(one: Event) -> str:
    """Return the case that is linked with that of an event."""
    return case(1000 + int(str(one.case_key), 16))


class Namer:
    """A service that speaks of the case beside that of each event, and cannot name it for the events called `nameless`."""

    def __init__(self, kit: Backend, *, nameless: set[str], error: Exception | None = None) -> None:
        self.service = Service(kit)
        self.nameless = nameless
        self.error = error or KeyError("a value that must not be shown")
        self.service.consumer = Consumer("reader", self.handle, parse, self.keys)

    async def keys(self, events: Sequence[Event], connection: Any) -> Iterable[str]:
        if self.nameless & {each.message.data.how for each in events}:
            if connection is not None:  # PostgreSQL lets a transaction go on only from before the failure
                await connection.execute(text("SELECT 1/0"))
            raise self.error
        return [beside(each) for each in events]

    async def handle(self, events: Sequence[Event], tx: Any) -> None:
        for each in events:
            tx.emit("out", aware(f"heard {each.message.data.how}", beside(each)))


async def test_an_event_whose_cases_cannot_be_named_is_put_aside_alone_and_every_other_case_flows(kit: Backend) -> None:
    service = Namer(kit, nameless={"bad"}).service
    batch = [event(offset, f"event {offset}", offset) for offset in range(20)]
    batch[13] = event(13, "bad", 13)

    outcome = await service.take(*batch)
    again = await service.take(*batch, event(20, "event 20", 20))

    assert sorted(await service.heard()) == sorted(f"event {offset}" for offset in range(21) if offset != 13)
    assert await service.announced() == ["record.quarantined.v1"]
    assert (outcome.counts["failed"], again.counts["failed"]) == (1, 0)
    assert len(outcome.errors) == 1
    assert await service.next_offset() == 21


async def test_events_before_one_whose_cases_cannot_be_named_are_handled_and_those_behind_it_wait(kit: Backend) -> None:
    service = Namer(kit, nameless={"bad", "worse"}).service

    await service.take(event(0, "before", 7), event(1, "bad", 7), event(2, "other", 2), event(3, "worse", 7))
    await service.take(event(4, "behind", 7), event(5, "other again", 2))

    assert sorted(await service.heard()) == ["before", "other", "other again"]
    async with service.kit.store.begin() as tx:
        waiting = await tx.held.waiting("reader", case(7))
    assert [one.record.offset for one in waiting] == [3, 4]


async def test_when_only_the_whole_batch_cannot_be_named_its_parts_are(kit: Backend) -> None:
    namer = Namer(kit, nameless=set())

    async def keys(events: Sequence[Event], _connection: Any) -> Iterable[str]:
        if len(events) > 2:
            raise ZeroDivisionError
        return await namer.keys(events, None)

    namer.service.consumer = Consumer("reader", namer.handle, parse, keys)
    outcome = await namer.service.take(*(event(offset, f"event {offset}", offset) for offset in range(7)))

    assert sorted(await namer.service.heard()) == [f"event {offset}" for offset in range(7)]
    assert outcome.counts["failed"] == 0


async def test_when_a_part_is_away_as_cases_are_named_nothing_happens(kit: Backend) -> None:
    namer = Namer(kit, nameless={"b"})

    async def keys(events: Sequence[Event], _connection: Any) -> Iterable[str]:
        if namer.nameless & {each.message.data.how for each in events}:
            raise ConnectionRefusedError
        return ()

    namer.service.consumer = Consumer("reader", namer.handle, parse, keys)
    with pytest.raises(ConnectionRefusedError):
        await namer.service.take(event(0, "a"), event(1, "b"))

    assert await kit.said() == []
    assert await namer.service.next_offset() is None


async def test_a_raw_record_whose_cases_cannot_be_named_is_put_aside_alone(kit: Backend) -> None:
    got: list[int] = []

    async def keys(records: Sequence[RawRecord], _connection: Any) -> Iterable[str]:
        return [str(1 // one.value[0]) for one in records]

    async def handle(records: Sequence[RawRecord], _tx: Any) -> None:
        got.extend(one.value[0] for one in records)

    records = [record(offset, bytes([value])) for offset, value in enumerate((1, 0, 2))]
    await handle_batch(kit.store, Consumer("raw reader", handle, None, keys), [decode(one, None) for one in records])

    assert got == [1, 2]
    assert await kit.said() == ["record.quarantined.v1"]


async def test_poison_is_put_aside_although_no_cases_are_asked_for_it(kit: Backend) -> None:
    async def keys(events: Sequence[Event], _connection: Any) -> Iterable[str]:
        return [str(events[0].case_key)]

    service = Service(kit)
    service.consumer = Consumer("reader", service.handle, parse, keys)

    await service.take(poison(0, 7))

    assert await service.announced() == ["record.quarantined.v1"]
