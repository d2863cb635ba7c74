"""The road of a batch: what has an effect, what waits, what is put aside, and what stops a consumer; on both stores."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
import pytest

from schemas.messages import parse
from services.kit.codec import Event, Poison, decode
from services.kit.errors import Refused
from services.kit.fence import REWOUND
from services.kit.kafka_compat import RawRecord
from services.kit.path import Consumer, TopicChanged, handle_batch
from tests.support.batches import PLACE, TOPIC, Service, event, poison, record, unknown
from tests.support.kit import Backend, aware, case


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
    await service.kit.rewind("reader", PLACE)
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


@pytest.mark.parametrize("name", ["\0", "x" * 500_000])
async def test_poison_in_which_a_name_is_what_no_column_and_no_message_takes_stops_nobody(
    service: Service, name: str
) -> None:
    body = orjson.loads(aware("x", case(7)).wire()) | {"type": "rapid_review.submitted.v1"}
    body["data"] = {"reporter": body["data"]["reporter"], "facts": {name: []}}

    outcome = await service.take(decode(record(0, orjson.dumps(body), case(7))), event(1, "b", 2))

    assert await service.heard() == ["b"]
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
