"""What a case may have several of: actions, each its own agency's duty; and what a correction alone does not make."""

from __future__ import annotations

from datetime import date, timedelta

from services.routing.domain.decide import Decision
from services.routing.domain.facts import Fact
from tests.support.rulebooks import CHILD, LEEDS, LEEDS_DEATH, NOW, POLICE, REPORT, decided, fact, facts

COUNCIL = f"la:{LEEDS}"
DEATH = facts(LEEDS_DEATH)


def action(name: str, owner: str, due_on: str, by: str = "") -> list[Fact]:
    """Return what says that an action is for a body, to be done by a day; `by` names a later event about the same."""
    said = {"action.set_on": "2026-06-01", "action.owner": owner, "action.due_on": due_on}
    at = NOW + timedelta(days=1) if by else NOW
    return [fact(fact_, value, subject=name, by=by or name, at=at) for fact_, value in said.items()]


def owners(decision: Decision) -> list[tuple[str, str, tuple[str, ...], date | None, str]]:
    found = [each for each in decision.obligations if each.rule.id == "A-03A"]
    return [
        (each.slot.subject, each.slot.duty_holder, each.recipients, each.dates.due_on, each.standing.state)
        for each in found
    ]


def test_every_action_is_its_own_agencys_duty_by_its_own_day() -> None:
    done = fact("action.closed_on", "2026-06-01", subject="two")

    decision = decided([*action("one", POLICE, "2026-09-30"), *action("two", COUNCIL, "2026-08-31"), done])

    assert owners(decision) == [
        ("one", POLICE, (POLICE,), date(2026, 9, 30), "open"),
        ("two", COUNCIL, (COUNCIL,), date(2026, 8, 31), "met"),
    ]


def test_an_action_that_was_handed_on_or_moved_goes_by_what_was_said_last() -> None:
    handed_on = action("one", POLICE, "2026-09-30") + action("one", COUNCIL, "2026-10-30", by="later")

    assert owners(decided(handed_on)) == [("one", COUNCIL, (COUNCIL,), date(2026, 10, 30), "open")]


def test_an_action_for_a_body_that_the_register_does_not_know_is_left_to_a_person() -> None:
    (duty,) = decided(action("one", "school:elsewhere", "2026-09-30")).obligations

    assert (duty.slot.duty_holder, duty.recipients, duty.unserved_areas) == (
        "school:elsewhere",
        (),
        ("school:elsewhere",),
    )


def test_what_only_a_correction_speaks_of_does_not_exist() -> None:
    corrections = [
        fact("action.owner", POLICE, subject="nothing", by="correction", corrects="first"),
        fact("child.home_area", LEEDS, subject="nobody", by="correction", corrects="first"),
        fact("reported_on", "2026-06-01", subject="no-report", by="correction", corrects="first"),
    ]

    found = decided(DEATH + corrections).evaluation.facts

    assert (found.children, found.reports, found.items["action"]) == ((CHILD,), (REPORT,), ())
    assert {each.fact.name for each in found.ignored} == {"action.owner", "child.home_area", "reported_on"}
