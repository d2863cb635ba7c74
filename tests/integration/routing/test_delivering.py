"""Pins deliveries on a real database to real stub recipients: signed, in order, retried, and never lost or given up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from handrail.embedded.postgres import DatabaseAddress
from schemas import deliveries as tell
from services.routing.dispatch import rows
from services.routing.dispatch.settling import NOT_TRIED_AGAIN
from services.routing.domain.register import Body, Register
from services.routing.service import RoutingService
from tests.support.eventually import eventually
from tests.support.road import Recipients, Road, laws, move_clock, of, outcomes
from tests.support.routing import (
    CASE,
    COUNCIL,
    HALTON,
    LEEDS,
    MONDAY,
    OTHER_CASE,
    POLICE,
    acknowledged,
    aware,
    corrected,
    decided,
    linked,
    reported,
    submitted,
    suspects,
)
from tests.support.rulebooks import law

LATER = datetime(2026, 6, 2, tzinfo=UTC)
LA, LSCP_ID, BARNSLEY_LSCP = f"la:{LEEDS}", f"lscp:{LEEDS}", "lscp:E08000038"


async def test_a_police_report_reaches_council_and_partnership_signed_and_thin(
    road: Road, recipients: Recipients
) -> None:
    await road.route(reported())
    await recipients.send_all()

    published = await road.published()
    for recipient in (LA, LSCP_ID):
        (entry,) = await recipients.journal(recipient)
        assert (entry["outcome"], entry["verified"], entry["body"]["rule"]) == ("taken", True, "N-11")
        assert entry["webhook_id"] == entry["body"]["notice_id"]
        assert entry["body"]["due_on"] == "2026-06-02"
        assert entry["body"]["content"]["grant"] == "(hidden)"  # the stubs show it to nobody
    delivered = of(tell.NoticeDelivered, published)
    assert {m.data.recipient for m in delivered} == {LA, LSCP_ID}
    assert {m.data.attempt for m in delivered} == {1}


async def test_the_panel_gets_nothing_before_the_decision_and_one_notice_after_it(
    road: Road, recipients: Recipients
) -> None:
    await road.route(reported(), aware(), suspects())
    await recipients.send_all()
    before = await recipients.journal("panel")

    await road.route(decided("notify"))
    await recipients.send_all()

    assert before == []
    assert outcomes(await recipients.journal("panel")) == [("taken", "notice.v1")]


async def test_what_waits_for_a_decision_gives_the_content_of_a_case_that_was_linked_meanwhile(
    road: Road, recipients: Recipients
) -> None:
    await road.route(reported(), aware(), suspects())
    await road.route(reported(COUNCIL, case_key=OTHER_CASE))
    await recipients.send_all()

    await road.route(linked(OTHER_CASE, to=CASE))
    await road.route(decided("notify"))
    await recipients.send_all()

    granted = {
        row["recipient"]: row["cases"]
        for row in await road.rows(
            "SELECT recipient, payload #> '{grant,case_keys}' AS cases FROM routing.delivery"
            " WHERE case_key = :case AND state = 'delivered' AND recipient IN ('panel', :lscp)",
            case=CASE,
            lscp=LSCP_ID,
        )
    }
    assert outcomes(await recipients.journal("panel")) == [("taken", "notice.v1")]
    assert granted == {"panel": [CASE, OTHER_CASE], LSCP_ID: [CASE]}  # what had left before stays as it was sent


@pytest.mark.parametrize("before", ["open", "met", "called off"])
async def test_whoever_was_told_of_a_duty_that_a_linked_case_had_before_is_told_again_under_that_one(
    road: Road, recipients: Recipients, before: str
) -> None:
    await road.route(reported(), aware(), suspects(), *([submitted()] if before == "met" else []))
    if before == "called off":
        await road.route(decided("not_notify"))
    await road.route(*(each(case_key=OTHER_CASE) for each in (reported, aware, suspects)))
    await road.route(decided("notify", case_key=OTHER_CASE, at=MONDAY + timedelta(hours=1)))
    await recipients.send_all()
    await road.route(submitted(case_key=OTHER_CASE))

    await road.route(linked(OTHER_CASE, to=CASE))
    await recipients.send_all()

    told: dict[bool, set[tuple[str, str]]] = {True: set(), False: set()}
    for entry in await recipients.journal("panel"):
        told[entry["body"]["type"] == "notice.v1"].add((entry["body"]["case_key"], entry["body"]["notice_id"]))
    ((case_key, _),) = told[True] - told[False]  # what it was told and stands
    assert (case_key, {key for key, _ in told[False]}) == (CASE, {OTHER_CASE})


async def test_a_decision_not_to_notify_keeps_the_notice_from_ever_being_sent(
    road: Road, recipients: Recipients
) -> None:
    await road.route(reported(), aware(), suspects())
    await road.route(decided("not_notify"))
    await recipients.send_all()

    assert await recipients.journal("panel") == []
    assert len(await recipients.journal("police:west-yorkshire")) == 1


async def test_who_got_a_notice_that_no_longer_stands_is_told_so(road: Road, recipients: Recipients) -> None:
    report = reported()
    await road.route(report)
    await recipients.send_all()
    published = await road.route(corrected(report.id, "harm", "other", POLICE))
    await recipients.send_all()

    entries = await recipients.journal(LSCP_ID)
    assert outcomes(entries) == [("taken", "notice.v1"), ("taken", "notice.withdrawn.v1")]
    assert entries[1]["body"]["notice_id"] == entries[0]["webhook_id"] != entries[1]["webhook_id"]
    assert "harm" not in entries[1]["body"]["reason"]  # a fact, which a thin message does not carry
    assert {m.data.reason for m in of(tell.NoticeWithdrawn, published)} == {"the harm: other"}
    assert [m.data.was_delivered for m in of(tell.NoticeWithdrawn, published)] == [True, True]


async def test_a_recipient_that_fails_twice_gets_its_notice_at_the_third_try_under_the_same_id(
    road: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    await recipients.behave(LSCP_ID, mode="fail", times=2)
    await road.route(reported())
    granted = []
    for _ in range(3):
        await recipients.send_all()
        await move_clock(address, timedelta(seconds=1))
        granted += await road.rows("SELECT granted_at FROM routing.delivery WHERE recipient = :r", r=LSCP_ID)

    entries = await recipients.journal(LSCP_ID)
    assert len({row["granted_at"] for row in granted}) == 1, "a repeat carries the same grant, so it is the same bytes"
    published = await road.published()
    assert [entry["outcome"] for entry in entries] == ["failed", "failed", "taken"]
    assert len({entry["webhook_id"] for entry in entries}) == 1
    attempts = [m for m in published if isinstance(m, tell.NoticeAttempted | tell.NoticeDelivered)]
    ours = [m for m in attempts if m.data.recipient == LSCP_ID]
    assert [(type(m), m.data.attempt) for m in ours] == [
        (tell.NoticeAttempted, 1),
        (tell.NoticeAttempted, 2),
        (tell.NoticeDelivered, 3),
    ]
    history = await road.rows(
        "SELECT h.attempt, h.state, h.http_status FROM routing.delivery_history h JOIN routing.delivery d USING"
        " (delivery_id) WHERE d.recipient = :r AND h.attempt IS NOT NULL ORDER BY h.seq",
        r=LSCP_ID,
    )
    assert [tuple(row.values()) for row in history] == [(1, "due", 503), (2, "due", 503), (3, "delivered", 200)]


@pytest.mark.parametrize(("days", "anew"), [(14, False), (16, True)])
async def test_a_grant_of_which_half_of_its_30_days_is_over_begins_anew_when_its_notice_is_tried_again(
    road: Road, recipients: Recipients, address: DatabaseAddress, days: int, *, anew: bool
) -> None:
    await recipients.behave(LSCP_ID, mode="fail", times=1)
    await road.route(reported())
    await recipients.send_all()
    async with road.database.begin() as tx:
        ago = text("UPDATE routing.delivery SET granted_at = clock_timestamp() - make_interval(days => :days)")
        await tx.connection.execute(ago, {"days": days})
    await move_clock(address, timedelta(seconds=1))
    await recipients.send_all()

    granted = await road.rows(
        "SELECT granted_at > clock_timestamp() - interval '1 day' AS anew FROM routing.delivery WHERE recipient = :r",
        r=LSCP_ID,
    )
    assert [entry["outcome"] for entry in await recipients.journal(LSCP_ID)] == ["failed", "taken"]
    assert [row["anew"] for row in granted] == [anew]


async def test_what_fails_once_something_new_waits_behind_it_is_told_at_once_also_if_that_came_while_it_was_on_its_way(
    road: Road, recipients: Recipients
) -> None:
    await recipients.behave(LA, mode="fail", times=3)
    await road.route(reported())  # months ago: overdue, so that a person is told of the first failure
    await recipients.send_all()
    await recipients.dispatcher.claim_step()
    published = await road.route(aware(), suspects())  # N-03 tells the council too
    await recipients.settle()
    await recipients.send_all()
    published += await road.published()

    attempts = [each.data for each in of(tell.NoticeAttempted, published) if each.data.recipient == LA]
    assert [(each.attempt, each.outcome) for each in attempts] == [(1, "refused"), (2, "refused"), (3, "failed")]


async def test_a_notice_that_is_held_and_released_while_it_is_on_its_way_goes_again_once_its_answer_is_there(
    road: Road, recipients: Recipients
) -> None:
    await recipients.behave("panel", mode="fail", times=1)
    await road.route(reported(), aware(), suspects(), decided("notify"))
    await recipients.dispatcher.claim_step()
    await eventually(lambda: recipients.journal("panel"), "the first answer of the Panel")
    await road.route(decided("defer", at=LATER))
    await road.route(decided("notify", at=LATER + timedelta(days=1)))
    async with road.database.begin() as tx:
        meanwhile = await rows.claim(tx.connection, tx.now, most=100, cap=100, rooms={})
    await recipients.settle()
    await recipients.send_all()

    assert "panel" not in {each.recipient for each in meanwhile}
    [panel] = await road.rows("SELECT state, reference FROM routing.delivery WHERE recipient = 'panel'")
    attempts = await road.rows(
        "SELECT h.attempt, h.state FROM routing.delivery_history h JOIN routing.delivery d USING (delivery_id)"
        " WHERE d.recipient = 'panel' AND h.attempt IS NOT NULL ORDER BY h.seq"
    )
    assert panel["state"] == "delivered"
    assert panel["reference"]
    assert [tuple(each.values()) for each in attempts] == [(1, "due"), (2, "delivered")]


async def test_a_notice_decided_while_the_clock_was_put_right_does_not_wait_for_the_time_that_it_showed(
    road: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    wrong = timedelta(days=40)
    await move_clock(address, wrong)

    await road.route(reported(), meanwhile=lambda: move_clock(address, -wrong))
    await recipients.send_all()

    taken = [outcomes(await recipients.journal(recipient)) for recipient in (LA, LSCP_ID)]
    assert [[outcome for outcome, _ in each] for each in taken] == [["taken"], ["taken"]]


async def test_a_refusal_is_published_for_a_person_stays_visible_and_can_be_redriven(
    road: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    await recipients.behave(LSCP_ID, mode="refuse")
    published = await road.route(reported())
    notice = next(m for m in of(tell.NoticeOwed, published) if m.data.recipient == LSCP_ID)
    await recipients.send_all()
    await move_clock(address, timedelta(days=1))
    await recipients.send_all()
    refused = [m for m in of(tell.NoticeAttempted, await road.published()) if m.data.recipient == LSCP_ID]

    await recipients.behave(LSCP_ID, mode="normal")
    async with road.database.begin() as tx:
        redriven = await rows.redrive(tx.connection, [notice.data.notice_id], tx.now)
    await recipients.send_all()

    assert [(m.data.outcome, m.data.http_status) for m in refused] == [("refused", 403)]
    assert redriven
    assert [entry["outcome"] for entry in await recipients.journal(LSCP_ID)] == ["refused", "taken"]


async def test_what_had_no_address_is_sent_once_the_file_has_one(road: Road, recipients: Recipients) -> None:
    addresses = recipients.file.read_text()
    recipients.register("".join(line for line in addresses.splitlines(keepends=True) if LSCP_ID not in line))
    await road.route(reported(), reported(case_key=OTHER_CASE))
    await recipients.send_all()
    refused = [m.data.reason for m in of(tell.NoticeAttempted, await road.published())]

    recipients.register(addresses)
    await recipients.settle()
    await recipients.send_all()

    assert refused == ["not sent: no address is registered for this recipient; it is sent once there is one"] * 2
    assert outcomes(await recipients.journal(LSCP_ID)) == [("taken", "notice.v1")] * 2
    assert len(await recipients.journal(LA)) == 2
    because = await road.rows("SELECT reason FROM routing.delivery_history WHERE reason LIKE 'redriven%'")
    assert [row["reason"] for row in because] == ["redriven: an address was registered"] * 2


async def test_when_half_of_the_time_is_gone_a_person_is_told_once_and_trying_goes_on(
    road: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    await recipients.behave(LSCP_ID, mode="fail", times=3)
    await road.route(reported())  # due at the end of 2 June 2026, which has long gone by the legal clock
    for _ in range(4):
        await recipients.send_all()
        await move_clock(address, timedelta(hours=1))

    published = await road.published()
    attempts = [m.data.outcome for m in of(tell.NoticeAttempted, published) if m.data.recipient == LSCP_ID]
    assert attempts == ["refused", "failed", "failed"]
    assert [entry["outcome"] for entry in await recipients.journal(LSCP_ID)][-1] == "taken"


async def test_of_a_notice_that_was_held_and_released_again_a_person_is_told_anew(
    road: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    await recipients.behave("panel", mode="fail", times=4)
    steps: list[list[Any]] = [
        [reported(), aware(), suspects(), decided("notify")],  # due on 8 June 2026, which has long gone
        [],
        [decided("defer", on=date(2026, 6, 3))],
        [decided("notify", on=date(2026, 6, 4))],
        [],
    ]
    published = []
    for step in steps:
        published += await road.route(*step)
        await recipients.send_all()
        await move_clock(address, timedelta(hours=1))
    published += await road.published()

    attempts = [m.data.outcome for m in of(tell.NoticeAttempted, published) if m.data.recipient == "panel"]
    assert attempts == ["refused", "failed", "refused", "failed"]


async def test_what_is_older_goes_first_to_one_recipient_about_one_case(
    road: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    await recipients.behave(LA, mode="fail", times=1)
    await road.route(reported())
    await road.route(aware(), suspects())  # N-03 tells the council too
    for _ in range(4):
        await recipients.send_all()
        await move_clock(address, timedelta(seconds=1))

    entries = await recipients.journal(LA)
    assert [(entry["outcome"], entry["body"]["rule"]) for entry in entries] == [
        ("failed", "N-11"),
        ("taken", "N-11"),
        ("taken", "N-03"),
    ]


async def test_a_notice_accepted_while_it_is_on_its_way_stays_accepted(road: Road, recipients: Recipients) -> None:
    published = await road.route(reported())
    notice = next(m for m in of(tell.NoticeOwed, published) if m.data.recipient == LSCP_ID)
    await recipients.dispatcher.claim_step()
    await road.route(acknowledged(notice.data.notice_id))
    await recipients.dispatcher.finish()

    (row,) = await road.rows("SELECT state, reference FROM routing.delivery WHERE recipient = :r", r=LSCP_ID)
    assert row["state"] == "accepted"
    assert row["reference"].startswith("LSCP-")


@pytest.mark.parametrize(("planted", "word"), [("panel", "kind"), (BARNSLEY_LSCP, "area"), (f"lscp:{HALTON}", "area")])
async def test_a_row_that_no_rule_bears_out_is_never_sent(
    road: Road, recipients: Recipients, planted: str, word: str
) -> None:
    await road.route(reported())
    async with road.database.begin() as tx:
        await tx.connection.execute(
            text(
                "UPDATE routing.delivery SET recipient = :p,"
                " payload = jsonb_set(payload, '{body,recipient}', to_jsonb(CAST(:p AS text))) WHERE recipient = :r"
            ),
            {"r": LSCP_ID, "p": planted},
        )
    await recipients.send_all()

    assert await recipients.journal(planted) == []
    (attempt,) = of(tell.NoticeAttempted, await road.published())
    assert attempt.data.outcome == "refused"
    assert attempt.data.reason == f"not sent: rule N-11 does not name a recipient of this {word}; {NOT_TRIED_AGAIN}"


async def test_a_notice_that_was_decided_for_another_area_s_partnership_is_held_for_a_person(
    road: Road, recipients: Recipients
) -> None:
    """The engine takes Barnsley's partnership for that of Leeds; the guard reads the register for itself."""
    bodies = law().register.bodies
    exchanged = {LSCP_ID: bodies[BARNSLEY_LSCP].areas, BARNSLEY_LSCP: bodies[LSCP_ID].areas}
    faulty = Register("faulty", law().register.areas.values(), [_serving(body, exchanged) for body in bodies.values()])
    road.service = RoutingService(laws(replace(law(), register=faulty)))
    await road.route(reported())
    await recipients.send_all()

    assert await recipients.journal(BARNSLEY_LSCP) == []
    assert outcomes(await recipients.journal(LA)) == [("taken", "notice.v1")]
    (held,) = await road.rows("SELECT state, reason, person_told FROM routing.delivery WHERE recipient <> :r", r=LA)
    (attempt,) = of(tell.NoticeAttempted, await road.published())
    assert (held["state"], held["person_told"], attempt.data.outcome) == ("refused", True, "refused")
    assert held["reason"] == "not sent: rule N-11 does not name a recipient of this area"
    async with road.database.begin() as tx:
        await rows.redrive(tx.connection, [attempt.data.notice_id], tx.now)
    await recipients.send_all()
    assert await recipients.journal(BARNSLEY_LSCP) == []


def _serving(body: Body, areas: Mapping[str, tuple[str, ...]]) -> Body:
    return replace(body, areas=areas.get(body.id, body.areas))


async def test_sources_that_disagree_on_the_area_hold_up_no_notice_that_is_owed(
    road: Road, recipients: Recipients
) -> None:
    """Doubt does not withdraw a duty, so it does not keep its notice from being sent either."""
    await road.route(reported())
    await road.route(reported(COUNCIL, area=HALTON))
    await recipients.send_all()

    assert outcomes(await recipients.journal(LSCP_ID)) == [("taken", "notice.v1")]
