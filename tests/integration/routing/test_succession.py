"""A body of the register ends: what it was told, owes and was asked passes to the one in its place, and nobody is told twice.

Clinical commissioning groups ended on 30 June 2022; the integrated care boards stand in their place. The clock begins on
Monday 27 June 2022.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from handrail.embedded.postgres import DatabaseAddress
from schemas import case_events as ce
from schemas import decisions as say
from schemas import deliveries as tell
from schemas.messages import AnyMessage
from services.kit.clock import SystemClock
from services.routing.dispatch.settling import NOT_TRIED_AGAIN
from services.routing.service import RoutingService
from services.routing.succeeding import Succession
from tests.support.road import Recipients, Road, laws, move_clock, of
from tests.support.routing import (
    CASE,
    LEEDS,
    OTHER_CASE,
    POLICE,
    acknowledged,
    aware,
    corrected,
    decided,
    reported,
    submitted,
    suspects,
)
from tests.support.routing_app import app, client

GROUP, BOARD = "ccg:leeds", "icb:west-yorkshire"
THEN = datetime(2022, 6, 27, 9, tzinfo=UTC)
MONDAY = THEN.date()
WHY = "NHS Leeds Clinical Commissioning Group ended on Thursday 30 June 2022, and NHS West Yorkshire Integrated Care Board stands in its place"
WHY_HALTON = "NHS Halton Clinical Commissioning Group ended on Thursday 30 June 2022, and NHS Cheshire and Merseyside Integrated Care Board stands in its place"
GROUP_CLIENT = ce.Reporter(client="group-leeds", body="health", area=LEEDS, recipient=GROUP)
BOARD_CLIENT = ce.Reporter(client="board-leeds", body="health", area=LEEDS, recipient=BOARD)
WEEK = timedelta(days=7)


@pytest.fixture
async def in_june(road: Road, address: DatabaseAddress) -> Road:
    """Give a road on which it is June 2022."""
    await move_clock(address, THEN - SystemClock().wall_now())
    return road


async def reported_and_suspected(road: Road, reporter: ce.Reporter = POLICE) -> list[AnyMessage]:
    """Report a serious incident that the council knows of, so that the partners are told (N-03)."""
    return await road.route(
        reported(reporter, on=MONDAY, at=THEN), aware(on=MONDAY, at=THEN), suspects(since=MONDAY, at=THEN)
    )


async def july(road: Road, address: DatabaseAddress) -> list[AnyMessage]:
    """Let a week go by, and routing notice it; return what it published."""
    await move_clock(address, WEEK)
    await Succession(road.database, road.service, laws()).step()
    return await road.published()


def under(rule: str, published: list[AnyMessage]) -> list[say.ObligationOpened]:
    return [each for each in of(say.ObligationOpened, published) if each.data.rule == rule]


async def states(road: Road, rule: str = "N-03") -> set[tuple[str, str]]:
    rows = await road.rows("SELECT recipient, state FROM routing.delivery WHERE rule = :rule", rule=rule)
    return {(row["recipient"], row["state"]) for row in rows if row["recipient"] in {GROUP, BOARD}}


async def test_what_is_decided_after_its_end_is_told_to_its_successor_whichever_day_it_is_judged_on(
    in_june: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    await move_clock(address, WEEK)
    published = await reported_and_suspected(in_june)
    await recipients.send_all()

    [partners] = under("N-03", published)
    assert partners.data.recipients == (f"la:{LEEDS}", "police:west-yorkshire", BOARD)
    assert await recipients.journal(GROUP) == []
    assert [each["body"]["rule"] for each in await recipients.journal(BOARD)] == ["N-03"]


async def test_a_notice_that_was_not_sent_is_superseded_by_one_to_the_successor_without_any_event(
    in_june: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    await reported_and_suspected(in_june)
    published = await july(in_june, address)
    await recipients.send_all()

    [superseded] = of(tell.NoticeSuperseded, published)
    [owed] = of(tell.NoticeOwed, published)
    assert (superseded.data.recipient, superseded.data.reason, superseded.data.by) == (GROUP, WHY, owed.data.notice_id)
    assert (owed.data.recipient, owed.data.released, owed.data.corrects) == (BOARD, True, None)
    [partners] = under("N-03", published)
    assert (partners.data.revision, partners.data.recipients[-1], partners.data.due_on) == (2, BOARD, date(2022, 7, 4))
    [conclusion] = of(say.CaseDecided, published)
    assert (conclusion.data.event_ids, conclusion.causation_id) == ((), None)
    assert await states(in_june) == {(GROUP, "superseded"), (BOARD, "delivered")}
    assert await recipients.journal(GROUP) == []


async def test_a_body_is_told_after_all_whose_end_has_not_come_since_the_clock_was_put_right(
    in_june: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    succession = Succession(in_june.database, in_june.service, laws())
    await succession.step()
    await reported_and_suspected(in_june)
    await move_clock(address, WEEK)
    await succession.step()
    await move_clock(address, -WEEK)
    await succession.step()
    await recipients.send_all()

    assert [each["body"]["rule"] for each in await recipients.journal(GROUP)] == ["N-03"]
    assert await recipients.journal(BOARD) == []
    assert await states(in_june) == {(GROUP, "superseded"), (GROUP, "delivered"), (BOARD, "withdrawn")}


async def test_a_body_owes_again_what_its_successor_owed_until_the_clock_was_put_right(
    in_june: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    succession = Succession(in_june.database, in_june.service, laws())
    await succession.step()
    before = under("N-11", await in_june.route(reported(GROUP_CLIENT, on=MONDAY, at=THEN)))
    for week in (WEEK, -WEEK):
        await move_clock(address, week)
        await succession.step()
    await recipients.send_all()

    duties = await in_june.rows("SELECT obligation_id, duty_holder, state FROM routing.obligation WHERE rule = 'N-11'")
    assert {row["obligation_id"] for row in duties if row["state"] == "open"} == {
        each.data.obligation_id for each in before
    }
    assert {row["duty_holder"] for row in duties if row["state"] == "open"} == {GROUP}
    for recipient in (f"la:{LEEDS}", f"lscp:{LEEDS}"):
        assert [each["body"]["from_body"] for each in await recipients.journal(recipient)] == [GROUP]


async def test_a_notice_that_was_taken_and_not_accepted_is_told_to_the_successor_too(
    in_june: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    await reported_and_suspected(in_june)
    await recipients.send_all()
    await july(in_june, address)
    await recipients.send_all()

    assert len(await recipients.journal(GROUP)) == len(await recipients.journal(BOARD)) == 1
    assert await states(in_june) == {(GROUP, "superseded"), (BOARD, "delivered")}


async def test_what_was_accepted_before_the_end_is_told_to_nobody_again(
    in_june: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    """The duty goes on towards the others, and names the successor from then on."""
    published = await reported_and_suspected(in_june)
    [notice] = [
        each.data.notice_id
        for each in of(tell.NoticeOwed, published)
        if each.data.rule == "N-03" and each.data.recipient == GROUP
    ]
    await recipients.send_all()
    await in_june.route(acknowledged(notice, GROUP_CLIENT, at=THEN))
    published = await july(in_june, address)
    later = await in_june.route(aware(POLICE, on=MONDAY, at=THEN))

    [partners] = under("N-03", published)
    assert partners.data.recipients[-1] == BOARD
    assert not of(tell.NoticeOwed, published + later)
    assert await states(in_june) == {(GROUP, "accepted")}


async def test_the_successor_is_told_of_another_date_than_the_one_that_the_ended_body_had_accepted(
    in_june: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    became = aware(on=MONDAY, at=THEN)
    await in_june.route(reported(on=MONDAY, at=THEN), became, suspects(since=MONDAY, at=THEN))
    await recipients.send_all()
    [row] = await in_june.rows("SELECT notice_id FROM routing.delivery WHERE recipient = :r", r=GROUP)
    await in_june.route(acknowledged(row["notice_id"], GROUP_CLIENT, at=THEN))
    await july(in_june, address)

    later = corrected(became.id, "aware_on", "2022-06-29", at=THEN)
    for event in (later, corrected(later.id, "aware_on", "2022-06-29", at=THEN)):
        await in_june.route(event)
        await recipients.send_all()

    [told] = [each["body"] for each in await recipients.journal(BOARD)]
    assert (told["corrects"]["notice_id"], told["corrects"]["old_due_on"]) == (str(row["notice_id"]), "2022-07-04")
    assert told["due_on"] == "2022-07-06"
    assert await states(in_june) == {(GROUP, "accepted"), (BOARD, "delivered")}


async def test_the_successor_reads_the_case_of_what_the_ended_body_had_accepted(
    in_june: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    await reported_and_suspected(in_june)
    await recipients.send_all()
    [row] = await in_june.rows("SELECT notice_id FROM routing.delivery WHERE recipient = :r", r=GROUP)
    await in_june.route(acknowledged(row["notice_id"], GROUP_CLIENT, at=THEN))
    await july(in_june, address)

    read = {}
    for body in (BOARD, GROUP, "icb:south-yorkshire"):
        async with client(app(address), "review_officer", acts_for="office", body=body) as http:
            read[body] = (await http.get(f"/v1/cases/{CASE}/decisions")).status_code

    assert read == {BOARD: 200, GROUP: 200, "icb:south-yorkshire": 404}


async def test_a_second_look_and_a_second_process_change_nothing(in_june: Road, address: DatabaseAddress) -> None:
    await reported_and_suspected(in_june)
    await july(in_june, address)

    await Succession(in_june.database, in_june.service, laws()).step()

    assert await in_june.published() == []
    [row] = await in_june.rows("SELECT max(revision) AS last FROM routing.decision")
    assert row["last"] == 2


async def test_the_successor_accepts_what_the_ended_body_was_told(
    in_june: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    published = await reported_and_suspected(in_june)
    [notice] = [each for each in of(tell.NoticeOwed, published) if each.data.recipient == GROUP]
    await recipients.send_all()
    await move_clock(address, WEEK)

    after = await in_june.route(acknowledged(notice.data.notice_id, BOARD_CLIENT, at=THEN))

    assert [each.data.notice_id for each in of(tell.NoticeAccepted, after)] == [notice.data.notice_id]
    assert not of(tell.NoticeOwed, after)


async def test_nothing_is_sent_to_a_body_that_has_ended_even_before_routing_has_noticed(
    in_june: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    await reported_and_suspected(in_june)
    await move_clock(address, WEEK)
    await recipients.send_all()

    assert await recipients.journal(GROUP) == []
    refused = [each for each in of(tell.NoticeAttempted, await in_june.published()) if each.data.recipient == GROUP]
    assert [each.data.reason for each in refused] == [
        f"not sent: the recipient does not exist on this day; {NOT_TRIED_AGAIN}"
    ]
    await Succession(in_june.database, in_june.service, laws()).step()
    assert await states(in_june) == {(GROUP, "superseded"), (BOARD, "due")}


async def test_a_duty_of_an_ended_body_is_its_successors_and_nobody_is_told_of_it_again(
    in_june: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    """The clinical commissioning group reports, so it is on it to tell the partnership and the council (N-11)."""
    before = under("N-11", await in_june.route(reported(GROUP_CLIENT, on=MONDAY, at=THEN)))
    await recipients.send_all()
    published = await july(in_june, address)

    after = under("N-11", published)
    assert {each.data.duty_holder for each in before} == {GROUP}
    assert {each.data.duty_holder for each in after} == {BOARD}
    assert {each.data.obligation_id for each in after} == {each.data.obligation_id for each in before}
    assert not of(say.ObligationSuperseded, published)
    assert not of(tell.NoticeOwed, published)
    assert not of(tell.NoticeWithdrawn, published)


async def test_what_waits_to_be_sent_says_who_owes_it_now(in_june: Road, address: DatabaseAddress) -> None:
    await in_june.route(reported(GROUP_CLIENT, on=MONDAY, at=THEN))
    published = await july(in_june, address)

    reason = "the duty has passed to NHS West Yorkshire Integrated Care Board: another notice takes its place"
    assert {each.data.reason for each in of(tell.NoticeWithdrawn, published)} == {reason}
    rows = await in_june.rows("SELECT payload FROM routing.delivery WHERE rule = 'N-11' AND state = 'due'")
    assert {row["payload"]["body"]["from_body"] for row in rows} == {BOARD}


async def test_the_successor_corrects_what_the_ended_body_said(in_june: Road, address: DatabaseAddress) -> None:
    report = reported(GROUP_CLIENT, on=MONDAY, at=THEN, harm="other")
    await in_june.route(report, aware(on=MONDAY, at=THEN), suspects(since=MONDAY, at=THEN))
    await move_clock(address, WEEK)

    published = await in_june.route(corrected(report.id, "harm", "death", BOARD_CLIENT, at=THEN))

    assert [each.data.recipients for each in under("N-01", published)] == [("panel",)]


async def test_a_withdrawal_goes_to_whoever_is_there_to_read_it(
    in_june: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    await reported_and_suspected(in_june)
    await recipients.send_all()
    await july(in_june, address)
    await recipients.send_all()

    await in_june.route(suspects("not_suspected", since=MONDAY, at=THEN + WEEK))
    await recipients.send_all()

    assert [each["body"]["type"] for each in await recipients.journal(BOARD)] == ["notice.v1", "notice.withdrawn.v1"]
    assert [each["body"]["type"] for each in await recipients.journal(GROUP)] == ["notice.v1"]


async def test_a_question_to_an_ended_body_is_put_to_its_successor(in_june: Road, address: DatabaseAddress) -> None:
    asked = of(say.QuestionOpened, await in_june.route(reported(GROUP_CLIENT, area=None, on=MONDAY, at=THEN)))
    published = await july(in_june, address)

    put = {each.data.fact for each in asked if each.data.of_whom == GROUP}
    assert put
    assert {each.data.fact for each in of(say.QuestionOpened, published) if each.data.of_whom == BOARD} == put
    assert {each.data.reason for each in of(say.QuestionClosed, published)} == {f"{WHY}: it is asked from now on"}


async def test_the_case_page_says_why_the_notice_was_replaced_and_that_the_body_has_ended(
    in_june: Road, address: DatabaseAddress
) -> None:
    await reported_and_suspected(in_june)
    await july(in_june, address)
    async with client(app(address), "auditor") as http:
        page = (await http.get(f"/case/{CASE}")).text
        asked, elsewhere = [
            (await http.get(f"/v1/cases/{CASE}/ask", params={"recipient": body})).json()["answers"][0]
            for body in (GROUP, "ccg:halton")
        ]

    assert WHY in page
    assert (asked["state"], asked["says"]) == ("withdrawn", WHY)
    assert (elsewhere["state"], elsewhere["says"]) == ("no_rule", WHY_HALTON)


async def test_a_council_that_reports_under_its_former_code_accepts_its_notices_and_meets_its_duties(
    road: Road,
) -> None:
    """Barnsley was E08000016 until 2025, and both codes are in use."""
    former, present = "E08000016", "E08000038"
    council = ce.Reporter(client="council-barnsley", body="local_authority", area=former, recipient=f"la:{former}")
    published = await road.route(
        reported(area=former), aware(council), suspects(reporter=council), decided("notify", council)
    )
    [partner] = [
        each.data.notice_id
        for each in of(tell.NoticeOwed, published)
        if each.data.rule == "N-03" and each.data.recipient == f"la:{present}"
    ]

    after = await road.route(acknowledged(partner, council), submitted(council))

    [panel] = under("N-01", published)
    assert panel.data.duty_holder == f"la:{present}"
    assert panel.data.obligation_id in {each.data.obligation_id for each in of(say.ObligationMet, after)}
    assert [each.data.notice_id for each in of(tell.NoticeAccepted, after)] == [partner]


async def test_a_case_that_cannot_be_decided_keeps_no_other_from_its_successor(
    in_june: Road, address: DatabaseAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    await in_june.route(reported(case_key=OTHER_CASE, on=MONDAY, at=THEN))
    await reported_and_suspected(in_june)
    decide_again = RoutingService.decide_again

    async def fails(self: RoutingService, keys: Collection[str], *others: Any) -> bool:
        if OTHER_CASE in keys:
            raise ZeroDivisionError
        return await decide_again(self, keys, *others)

    monkeypatch.setattr(RoutingService, "decide_again", fails)
    await move_clock(address, WEEK)
    succession = Succession(in_june.database, in_june.service, laws())
    with pytest.raises(RuntimeError, match="1 sets"):
        await succession.step()

    assert await states(in_june) == {(GROUP, "superseded"), (BOARD, "due")}
    [begun] = await in_june.rows("SELECT done FROM routing.register")
    assert not begun["done"]
