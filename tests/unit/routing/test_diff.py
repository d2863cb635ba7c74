"""Pins what a decision changes: ids survive, the same decision changes nothing, and what has happened is not undone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.domain import ledger
from services.routing.domain.diff import diff, homes
from tests.support.changes import (
    AWARE,
    LATER,
    NOW,
    REPORT,
    SUSPECTED,
    after,
    change,
    decision,
    dispatch,
    panel_notices,
)
from tests.support.routing import (
    CASE,
    COUNCIL,
    LSCP,
    MONDAY,
    OTHER_CASE,
    POLICE,
    acted,
    aware,
    corrected,
    decided,
    reported,
    submitted,
    suspects,
)

EVENTS = (
    REPORT,
    AWARE,
    LATER,
    suspects(),
    suspects("not_suspected"),
    decided("notify"),
    decided("not_notify"),
    decided("defer"),
    submitted(),
    corrected(REPORT.id, "harm", "other", POLICE),
    corrected(REPORT.id, "incident.area", "E09000032", POLICE),
)
BATCHES = st.lists(st.lists(st.sampled_from(EVENTS), unique=True, max_size=4), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(BATCHES, st.booleans())
def test_whatever_came_before_the_same_decision_again_changes_nothing(batches: list[list[Any]], sends: bool) -> None:  # noqa: FBT001 - drawn
    _, changes = after(*batches, [], sends=sends)

    assert changes == ()


@settings(max_examples=60, deadline=None)
@given(BATCHES)
def test_whoever_may_have_been_told_of_a_duty_has_or_is_owed_its_present_date(batches: list[list[Any]]) -> None:
    known, _ = after(*batches, sends=True)

    dates = {each.obligation_id: each.dates.due_on for each in known.obligations if each.state == "open"}
    standing = [each for each in known.notices if each.state not in {"withdrawn", "superseded"}]
    assert all(each.due_on == dates[each.obligation_id] for each in standing if each.obligation_id in dates)


@settings(max_examples=60, deadline=None)
@given(BATCHES, st.booleans())
def test_only_an_open_duty_has_notices_that_may_still_leave_and_one_for_each_recipient(
    batches: list[list[Any]],
    sends: bool,  # noqa: FBT001 - drawn
) -> None:
    known, _ = after(*batches, sends=sends)

    states = {each.obligation_id: each for each in known.obligations}
    live = [notice for notice in known.notices if notice.state not in {"withdrawn", "superseded"}]
    for notice in live:
        owner = states[notice.obligation_id]
        assert owner.state == "open" or (owner.state == "met" and notice.state == "due")
        assert owner.released == (notice.state == "due") or owner.state == "met"
    assert len({(notice.obligation_id, notice.recipient) for notice in live}) == len(live)


ELSEWHERE = COUNCIL.model_copy(
    update={"client": "council-wandsworth", "area": "E09000032", "recipient": "la:E09000032"}
)
MOVES = (AWARE, aware(ELSEWHERE), SUSPECTED, corrected(REPORT.id, "incident.area", "E09000032", POLICE))


@settings(max_examples=40, deadline=None)
@given(st.permutations(MOVES), st.integers(0, len(MOVES) - 1), st.booleans())
def test_who_is_not_named_by_a_duty_that_has_just_been_met_has_no_notice_of_it_that_stands(
    order: list[Any],
    cut: int,
    sends: bool,  # noqa: FBT001 - drawn
) -> None:
    earlier, _ = after([REPORT, *order[:cut]])
    earlier = dispatch(earlier, "delivered") if sends else earlier
    changes, known = change(earlier, [REPORT, *order])

    met_before = {each.obligation_id for each in earlier.obligations if each.state == "met"}
    met = {each.obligation_id: each.obligation.recipients for each in changes if isinstance(each, ledger.Met)}
    live = [notice for notice in known.notices if notice.state not in {"withdrawn", "superseded"}]
    just_met = [notice for notice in live if notice.obligation_id in met.keys() - met_before]
    assert all(notice.recipient in met[notice.obligation_id] for notice in just_met)


def test_a_duty_is_met_in_time_or_late_whatever_arrives_first() -> None:
    events = [aware(), suspects(), submitted(when=MONDAY + timedelta(days=4)), decided("not_notify")]
    events.append(corrected(events[0].id, "aware_on", "2026-06-02"))
    apart = ([[each] for each in order] for order in permutations(events))
    together = ([[*order[:cut]], [*order[cut:]]] for order in permutations(events) for cut in range(len(events)))
    found = set()
    for batches in (*apart, *together):
        known, _ = after([REPORT], *batches)
        found |= {(one.state, one.dates.due_on, one.met_on) for one in known.obligations if one.slot.rule == "N-01"}

    assert found == {("met", date(2026, 6, 9), date(2026, 6, 5))}


def test_a_day_of_one_delay_that_is_put_right_after_its_duty_was_met_moves_that_duty() -> None:
    june = MONDAY + timedelta(days=20)
    review = acted("lcspr.decision.made.v1", {"review.decision": "proceed", "review.decided_on": "2026-06-05"}, at=june)
    said = {"delay.cause": "inquest", "delay.known_on": "2026-06-10", "delay.panel_told_on": "2026-06-20"}
    delayed = acted("review.delayed.v1", said, about="d" * 32, at=june)
    events = [reported(COUNCIL), aware(), suspects(), decided("notify"), submitted(), review, delayed]
    told_in_time = corrected(delayed.id, "delay.panel_told_on", "2026-06-12", LSCP, at=june + timedelta(days=1))

    before, _ = after(events)
    known, _ = after(events, [told_in_time])

    assert [one.met_on for one in before.obligations if one.state == "met" and one.slot.rule == "L-05"] == [
        date(2026, 6, 20)
    ]
    assert [one.met_on for one in known.obligations if one.state == "met" and one.slot.rule == "L-05"] == [
        date(2026, 6, 12)
    ]


def test_a_duty_that_moves_to_another_authority_is_superseded_by_the_new_one() -> None:
    moved = corrected(REPORT.id, "incident.area", "E09000032", POLICE)
    wandsworth = replace_reporter()
    _, changes = after([REPORT, aware(), suspects(), *wandsworth], [moved])

    closed = [change for change in changes if isinstance(change, ledger.Closed) and change.state == "superseded"]
    opened = {change.obligation_id for change in changes if isinstance(change, ledger.Opened)}
    assert closed
    assert all(change.by in opened for change in closed)


def replace_reporter() -> list[Any]:
    council = LSCP.model_copy(update={"client": "council-wandsworth", "body": "local_authority", "area": "E09000032"})
    return [aware(council), suspects("suspected", council)]


def test_doubt_does_not_withdraw_a_duty() -> None:
    view = suspects()
    known, changes = after([REPORT, aware(), view], [corrected(view.id, "abuse_or_neglect", None)])

    assert not [change for change in changes if isinstance(change, ledger.Closed)]
    assert {each.state for each in known.obligations if each.slot.rule == "N-01"} == {"open"}


def test_a_reference_that_was_recorded_by_mistake_meets_nothing_once_it_is_taken_back() -> None:
    reference = submitted()
    events = [REPORT, AWARE, SUSPECTED, reference]
    by_mistake = corrected(reference.id, "notification.submitted_on", None, reason="entered_by_mistake")
    known, met = after(events[:-1], events[-1:])
    undone, known = change(known, [*events, by_mistake])
    again, _ = change(known, [*events, by_mistake, submitted()])

    assert [each.recipient for each in panel_notices(met, ledger.NoticeWithdrawn)] == ["panel"]
    assert [each.obligation.rule.id for each in undone if isinstance(each, ledger.Opened)] == ["N-01"]
    assert [(each.recipient, each.state) for each in panel_notices(undone, ledger.Owed)] == [
        ("panel", "awaiting_release")
    ]
    assert [each.obligation.rule.id for each in again if isinstance(each, ledger.Met)] == ["N-01"]


def test_a_reviewer_who_is_removed_by_another_client_than_the_one_that_told_the_appointment_is_to_be_appointed_anew() -> (
    None
):
    proceeds: dict[str, str | int] = {"review.decision": "proceed", "review.decided_on": "2026-06-01"}
    events = [
        REPORT,
        acted("lcspr.decision.made.v1", proceeds),
        acted("reviewer.appointed.v1", {"review.reviewer_appointed_on": "2026-06-01"}, LSCP),
    ]
    removed = acted("reviewer.removed.v1", {"review.reviewer_removed_on": "2026-06-02"}, COUNCIL, at=NOW)

    known, _ = after(events)
    changes, _ = change(known, [*events, removed])

    assert {each.slot.rule: each.state for each in known.obligations}["L-02"] == "met"
    assert [each.obligation.rule.id for each in changes if isinstance(each, ledger.Opened)] == ["L-02"]


def test_a_reference_that_is_taken_back_meets_again_once_that_was_a_mistake_itself() -> None:
    reference = submitted()
    taken_back = corrected(reference.id, "notification.submitted_on", None)
    put_right = corrected(taken_back.id, "notification.submitted_on", "2026-06-03")
    events = [REPORT, AWARE, SUSPECTED, reference, taken_back, put_right]

    ended = {each.rule.id: each.standing for each in decision(events).obligations}["N-01"]

    assert (ended.state, ended.since_at) == ("met", datetime(2026, 6, 3, 11, tzinfo=UTC))


def test_an_answered_question_is_closed_as_answered_and_a_needless_one_as_such() -> None:
    _, answered = after([REPORT], [aware(), suspects()])
    _, needless = after([REPORT], [corrected(REPORT.id, "harm", "other", POLICE)])

    assert {c.reason for c in answered if isinstance(c, ledger.Answered)} == {"answered"}
    assert {c.reason for c in needless if isinstance(c, ledger.Answered)} == {"no rule needs it any more"}


def test_a_question_about_a_fact_that_there_is_not_any_more_is_closed() -> None:
    asked = ledger.KnownQuestion(
        UUID(int=7),
        CASE,
        "review.delay_known_on",
        LSCP.source,
        "incident",
        rules=("L-05",),
        from_on=date(2026, 6, 1),
        due_on=date(2026, 6, 2),
        opened_at=NOW,
    )

    changes = diff(ledger.Known(questions=(asked,)), decision([REPORT]), homes([("incident", CASE)]))

    closed = [(each.known, each.reason) for each in changes if isinstance(each, ledger.Answered)]
    assert closed == [(asked, "no rule needs it any more")]


def test_a_day_that_is_corrected_without_moving_the_due_date_is_counted_from_the_corrected_one() -> None:
    """Five working days after Saturday 6 June 2026, and after Sunday 7, end on Friday 12."""
    saturday = aware(on=date(2026, 6, 6))
    events = [REPORT, saturday, suspects(since=date(2026, 6, 6))]
    known, _ = after(events)

    changes, _ = change(known, [*events, corrected(saturday.id, "aware_on", "2026-06-07")])

    moved = [each for each in changes if isinstance(each, ledger.Redated) and each.obligation.rule.id == "N-01"]
    assert [(each.known.dates.from_on, each.obligation.dates.from_on) for each in moved] == [
        (date(2026, 6, 6), date(2026, 6, 7))
    ]
    assert {each.dates.due_on for one in moved for each in (one.known, one.obligation)} == {date(2026, 6, 12)}


def test_an_open_question_is_put_again_for_the_rules_that_wait_for_it_now_and_with_the_day_that_it_has() -> None:
    known, first = after([REPORT])
    events = [REPORT, corrected(REPORT.id, "harm", "death", POLICE, at=NOW)]
    changes, _ = change(known, events)

    put = {each.question_id: each.question for each in first if isinstance(each, ledger.Asked)}
    again = [each for each in changes if isinstance(each, ledger.AskedOtherwise)]
    assert [(each.known.fact, each.question.rules, put[each.known.question_id].rules) for each in again] == [
        ("aware_on", ("N-01", "N-03", "N-18"), ("N-01", "N-03"))
    ]
    assert {(each.question.from_on, each.question.due_on) for each in again} == {(date(2026, 6, 1), date(2026, 6, 2))}


def test_new_things_are_opened_in_the_case_in_which_their_subject_was_first_spoken_of() -> None:
    home = homes([("child", OTHER_CASE), ("incident", CASE), ("child", CASE)])

    assert [home(subject) for subject in ("child", "incident", "a report")] == [OTHER_CASE, OTHER_CASE, OTHER_CASE]
