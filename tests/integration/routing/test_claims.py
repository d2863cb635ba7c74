"""Pins claims on a real database: what a process has claimed and does not finish is sent and settled all the same, and once."""

from __future__ import annotations

import asyncio
from itertools import chain, repeat

import pytest
from sqlalchemy import text

from services.routing.dispatch import dispatcher, rows
from tests.support.faults.switch import InjectedFault, armed
from tests.support.road import Recipients, Road, outcomes
from tests.support.routing import LEEDS, reported

LSCP_ID = f"lscp:{LEEDS}"


async def test_a_claim_that_was_left_behind_by_a_kill_is_sent_again_and_the_late_result_changes_nothing(
    road: Road, recipients: Recipients
) -> None:
    await road.route(reported())
    async with road.database.begin() as tx:
        left = await rows.claim(tx.connection, tx.now, most=10, cap=10, rooms={})
    async with road.database.begin() as tx:
        again = await rows.claim(tx.connection, tx.now, most=10, cap=10, rooms={})
        await tx.connection.execute(
            text("UPDATE routing.delivery SET lease_until = clock_timestamp() - interval '1 s'")
        )
    await recipients.send_all()
    async with road.database.begin() as tx:
        late = await rows.settle(tx.connection, [rows.Settled(each, "refused") for each in left], tx.now)

    assert len(left) == 2
    assert again == []
    assert late == {}
    assert {row["state"] for row in await road.rows("SELECT state FROM routing.delivery")} == {"delivered"}


async def test_what_was_claimed_before_the_machine_slept_is_left_to_whoever_has_the_lease_now(
    road: Road, recipients: Recipients, monkeypatch: pytest.MonkeyPatch
) -> None:
    await road.route(reported())
    since_boot = chain([0.0], repeat(61.0))
    with monkeypatch.context() as patched:
        patched.setattr(dispatcher, "since_boot_s", lambda: next(since_boot))
        await recipients.send_all()
    asleep = await recipients.journal(LSCP_ID)
    async with road.database.begin() as tx:
        await tx.connection.execute(
            text("UPDATE routing.delivery SET lease_until = clock_timestamp() - interval '1 s'")
        )
    await recipients.send_all()

    assert asleep == []
    assert outcomes(await recipients.journal(LSCP_ID)) == [("taken", "notice.v1")]


async def test_results_that_cannot_be_written_now_are_written_later(road: Road, recipients: Recipients) -> None:
    await road.route(reported())
    with armed("transaction.before_commit:raise:3"), pytest.raises(InjectedFault):
        await recipients.send_all()
    await recipients.dispatcher.finish()

    assert {row["state"] for row in await road.rows("SELECT state FROM routing.delivery")} == {"delivered"}


async def test_what_was_being_claimed_when_the_process_was_told_to_end_is_sent_and_settled_too(
    road: Road, recipients: Recipients
) -> None:
    await road.route(reported())
    claiming = asyncio.create_task(recipients.dispatcher.claim_step())
    await asyncio.sleep(0)  # it has begun
    await recipients.dispatcher.drain()
    states = {row["state"] for row in await road.rows("SELECT state FROM routing.delivery")}

    assert await claiming
    assert states == {"delivered"}
