"""What the reference of a notified death does: it meets the duty about its child as long as it stands, and makes no child."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import pytest

from schemas import case_events as ce
from services.routing.domain import ledger
from services.routing.domain.decide import Decision
from services.routing.domain.facts_of import facts_of
from services.routing.domain.happenings_of import told_by
from tests.support.routing import CHILD, COUNCIL, LEEDS, MONDAY, aware, corrected, envelope, reported
from tests.support.rulebooks import law

NOW = datetime(2026, 6, 8, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
NOTIFIED_ON = "child.death_notified_on"
LOOKED_AFTER = ce.ChildFacts(
    child=CHILD, home_area=LEEDS, looked_after="yes", looked_after_by=LEEDS, died="yes", age_at_death=3
)
LEFT_CARE = ce.ChildFacts(
    child=CHILD,
    home_area=LEEDS,
    looked_after="no",
    care_leaver="yes",
    care_leaver_of=LEEDS,
    died="yes",
    age_at_death=19,
)
CASES = [("lac_death.notified.v1", LOOKED_AFTER, "N-06"), ("care_leaver_death.notified.v1", LEFT_CARE, "N-08")]


def notified(type_: Literal["lac_death.notified.v1", "care_leaver_death.notified.v1"], child: str = CHILD) -> Any:
    data = ce.DeathNotifiedData(reporter=COUNCIL, external_ref="D-1", notified_at=TUESDAY, child=child)
    model = ce.LacDeathNotified if type_ == "lac_death.notified.v1" else ce.CareLeaverDeathNotified
    return model(**envelope(at=TUESDAY), data=data)


def decision(events: Sequence[Any]) -> Decision:
    facts = tuple(fact for event in events for fact in facts_of(event, law().vocabulary))
    told = {event.id: each for event in events if (each := told_by(event)) is not None}
    return law().decide(facts, told, ledger.Known(), NOW)


def states(events: Sequence[Any], rule: str) -> set[tuple[str, date | None]]:
    found: set[tuple[str, date | None]] = {
        (each.standing.state, each.standing.met_on) for each in decision(events).obligations if each.rule.id == rule
    }
    assert found, f"{rule} is not given"
    return found


@pytest.mark.parametrize(("type_", "child", "rule"), CASES)
def test_a_reference_meets_the_duty_until_it_is_taken_back_and_on_the_day_to_which_it_is_corrected(
    type_: Any, child: ce.ChildFacts, rule: str
) -> None:
    events = [reported(harm="death", children=(child,)), aware()]
    reference = notified(type_)
    taken_back = corrected(reference.id, NOTIFIED_ON, None, child=CHILD, reason="entered_by_mistake")
    later = corrected(reference.id, NOTIFIED_ON, "2026-06-04", child=CHILD)

    assert states(events, rule) == {("open", None)}
    assert states([*events, reference], rule) == {("met", date(2026, 6, 2))}
    assert states([*events, reference, later], rule) == {("met", date(2026, 6, 4))}
    assert states([*events, reference, taken_back], rule) == {("open", None)}
    assert states([*events, reference, taken_back, notified(type_)], rule) == {("met", date(2026, 6, 2))}


@pytest.mark.parametrize(("type_", "child", "rule"), CASES)
def test_a_reference_of_a_child_that_nobody_reported_adds_no_child_and_meets_nothing(
    type_: Any, child: ce.ChildFacts, rule: str
) -> None:
    events = [reported(harm="death", children=(child,)), aware()]
    mistyped = notified(type_, child="d" * 32)

    before, after = decision(events), decision([mistyped, *events])

    assert states([mistyped, *events], rule) == {("open", None)}
    assert [(each.slot, each.dates) for each in after.obligations] == [
        (each.slot, each.dates) for each in before.obligations
    ]
    assert [(each.fact, each.subject, each.of_whom) for each in after.questions] == [
        (each.fact, each.subject, each.of_whom) for each in before.questions
    ]


def test_a_reference_alone_asks_nothing_and_of_nobody_else_than_without_it() -> None:
    reference = notified("lac_death.notified.v1")
    report = reported(harm="death", area=None, at=TUESDAY + timedelta(hours=1))

    assert decision([reference]).questions == ()
    assert {(each.fact, each.of_whom) for each in decision([reference, report]).questions} == {
        (each.fact, each.of_whom) for each in decision([report]).questions
    }


def test_a_child_that_was_reported_by_mistake_is_none_of_the_case_though_its_death_was_notified() -> None:
    report = reported(harm="death", children=(ce.ChildFacts(child=CHILD, looked_after="yes", looked_after_by=LEEDS),))
    events = [report, aware(), notified("lac_death.notified.v1")]
    mistaken = [
        corrected(report.id, f"child.{fact}", None, report.data.reporter, child=CHILD, reason="entered_by_mistake")
        for fact in ("looked_after", "looked_after_by")
    ]

    assert CHILD in {each.slot.subject for each in decision(events).obligations}
    assert CHILD not in {each.slot.subject for each in decision([*events, *mistaken]).obligations}
