"""Pins what a decision changes of notices: who is owed one, whom one corrects, and which wait or are taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from schemas import case_events as ce
from services.routing.domain import ledger
from services.routing.domain.diff import diff, homes
from services.routing.domain.happenings_of import Told, acceptances, happenings, told_by
from tests.support.changes import (
    AWARE,
    LATER,
    NOW,
    REPORT,
    SUSPECTED,
    after,
    apply,
    change,
    decision,
    dispatch,
    panel_notices,
)
from tests.support.routing import (
    CASE,
    CHILD,
    COUNCIL,
    HALTON,
    LEEDS,
    LSCP,
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
from tests.support.rulebooks import law

HOMES = homes([("incident", CASE)])


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


def test_what_takes_the_place_of_a_correction_that_was_turned_away_corrects_what_that_did() -> None:
    events = [REPORT, AWARE, SUSPECTED]
    known = dispatch(after(events)[0], "delivered")
    known = dispatch(apply(known, diff(known, decision([*events, LATER], known), HOMES)), "refused", arrives=False)
    gives_less = ("an invented purpose", (), frozenset[tuple[str, str]]())
    older = [replace(each, disclosure=gives_less) for each in known.notices]

    changes = diff(replace(known, notices=tuple(older)), decision([*events, LATER], known), HOMES)

    gone = [c.notice for c in changes if isinstance(c, ledger.NoticeWithdrawn) and c.notice.rule == "N-03"]
    owed = [c for c in changes if isinstance(c, ledger.Owed) and c.notice.rule == "N-03"]
    assert len(gone) == len(owed) > 1
    assert {each.revision for each in gone} == {2}
    assert {(each.notice.revision, each.corrects and each.corrects.revision) for each in owed} == {(3, 1)}


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

    assert [each.recipient for each in panel_notices(gone, ledger.NoticeWithdrawn)] == withdrawn
    assert [(each.recipient, each.state) for each in panel_notices(undone, ledger.Owed)] == [
        (each, "due") for each in withdrawn
    ]


def test_what_was_withdrawn_because_its_duty_was_met_is_not_owed_again_with_the_duty() -> None:
    events = [REPORT, AWARE, SUSPECTED, submitted()]
    wrong = corrected(SUSPECTED.id, "abuse_or_neglect", "not_suspected")
    known, met = after(events[:-1], events[-1:])
    gone, known = change(known, [*events, wrong])
    undone, _ = change(known, [*events, wrong, corrected(wrong.id, "abuse_or_neglect", "suspected"), decided("notify")])

    assert [each.recipient for each in panel_notices(met, ledger.NoticeWithdrawn)] == ["panel"]
    assert (panel_notices(gone, ledger.NoticeWithdrawn), panel_notices(undone, ledger.Owed)) == ([], [])


def test_what_is_owed_again_under_a_met_duty_waits_for_its_release() -> None:
    events = [REPORT, AWARE, SUSPECTED, decided("notify"), submitted()]
    wrong = corrected(SUSPECTED.id, "abuse_or_neglect", "not_suspected")
    deferred = decided("defer", at=datetime(2026, 6, 2, tzinfo=UTC))
    _, known = change(after(events[:-1], events[-1:])[0], [*events, wrong])
    then = [*events, wrong, corrected(wrong.id, "abuse_or_neglect", "suspected"), deferred]
    held, known = change(known, then)
    released, _ = change(known, [*then, decided("notify", at=NOW)])

    assert panel_notices(held, ledger.Owed) == []
    assert [each.recipient for each in panel_notices(released, ledger.Owed)] == ["panel"]


MISTAKEN = reported(area=HALTON)
IN_LEEDS = corrected(MISTAKEN.id, "incident.area", LEEDS, POLICE)
CHILD_OF_HALTON = reported(
    harm="death",
    children=(ce.ChildFacts(child=CHILD, home_area=HALTON, looked_after="no", age_at_incident=3, age_at_death=3),),
)
OF_LEEDS = corrected(CHILD_OF_HALTON.id, "child.home_area", LEEDS, POLICE, child=CHILD)
REVIEWED = acted("child_death_review.notified.v1", {"child_death_review.notified_on": "2026-06-02"}, COUNCIL)


@pytest.mark.parametrize("state", ["awaiting_release", "due", "delivered"])
@pytest.mark.parametrize(
    ("before", "at_once", "wrong"),
    [
        ([MISTAKEN, AWARE], [IN_LEEDS], ("N-11", f"la:{HALTON}")),
        ([CHILD_OF_HALTON, AWARE, SUSPECTED], [OF_LEEDS, REVIEWED], ("N-18", f"cdr:{HALTON}")),
    ],
    ids=["who is to be told has long known", "corrected and met together"],
)
def test_whoever_was_told_by_mistake_loses_the_notice_also_when_the_duty_is_met_with_the_correction(
    before: list[Any], at_once: list[Any], wrong: tuple[str, str], state: ledger.NoticeState
) -> None:
    known = dispatch(change(ledger.Known(), before)[1], state, arrives=state == "delivered")
    (had,) = [each for each in known.notices if (each.rule, each.recipient) == wrong]

    changes, known = change(known, [*before, *at_once])

    taken_back = [c for c in changes if isinstance(c, ledger.NoticeWithdrawn) and c.notice.rule == had.rule]
    assert {each.state for each in known.obligations if each.obligation_id == had.obligation_id} == {"met"}
    assert [(c.notice, c.reason) for c in taken_back if c.notice.obligation_id == had.obligation_id] == [
        (had, "the duty no longer names this recipient")
    ]


@pytest.mark.parametrize(
    ("state", "then"), [("due", "withdrawn"), ("refused", "withdrawn"), ("delivered", "delivered")]
)
def test_under_a_duty_that_was_met_before_only_what_has_not_arrived_is_taken_from_whom_it_names_no_more(
    state: ledger.NoticeState, then: ledger.NoticeState
) -> None:
    events = [CHILD_OF_HALTON, AWARE, SUSPECTED]
    known = dispatch(change(ledger.Known(), events)[1], state, arrives=state == "delivered")
    _, known = change(known, [*events, REVIEWED])

    _, after_correction = change(known, [*events, REVIEWED, OF_LEEDS])

    halton = f"cdr:{HALTON}"
    assert [each.state for each in known.notices if (each.rule, each.recipient) == ("N-18", halton)] == [state]
    assert [(each.recipient, each.state) for each in after_correction.notices if each.rule == "N-18"] == [
        (halton, then)
    ]


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


def test_the_panel_is_sent_the_rapid_review_of_a_second_notification_though_it_has_accepted_that_of_the_first() -> None:
    def reviewed(day: int) -> Any:
        said = {"rapid_review.submitted_on": f"2026-06-{day:02}", "rapid_review.decision": "review"}
        return acted("rapid_review.submitted.v1", said, at=datetime(2026, 6, day, tzinfo=UTC))

    def of_the_review(known: ledger.Known) -> list[tuple[int, str, date | None]]:
        return [(each.revision, each.state, each.due_on) for each in known.notices if each.rule == "R-02"]

    said = {"notification.withdrawn": "criteria_not_met", "notification.withdrawn_on": "2026-06-11"}
    withdrew = acted("scsi.notification.withdrawn.v1", said, COUNCIL, at=datetime(2026, 6, 11, tzinfo=UTC))
    anew = submitted(when=datetime(2026, 6, 15, tzinfo=UTC), at=datetime(2026, 6, 15, tzinfo=UTC))
    events: list[Any] = [REPORT, AWARE, SUSPECTED, submitted(), reviewed(9)]

    known = dispatch(change(ledger.Known(), events)[1], "delivered")
    (notice,) = [each for each in known.notices if each.rule == "R-02"]
    panel = ce.Reporter(client="panel", body="other_agency", area=LEEDS, recipient="panel")
    events.append(acknowledged(notice.notice_id, panel, at=datetime(2026, 6, 10, tzinfo=UTC)))
    known = change(known, events)[1]
    known = replace(known, notices=tuple(ledger.accepted(n) if n.rule == "R-02" else n for n in known.notices))
    states = [{each.state for each in known.obligations if each.slot.rule == "R-02"}]
    for more in ([withdrew], [anew], [reviewed(20)]):
        events += more
        known = change(known, events)[1]
        states.append({each.state for each in known.obligations if each.slot.rule == "R-02"})

    assert states == [{"met"}, {"met"}, {"open"}, {"open"}]
    assert of_the_review(known) == [(1, "accepted", date(2026, 6, 23)), (2, "due", date(2026, 7, 6))]


def test_who_accepted_what_was_told_of_the_first_refusal_to_publish_gets_a_notice_of_the_second_that_corrects_nothing() -> (
    None
):
    """Both are due on Tuesday 11 August: two working days after Friday the 7th, and after Saturday the 8th."""

    def refused(day: int) -> Any:
        said = {"publication.declined_on": f"2026-08-{day:02}"}
        return acted("publication.declined.v1", said, at=datetime(2026, 8, day, tzinfo=UTC))

    events: list[Any] = [REPORT, refused(7)]
    known = dispatch(change(ledger.Known(), events)[1], "delivered")
    (notice,) = [each for each in known.notices if (each.rule, each.recipient) == ("P-04", "panel")]
    panel = ce.Reporter(client="panel", body="other_agency", area=LEEDS, recipient="panel")
    accepted_it = acknowledged(notice.notice_id, panel, at=datetime(2026, 8, 7, 15, tzinfo=UTC))
    data = accepted_it.data.model_copy(update={"accepted_at": datetime(2026, 8, 7, 15, tzinfo=UTC)})
    events.append(accepted_it.model_copy(update={"data": data}))
    known = change(known, events)[1]
    known = replace(known, notices=tuple(ledger.accepted(n) if n == notice else n for n in known.notices))

    changes, _ = change(known, [*events, refused(8)])

    owed = [each for each in changes if isinstance(each, ledger.Owed) and each.notice.rule == "P-04"]
    assert [(each.notice.recipient, each.notice.revision, each.corrects) for each in owed] == [("panel", 2, None)]
    assert notice.due_on == owed[0].notice.due_on == date(2026, 8, 11)
