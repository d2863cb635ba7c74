"""How the relay reads the outbox and keeps its place, on both kinds of store."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import orjson
import pytest

from services.kit.cursor import Fenced, OtherDatabase
from services.kit.fence import Place
from tests.support.kit import Backend, aware, case


async def emit(kit: Backend, name: str, number: int = 1) -> None:
    async with kit.store.begin() as tx:
        await tx.lock_cases([case(number)])
        tx.emit("topic", aware(name, case(number)))


async def test_a_transaction_that_commits_late_is_not_skipped(kit: Backend) -> None:
    cursor = kit.cursor()
    position = await cursor.acquire()
    async with kit.store.begin() as slow:
        await slow.lock_cases([case(1)])
        slow.emit("topic", aware("slow", case(1)))
        await slow.flush()
        await emit(kit, "quick", 2)
        while_slow_runs = await cursor.read(position, 10)

    rows = await cursor.read(position, 10)
    await cursor.release()
    assert while_slow_runs == []
    assert [orjson.loads(row.payload)["data"]["how"] for row in rows] == ["slow", "quick"]


async def test_reading_goes_on_after_the_saved_position(kit: Backend) -> None:
    for number in range(5):
        await emit(kit, f"message {number}")
    cursor = kit.cursor()
    position = await cursor.acquire()
    two = await cursor.read(position, 2)
    position = replace(position, xid=two[-1].xid, id=two[-1].id, producer_seq=2, acknowledged={Place("topic", 7): 41})
    await cursor.save(position)
    await cursor.release()

    again = await cursor.acquire()
    rest = await cursor.read(again, 10)
    waiting, _ = await cursor.backlog()
    await cursor.release()

    assert (again.producer_seq, again.acknowledged) == (2, {Place("topic", 7): 41})
    assert [orjson.loads(row.payload)["data"]["how"] for row in rest] == ["message 2", "message 3", "message 4"]
    assert waiting == 3


async def test_only_one_relay_leads_at_a_time(kit: Backend) -> None:
    first, second = kit.cursor(), kit.cursor()
    assert await first.acquire() is not None

    assert await second.acquire() is None

    await first.release()
    assert await second.acquire() is not None
    await second.release()


async def test_a_relay_that_was_replaced_can_neither_save_nor_read(kit: Backend) -> None:
    first, second = kit.cursor(), kit.cursor()
    old = await first.acquire()
    await first.release()
    new = await second.acquire()

    with pytest.raises(Fenced):
        await second.save(old)
    with pytest.raises(Fenced):  # also while nothing waits: an idle relay has to notice that it was set back
        await second.read(old, 10)

    await second.save(replace(new, producer_seq=1))
    await second.release()


async def test_a_cursor_of_another_database_is_refused(kit: Backend) -> None:
    cursor = kit.cursor()
    await cursor.acquire()
    await cursor.release()
    await kit.move_to_another_database()

    with pytest.raises(OtherDatabase):
        await cursor.acquire()
    await cursor.release()


async def test_a_commit_that_emits_wakes_the_relay(kit: Backend) -> None:
    kit.store.committed.clear()
    waiting = asyncio.create_task(kit.store.committed.wait())

    await emit(kit, "a")

    async with asyncio.timeout(60):
        await waiting
