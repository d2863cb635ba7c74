"""Pins what a decision changes: ids survive, the same decision changes nothing, and what has happened is not undone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.domain import ledger
from services.routing.domain.decide import Decision
from services.routing.domain.diff import diff, homes
from services.routing.domain.facts_of import facts_of
from services.routing.domain.happenings_of import Told, acceptances, happenings, told_by
from services.routing.law import Law, read_law
from tests.support.routing import (
    CASE,
    COUNCIL,
    LEEDS,
    LSCP,
    MONDAY,
    OTHER_CASE,
    POLICE,
    acknowledged,
    acted,
    aware,
    corrected,
    decided,
    reported,
    submitted,
    suspects,
)

NOW = datetime(2026, 6, 3, tzinfo=UTC)
REPORT = reported()
AWARE = aware()
SUSPECTED = suspects()
LATER = corrected(AWARE.id, "aware_on", "2026-06-03")


@cache
def law() -> Law:
    return read_law()


def decision(events: Sequence[Any], known: ledger.Known | None = None, now: datetime = NOW) -> Decision:
    facts = tuple(fact for event in events for fact in facts_of(event, law().vocabulary))
    told = {event.id: each for event in events if (each := told_by(event)) is not None}
    return law().decide(facts, told, known or ledger.Known(), now)


def apply(known: ledger.Known, changes: Sequence[ledger.Change]) -> ledger.Known:
    """Return what stands once changes are made, as the store would."""
    obligations = {each.obligation_id: each for each in known.obligations}
    questions = {each.question_id: each for each in known.questions}
    for change in changes:
        match change:
            case ledger.Opened(obligation_id=identity, case_key=case_key, revision=revision, obligation=new):
                obligations[identity] = ledger.KnownObligation(
                    identity, case_key, new.slot, revision, "open", NOW, new.recipients, new.dates, new.released
                )
            case ledger.Redated(known=old, revision=revision, obligation=new):
                obligations[old.obligation_id] = replace(old, revision=revision, dates=new.dates, released=new.released)
            case ledger.ReleaseChanged(known=old, obligation=new):
                obligations[old.obligation_id] = replace(old, released=new.released)
            case ledger.Met(obligation_id=identity, obligation=new):
                obligations[identity] = replace(obligations[identity], state="met", met_on=new.standing.met_on)
            case ledger.Closed(obligation_id=identity, state=state):
                obligations[identity] = replace(obligations[identity], state=state)
            case ledger.Asked(question_id=identity, case_key=case_key, question=asked):
                questions[identity] = ledger.KnownQuestion(identity, case_key, asked.fact, asked.of_whom, asked.subject)
            case ledger.Answered(known=answered):
                del questions[answered.question_id]
            case _:
                pass
    return ledger.Known(
        tuple(obligations.values()), tuple(questions.values()), tuple(apply_to_notices(known.notices, changes))
    )


def apply_to_notices(known: Sequence[ledger.KnownNotice], changes: Sequence[ledger.Change]) -> list[ledger.KnownNotice]:
    notices = {each.notice_id: each for each in known}
    for change in changes:
        match change:
            case ledger.Owed(notice=notice):
                notices[notice.notice_id] = notice
            case ledger.Released(notice=notice, released=released):
                notices[notice.notice_id] = replace(notice, state="due" if released else "awaiting_release")
            case ledger.NoticeWithdrawn(notice=notice, reason=reason):
                notices[notice.notice_id] = replace(notice, state="withdrawn", reason=reason)
            case ledger.NoticeSuperseded(notice=notice):
                notices[notice.notice_id] = replace(notice, state="superseded")
            case ledger.Opened(obligation_id=identity, obligation=new):
                notices |= {each.notice_id: each for each in redate(notices.values(), identity, new.dates.due_on)}
            case ledger.Redated(known=old, obligation=new):
                notices |= {
                    each.notice_id: each for each in redate(notices.values(), old.obligation_id, new.dates.due_on)
                }
            case _:
                pass
    return list(notices.values())


def redate(known: Iterable[ledger.KnownNotice], identity: UUID, due_on: date | None) -> list[ledger.KnownNotice]:
    """Return the notices of a duty that never left, with another date."""
    return [replace(each, due_on=due_on) for each in known if each.obligation_id == identity and not each.tried]


def dispatch(known: ledger.Known, state: ledger.NoticeState = "due", *, arrives: bool = True) -> ledger.Known:
    """Return what stands once everything that may be sent was attempted, and may have arrived."""
    sent = [
        replace(each, state=state, tried=True, maybe_arrived=arrives) if each.state == "due" else each
        for each in known.notices
    ]
    return replace(known, notices=tuple(sent))


def after(*batches: Sequence[Any], sends: bool = False) -> tuple[ledger.Known, tuple[ledger.Change, ...]]:
    """Return what stands after batches of events, and the changes of the last one; `sends` after each but the last."""
    known, changes, events = ledger.Known(), (), []  # type: tuple[ledger.Known, tuple[ledger.Change, ...], list[Any]]
    for batch in batches:
        known = dispatch(known) if sends else known
        events += batch
        changes = diff(known, decision(events, known), homes([("incident", CASE)]))
        known = apply(known, changes)
    return known, changes


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


def test_a_duty_is_met_in_time_or_late_whatever_arrives_first() -> None:
    events = [aware(), suspects(), submitted(when=MONDAY + timedelta(days=4))]
    events.append(corrected(events[0].id, "aware_on", "2026-06-02"))
    found = set()
    for order in permutations(events):
        known, _ = after([REPORT], *([each] for each in order))
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


def test_a_released_notice_goes_back_to_waiting_when_the_decision_is_deferred() -> None:
    early, late = decided("notify"), decided("defer", at=datetime(2026, 6, 2, tzinfo=UTC))
    known, changes = after([REPORT, aware(), suspects(), early], [late])

    assert [change.released for change in changes if isinstance(change, ledger.Released)] == [False]
    assert [each.state for each in known.notices if each.recipient == "panel"] == ["awaiting_release"]


def test_a_notice_goes_back_to_waiting_also_while_it_is_being_sent() -> None:
    early, late = decided("notify"), decided("defer", at=datetime(2026, 6, 2, tzinfo=UTC))
    known, _ = after([REPORT, aware(), suspects(), early])
    sending = replace(known, notices=tuple(replace(each, state="sending") for each in known.notices))
    changes = diff(sending, decision([REPORT, aware(), suspects(), early, late]), homes([("incident", CASE)]))

    held = [change.notice.recipient for change in changes if isinstance(change, ledger.Released)]
    assert held == ["panel"]


def test_whoever_was_told_a_date_is_owed_a_notice_that_corrects_it_and_is_told_of_no_other_change() -> None:
    known, changes = after([REPORT, AWARE, suspects(), decided("notify")], [LATER], sends=True)

    owed = [change for change in changes if isinstance(change, ledger.Owed)]
    gone = [change for change in changes if isinstance(change, ledger.NoticeSuperseded)]
    told = {each.recipient: each for each in known.notices if each.rule in {"N-01", "N-03"} and each.revision == 1}
    assert {change.notice.recipient for change in owed} == set(told)
    assert all(
        change.corrects and change.corrects.notice_id == told[change.notice.recipient].notice_id for change in owed
    )
    assert {(change.corrects.due_on, change.notice.due_on) for change in owed if change.corrects} == {
        (date(2026, 6, 8), date(2026, 6, 10))
    }
    assert {(change.notice.notice_id, change.by) for change in gone} == {
        (told[change.notice.recipient].notice_id, change.notice.notice_id) for change in owed
    }
    assert {(change.notice.revision, change.released) for change in owed} == {(2, True)}


def test_a_notice_that_never_left_needs_no_correction() -> None:
    _, changes = after([REPORT, AWARE, suspects()], [LATER])

    assert {type(change) for change in changes} == {ledger.Redated}


@pytest.mark.parametrize(("arrives", "revision"), [(False, None), (True, 1)])
def test_what_is_corrected_is_the_last_notice_that_its_recipient_may_have_and_none_that_never_left(
    *, arrives: bool, revision: int | None
) -> None:
    events = [REPORT, AWARE, SUSPECTED]
    known, _ = after(events)
    known = dispatch(known, "refused", arrives=arrives)
    for dated in ([*events, LATER], events):
        changes = diff(known, decision(dated, known), homes([("incident", CASE)]))
        known = dispatch(apply(known, changes), "refused", arrives=False)

        owed = [change for change in changes if isinstance(change, ledger.Owed)]
        assert {change.corrects and change.corrects.revision for change in owed} == {revision}
        assert all(
            any(isinstance(c, ledger.NoticeSuperseded) and c.by == o.notice.notice_id for c in changes) for o in owed
        )


def test_a_notice_that_was_attempted_and_waits_again_is_corrected_by_one_that_waits() -> None:
    early, late = decided("notify"), decided("defer", at=datetime(2026, 6, 2, tzinfo=UTC))
    _, changes = after([REPORT, AWARE, suspects(), early], [late], [LATER], sends=True)

    (panel,) = [c for c in changes if isinstance(c, ledger.Owed) and c.notice.recipient == "panel"]
    assert (panel.released, panel.corrects is not None) == (False, True)


def test_who_has_accepted_hears_of_another_date_too_and_what_was_accepted_stays_so() -> None:
    known, _ = after([REPORT, AWARE, suspects()])
    known = dispatch(known, "delivered")
    police, *others = sorted(known.notices, key=lambda each: each.recipient != "police:west-yorkshire")
    police = ledger.accepted(police)
    known = replace(known, notices=(police, *others))
    changes = diff(known, decision([REPORT, AWARE, suspects(), LATER]), homes([("incident", CASE)]))

    gone = [change.notice.recipient for change in changes if isinstance(change, ledger.NoticeSuperseded)]
    assert police in [change.corrects for change in changes if isinstance(change, ledger.Owed)]
    assert sorted(gone) == ["icb:west-yorkshire", f"la:{LEEDS}"]


def test_a_withdrawal_reaches_who_has_the_earlier_notice_and_not_yet_its_correction() -> None:
    not_suspected = corrected(SUSPECTED.id, "abuse_or_neglect", "not_suspected")
    _, changes = after([REPORT, AWARE, SUSPECTED], [LATER], [not_suspected], sends=True)

    police = [c.notice for c in changes if isinstance(c, ledger.NoticeWithdrawn) and c.notice.rule == "N-03"]
    assert sorted((each.recipient, each.revision) for each in police if each.recipient.startswith("police")) == [
        ("police:west-yorkshire", 1),
        ("police:west-yorkshire", 2),
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


@pytest.mark.parametrize(
    ("state", "view", "withdrawn"),
    [("due", "not_suspected", ["panel"]), ("delivered", "not_suspected", []), ("due", None, [])],
)
def test_what_still_waits_under_a_duty_that_was_met_is_withdrawn_once_no_rule_gives_the_duty_and_owed_again_once_one_does(
    state: ledger.NoticeState, view: str | None, withdrawn: list[str]
) -> None:
    events = [REPORT, AWARE, SUSPECTED, decided("notify"), submitted()]
    wrong = corrected(SUSPECTED.id, "abuse_or_neglect", view)
    known = dispatch(after(events[:-1], events[-1:])[0], state)
    gone, known = change(known, [*events, wrong])
    undone, _ = change(known, [*events, wrong, corrected(wrong.id, "abuse_or_neglect", "suspected")])

    assert [each.recipient for each in notices(gone, ledger.NoticeWithdrawn)] == withdrawn
    assert [(each.recipient, each.state) for each in notices(undone, ledger.Owed)] == [
        (each, "due") for each in withdrawn
    ]


def test_what_was_withdrawn_because_its_duty_was_met_is_not_owed_again_with_the_duty() -> None:
    events = [REPORT, AWARE, SUSPECTED, submitted()]
    wrong = corrected(SUSPECTED.id, "abuse_or_neglect", "not_suspected")
    known, met = after(events[:-1], events[-1:])
    gone, known = change(known, [*events, wrong])
    undone, _ = change(known, [*events, wrong, corrected(wrong.id, "abuse_or_neglect", "suspected"), decided("notify")])

    assert [each.recipient for each in notices(met, ledger.NoticeWithdrawn)] == ["panel"]
    assert (notices(gone, ledger.NoticeWithdrawn), notices(undone, ledger.Owed)) == ([], [])


def test_a_reference_that_was_recorded_by_mistake_meets_nothing_once_it_is_taken_back() -> None:
    reference = submitted()
    events = [REPORT, AWARE, SUSPECTED, reference]
    by_mistake = corrected(reference.id, "notification.submitted_on", None, reason="entered_by_mistake")
    known, met = after(events[:-1], events[-1:])
    undone, known = change(known, [*events, by_mistake])
    again, _ = change(known, [*events, by_mistake, submitted()])

    assert [each.recipient for each in notices(met, ledger.NoticeWithdrawn)] == ["panel"]
    assert [each.obligation.rule.id for each in undone if isinstance(each, ledger.Opened)] == ["N-01"]
    assert [(each.recipient, each.state) for each in notices(undone, ledger.Owed)] == [("panel", "awaiting_release")]
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


def test_what_is_owed_again_under_a_met_duty_waits_for_its_release() -> None:
    events = [REPORT, AWARE, SUSPECTED, decided("notify"), submitted()]
    wrong = corrected(SUSPECTED.id, "abuse_or_neglect", "not_suspected")
    deferred = decided("defer", at=datetime(2026, 6, 2, tzinfo=UTC))
    _, known = change(after(events[:-1], events[-1:])[0], [*events, wrong])
    then = [*events, wrong, corrected(wrong.id, "abuse_or_neglect", "suspected"), deferred]
    held, known = change(known, then)
    released, _ = change(known, [*then, decided("notify", at=NOW)])

    assert notices(held, ledger.Owed) == []
    assert [each.recipient for each in notices(released, ledger.Owed)] == ["panel"]


def change(known: ledger.Known, events: Sequence[Any]) -> tuple[tuple[ledger.Change, ...], ledger.Known]:
    """Return what a decision changes and what stands then, once the same decision again has changed nothing."""
    changes = diff(known, decision(events, known), homes([("incident", CASE)]))
    found = apply(known, changes)
    assert diff(found, decision(events, found), homes([("incident", CASE)])) == ()
    return changes, found


def notices(
    changes: Iterable[ledger.Change], kind: type[ledger.NoticeWithdrawn | ledger.Owed]
) -> list[ledger.KnownNotice]:
    """Return the notices of N-01, the duty towards the Panel, in the changes of a kind."""
    return [each.notice for each in changes if isinstance(each, kind) and each.notice.rule == "N-01"]


def test_an_answered_question_is_closed_as_answered_and_a_needless_one_as_such() -> None:
    _, answered = after([REPORT], [aware(), suspects()])
    _, needless = after([REPORT], [corrected(REPORT.id, "harm", "other", POLICE)])

    assert {c.reason for c in answered if isinstance(c, ledger.Answered)} == {"answered"}
    assert {c.reason for c in needless if isinstance(c, ledger.Answered)} == {"no rule needs it any more"}


def itself(body: str) -> str:
    return body


def told(event: Any) -> dict[UUID, Told]:
    each = told_by(event)
    assert each is not None
    return {event.id: each}


def test_an_acceptance_counts_once_and_only_from_the_recipient_itself() -> None:
    known, _ = after([REPORT])
    notice = next(each for each in known.notices if each.recipient == f"lscp:{LEEDS}")
    own, strange = acknowledged(notice.notice_id, LSCP), acknowledged(notice.notice_id, POLICE)

    assert acceptances(told(own) | told(strange), known, itself) == [(notice.notice_id, own.id)]
    accepted = replace(known, notices=tuple(ledger.accepted(each) for each in known.notices))
    assert acceptances(told(own), accepted, itself) == []
    assert happenings(told(strange), known, law().merge(())) == []


def test_new_things_are_opened_in_the_case_in_which_their_subject_was_first_spoken_of() -> None:
    home = homes([("child", OTHER_CASE), ("incident", CASE), ("child", CASE)])

    assert [home(subject) for subject in ("child", "incident", "a report")] == [OTHER_CASE, OTHER_CASE, OTHER_CASE]
