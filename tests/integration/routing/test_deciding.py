"""Pins what one batch of case events leads to, on a real database: who is told, what waits, what a later fact changes."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from schemas import decisions as say
from schemas import deliveries as tell
from schemas.messages import AnyMessage
from tests.support.road import Road, of
from tests.support.routing import (
    CASE,
    COUNCIL,
    LEEDS,
    LSCP,
    MONDAY,
    OTHER_CASE,
    POLICE,
    WANDSWORTH,
    acknowledged,
    as_event,
    aware,
    corrected,
    decided,
    linked,
    not_appropriate,
    reported,
    submitted,
    suspects,
)

WEST_YORKSHIRE = "police:west-yorkshire"
FORCE = POLICE.model_copy(update={"recipient": WEST_YORKSHIRE})
PARTNERS = {f"la:{LEEDS}", WEST_YORKSHIRE, "icb:west-yorkshire"}


async def test_a_police_report_tells_the_council_and_its_partnership_and_asks_the_council(road: Road) -> None:
    """Working Together 2023, chapter 5: should inform the safeguarding partners of any incident."""
    published = await road.route(reported())

    owed = {(m.data.rule, m.data.recipient, m.data.released) for m in of(tell.NoticeOwed, published)}
    asked = {(m.data.fact, m.data.of_whom) for m in of(say.QuestionOpened, published)}
    opened = of(say.ObligationOpened, published)
    assert owed == {("N-11", f"la:{LEEDS}", True), ("N-11", f"lscp:{LEEDS}", True)}
    assert asked >= {("aware_on", f"la:{LEEDS}"), ("abuse_or_neglect", f"la:{LEEDS}")}
    assert {m.data.due_on for m in opened} == {date(2026, 6, 2)}
    assert {m.partnership for m in opened} == {f"lscp:{LEEDS}"}
    (conclusion,) = of(say.CaseDecided, published)
    assert conclusion.data.revision == 1
    assert {trace["rule"] for trace in conclusion.data.traces} >= {"N-01", "N-11", "N-06"}
    assert set(conclusion.data.open_obligations) == {m.data.obligation_id for m in opened}


async def test_the_panel_is_owed_a_notice_from_the_start_and_gets_it_only_after_a_person_decides(road: Road) -> None:
    """Owed is not sent: domain rule 13; Children Act 2004, section 16C(1)(a)."""
    first = await road.route(reported(), aware(), suspects())
    second = await road.route(decided("notify"))

    (panel,) = [m for m in of(tell.NoticeOwed, first) if m.data.recipient == "panel"]
    assert not panel.data.released
    (released,) = of(tell.NoticeReleased, second)
    assert released.data.notice_id == panel.data.notice_id
    (row,) = await road.rows("SELECT state FROM routing.delivery WHERE recipient = 'panel'")
    assert row["state"] == "due"


async def test_a_day_corrected_into_another_edition_of_the_law_publishes_the_duty_again(road: Road) -> None:
    """Working Together 2026 was published on 18 March 2026. The clock of N-01 starts with the later suspicion, so no date moves."""
    stated = aware(on=date(2026, 3, 17))
    first = await road.route(reported(on=date(2026, 3, 17)), stated, suspects(since=date(2026, 6, 1)))
    again = await road.route(corrected(stated.id, "aware_on", "2026-03-18"))
    after = await road.route(corrected(stated.id, "aware_on", "2026-03-18"))

    before, then = (
        next(m.data for m in of(say.ObligationOpened, published) if m.data.rule == "N-03")
        for published in (first, again)
    )
    assert (before.editions, then.editions) == (("RB-2025.1",), ("RB-2026.1",))
    assert (before.obligation_id, before.due_on) == (then.obligation_id, then.due_on)
    assert then.revision == before.revision + 1
    assert not of(say.ObligationOpened, after)


async def test_a_decision_not_to_notify_withdraws_the_panel_s_notice_and_nothing_else(road: Road) -> None:
    await road.route(reported(), aware(), suspects())
    published = await road.route(decided("not_notify"))

    (closed,) = of(say.ObligationWithdrawn, published)
    (withdrawn,) = of(tell.NoticeWithdrawn, published)
    assert closed.data.reason == "decision not to notify"
    assert (withdrawn.data.recipient, withdrawn.data.was_delivered) == ("panel", False)
    partners = await road.rows("SELECT recipient FROM routing.delivery WHERE rule = 'N-03' AND state = 'due'")
    assert {row["recipient"] for row in partners} == PARTNERS


async def test_what_changes_nothing_publishes_the_decision_and_no_more(road: Road) -> None:
    await road.route(reported(), aware(), suspects())
    published = await road.route(aware())

    (conclusion,) = of(say.CaseDecided, published)
    assert published == [conclusion]
    assert conclusion.data.revision == 2


async def test_the_council_s_awareness_meets_its_part_of_the_referral_and_starts_the_clock(road: Road) -> None:
    first = await road.route(reported())
    published = await road.route(aware(), suspects())

    (met,) = of(say.ObligationMet, published)
    la = next(m for m in of(say.ObligationOpened, first) if m.data.recipients == (f"la:{LEEDS}",))
    assert met.data.obligation_id == la.data.obligation_id
    assert met.data.met_on == date(2026, 6, 1)
    panel = next(m for m in of(say.ObligationOpened, published) if m.data.rule == "N-01")
    assert panel.data.due_on == date(2026, 6, 8)  # Monday 1 June + 5 working days
    assert "answered" in {m.data.reason for m in of(say.QuestionClosed, published)}


async def test_a_corrected_date_redates_the_same_duty(road: Road) -> None:
    first_aware = aware(on=date(2026, 6, 1))
    first = await road.route(reported(), first_aware, suspects(since=date(2026, 6, 1)))
    published = await road.route(corrected(first_aware.id, "aware_on", "2026-06-03"))

    panel = next(m for m in of(say.ObligationOpened, first) if m.data.rule == "N-01")
    redated = [m for m in of(say.ObligationRedated, published) if m.data.obligation_id == panel.data.obligation_id]
    assert [(m.data.old_due_on, m.data.due_on) for m in redated] == [(date(2026, 6, 8), date(2026, 6, 10))]
    assert not of(say.ObligationOpened, published)
    assert not of(tell.NoticeOwed, published)
    (row,) = await road.rows("SELECT due_by, payload FROM routing.delivery WHERE recipient = 'panel'")
    assert row["payload"]["body"]["due_on"] == "2026-06-10"
    assert row["due_by"].isoformat() == "2026-06-10T23:00:00+00:00"


async def test_a_duty_that_is_met_by_the_decision_that_opens_it_says_so_from_the_start(road: Road) -> None:
    published = await road.route(reported(), aware(on=date(2026, 5, 1)), suspects(since=date(2026, 5, 1)), submitted())

    met = {m.data.obligation_id for m in of(say.ObligationMet, published)}
    opened = of(say.ObligationOpened, published)
    assert {m.data.obligation_id for m in opened if m.data.already_met} == met & {m.data.obligation_id for m in opened}
    assert "N-01" in {m.data.rule for m in opened if m.data.already_met}
    assert not all(m.data.already_met for m in opened)


async def test_a_correction_that_makes_a_rule_false_withdraws_its_duty_with_the_reason(road: Road) -> None:
    report = reported()
    await road.route(report)
    published = await road.route(corrected(report.id, "harm", "other", POLICE))

    withdrawn = of(say.ObligationWithdrawn, published)
    assert {m.data.reason for m in withdrawn} == {"the harm: other"}
    assert len(of(tell.NoticeWithdrawn, published)) == len(withdrawn) == 2


async def test_a_duty_that_is_owed_again_gets_a_new_notice_under_the_same_obligation(road: Road) -> None:
    report = reported()
    first = await road.route(report)
    wrong = corrected(report.id, "harm", "other", POLICE)
    await road.route(wrong)
    published = await road.route(corrected(wrong.id, "harm", "serious_harm", POLICE))

    again = of(say.ObligationOpened, published)
    assert {m.data.obligation_id for m in again} == {m.data.obligation_id for m in of(say.ObligationOpened, first)}
    assert {m.data.revision for m in again} == {2}
    assert {m.data.revision for m in of(tell.NoticeOwed, published)} == {2}


async def test_the_panel_s_reference_meets_the_duty(road: Road) -> None:
    await road.route(reported(), aware(), suspects(), decided("notify"))
    published = await road.route(submitted())

    rules = await road.rows("SELECT rule FROM routing.obligation WHERE state = 'met' ORDER BY rule")
    assert [row["rule"] for row in rules] == ["N-01", "N-11"]
    assert [m.data.how for m in of(say.ObligationMet, published)] == ["the Panel's reference is recorded"]


async def test_an_acceptance_counts_from_the_recipient_alone_and_from_a_case_of_its_own(road: Road) -> None:
    published = await road.route(reported())
    notice = next(m for m in of(tell.NoticeOwed, published) if m.data.recipient == f"lscp:{LEEDS}")

    stranger = await road.route(acknowledged(notice.data.notice_id, POLICE, case_key=OTHER_CASE))
    own = await road.route(acknowledged(notice.data.notice_id, LSCP, case_key=OTHER_CASE))

    assert not of(tell.NoticeAccepted, stranger)
    (accepted,) = of(tell.NoticeAccepted, own)
    assert (accepted.data.notice_id, accepted.case_key) == (notice.data.notice_id, CASE)
    assert [m.data.how for m in of(say.ObligationMet, own)] == ["a named person has accepted it"]


async def test_an_answer_to_what_there_is_none_of_is_said_to_answer_nothing(road: Road) -> None:
    published = await road.route(reported())
    notice = next(m.data for m in of(tell.NoticeOwed, published) if m.data.recipient == f"lscp:{LEEDS}")
    unknown = UUID(int=404)

    said = await road.route(
        mistyped := acknowledged(unknown, LSCP, case_key=OTHER_CASE),
        no_duty := not_appropriate(unknown),
        strange := acknowledged(notice.notice_id, POLICE),
        acknowledged(notice.notice_id, LSCP),
    )

    nothing = {m.case_key: m.data.answers_nothing for m in of(say.CaseDecided, said)}
    assert nothing == {OTHER_CASE: (mistyped.id,), CASE: (no_duty.id, strange.id)}
    after = await road.route(aware())
    assert [m.data.answers_nothing for m in of(say.CaseDecided, after)] == [()]


async def test_who_accepted_a_notice_that_was_withdrawn_is_told_again_when_the_duty_is_owed_again(road: Road) -> None:
    view = suspects()
    first = await road.route(reported(), aware(), view)
    notice = next(m for m in of(tell.NoticeOwed, first) if m.data.recipient == WEST_YORKSHIRE)
    await road.route(acknowledged(notice.data.notice_id, FORCE))
    wrong = corrected(view.id, "abuse_or_neglect", "not_suspected")
    await road.route(wrong)

    published = await road.route(corrected(wrong.id, "abuse_or_neglect", "suspected"))
    after = await road.route(aware())

    partners = [m.data for m in of(tell.NoticeOwed, published) if m.data.rule == "N-03"]
    assert {(each.recipient, each.revision) for each in partners} == {(partner, 2) for partner in PARTNERS}
    assert {type(message) for message in after} == {say.CaseDecided}


async def test_an_acceptance_that_crosses_the_withdrawal_does_not_meet_a_duty_that_is_owed_again(road: Road) -> None:
    report = reported()
    first = await road.route(report)
    notice = next(m for m in of(tell.NoticeOwed, first) if m.data.recipient == f"lscp:{LEEDS}")
    wrong = corrected(report.id, "harm", "other", POLICE)
    await road.route(wrong)
    await road.route(acknowledged(notice.data.notice_id))

    published = await road.route(corrected(wrong.id, "harm", "serious_harm", POLICE))

    assert not of(say.ObligationMet, published)
    assert (f"lscp:{LEEDS}", 2) in {(m.data.recipient, m.data.revision) for m in of(tell.NoticeOwed, published)}


async def test_a_notice_that_one_decision_accepts_and_withdraws_is_withdrawn_and_has_been_accepted(road: Road) -> None:
    report = reported()
    first = await road.route(report)
    notice = next(m for m in of(tell.NoticeOwed, first) if m.data.recipient == f"lscp:{LEEDS}")
    await road.route(acknowledged(notice.data.notice_id), corrected(report.id, "harm", "other", POLICE))

    of_it = {"id": notice.data.notice_id}
    (row,) = await road.rows("SELECT state FROM routing.delivery WHERE delivery_id = :id", **of_it)
    history = await road.rows(
        "SELECT state FROM routing.delivery_history WHERE delivery_id = :id ORDER BY seq", **of_it
    )
    assert row["state"] == "withdrawn"
    assert [each["state"] for each in history] == ["due", "accepted", "withdrawn"]


async def test_what_was_accepted_in_the_younger_of_two_linked_cases_counts_for_the_duty_that_stays(road: Road) -> None:
    def partners(published: list[AnyMessage]) -> dict[str, tell.NoticeOwedData]:
        return {m.data.recipient: m.data for m in of(tell.NoticeOwed, published) if m.data.rule == "N-03"}

    older = partners(await road.route(reported(), aware(), suspects()))
    second = [report(case_key=OTHER_CASE) for report in (reported, aware, suspects)]
    younger = partners(await road.route(*second))
    await road.route(acknowledged(younger[WEST_YORKSHIRE].notice_id, FORCE))
    await road.route(linked(OTHER_CASE, to=CASE))

    accepted = [
        acknowledged(older[each].notice_id, POLICE.model_copy(update={"recipient": each}))
        for each in PARTNERS - {WEST_YORKSHIRE}
    ]
    published = await road.route(*accepted)

    assert [m.data.obligation_id for m in of(say.ObligationMet, published)] == [older[WEST_YORKSHIRE].obligation_id]


async def test_linked_cases_are_decided_together_and_a_duty_is_not_doubled(road: Road) -> None:
    await road.route(reported())
    await road.route(aware(case_key=OTHER_CASE), suspects(case_key=OTHER_CASE))
    alone = await road.rows("SELECT count(*) AS n FROM routing.obligation WHERE rule = 'N-01'")

    published = await road.route(linked(OTHER_CASE, to=CASE))

    assert alone[0]["n"] == 0
    (panel,) = [m for m in of(say.ObligationOpened, published) if m.data.rule == "N-01"]
    assert panel.case_key == CASE  # the child was first spoken of there
    assert {m.case_key for m in of(say.CaseDecided, published)} == {CASE, OTHER_CASE}


async def test_two_duties_that_turn_out_to_be_one_leave_the_older(road: Road) -> None:
    await road.route(reported(), aware(), suspects())
    await road.route(reported(case_key=OTHER_CASE), aware(case_key=OTHER_CASE), suspects(case_key=OTHER_CASE))

    published = await road.route(linked(OTHER_CASE, to=CASE))

    older = await road.rows(
        "SELECT obligation_id FROM routing.obligation WHERE rule = 'N-01' AND case_key = :k", k=CASE
    )
    younger = [m for m in of(say.ObligationSuperseded, published) if m.data.by == older[0]["obligation_id"]]
    assert [m.case_key for m in younger] == [OTHER_CASE]
    standing = await road.rows(
        "SELECT count(*) AS n FROM routing.delivery WHERE recipient = 'panel' AND state <> 'withdrawn'"
    )
    assert standing[0]["n"] == 1


async def test_two_duties_that_are_one_stand_as_they_are_while_it_is_in_doubt_whether_there_is_one(road: Road) -> None:
    async def states() -> dict[str, tuple[str, str]]:
        found = await road.rows(
            "SELECT o.case_key, o.state AS duty, d.state AS notice FROM routing.obligation o"
            " JOIN routing.delivery d USING (obligation_id) WHERE o.rule = 'N-01' AND d.kind = 'notice'"
        )
        return {row["case_key"]: (row["duty"], row["notice"]) for row in found}

    elsewhere = reported(COUNCIL, case_key=OTHER_CASE, area=WANDSWORTH)
    await road.route(reported(), aware(), suspects())
    await road.route(*(each(case_key=OTHER_CASE) for each in (reported, aware, suspects)))
    await road.route(decided("notify", case_key=OTHER_CASE, at=MONDAY + timedelta(hours=1)))

    published = await road.route(elsewhere, linked(OTHER_CASE, to=CASE))
    in_doubt = await states()
    await road.route(corrected(elsewhere.id, "incident.area", LEEDS, COUNCIL, case_key=OTHER_CASE))

    assert {each for m in of(say.CaseDecided, published) for each in m.data.conflicts} == {"incident.area of incident"}
    assert in_doubt == {CASE: ("open", "awaiting_release"), OTHER_CASE: ("open", "due")}
    assert await states() == {CASE: ("open", "due"), OTHER_CASE: ("superseded", "withdrawn")}


async def test_the_decision_on_one_case_never_touches_another(road: Road) -> None:
    await road.route(reported(), reported(case_key=OTHER_CASE))
    published = await road.route(aware())

    assert {m.case_key for m in published} == {CASE}


async def test_an_event_without_a_case_does_not_keep_its_neighbours_from_being_held(road: Road) -> None:
    stray = as_event(reported().model_copy(update={"case_key": None}))
    async with road.database.connect() as connection:
        held = set(await road.service.linked_keys([stray, as_event(aware())], connection))

    assert held == {CASE}
