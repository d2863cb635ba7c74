"""How a person lets a record out of quarantine, and what then becomes of those behind it; on both stores."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Literal
from uuid import UUID

import orjson
import pytest

from schemas.messages import UnreadableMessage, parse
from services.kit.codec import Decoded, Event, decode
from services.kit.errors import Conflict, NotFound
from services.kit.fence import REWOUND, Place
from services.kit.kafka_compat import RawRecord
from services.kit.path import Consumer, handle_batch
from services.kit.quarantine import Record
from services.kit.release import Released, release
from tests.support.kit import NOON, Backend, aware, case

PLACE = Place("kit-test", 0)


def event(offset: int, name: str) -> Decoded:
    return decode(RawRecord("kit-test", 0, offset, case(7).encode(), aware(name, case(7)).wire(), (), 0))


class Service:
    """A service whose case 7 stands still behind the event called `bad`."""

    def __init__(self, kit: Backend) -> None:
        self.kit = kit
        self.failing = {"bad"}
        self.consumer = Consumer("reader", self.handle, parse)

    async def handle(self, events: Sequence[Event], tx: Any) -> None:
        for each in events:
            if each.message.data.how in self.failing:
                raise ZeroDivisionError
            tx.emit("out", aware(f"heard {each.message.data.how}", str(each.case_key)))

    async def take(self, *names: str) -> None:
        items = [event(offset, name) for offset, name in enumerate(names)]
        await handle_batch(self.kit.store, self.consumer, items)

    async def let_out(self, quarantine_id: UUID, resolution: Literal["retried", "discarded"] = "retried") -> Released:
        return await release(
            self.kit.store, self.consumer, quarantine_id, resolution=resolution, by="account-1", reason="put right"
        )

    async def first_held(self) -> UUID:
        async with self.kit.store.begin() as tx:
            held = await tx.held.first_parking("reader", case(7))
        assert held is not None
        quarantine_id: UUID = held.quarantine_id
        return quarantine_id

    async def heard(self) -> list[str]:
        return [said.removeprefix("heard ") for said in await self.kit.said() if said.startswith("heard ")]

    async def waiting(self) -> list[int]:
        async with self.kit.store.begin() as tx:
            return [one.record.offset for one in await tx.held.waiting("reader", case(7))]


@pytest.fixture
def service(kit: Backend) -> Service:
    return Service(kit)


async def test_a_retry_that_succeeds_lets_those_behind_it_go_on_in_order(service: Service) -> None:
    await service.take("bad", "second", "third")
    service.failing = set()

    released = await service.let_out(await service.first_held())

    assert (released.state, released.released) == ("retried", 2)
    assert await service.heard() == ["bad", "second", "third"]
    assert await service.waiting() == []


async def test_what_came_of_it_is_announced_with_who_and_why(service: Service) -> None:
    await service.take("bad")
    service.failing = set()

    await service.let_out(await service.first_held())

    body = orjson.loads((await service.kit.outbox())[-1].payload)
    assert body["type"] == "record.resolved.v1"
    assert (body["data"]["outcome"], body["data"]["by"], body["data"]["reason"]) == (
        "retried",
        "account-1",
        "put right",
    )


@pytest.mark.parametrize("of_case", [case(7), None], ids=["parks its case", "is of no case"])
async def test_what_came_of_it_is_said_under_the_key_under_which_it_was_put_aside(
    service: Service, of_case: str | None
) -> None:
    """Else a reader that is behind may hear first that it was dealt with, and raise an alert that nothing closes."""
    poison = RawRecord("kit-test", 0, 0, of_case.encode() if of_case else None, b"?", (), 0)
    await handle_batch(service.kit.store, service.consumer, [decode(poison, parse)])
    aside = (await service.kit.outbox())[-1]
    quarantine_id = orjson.loads(aside.payload)["data"]["quarantine_id"]

    await service.let_out(UUID(quarantine_id), "discarded")

    resolved = (await service.kit.outbox())[-1]
    assert (resolved.topic, resolved.key, aside.key) == (aside.topic, aside.key, of_case or quarantine_id)


async def take_as_older(service: Service, *names: str) -> None:
    """Take events as a version does that cannot read those called `opened` and `bad`."""

    def older(raw: bytes) -> Any:
        message: Any = parse(raw)
        if message.data.how in {"opened", "bad"}:
            raise UnreadableMessage("a type that this version does not know; upgrade this service")
        return message

    records = [
        RawRecord("kit-test", 0, n, case(7).encode(), aware(name, case(7)).wire(), (), 0)
        for n, name in enumerate(names)
    ]
    await handle_batch(service.kit.store, service.consumer, [decode(record, older) for record in records])


async def test_an_event_that_was_published_twice_and_unread_both_times_has_one_effect(service: Service) -> None:
    await take_as_older(service, "opened", "met", "opened", "met")

    first = await service.let_out(await service.first_held())
    second = await service.let_out(await service.first_held())

    assert (first.released, second.state) == (1, "retried")
    assert await service.heard() == ["opened", "met"]


async def test_an_event_whose_copy_waits_behind_it_has_its_effect_in_its_own_place(service: Service) -> None:
    await take_as_older(service, "opened", "met")
    await handle_batch(service.kit.store, service.consumer, [event(2, "opened"), event(3, "met"), event(4, "noted")])

    await service.let_out(await service.first_held())

    assert await service.heard() == ["opened", "met", "noted"]
    assert await service.waiting() == []


async def test_an_event_that_was_unread_and_retried_is_known_when_it_comes_again(service: Service) -> None:
    await take_as_older(service, "opened")
    await service.let_out(await service.first_held())

    await handle_batch(service.kit.store, service.consumer, [event(0, "opened"), event(1, "opened"), event(2, "met")])

    assert await service.heard() == ["opened", "met"]


async def test_what_was_discarded_unread_and_fails_when_it_is_read_again_is_held_anew_and_said_anew(
    service: Service,
) -> None:
    await take_as_older(service, "bad", "met")
    discarded = await service.first_held()
    await service.let_out(discarded, "discarded")

    await service.kit.rewind("reader", PLACE)
    again = [event(offset, name) for offset, name in enumerate(["bad", "met", "closed"])]
    await handle_batch(service.kit.store, service.consumer, again, {PLACE: REWOUND})

    assert (await service.first_held(), await service.waiting()) == (discarded, [2])
    bodies = [orjson.loads(row.payload) for row in await service.kit.outbox()]
    said = [one for one in bodies if one["type"] == "record.quarantined.v1"]
    assert [one["data"]["reason"] for one in said] == [
        "a type that this version does not know; upgrade this service",
        "handling it failed: ZeroDivisionError",
    ]
    assert len({one["id"] for one in said}) == 2
    service.failing = set()
    await service.let_out(discarded)
    assert await service.heard() == ["met", "bad", "closed"]


async def test_a_copy_that_waited_behind_what_is_discarded_and_fails_is_held_anew(service: Service) -> None:
    await take_as_older(service, "bad")
    unread = await service.first_held()
    await service.kit.rewind("reader", PLACE)
    again = [event(offset, name) for offset, name in enumerate(["bad", "met"])]
    await handle_batch(service.kit.store, service.consumer, again, {PLACE: REWOUND})

    await service.let_out(unread, "discarded")
    assert (await service.first_held(), await service.waiting()) == (unread, [1])

    service.failing = set()
    await service.let_out(unread)
    assert await service.heard() == ["bad", "met"]


async def test_an_event_that_was_unread_can_be_retried_once_more_if_a_retry_fails(service: Service) -> None:
    await take_as_older(service, "opened")
    service.failing = {"opened"}

    failed = await service.let_out(await service.first_held())
    service.failing = set()
    await service.let_out(await service.first_held())

    assert failed.state == "held"
    assert await service.heard() == ["opened"]


async def test_a_retry_that_fails_leaves_everything_where_it_is(service: Service) -> None:
    await service.take("bad", "second")
    quarantine_id = await service.first_held()

    released = await service.let_out(quarantine_id)

    assert (released.state, released.reason) == ("held", "handling it failed: ZeroDivisionError")
    assert await service.heard() == []
    assert await service.waiting() == [1]


async def test_a_record_whose_cases_cannot_be_named_stays_until_they_can(service: Service) -> None:
    nameless = {"bad", "third"}

    async def keys(events: Sequence[Event], _connection: Any) -> list[str]:
        if nameless & {each.message.data.how for each in events}:
            raise KeyError("a value that must not be shown")
        return []

    service.failing = set()
    service.consumer = Consumer("reader", service.handle, parse, keys)
    await service.take("bad", "second", "third", "fourth")

    still = await service.let_out(await service.first_held())
    nameless.remove("bad")
    released = await service.let_out(await service.first_held())

    assert (still.state, still.reason) == ("held", "handling it failed: KeyError")
    assert (released.state, await service.heard()) == ("retried", ["bad", "second"])
    assert await service.waiting() == [3]
    await service.let_out(await service.first_held(), "discarded")
    assert await service.heard() == ["bad", "second", "fourth"]


async def test_discarding_lets_those_behind_it_go_on(service: Service) -> None:
    await service.take("bad", "second")

    await service.let_out(await service.first_held(), "discarded")

    assert await service.heard() == ["second"]


async def test_events_that_come_later_are_handled_at_once_again(service: Service) -> None:
    await service.take("bad", "second")
    await service.let_out(await service.first_held(), "discarded")

    await service.take("bad", "second", "third")

    assert await service.heard() == ["second", "third"]


async def test_one_that_fails_while_it_goes_on_is_held_in_its_place(service: Service) -> None:
    await service.take("bad", "second", "worse", "fourth")
    service.failing = {"worse"}

    await service.let_out(await service.first_held())

    assert await service.heard() == ["bad", "second"]
    assert await service.waiting() == [3]
    service.failing = set()
    await service.let_out(await service.first_held())
    assert await service.heard() == ["bad", "second", "worse", "fourth"]


async def test_an_event_that_comes_until_the_case_is_held_goes_on_with_the_others(service: Service) -> None:
    await service.take("bad", "second")
    quarantine_id = await service.first_held()
    inner = service.kit.store

    class JustBefore:
        """Lets another event of the case come in before the case is locked."""

        @asynccontextmanager
        async def begin(self) -> AsyncIterator[Any]:
            async with inner.begin() as tx:
                lock_cases = tx.lock_cases

                async def late(keys: Iterable[str]) -> None:
                    if "third" not in came:
                        came.append("third")
                        await handle_batch(inner, service.consumer, [event(2, "third")])
                    await lock_cases(keys)

                tx.lock_cases = late
                yield tx

    came: list[str] = []
    store: Any = JustBefore()
    service.failing = set()

    released = await release(
        store, service.consumer, quarantine_id, resolution="retried", by="account-1", reason="put right"
    )

    assert came == ["third"]
    assert (released.state, released.released) == ("retried", 2)
    assert await service.heard() == ["bad", "second", "third"]
    assert await service.waiting() == []


async def test_the_record_that_came_first_must_go_first(service: Service) -> None:
    await service.take("bad", "second")
    unreadable = RawRecord("kit-test", 0, 2, case(7).encode(), b"not json", (), 0)
    await handle_batch(service.kit.store, service.consumer, [decode(unreadable), event(3, "fourth")])
    service.failing = set()
    async with service.kit.store.begin() as tx:
        first = await tx.held.first_parking("reader", case(7))
    assert first is not None

    poison_id = next(
        UUID(body["data"]["quarantine_id"])
        for body in (orjson.loads(row.payload) for row in await service.kit.outbox())
        if body["type"] == "record.quarantined.v1" and body["data"]["offset"] == 2
    )
    with pytest.raises(Conflict, match="came first"):
        await service.let_out(poison_id)

    await service.let_out(first.quarantine_id)
    assert await service.heard() == ["bad", "second"]
    assert await service.waiting() == [3]
    await service.let_out(poison_id, "discarded")
    assert await service.heard() == ["bad", "second", "fourth"]


async def test_a_record_is_let_out_once(service: Service) -> None:
    await service.take("bad")
    quarantine_id = await service.first_held()
    await service.let_out(quarantine_id, "discarded")

    with pytest.raises(Conflict, match="discarded already"):
        await service.let_out(quarantine_id)


async def test_a_record_that_is_not_there_is_not_found(service: Service) -> None:
    with pytest.raises(NotFound):
        await service.let_out(UUID(int=5))


async def test_what_does_not_open_is_not_retried_and_can_be_discarded_and_then_what_waits_and_does_not_open_is_held(
    service: Service,
) -> None:
    closed = Record("reader", "kit-test", 0, 0, b"closed", b"closed", case(7), (("", b"closed"),), sealed=True)
    opens = [Record("reader", "kit-test", 0, n, None, aware(f"{n}", case(7)).wire(), case(7)) for n in (1, 3)]
    async with service.kit.store.begin() as tx:
        await tx.lock_cases([case(7)])
        await tx.held.hold(closed, reason="it could not be read", parks=True, now=NOON)
        await tx.held.park([opens[0], replace(closed, offset=2), opens[1]], now=NOON)

    first = await service.first_held()
    with pytest.raises(Conflict, match="does not open with the quarantine key of this service"):
        await service.let_out(first)
    released = await service.let_out(first, "discarded")

    assert (released.released, await service.heard(), await service.waiting()) == (2, ["1"], [3])
    await service.let_out(await service.first_held(), "discarded")
    assert await service.heard() == ["1", "3"]


async def test_a_raw_record_keeps_its_headers_in_quarantine(kit: Backend) -> None:
    got: list[RawRecord] = []
    fail = True

    async def handle(records: Sequence[RawRecord], _tx: Any) -> None:
        if fail:
            raise ZeroDivisionError
        got.extend(records)

    consumer = Consumer("raw reader", handle, None)
    raw = RawRecord("kit-test", 0, 0, b"key", b"\x00 bytes", (("odd", None), ("odder", b"\xff")), 0)
    await handle_batch(kit.store, consumer, [decode(raw, None)])
    fail = False
    body = orjson.loads((await kit.outbox())[-1].payload)

    quarantine_id = UUID(body["data"]["quarantine_id"])
    await release(kit.store, consumer, quarantine_id, resolution="retried", by="account-1", reason="put right")

    assert got == [raw]
