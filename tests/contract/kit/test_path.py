"""The road of a batch: what has an effect, what waits, what is put aside, and what stops a consumer; on both stores."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from schemas.messages import parse
from services.kit.codec import Decoded, Event, Poison, decode
from services.kit.errors import Refused
from services.kit.fence import REWOUND, Place, rewind
from services.kit.kafka_compat import RawRecord
from services.kit.memory import MemoryStore
from services.kit.path import Consumer, Outcome, TopicChanged, handle_batch
from tests.support.kit import Backend, aware, case

TOPIC = "kit-test"
PLACE = Place(TOPIC, 0)


def record(offset: int, value: bytes, key: str | None = None, partition: int = 0) -> RawRecord:
    return RawRecord(TOPIC, partition, offset, key.encode() if key else None, value, (), 0)


def event(offset: int, name: str, number: int = 1, partition: int = 0) -> Decoded:
    return decode(record(offset, aware(name, case(number)).wire(), case(number), partition))


def poison(offset: int, number: int = 1) -> Decoded:
    return decode(record(offset, b"\xff not json", case(number)))


def unknown(offset: int, number: int = 1) -> Decoded:
    body = orjson.loads(aware("x", case(number)).wire()) | {"type": "something.new.v1"}
    return decode(record(offset, orjson.dumps(body), case(number)))


class Service:
    """A handler that repeats what it hears, and fails where it is told to."""

    def __init__(self, kit: Backend) -> None:
        self.kit = kit
        self.failing: set[str] = set()
        self.error: Exception = ZeroDivisionError("a value that must not be shown")
        self.consumer = Consumer("reader", self.handle, parse)

    async def handle(self, events: Sequence[Event], tx: Any) -> None:
        for each in events:
            tx.emit("out", aware(f"heard {each.message.data.how}", str(each.case_key)))
            if each.message.data.how in self.failing:
                raise self.error

    async def take(self, *items: Decoded, holes: dict[Place, int] | None = None) -> Outcome:
        return await handle_batch(self.kit.store, self.consumer, items, holes)

    async def heard(self) -> list[str]:
        return [said.removeprefix("heard ") for said in await self.kit.said() if said.startswith("heard ")]

    async def announced(self) -> list[str]:
        return [said for said in await self.kit.said() if said.startswith("record.")]

    async def next_offset(self) -> int | None:
        async with self.kit.store.begin() as tx:
            offsets: dict[Place, int] = await tx.fence.hold("reader", [PLACE])
        return offsets.get(PLACE)


@pytest.fixture
def service(kit: Backend) -> Service:
    return Service(kit)


async def test_a_batch_has_its_effects_and_moves_the_fence(service: Service) -> None:
    outcome = await service.take(event(0, "a"), event(1, "b", 2), event(2, "c"))

    assert await service.heard() == ["a", "b", "c"]
    assert await service.next_offset() == 3
    assert outcome.counts["fresh"] == 3


async def test_a_second_delivery_changes_nothing(service: Service) -> None:
    await service.take(event(0, "a"), event(1, "b"))

    again = await service.take(event(0, "a"), event(1, "b"), event(2, "c"))

    assert await service.heard() == ["a", "b", "c"]
    assert again.counts["overtaken"] == 2


async def test_the_same_message_at_two_offsets_has_one_effect(service: Service) -> None:
    await service.take(event(0, "a"), event(1, "a"))

    outcome = await service.take(event(2, "a"), event(3, "b"))

    assert await service.heard() == ["a", "b"]
    assert outcome.counts["duplicates"] == 1


async def test_a_consumer_that_was_overtaken_while_it_slept_changes_nothing(service: Service) -> None:
    slept_on = [event(0, "a"), event(1, "b")]
    await service.take(event(0, "a"), event(1, "b"), event(2, "c"))

    outcome = await service.take(*slept_on)

    assert outcome.counts["fresh"] == 0
    assert await service.heard() == ["a", "b", "c"]
    assert await service.next_offset() == 3


async def test_two_consumers_with_the_same_batch_at_the_same_time_have_one_effect(service: Service) -> None:
    batch = [event(number, f"event {number}", number) for number in range(10)]

    await asyncio.gather(service.take(*batch), service.take(*batch))

    assert await service.heard() == [f"event {number}" for number in range(10)]


async def test_skipped_records_drop_their_partition_only_and_say_where_to_read_again(service: Service) -> None:
    await service.take(event(0, "a"), event(0, "b", partition=1))

    outcome = await service.take(event(5, "skipped to"), event(1, "c", partition=1))

    assert outcome.gaps == {PLACE: 1}
    assert await service.heard() == ["a", "b", "c"]
    assert await service.next_offset() == 1


async def test_offsets_without_a_record_are_accepted_after_a_second_look(service: Service) -> None:
    await service.take(event(0, "a"))
    gap = await service.take(event(2, "b"))

    outcome = await service.take(event(2, "b"), holes=dict(gap.gaps))

    assert outcome.gaps == {}
    assert await service.heard() == ["a", "b"]


async def test_a_topic_made_again_with_other_records_stops_the_consumer(service: Service) -> None:
    await service.take(event(0, "a"), event(1, "b"))

    with pytest.raises(TopicChanged, match=r"deleted and made again.*Make it again, empty"):
        await service.take(event(0, "another record at the same offset"))

    assert await service.heard() == ["a", "b"]


async def test_poison_and_unknown_types_read_twice_do_not_look_like_another_topic(service: Service) -> None:
    batch = [event(0, "a"), poison(1, 7), unknown(2)]
    await service.take(*batch)

    outcome = await service.take(*batch)

    assert outcome.counts["overtaken"] == 3


def understood(message: bytes) -> Any:
    """Read as the next version does, which knows the new type."""
    return parse(message.replace(b"something.new.v1", b"la.became_aware.v1"))


async def test_what_an_older_version_put_aside_is_no_other_topic_to_a_newer_one_and_read_again_waits_behind_itself(
    service: Service,
) -> None:
    older = unknown(0, 1)
    assert isinstance(older, Poison)
    await service.take(older, event(1, "a", 1), event(2, "b", 2))
    newer = decode(older.record, understood)
    assert isinstance(newer, Event)

    overtaken = await service.take(newer, event(1, "a", 1))
    if isinstance(service.kit.store, MemoryStore):
        service.kit.store.state.offsets["reader", PLACE] = REWOUND
    else:
        async with service.kit.store.engine.begin() as connection:
            await rewind(connection, "reader", TOPIC)
    again = await service.take(newer, event(1, "a", 1), event(2, "b", 2), holes={PLACE: REWOUND})

    assert (overtaken.counts["overtaken"], again.counts["duplicates"], again.counts["parked"]) == (2, 2, 1)
    assert await service.heard() == ["b"]  # a retry lets out one of the two (test_release.py)


async def test_an_event_of_a_type_that_an_older_copy_does_not_know_is_put_aside_and_its_case_waits(
    service: Service,
) -> None:
    outcome = await service.take(unknown(0, 1), event(1, "a", 1), event(2, "b", 2))

    assert (outcome.counts["poison"], outcome.counts["parked"]) == (1, 1)
    assert await service.heard() == ["b"]
    assert await service.announced() == ["record.quarantined.v1"]


async def test_poison_in_the_middle_is_announced_and_the_others_flow(service: Service) -> None:
    outcome = await service.take(event(0, "a", 1), poison(1, 7), event(2, "b", 2))

    assert await service.heard() == ["a", "b"]
    assert await service.announced() == ["record.quarantined.v1"]
    assert outcome.counts["poison"] == 1


async def test_later_events_of_a_poisoned_case_wait_and_earlier_ones_do_not(service: Service) -> None:
    await service.take(event(0, "before", 7), poison(1, 7), event(2, "behind", 7), event(3, "other", 2))
    await service.take(event(4, "further behind", 7), event(5, "other again", 2))

    assert await service.heard() == ["before", "other", "other again"]
    async with service.kit.store.begin() as tx:
        waiting = await tx.held.waiting("reader", case(7))
    assert [parse(one.record.payload).data.how for one in waiting] == ["behind", "further behind"]  # type: ignore[union-attr]


async def test_a_failing_handler_loses_only_the_event_that_it_failed_on(service: Service) -> None:
    service.failing = {"bad"}
    batch = [event(offset, f"event {offset}", offset) for offset in range(20)]
    batch[13] = event(13, "bad", 13)

    outcome = await service.take(*batch)

    assert sorted(await service.heard()) == sorted(f"event {offset}" for offset in range(20) if offset != 13)
    assert outcome.counts["failed"] == 1
    assert await service.announced() == ["record.quarantined.v1"]
    assert await service.next_offset() == 20


async def test_later_events_of_a_failed_case_wait_behind_it(service: Service) -> None:
    service.failing = {"bad"}

    await service.take(event(0, "first", 7), event(1, "bad", 7), event(2, "other", 2), event(3, "behind", 7))

    assert sorted(await service.heard()) == ["first", "other"]
    async with service.kit.store.begin() as tx:
        waiting = await tx.held.waiting("reader", case(7))
    assert [one.record.offset for one in waiting] == [3]


async def test_a_failure_is_told_by_its_type_and_never_by_its_text(service: Service) -> None:
    service.failing = {"bad"}

    await service.take(event(0, "bad", 7))

    reasons = [orjson.loads(row.payload)["data"]["reason"] for row in await service.kit.outbox()]
    assert reasons == ["handling it failed: ZeroDivisionError"]


async def test_a_refusal_is_told_in_our_own_words(service: Service) -> None:
    service.failing, service.error = {"bad"}, Refused("the area is not in the register")

    await service.take(event(0, "bad", 7))

    reasons = [orjson.loads(row.payload)["data"]["reason"] for row in await service.kit.outbox()]
    assert reasons == ["the area is not in the register"]


async def test_when_a_part_is_away_nothing_happens_and_nobody_is_blamed(service: Service) -> None:
    service.failing, service.error = {"b"}, ConnectionRefusedError()

    with pytest.raises(ConnectionRefusedError):
        await service.take(event(0, "a"), event(1, "b"))

    assert await service.kit.said() == []
    assert await service.next_offset() is None


async def test_a_consumer_of_raw_records_gets_their_bytes_and_headers(kit: Backend) -> None:
    got: list[RawRecord] = []

    async def handle(records: Sequence[RawRecord], _tx: Any) -> None:
        got.extend(records)

    consumer = Consumer("raw reader", handle, None)
    headers = (("odd", None), ("odder", b"\xff"))
    raw = RawRecord(TOPIC, 0, 0, None, b"\x00 anything", headers, 5)

    await handle_batch(kit.store, consumer, [decode(raw, None)])
    await handle_batch(kit.store, consumer, [decode(raw, None)])

    assert got == [raw]


async def test_cases_that_a_consumer_adds_are_asked_for_again_once_they_are_held(kit: Backend) -> None:
    asked: list[int] = []
    linked = [case(1), case(2)]

    async def keys(events: Sequence[Event], _connection: Any) -> Iterable[str]:
        asked.append(len(events))
        if len(asked) == 2:  # while we waited for the locks, somebody linked a third case
            linked.append(case(3))
        return linked

    async def handle(_events: Sequence[Event], tx: Any) -> None:
        for key in linked:
            tx.emit("out", aware(f"about {key[-1]}", key))

    await handle_batch(kit.store, Consumer("reader", handle, parse, keys), [event(0, "a")])

    assert await kit.said() == ["about 1", "about 2", "about 3"]
    assert len(asked) == 4


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
