"""What every transaction of the kit promises, on both kinds of store."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from services.kit.fence import Place
from services.kit.quarantine import Record
from services.kit.transaction import CaseNotHeld, LateLock
from tests.support.kit import SERVICE, Backend, aware, case
from tests.support.locks import waits_for_a_lock

PLACE = Place("kit-test", 3)


async def test_what_a_transaction_writes_is_seen_by_others_only_after_its_commit(kit: Backend) -> None:
    event = aware("a", case(1))
    async with kit.store.begin() as writer:
        await writer.lock_cases([case(1)])
        await writer.inbox.admit("reader", [event.id])
        writer.emit("topic", event)
        await writer.flush()
        async with kit.store.begin() as other:
            seen_before = await other.inbox.known("reader", [event.id])
        own = await writer.inbox.known("reader", [event.id])
        published_before = await kit.outbox()
    async with kit.store.begin() as later:
        seen_after = await later.inbox.known("reader", [event.id])

    assert (seen_before, own, seen_after) == (set(), {event.id}, {event.id})
    assert published_before == []
    assert await kit.said() == ["a"]


async def test_a_transaction_that_fails_leaves_nothing_behind(kit: Backend) -> None:
    event = aware("a", case(1))

    async def fail() -> None:
        async with kit.store.begin() as tx:
            await tx.lock_cases([case(1)])
            await tx.inbox.admit("reader", [event.id])
            await tx.fence.advance("reader", {PLACE: 7})
            tx.emit("topic", event)
            await tx.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    async with kit.store.begin() as later:
        assert await later.fence.hold("reader", [PLACE]) == {}
        assert await later.inbox.known("reader", [event.id]) == set()
    assert await kit.outbox() == []


async def test_a_second_writer_of_a_case_waits_for_the_first(kit: Backend) -> None:
    order: list[str] = []
    held = asyncio.Event()

    async def second() -> None:
        await held.wait()
        async with kit.store.begin() as tx:
            await tx.lock_cases([case(2), case(1)])
            order.append("second has it")

    task = asyncio.create_task(second())
    async with kit.store.begin() as first:
        await first.lock_cases([case(1)])
        held.set()
        waited = await waits_for_a_lock(kit.store, task)
        order.append("first lets go")

    await task
    assert waited
    assert order == ["first lets go", "second has it"]


async def test_writers_of_different_cases_do_not_wait_for_each_other(kit: Backend) -> None:
    async with kit.store.begin() as first, kit.store.begin() as second:
        await first.lock_cases([case(1)])
        async with asyncio.timeout(60):
            await second.lock_cases([case(2)])


async def test_many_transactions_over_the_same_cases_never_wait_in_a_circle(kit: Backend) -> None:
    keys = [case(number) for number in range(40)]

    async def writer(number: int) -> None:
        async with kit.store.begin() as tx:
            await tx.lock_cases(keys[number:] + keys[:number])
            tx.emit("topic", aware(f"writer {number}", keys[number]))

    async with asyncio.timeout(20):
        await asyncio.gather(*(writer(number) for number in range(8)))

    assert len(await kit.outbox()) == 8


async def test_locking_a_case_after_writing_is_refused(kit: Backend) -> None:
    async with kit.store.begin() as tx:
        await tx.inbox.admit("reader", [aware("a", case(1)).id])
        with pytest.raises(LateLock, match="lock first"):
            await tx.lock_cases([case(1)])


async def test_a_case_that_the_transaction_made_itself_can_be_held_at_any_time(kit: Backend) -> None:
    async with kit.store.begin() as tx:
        await tx.inbox.admit("reader", [aware("a", case(1)).id])
        await tx.lock_cases([case(1)], minted=True)
        tx.emit("topic", aware("b", case(1)))

    assert await kit.said() == ["b"]


async def test_a_message_about_a_case_that_is_not_held_is_refused(kit: Backend) -> None:
    async with kit.store.begin() as tx:
        await tx.lock_cases([case(2)])
        with pytest.raises(CaseNotHeld, match="lock_cases"):
            tx.emit("topic", aware("a", case(1)))


async def test_messages_of_a_case_are_numbered_without_a_gap_also_after_a_failure(kit: Backend) -> None:
    async def emit(*names: str, fail: bool = False) -> None:
        async with kit.store.begin() as tx:
            await tx.lock_cases([case(1), case(2)])
            for name in names:
                tx.emit("topic", aware(name, case(2 if name == "other" else 1)))
            if fail:
                raise ZeroDivisionError

    await emit("a", "other", "b")
    with pytest.raises(ZeroDivisionError):
        await emit("lost", fail=True)
    await emit("c")

    bodies = [orjson.loads(row.payload) for row in await kit.outbox()]
    numbers = [(body["data"]["how"], body["caseseq"], body["producer"]) for body in bodies]
    assert numbers == [("a", 1, "kit"), ("other", 1, "kit"), ("b", 2, "kit"), ("c", 3, "kit")]


async def test_two_writers_of_one_case_come_out_in_the_order_in_which_they_held_it(kit: Backend) -> None:
    first_holds, second_waits = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with kit.store.begin() as tx:
            await tx.lock_cases([case(1)])
            first_holds.set()
            await second_waits.wait()
            tx.emit("topic", aware("first to hold it", case(1)))

    async def second() -> bool:
        async with kit.store.begin() as tx:  # this one began before the first held the case
            await first_holds.wait()
            waiting = asyncio.ensure_future(tx.lock_cases([case(1)]))
            waited = await waits_for_a_lock(kit.store, waiting)
            second_waits.set()
            await waiting
            tx.emit("topic", aware("second to hold it", case(1)))
        return waited

    waited, _ = await asyncio.gather(second(), first())

    assert waited
    assert await kit.said() == ["first to hold it", "second to hold it"]


async def test_a_savepoint_undoes_rows_and_messages_and_keeps_what_was_before(kit: Backend) -> None:
    before, inside = aware("before", case(1)), aware("inside", case(1))

    async def fail(tx: Any) -> None:
        async with tx.savepoint():
            await tx.inbox.admit("reader", [inside.id])
            tx.emit("topic", inside)
            raise ZeroDivisionError

    async with kit.store.begin() as tx:
        await tx.lock_cases([case(1)])
        await tx.inbox.admit("reader", [before.id])
        tx.emit("topic", before)
        with pytest.raises(ZeroDivisionError):
            await fail(tx)
        assert await tx.inbox.known("reader", [before.id, inside.id]) == {before.id}

    assert await kit.said() == ["before"]


async def test_the_fence_moves_forward_and_never_back(kit: Backend) -> None:
    async with kit.store.begin() as tx:
        await tx.fence.advance("reader", {PLACE: 7})
    async with kit.store.begin() as tx:
        await tx.fence.advance("reader", {PLACE: 3, Place("kit-test", 4): 1})

    async with kit.store.begin() as tx:
        found = await tx.fence.hold("reader", [PLACE, Place("kit-test", 4), Place("other", 0)])
        of_another = await tx.fence.hold("other reader", [PLACE])
        seen, seen_of_another = await tx.fence.look("reader"), await tx.fence.look("other reader")
    assert found == seen == {PLACE: 7, Place("kit-test", 4): 1}
    assert of_another == seen_of_another == {}


async def test_the_inbox_admits_a_message_once_also_when_two_transactions_try_at_once(kit: Backend) -> None:
    event = aware("a", case(1))
    admitted: list[int] = []

    async def admit() -> None:
        async with kit.store.begin() as tx:
            admitted.append(len(await tx.inbox.admit("reader", [event.id, event.id])))

    await asyncio.gather(admit(), admit(), admit())

    assert sorted(admitted) == [0, 0, 1]


async def test_a_message_in_hand_passes_its_trace_on_to_what_it_causes(kit: Backend) -> None:
    cause = aware("cause", case(1))
    trace = "0af7651916cd43dd8448eb211c80319c"
    async with kit.store.begin() as tx:
        tx.traces = {cause.id: f"00-{trace}-b7ad6b7169203331-01"}
        await tx.lock_cases([case(1)])
        tx.emit("topic", aware("effect", case(1)).model_copy(update={"causation_id": cause.id}))

    (row,) = await kit.outbox()
    assert orjson.loads(row.payload)["traceparent"].split("-")[1] == trace


async def test_an_announcement_that_is_put_aside_is_not_announced_again(kit: Backend) -> None:
    own = Record("reader", f"safeguarding.{SERVICE}.quarantine.v1", 0, 0, None, b"x")
    other = Record("reader", "safeguarding.other.quarantine.v1", 0, 0, None, b"x")
    async with kit.store.begin() as tx:
        held = [await tx.quarantine(record, reason="it failed") for record in (own, other)]

    async with kit.store.begin() as tx:
        assert None not in [await tx.held.find(each) for each in held]
    assert await kit.said() == ["record.quarantined.v1"]
