"""A child that becomes known later: what was done before that was done for the others, and its own duties stand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.routing.domain.decide import Decision
from services.routing.domain.facts import Fact
from services.routing.domain.happenings import Happening
from tests.support.rulebooks import CHILD, LEEDS, LEEDS_DEATH, NOW, decided, event, fact, facts

COUNCIL = f"la:{LEEDS}"
LATER, AFTERWARDS, LAST = (NOW + timedelta(days=days) for days in (1, 2, 3))
SECOND = "child-2"
OF_A_CHILD = {name: value for name, value in LEEDS_DEATH.items() if name.startswith("child.")}
CARED_FOR = {"child.looked_after": "yes", "child.looked_after_by": LEEDS, "incident.unexpected_death": "yes"}
FIRST = [
    *facts(LEEDS_DEATH | CARED_FOR),
    fact("aware_on", "2026-06-01", of=COUNCIL),
    fact("suspected_on", "2026-06-01", of=COUNCIL),
    fact("abuse_or_neglect", "suspected", of=COUNCIL),
]
JOINED = [
    fact(name, CARED_FOR.get(name, value), subject=SECOND, at=AFTERWARDS, by="joined")
    for name, value in (OF_A_CHILD | {"child.looked_after_by": LEEDS}).items()
]


def done(*more: Fact, rule: str, happened: tuple[Happening, ...] = ()) -> dict[str, str]:
    """Return the state of the rule's duty for each child."""
    return states(decided([*FIRST, *JOINED, *more], happened), rule)


def states(decision: Decision, rule: str) -> dict[str, str]:
    return {each.slot.subject: each.standing.state for each in decision.obligations if each.rule.id == rule}


@pytest.mark.parametrize(
    ("rule", "done_on"),
    [
        ("N-18", "child_death_review.notified_on"),
        ("N-06P", "parents.informed_on"),
        ("N-18J", "joint_response.began_on"),
    ],
)
def test_what_was_done_before_a_child_was_known_meets_nothing_about_it(rule: str, done_on: str) -> None:
    before = fact(done_on, "2026-06-01", of=COUNCIL, at=LATER, by="before")
    put_right = fact(done_on, "2026-06-02", of=COUNCIL, at=LAST, by="right", corrects="before")
    again = fact(done_on, "2026-06-03", of=COUNCIL, at=LAST, by="again")

    assert done(before, rule=rule) == {CHILD: "met", SECOND: "open"}
    assert done(before, put_right, rule=rule) == {CHILD: "met", SECOND: "open"}
    assert done(before, again, rule=rule) == {CHILD: "met", SECOND: "met"}


def test_what_is_told_late_of_an_earlier_day_counts_for_every_child_that_is_known_by_then() -> None:
    """What counts is what was known when it was recorded, and not the day of it, which may lie before the case itself."""
    late = fact("child_death_review.notified_on", "2026-05-31", of=COUNCIL, at=LAST, by="late")

    assert done(late, rule="N-18") == {CHILD: "met", SECOND: "met"}


def test_a_reference_of_the_panel_is_of_the_children_that_were_known() -> None:
    first, second = (
        Happening("scsi.notification.submitted", COUNCIL, "incident", at, at, event(f"submitted {at}"))
        for at in (LATER, LAST)
    )

    assert done(rule="N-01", happened=(first,)) == {CHILD: "met", SECOND: "open"}
    assert done(rule="N-01", happened=(first, second)) == {CHILD: "met", SECOND: "met"}


def test_what_was_done_before_any_child_was_known_was_done_for_the_first() -> None:
    about_the_case = [each for each in FIRST if each.subject != CHILD]
    named = [replace(each, recorded_at=AFTERWARDS, occurred_at=AFTERWARDS) for each in FIRST if each.subject == CHILD]
    joined = [replace(each, recorded_at=LAST, occurred_at=LAST) for each in JOINED]
    before = fact("child_death_review.notified_on", "2026-06-01", of=COUNCIL, at=LATER, by="before")

    assert states(decided([*about_the_case, *named, *joined, before]), "N-18") == {CHILD: "met", SECOND: "open"}


def test_a_child_that_was_reported_by_mistake_is_not_the_first() -> None:
    named = [replace(each, recorded_at=AFTERWARDS) if each.subject == CHILD else each for each in FIRST]
    mistake = fact("child.age_at_incident", 3, subject="child-3", by="mistake")
    gone = fact("child.age_at_incident", None, subject="child-3", at=LAST, by="gone", corrects="mistake")
    before = fact("child_death_review.notified_on", "2026-06-01", of=COUNCIL, at=LATER, by="before")

    assert states(decided([*named, mistake, before]), "N-18")[CHILD] == "open"
    assert states(decided([*named, mistake, gone, before]), "N-18") == {CHILD: "met"}


DECIDES = [
    fact("notification.decision", "notify", of=COUNCIL, at=LATER, by="decision"),
    fact("notification.decided_on", "2026-06-02", of=COUNCIL, at=LATER, by="decision"),
]


def is_asked_for_a_decision(decision: Decision) -> bool:
    asked = [(each.in_words, each.of_whom) for each in decision.questions]
    return (f"notification.decision of {LEEDS}", COUNCIL) in asked


@pytest.mark.parametrize("rule", ["N-01", "N-02", "N-16"])
def test_the_panel_is_told_of_a_child_only_once_somebody_decided_who_knew_of_it(rule: str) -> None:
    changed = {"N-02": {"incident.country": "scotland"}, "N-16": {"child.unborn": "yes"}}.get(rule, {})
    told = [each for each in FIRST if each.name not in changed] + facts(changed)
    joined = [
        *JOINED,
        *(fact(name, value, subject=SECOND, at=AFTERWARDS, by="joined") for name, value in changed.items()),
    ]
    again = [replace(each, occurred_at=LAST, recorded_at=LAST, event_id=event("again")) for each in DECIDES]

    before, after = decided([*told, *DECIDES, *joined]), decided([*told, *DECIDES, *joined, *again])

    assert said_of(before, rule) == {CHILD: "to send", SECOND: "owed, awaiting a decision"}
    assert is_asked_for_a_decision(before)
    assert said_of(after, rule) == {CHILD: "to send", SECOND: "to send"}
    assert not is_asked_for_a_decision(after)


def test_a_decision_is_asked_for_no_more_once_every_child_is_notified() -> None:
    submitted = Happening("scsi.notification.submitted", COUNCIL, "incident", LAST, LAST, event("submitted"))

    assert not is_asked_for_a_decision(decided([*FIRST, *DECIDES, *JOINED], [submitted]))


def said_of(decision: Decision, rule: str) -> dict[str, str]:
    return {each.slot.subject: each.in_words for each in decision.obligations if each.rule.id == rule}
