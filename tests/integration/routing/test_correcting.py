"""Pins what recipients hear of a due date that has changed: nobody keeps an old one, and nobody is told twice of one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from handrail.embedded.postgres import DatabaseAddress
from schemas import decisions as say
from schemas import deliveries as tell
from tests.support.road import Recipients, Road, move_clock, of
from tests.support.routing import (
    CASE,
    LEEDS,
    MONDAY,
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

WEST_YORKSHIRE = "police:west-yorkshire"
OLD, NEW = "2026-06-08", "2026-06-10"  # Monday 1 June and Wednesday 3 June 2026 + 5 working days
FORCE = POLICE.model_copy(update={"recipient": WEST_YORKSHIRE})


async def told_then_redated(road: Road, recipients: Recipients) -> list[Any]:
    """Tell everyone the old date, then correct the day on which the council became aware; return what was published."""
    became = aware()
    await road.route(reported(), became, suspects(), decided("notify"))
    await recipients.send_all()
    await road.published()
    return await road.route(corrected(became.id, "aware_on", "2026-06-03"))


def dates(journal: list[dict[str, Any]], rule: str = "N-03") -> list[tuple[str, str, str | None]]:
    """Return outcome, due date, and the date that is corrected, of each message under a rule."""
    bodies = [(entry["outcome"], entry["body"]) for entry in journal if entry["body"]["rule"] == rule]
    return [(outcome, body["due_on"], (body["corrects"] or {}).get("old_due_on")) for outcome, body in bodies]


async def test_whoever_was_told_the_old_date_is_sent_a_notice_that_corrects_it(
    road: Road, recipients: Recipients
) -> None:
    published = await told_then_redated(road, recipients)
    await recipients.send_all()

    for recipient in ("panel", WEST_YORKSHIRE, "icb:west-yorkshire", f"la:{LEEDS}"):
        first, second = [e for e in await recipients.journal(recipient) if e["body"]["rule"] in {"N-01", "N-03"}]
        assert (first["body"]["due_on"], first["body"]["corrects"]) == (OLD, None)
        assert (second["outcome"], second["verified"], second["body"]["due_on"]) == ("taken", True, NEW)
        assert second["body"]["corrects"]["notice_id"] == first["webhook_id"] != second["webhook_id"]
        assert second["body"]["corrects"]["old_due_on"] == OLD
        assert second["body"]["corrects"]["says"].startswith("This notice corrects an earlier one")
        assert second["body"]["obligation_id"] == first["body"]["obligation_id"]
    owed, superseded = of(tell.NoticeOwed, published), of(tell.NoticeSuperseded, published)
    assert {m.data.revision for m in owed} == {2}
    assert {m.data.notice_id: m.data.by for m in superseded} == {m.data.corrects: m.data.notice_id for m in owed}
    assert len(owed) == 4
    assert dates(await recipients.journal(f"lscp:{LEEDS}"), "N-11") == [("taken", "2026-06-02", None)]


async def test_what_was_not_sent_yet_is_sent_once_with_the_new_date(road: Road, recipients: Recipients) -> None:
    became = aware()
    await road.route(reported(), became, suspects())
    await road.route(corrected(became.id, "aware_on", "2026-06-03"))
    await road.route(decided("notify"))
    await recipients.send_all()

    assert dates(await recipients.journal(WEST_YORKSHIRE)) == [("taken", NEW, None)]
    assert dates(await recipients.journal("panel"), "N-01") == [("taken", NEW, None)]


async def test_a_notice_that_failed_says_the_same_at_every_attempt_and_is_then_corrected_not_tried_again(
    road: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    became = aware()
    await recipients.behave(WEST_YORKSHIRE, mode="fail", times=2)
    await road.route(reported(), became, suspects())
    await recipients.send_all()
    await move_clock(address, timedelta(seconds=1))
    await recipients.send_all()
    await road.route(corrected(became.id, "aware_on", "2026-06-03"))
    await move_clock(address, timedelta(hours=12))
    await recipients.send_all()

    journal = await recipients.journal(WEST_YORKSHIRE)
    assert dates(journal) == [("failed", OLD, None), ("failed", OLD, None), ("taken", NEW, OLD)]
    assert journal[0]["body"] == journal[1]["body"]


async def test_a_date_that_changes_again_before_its_correction_left_makes_no_second_correction(
    road: Road, recipients: Recipients
) -> None:
    became = aware()
    await road.route(reported(), became, suspects())
    await recipients.send_all()
    first = corrected(became.id, "aware_on", "2026-06-03")
    await road.route(first)
    await road.route(corrected(first.id, "aware_on", "2026-06-04"))
    await recipients.send_all()
    second = corrected(first.id, "aware_on", "2026-06-05", recorded_at=first.recorded_at + timedelta(hours=1))
    await road.route(second)
    await recipients.send_all()

    assert dates(await recipients.journal(WEST_YORKSHIRE)) == [
        ("taken", OLD, None),
        ("taken", "2026-06-11", OLD),
        ("taken", "2026-06-12", "2026-06-11"),
    ]


async def test_the_acceptance_of_a_notice_that_was_corrected_since_counts_for_the_duty(
    road: Road, recipients: Recipients
) -> None:
    published = await told_then_redated(road, recipients)
    old = next(m for m in of(tell.NoticeSuperseded, published) if m.data.recipient == WEST_YORKSHIRE)

    said = await road.route(acknowledged(old.data.notice_id, FORCE))
    await recipients.send_all()

    assert [m.data.notice_id for m in of(tell.NoticeAccepted, said)] == [old.data.notice_id]
    assert len(dates(await recipients.journal(WEST_YORKSHIRE))) == 2


async def test_a_withdrawal_names_every_notice_that_the_recipient_may_have(road: Road, recipients: Recipients) -> None:
    became, view = aware(), suspects()
    await road.route(reported(), became, view)
    await recipients.send_all()
    await road.route(corrected(became.id, "aware_on", "2026-06-03"))
    await road.route(corrected(view.id, "abuse_or_neglect", "not_suspected"))
    await recipients.send_all()

    first, gone = await recipients.journal(WEST_YORKSHIRE)
    assert gone["body"]["type"] == "notice.withdrawn.v1"
    assert gone["body"]["notice_id"] == first["webhook_id"]


async def test_a_case_shows_both_notices_and_the_answer_says_which_date_was_told(
    road: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    await told_then_redated(road, recipients)
    async with client(app(address), "auditor") as http:
        case = (await http.get(f"/v1/cases/{CASE}/decisions")).json()
        answers = (await http.get(f"/v1/cases/{CASE}/ask", params={"recipient": "panel"})).json()["answers"]
        old_ones = (await http.get("/v1/deliveries", params={"state": "superseded"})).json()["deliveries"]
        page = (await http.get(f"/case/{CASE}", params={"recipient": "panel"})).text
    await recipients.send_all()

    (panel,) = [each for each in case["obligations"] if each["rule"] == "N-01"]
    old, new = panel["notices"]
    assert (old["state"], old["due_on"], old["corrects"]) == ("superseded", OLD, None)
    assert (new["state"], new["due_on"], new["corrects"]) == ("owed", NEW, old["notice_id"])
    assert [(each["state"], each["due_on"]) for each in answers[:2]] == [("delivered", OLD), ("owed", NEW)]
    assert "a notice that corrects it takes its place" in answers[0]["says"]
    assert len(old_ones) == 4
    assert "replaced by a later notice" in page
    assert "It corrects the one that gave another due date" in page
    late = await road.published()
    assert {m.data.revision for m in of(tell.NoticeDelivered, late)} == {2}


async def test_a_new_warning_date_alone_corrects_nothing(road: Road, recipients: Recipients) -> None:
    became = aware()
    await road.route(reported(), became, suspects(since=date(2026, 6, 3)), decided("notify"))
    await recipients.send_all()
    await road.route(corrected(became.id, "aware_on", "2026-06-02"))  # the later of the two days stays 3 June
    await recipients.send_all()

    assert dates(await recipients.journal("panel"), "N-01") == [("taken", NEW, None)]


async def test_a_met_duty_that_was_due_earlier_after_all_says_so_once_and_tells_nobody_anew(
    road: Road, recipients: Recipients
) -> None:
    """Ofsted asks for the time between awareness and notification: 20 May is 11 working days before 5 June."""
    became = aware()
    await road.route(reported(), became, suspects(since=date(2026, 5, 20)), decided("notify"))
    await recipients.send_all()
    await road.route(submitted(when=MONDAY + timedelta(days=4)))
    await recipients.send_all()
    is_n01 = "SELECT state, met_on, opened ->> 'due_on' AS due_on FROM routing.obligation WHERE rule = 'N-01'"
    assert await road.rows(is_n01) == [{"state": "met", "met_on": date(2026, 6, 5), "due_on": "2026-06-08"}]

    published = await road.route(corrected(became.id, "aware_on", "2026-05-20"))
    again = await road.route(decided("notify"))

    assert await road.rows(is_n01) == [{"state": "met", "met_on": date(2026, 6, 5), "due_on": "2026-05-28"}]
    (met,) = of(say.ObligationMet, published)
    redated = next(m for m in of(say.ObligationRedated, published) if m.data.obligation_id == met.data.obligation_id)
    assert (redated.data.old_due_on, redated.data.due_on) == (date(2026, 6, 8), date(2026, 5, 28))
    assert met.data.met_on == date(2026, 6, 5)
    assert published.index(redated) < published.index(met)
    assert not [m for m in of(tell.NoticeOwed, published) if m.data.obligation_id == met.data.obligation_id]
    assert met.data.obligation_id not in [m.data.obligation_id for m in of(say.ObligationMet, again)]
