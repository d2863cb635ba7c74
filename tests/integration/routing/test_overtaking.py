"""Pins what becomes of a delivery when the case is decided again while it is on its way, or waits for its next try."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from handrail.embedded.postgres import DatabaseAddress
from schemas.deliveries import NoticeOwed
from services.routing.dispatch import rows
from services.routing.dispatch.rows import Claimed, Settled
from services.routing.store.saving import insert_history
from tests.support.reads import keep_first_plans, rows_read
from tests.support.road import Road, move_clock, of
from tests.support.routing import (
    CASE,
    LEEDS,
    OTHER_CASE,
    POLICE,
    aware,
    corrected,
    decided,
    reported,
    submitted,
    suspects,
)

LA, LSCP_ID = f"la:{LEEDS}", f"lscp:{LEEDS}"
LATER = datetime(2026, 6, 2, tzinfo=UTC)
SENT = text("""
    INSERT INTO routing.delivery (delivery_id, kind, notice_id, obligation_id, case_key, rule, recipient, profile, revision,
        state, owed_at, payload)
    SELECT gen_random_uuid(), kind, gen_random_uuid(), gen_random_uuid(), md5(n::text), rule, recipient, profile, revision,
        'delivered', owed_at, payload
    FROM routing.delivery, generate_series(1, 1000) AS n
""")


async def claim(road: Road) -> list[Claimed]:
    async with road.database.begin() as tx:
        return await rows.claim(tx.connection, tx.now, most=100, cap=100, rooms={})


async def settle(
    road: Road,
    claimed: Sequence[Claimed],
    state: str,
    *,
    wait: timedelta = timedelta(),
    reference: str | None = None,
    person_told: bool = False,
) -> None:
    async with road.database.begin() as tx:
        next_at = tx.now + wait if state == "due" else None
        reason = None if reference else "no receipt"
        found = [
            Settled(each, state, next_at=next_at, reason=reason, reference=reference, person_told=person_told)
            for each in claimed
        ]
        states = await rows.settle(tx.connection, found, tx.now)
        history = [{"delivery_id": key, "at": tx.now, "state": now_is} for (key, _), now_is in states.items()]
        await insert_history(tx.connection, history)


async def redrive(road: Road, claimed: Sequence[Claimed]) -> None:
    async with road.database.begin() as tx:
        await rows.redrive(tx.connection, [each.delivery_id for each in claimed], tx.now)


async def test_a_withdrawal_never_overtakes_the_notice_that_is_still_on_its_way(road: Road) -> None:
    report = reported()
    await road.route(report)
    on_the_way = await claim(road)
    await road.route(corrected(report.id, "harm", "other", POLICE))

    overtaking = await claim(road)
    await settle(road, on_the_way, "delivered", reference="R-1")
    following = await claim(road)

    assert {each.kind for each in on_the_way} == {"notice"}
    assert overtaking == []
    assert {each.kind for each in following} == {"withdrawal"}
    assert {each.notice_id for each in following} == {each.notice_id for each in on_the_way}


async def test_a_notice_whose_release_was_undone_while_it_was_on_its_way_is_not_tried_again(road: Road) -> None:
    await road.route(reported(), aware(), suspects(), decided("notify"))
    on_the_way = await claim(road)
    said = await road.route(decided("defer", at=LATER))
    await settle(road, on_the_way, "due")

    again = {each.recipient for each in await claim(road)}
    (panel,) = await road.rows("SELECT state, maybe_arrived FROM routing.delivery WHERE recipient = 'panel'")

    assert [(one.data.recipient, one.data.released) for one in of(NoticeOwed, said)] == [("panel", False)]
    assert "panel" in {each.recipient for each in on_the_way}
    assert again
    assert "panel" not in again
    assert (panel["state"], panel["maybe_arrived"]) == ("awaiting_release", True)


async def test_a_notice_that_was_taken_after_its_release_was_undone_is_known_as_delivered(road: Road) -> None:
    await road.route(reported(), aware(), suspects(), decided("notify"))
    on_the_way = await claim(road)
    await road.route(decided("defer", at=LATER))
    await settle(road, on_the_way, "delivered", reference="R-1")

    (panel,) = await road.rows("SELECT state, reference FROM routing.delivery WHERE recipient = 'panel'")
    assert (panel["state"], panel["reference"]) == ("delivered", "R-1")


async def test_a_person_is_told_anew_of_a_notice_that_was_held_and_released_again_while_it_was_on_its_way(
    road: Road,
) -> None:
    await road.route(reported(), aware(), suspects(), decided("notify"))
    await settle(road, await claim(road), "due", person_told=True)
    told = await claim(road)
    await road.route(decided("defer", at=LATER))
    await road.route(decided("notify", at=LATER + timedelta(days=1)))
    await settle(road, told, "due", person_told=True)

    tried = [{each.recipient: each.person_told for each in claimed} for claimed in (told, await claim(road))]
    assert [each["panel"] for each in tried] == [True, False]
    assert tried[1][LA]  # which was not held


async def test_what_was_withdrawn_on_its_way_under_a_met_duty_is_owed_again_once_a_rule_gives_the_duty_again(
    road: Road,
) -> None:
    suspicion = suspects()
    wrong = corrected(suspicion.id, "abuse_or_neglect", "not_suspected")
    await road.route(reported(), aware(), suspicion, decided("notify"))
    on_the_way = await claim(road)
    await road.route(submitted())
    await road.route(wrong)
    await settle(road, on_the_way, "due")
    await road.route(corrected(wrong.id, "abuse_or_neglect", "suspected"))

    panel = await road.rows(
        "SELECT revision, state FROM routing.delivery WHERE rule = 'N-01' AND kind = 'notice' ORDER BY seq"
    )
    (duty,) = await road.rows("SELECT state FROM routing.obligation WHERE rule = 'N-01'")
    assert duty["state"] == "met"
    assert [(each["revision"], each["state"]) for each in panel] == [(1, "withdrawn"), (2, "due")]


@pytest.mark.parametrize("outcome", ["due", "delivered"])
async def test_a_correction_never_overtakes_the_notice_that_is_still_on_its_way_and_that_one_is_not_tried_again(
    road: Road, outcome: str
) -> None:
    became = aware()
    await road.route(reported(), became, suspects(), decided("notify"))
    on_the_way = await claim(road)
    await road.route(corrected(became.id, "aware_on", "2026-06-03"))

    overtaking = await claim(road)
    await settle(road, on_the_way, outcome, reference="R-1" if outcome == "delivered" else None)
    following = await claim(road)

    before, after = (next(each for each in claimed if each.recipient == "panel") for claimed in (on_the_way, following))
    again = {each.delivery_id for each in following} & {each.delivery_id for each in on_the_way if each.rule != "N-11"}
    assert "panel" not in {each.recipient for each in overtaking}
    assert again == set()
    assert before.payload["body"]["due_on"] == "2026-06-08"
    assert after.payload["body"]["due_on"] == "2026-06-10"
    assert after.payload["body"]["corrects"]["notice_id"] == str(before.notice_id)
    assert (before.due_by, after.due_by) == (
        datetime(2026, 6, 8, 23, tzinfo=UTC),
        datetime(2026, 6, 10, 23, tzinfo=UTC),
    )


async def test_when_the_clock_was_moved_back_what_waits_is_tried_at_once_and_then_waits_as_usual(
    road: Road, address: DatabaseAddress
) -> None:
    found = []
    await road.route(reported())
    for moved in (timedelta(), timedelta(), timedelta(hours=-2), timedelta()):
        await move_clock(address, moved)
        claimed = await claim(road)
        await settle(road, claimed, "due", wait=timedelta(hours=10))
        found.append({each.recipient for each in claimed})

    assert found == [{LA, LSCP_ID}, set(), {LA, LSCP_ID}, set()]


async def test_what_is_new_does_not_wait_for_the_next_try_of_what_is_older_and_lends_it_its_haste(road: Road) -> None:
    await road.route(reported())
    first = [each for each in await claim(road) if each.recipient == LA]
    await settle(road, first, "due", wait=timedelta(hours=10))
    waiting = [each for each in await claim(road) if each.recipient == LA]

    await road.route(aware(), suspects())  # N-03 tells the council too
    hurried = [each for each in await claim(road) if each.recipient == LA]
    dues = await road.rows("SELECT due_by FROM routing.delivery WHERE recipient = :r", r=LA)

    assert waiting == []
    assert [each.delivery_id for each in hurried] == [each.delivery_id for each in first]
    assert len(dues) > 1
    assert hurried[0].due_by == min(row["due_by"] for row in dues if row["due_by"])


@pytest.mark.parametrize("on_its_way", [False, True])
async def test_a_person_is_told_anew_of_what_fails_once_something_new_waits_behind_it(
    *, road: Road, on_its_way: bool
) -> None:
    await road.route(reported())
    await settle(road, await claim(road), "due", person_told=True)
    told = await claim(road)
    if not on_its_way:
        await settle(road, told, "due", person_told=True)
    await road.route(aware(), suspects())  # N-03 tells the council too
    if on_its_way:
        await settle(road, told, "due", person_told=True)

    tried = {each.delivery_id: each.person_told for each in await claim(road)}

    assert {each.recipient: tried[each.delivery_id] for each in told} == {LA: False, LSCP_ID: True}


async def test_what_is_tried_again_because_a_person_says_so_does_not_wait_for_the_next_try_of_what_is_older(
    road: Road,
) -> None:
    await road.route(reported())
    older = [each for each in await claim(road) if each.recipient == LA]
    await settle(road, older, "refused", person_told=True)
    await road.route(aware(), suspects())  # N-03 tells the council too
    younger = [each for each in await claim(road) if each.recipient == LA]
    await settle(road, younger, "refused", person_told=True)
    await redrive(road, older)
    await settle(road, [each for each in await claim(road) if each.recipient == LA], "due", wait=timedelta(hours=10))

    await redrive(road, younger)
    tried = [each for each in await claim(road) if each.recipient == LA]

    assert {each.delivery_id for each in older} != {each.delivery_id for each in younger}
    assert [each.delivery_id for each in tried] == [each.delivery_id for each in older]
    assert not tried[0].person_told
    assert (tried[0].attempt, tried[0].nth) == (3, 1)


async def test_the_waiting_of_what_a_person_sends_again_begins_anew_and_its_attempts_count_on(road: Road) -> None:
    await road.route(reported())
    tried = []
    for _ in range(3):
        ours = [each for each in await claim(road) if each.recipient == LA]
        tried += [(each.attempt, each.nth) for each in ours]
        await settle(road, ours, "due")
    await redrive(road, ours)
    tried += [(each.attempt, each.nth) for each in await claim(road) if each.recipient == LA]

    assert tried == [(1, 1), (2, 2), (3, 3), (4, 1)]


async def test_what_was_decided_while_the_clock_was_ahead_has_been_due_since_it_was_put_right(
    road: Road, address: DatabaseAddress
) -> None:
    """Else half of its time would be gone only once the clock shows again what it showed then, and nobody be told before."""
    await move_clock(address, timedelta(days=40))
    await road.route(reported())
    await move_clock(address, timedelta(days=-40))

    claimed = await claim(road)

    [[now]] = [tuple(row.values()) for row in await road.rows("SELECT clock.legal_now()")]
    assert claimed
    assert all(each.due_since <= now for each in claimed)


async def test_what_is_on_its_way_is_as_urgent_as_what_has_come_to_wait_behind_it_since(road: Road) -> None:
    await road.route(reported())
    on_the_way = await claim(road)
    await road.route(aware(), suspects())  # N-03 tells the council too
    dues = await road.rows("SELECT due_by FROM routing.delivery WHERE recipient = :r", r=LA)

    async with road.database.begin() as tx:
        now = {each.recipient: each for each in await rows.as_urgent(tx.connection, on_the_way)}

    assert {each.recipient: each.hurried for each in now.values()} == {LA: True, LSCP_ID: False}
    assert now[LA].due_by == min(row["due_by"] for row in dues if row["due_by"])
    assert [each.lease_epoch for each in now.values()] == [each.lease_epoch for each in on_the_way]


async def test_each_recipient_gets_no_more_at_once_than_it_has_room_for(road: Road) -> None:
    await road.route(*(reported(case_key=key) for key in (CASE, OTHER_CASE, "d" * 32)))

    claimed = []
    for rooms in ({LA: 1}, {LA: 0, LSCP_ID: 0}):
        async with road.database.begin() as tx:
            found = await rows.claim(tx.connection, tx.now, most=100, cap=2, rooms=rooms)
            claimed.append(Counter(each.recipient for each in found))

    assert claimed == [{LA: 1, LSCP_ID: 2}, {}]


async def test_what_was_sent_before_is_not_read_again_to_find_and_to_settle_what_may_be_sent(road: Road) -> None:
    await road.route(reported())
    async with road.database.begin() as tx:
        await keep_first_plans(tx.connection)
    await settle(road, await claim(road), "delivered", reference="R-1")
    async with road.database.begin() as tx:
        await tx.connection.execute(SENT)
    await road.route(reported(case_key=OTHER_CASE))

    async with road.database.begin() as tx:
        before = await rows_read(tx.connection, "delivery")
        claimed = await rows.claim(tx.connection, tx.now, most=100, cap=100, rooms={})
        await rows.settle(tx.connection, [Settled(each, "delivered", reference="R-2") for each in claimed], tx.now)
        read = await rows_read(tx.connection, "delivery") - before

    assert {each.case_key for each in claimed} == {OTHER_CASE}
    assert read < 50
