"""Of which child a death is reported: of one of whom it is recorded, and of nobody because another died.

Children Act 1989, Schedule 2, paragraph 20: "if a child who is being looked after by a local authority dies".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from schemas import case_events as ce
from services.routing.domain import ledger
from services.routing.domain.decide import Decision
from services.routing.domain.facts_of import facts_of
from tests.support.routing import CHILD, COUNCIL, LEEDS, MONDAY, POLICE, aware, corrected, reported, suspects
from tests.support.rulebooks import law

SECOND = "d" * 32
TUESDAY = MONDAY + timedelta(days=1)
WEDNESDAY = MONDAY + timedelta(days=2)
NOW = datetime(2026, 6, 4, tzinfo=UTC)
HARMED = ce.ChildFacts(
    child=CHILD,
    home_area=LEEDS,
    looked_after="yes",
    looked_after_by=LEEDS,
    placed_in=LEEDS,
    care_leaver="no",
    age_at_incident=5,
)
DEAD = HARMED.model_copy(update={"died": "yes", "age_at_death": 5})
SIBLING = HARMED.model_copy(update={"child": SECOND})
OF_A_DEATH = {"N-06", "N-06P", "N-18"}


def decision(*events: Any) -> Decision:
    facts = tuple(fact for event in events for fact in facts_of(event, law().vocabulary))
    return law().decide(facts, {}, ledger.Known(), NOW)


def due(found: Decision, child: str = CHILD) -> dict[str, date | None]:
    """Return the rules under which something is owed about a child, with its day."""
    return {each.rule.id: each.dates.due_on for each in found.obligations if each.slot.subject == child}


def asked(found: Decision) -> set[tuple[str, str, str]]:
    return {(each.subject, each.fact, each.of_whom) for each in found.questions if each.fact == "child.died"}


def council_says(children: Sequence[ce.ChildFacts]) -> list[Any]:
    """Return that the council reports a death on Tuesday, of which it is aware and suspects neglect from then on."""
    on = TUESDAY.date()
    return [
        reported(COUNCIL, harm="death", on=on, at=TUESDAY, children=tuple(children)),
        aware(on=on, at=TUESDAY),
        suspects(since=on, at=TUESDAY),
    ]


def test_a_harmed_child_that_dies_is_told_of_though_another_body_had_reported_the_harm() -> None:
    found = decision(reported(POLICE, children=(HARMED,)), *council_says([DEAD]))

    assert due(found) == {
        "N-01": date(2026, 6, 9),  # Tuesday 2 June + 5
        "N-03": date(2026, 6, 9),
        "N-06": date(2026, 6, 9),
        "N-06P": date(2026, 6, 2),
        "N-18": date(2026, 6, 3),  # + 1
    }
    assert [each.name for each in found.conflicts] == ["harm"]
    assert not found.undecided
    assert not asked(found)


def test_serious_harm_of_a_child_of_which_nobody_says_that_it_died_is_no_death_and_asks_nothing() -> None:
    harmed = reported(COUNCIL, children=(HARMED,))

    found = decision(harmed, aware(), suspects())

    assert set(due(found)) == {"N-01", "N-03"}
    assert not asked(found)


def test_nobody_is_told_of_the_death_of_a_child_because_another_died_and_whoever_reported_is_asked() -> None:
    found = decision(*council_says([DEAD, SIBLING]))

    assert set(due(found)) == {"N-01", "N-03", *OF_A_DEATH}
    assert set(due(found, SECOND)) == {"N-01", "N-03"}  # harmed in the same incident
    assert set(found.undecided) >= OF_A_DEATH
    assert (SECOND, "child.died", f"la:{LEEDS}") in asked(found)


def test_an_answer_and_its_correction_decide_whether_a_death_of_the_other_child_is_told() -> None:
    told = council_says([DEAD, SIBLING])
    alive, dead = (
        reported(
            COUNCIL,
            harm="death",
            on=TUESDAY.date(),
            at=TUESDAY + timedelta(hours=1),
            children=(SIBLING.model_copy(update={"died": died}),),
        )
        for died in ("no", "yes")
    )
    died_after_all, lives_after_all = (
        corrected(answer.id, "child.died", died, child=SECOND, at=WEDNESDAY)
        for answer, died in ((alive, "yes"), (dead, "no"))
    )

    for answers, is_told in (
        ([alive], False),
        ([dead], True),
        ([alive, died_after_all], True),
        ([dead, lives_after_all], False),
    ):
        found = decision(*told, *answers)
        assert (set(due(found, SECOND)) >= OF_A_DEATH) == is_told
        assert bool(set(due(found, SECOND)) & OF_A_DEATH) == is_told
        assert not asked(found)


def test_a_message_of_before_about_the_death_of_one_child_says_that_it_died_and_one_about_two_does_not() -> None:
    """Before intake derived it, a death of several children did not say of which."""
    assert set(due(decision(*council_says([HARMED])))) >= OF_A_DEATH

    found = decision(*council_says([HARMED, SIBLING]))
    assert not set(due(found)) & OF_A_DEATH
    assert {subject for subject, _, _ in asked(found)} == {CHILD, SECOND}


def told_as_harm(children: Sequence[ce.ChildFacts] = (HARMED,)) -> list[Any]:
    """Return that the council reports serious harm on Monday, of which it is aware and suspects neglect."""
    return [reported(COUNCIL, children=tuple(children)), aware(), suspects()]


def test_an_only_child_is_taken_for_dead_where_the_harm_of_its_report_is_corrected_to_death() -> None:
    told = told_as_harm()
    died = corrected(told[0].id, "harm", "death", at=TUESDAY)
    lives = corrected(died.id, "harm", "serious_harm", at=WEDNESDAY)

    assert not set(due(decision(*told))) & OF_A_DEATH
    assert set(due(decision(*told, died))) >= OF_A_DEATH
    assert not asked(decision(*told, died))
    assert not set(due(decision(*told, died, lives))) & OF_A_DEATH


def test_nobody_is_taken_for_dead_where_the_harm_of_the_report_is_corrected_to_another() -> None:
    dead = HARMED.model_copy(update={"died": "yes"})
    told = council_says([dead])
    harmed = corrected(told[0].id, "harm", "serious_harm", at=WEDNESDAY)
    dies_after_all = corrected(harmed.id, "harm", "death", at=WEDNESDAY + timedelta(hours=1))

    assert set(due(decision(*told))) >= OF_A_DEATH
    assert set(due(decision(*told, harmed))) == {"N-01", "N-03"}
    assert not asked(decision(*told, harmed))
    assert set(due(decision(*told, harmed, dies_after_all))) >= OF_A_DEATH


def test_a_death_that_another_body_reported_stands_where_one_is_corrected() -> None:
    told = council_says([HARMED.model_copy(update={"died": "yes"})])
    harmed = corrected(told[0].id, "harm", "serious_harm", at=WEDNESDAY)

    found = decision(*told, reported(POLICE, harm="death", at=TUESDAY, children=(DEAD,)), harmed)

    assert set(due(found)) >= OF_A_DEATH


def test_a_child_that_is_named_after_the_correction_is_asked_about_and_the_first_stays_dead() -> None:
    told = told_as_harm()
    died = corrected(told[0].id, "harm", "death", at=TUESDAY)
    sibling = reported(POLICE, harm="death", at=WEDNESDAY, children=(HARMED, SIBLING))

    found = decision(*told, died, sibling)

    assert set(due(found)) >= OF_A_DEATH
    assert not set(due(found, SECOND)) & OF_A_DEATH
    assert {subject for subject, _, _ in asked(found)} == {SECOND}


def test_of_several_children_it_is_asked_who_died_where_the_harm_is_corrected_to_death() -> None:
    together = told_as_harm([HARMED, SIBLING])
    apart = [*told_as_harm(), reported(COUNCIL, at=MONDAY + timedelta(hours=1), children=(SIBLING,))]

    for told in (together, apart):
        corrections = [
            corrected(each.id, "harm", "death", at=TUESDAY) for each in told if isinstance(each, ce.IncidentReported)
        ]
        found = decision(*told, *corrections)
        assert not (set(due(found)) | set(due(found, SECOND))) & OF_A_DEATH
        assert {subject for subject, _, _ in asked(found)} == {CHILD, SECOND}


def test_a_report_that_names_no_child_says_of_none_that_it_died() -> None:
    nobody = reported(POLICE, children=())
    told = [nobody, reported(COUNCIL, harm=None, children=(HARMED,)), aware(), suspects()]

    found = decision(*told, corrected(nobody.id, "harm", "death", POLICE, at=TUESDAY))

    assert not set(due(found)) & OF_A_DEATH
    assert {subject for subject, _, _ in asked(found)} == {CHILD}


def test_who_says_later_that_the_child_lives_is_heard() -> None:
    told = told_as_harm()
    died = corrected(told[0].id, "harm", "death", at=TUESDAY)
    lives = HARMED.model_copy(update={"died": "no"})
    both = [reported(who, harm="death", at=WEDNESDAY, children=(lives, SIBLING)) for who in (COUNCIL, POLICE)]

    assert not set(due(decision(*told, died, both[0]))) & OF_A_DEATH
    assert "N-06" in decision(*told, died, both[1]).undecided
