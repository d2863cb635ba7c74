"""What a case may have several of, each with duties of its own: actions, delays, placements; and what a correction alone does not make."""

from __future__ import annotations

from datetime import date, timedelta

from services.routing.domain.decide import Decision
from services.routing.domain.statements import Fact
from tests.support.rulebooks import CHILD, LEEDS, LEEDS_DEATH, NOW, POLICE, REPORT, WANDSWORTH, decided, fact, facts

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


def delayed(cause: str, known_on: str, by: str, **told: str) -> list[Fact]:
    """Return what one event says of a delay; `told` are days on which somebody was told of it by other means."""
    said: dict[str, str] = {"delay.cause": cause, "delay.known_on": known_on}
    for whom, day in told.items():
        said[f"delay.{whom}_told_on"] = day
    return [
        fact(name, day, by=by, subject=by, at=NOW + timedelta(days=number))
        for number, (name, day) in enumerate(said.items())
    ]


def reasons(*stated: Fact) -> set[tuple[str, str, date | None, str]]:
    """Return, of each duty to tell of a delay: which delay, whom, by when, and its state."""
    review = [fact("review.decision", "proceed"), fact("review.decided_on", "2026-06-01")]
    notified = [fact("notification.submitted_by", LEEDS)]
    return {
        (each.slot.subject, each.recipients[0], each.dates.due_on, each.standing.state)
        for each in decided([*DEATH, *notified, *review, *stated]).obligations
        if each.rule.id == "L-05"
    }


def test_the_panel_is_told_of_a_second_delay_by_a_duty_of_its_own() -> None:
    first, second = delayed("criminal_proceedings", "2026-06-10", "june"), delayed("inquest", "2026-07-10", "july")

    assert reasons(*first, *second) == {
        ("june", "panel", date(2026, 6, 12), "open"),
        ("june", "dfe", date(2026, 6, 12), "open"),
        ("july", "panel", date(2026, 7, 14), "open"),
        ("july", "dfe", date(2026, 7, 14), "open"),
    }


def test_that_somebody_was_told_is_said_of_the_same_delay_afterwards_and_of_no_other_delay() -> None:
    first, second = delayed("criminal_proceedings", "2026-06-10", "june"), delayed("inquest", "2026-06-10", "july")
    told = fact("delay.panel_told_on", "2026-06-20", subject="june", by="told", at=NOW + timedelta(days=9))

    assert {(which, whom, state) for which, whom, _, state in reasons(*first, told, *second)} == {
        ("june", "panel", "met"),
        ("june", "dfe", "open"),
        ("july", "panel", "open"),
        ("july", "dfe", "open"),
    }


def test_who_is_told_as_the_delay_is_reported_was_told_of_that_delay_alone() -> None:
    first = delayed("criminal_proceedings", "2026-06-10", "june")
    at_once = delayed("inquest", "2026-07-10", "july", secretary="2026-07-11")

    assert {(which, whom, state) for which, whom, _, state in reasons(*first, *at_once)} == {
        ("june", "panel", "open"),
        ("june", "dfe", "open"),
        ("july", "panel", "open"),
        ("july", "dfe", "met"),
    }


def placed(name: str, on: str, area: str) -> list[Fact]:
    said = {"placement.made_on": on, "placement.by": WANDSWORTH, "placement.in_area": area}
    return [fact(fact_, value, of=f"la:{WANDSWORTH}", subject=name, by=name) for fact_, value in said.items()]


def test_the_host_is_told_of_each_placement_and_each_is_approved_for_itself() -> None:
    approved = fact("placement.approved_on", "2026-05-29", of=f"la:{WANDSWORTH}", subject="one", by="approval")

    decision = decided([*placed("one", "2026-06-01", LEEDS), *placed("two", "2026-06-03", LEEDS), approved])

    assert [
        (each.rule.id, each.slot.subject, each.recipients, each.dates.due_on, each.standing.state)
        for each in decision.obligations
    ] == [
        ("N-22", "one", (COUNCIL,), date(2026, 6, 2), "open"),
        ("N-22", "two", (COUNCIL,), date(2026, 6, 4), "open"),
        ("N-22A", "one", (f"la:{WANDSWORTH}",), date(2026, 6, 1), "met"),
        ("N-22A", "two", (f"la:{WANDSWORTH}",), date(2026, 6, 3), "open"),
    ]
