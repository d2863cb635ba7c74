"""Who is told where the register has bodies that have ended, or nobody: successors, and duties that are left to a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.routing.domain.register import Register
from services.routing.domain.statements import Fact
from tests.support.rulebooks import (
    HALTON,
    LEEDS,
    LEEDS_DEATH,
    NOW,
    WANDSWORTH,
    decided,
    fact,
    facts,
    register,
)
from tests.unit.routing.domain.test_decide import COUNCIL, DEATH, PARTNERS, SUSPECTS, happened, under


def action_of(owner: str) -> list[Fact]:
    said = {"action.set_on": "2022-06-01", "action.owner": owner, "action.due_on": "2022-08-01"}
    return [fact(name, value, of=f"lscp:{LEEDS}") for name, value in said.items()]


@pytest.mark.parametrize(("decided_on", "health"), [("2022-06-30", "ccg:leeds"), ("2022-07-01", "icb:west-yorkshire")])
def test_whoever_is_a_partner_on_the_day_of_the_decision_is_told_however_early_the_duty_began(
    decided_on: str, health: str
) -> None:
    suspects = [
        fact(each.name, "2022-06-29" if each.name.endswith("_on") else each.value, of=COUNCIL) for each in SUSPECTS
    ]
    made = decided(DEATH + suspects, on=date.fromisoformat(decided_on))

    assert under(made, "N-03").recipients == (*PARTNERS[:2], health)
    assert under(made, "N-03").dates.due_on == date(2022, 7, 6)  # Wednesday 29 June + 5 working days


def test_who_stands_in_the_place_of_an_ended_body_holds_its_duties_and_speaks_for_it() -> None:
    group, board = "ccg:leeds", "icb:west-yorkshire"
    july = date(2022, 7, 1)
    report = facts(LEEDS_DEATH | {"reporter.body": "health"}, of=group)
    numbered = action_of(group)
    later = fact("harm", "serious_harm", of=board, by="second", at=NOW + timedelta(days=1))

    before, after = (decided(report + numbered, on=day) for day in (date(2022, 6, 30), july))

    assert [
        {each.slot.duty_holder for each in made.obligations if each.rule.id == "N-11"} for made in (before, after)
    ] == [
        {group},
        {board},
    ]
    assert [under(made, "A-03A").recipients for made in (before, after)] == [(group,), (board,)]
    assert decided([*report, later], on=july).evaluation.facts.value("harm", "incident") == "serious_harm"
    assert [each.name for each in decided([*report, later], on=date(2022, 6, 30)).conflicts] == ["harm"]


def test_an_ended_body_that_nobody_succeeds_is_left_to_a_person() -> None:
    known = register()
    bodies = [replace(each, successor=None) for each in known.bodies.values()]
    alone = Register(known.version, known.areas.values(), bodies)

    owed = under(decided(DEATH + action_of("ccg:leeds"), there=alone), "A-03A")

    assert (owed.recipients, owed.unserved_areas) == ((), ("ccg:leeds",))


def test_an_area_that_the_register_does_not_know_leaves_the_duty_to_a_person() -> None:
    abroad = LEEDS_DEATH | {"child.home_area": "W06000015"}

    owed = under(decided(facts(abroad) + SUSPECTS), "N-04")

    assert (owed.recipients, owed.unserved_areas, owed.in_words) == ((), ("W06000015",), "to send")


def test_a_duty_towards_an_area_that_the_register_does_not_know_stays_open_when_the_others_have_accepted() -> None:
    """Nobody has told the area in Wales, so the duty is not met before a person says that it is not appropriate, or tells them."""
    two = LEEDS_DEATH | {
        "child.home_area": "W06000015",
        "child.looked_after": "yes",
        "child.looked_after_by": WANDSWORTH,
        "child.placed_in": LEEDS,
    }
    said = facts(two) + SUSPECTS
    owed = under(decided(said), "N-04")
    accepted = [happened("delivery.acknowledged", each, each, owed.slot) for each in owed.recipients]
    not_appropriate = happened("not_appropriate.recorded", COUNCIL, None, owed.slot)

    assert (len(owed.recipients), owed.unserved_areas) == (3, ("W06000015",))
    assert under(decided(said, accepted), "N-04").standing.state == "open"
    assert under(decided(said, [*accepted, not_appropriate]), "N-04").standing.state == "met"


def test_a_duty_that_nobody_is_registered_for_ends_when_a_person_says_that_it_is_not_appropriate() -> None:
    abroad = facts(LEEDS_DEATH | {"child.home_area": "W06000015"}) + SUSPECTS
    slot = under(decided(abroad), "N-04").slot

    closed = under(decided(abroad, [happened("not_appropriate.recorded", COUNCIL, None, slot)]), "N-04")

    assert closed.in_words == "met, recorded as not appropriate"


def test_what_one_authority_told_the_parents_of_its_child_is_nothing_that_another_told_those_of_its_own() -> None:
    """Children Act 1989, Schedule 2, paragraph 20(1)(b): the authority that looks after a child notifies that child's parents."""
    of_children = {"child.home_area": LEEDS, "child.died": "yes", "child.looked_after": "yes", "child.placed_in": LEEDS}
    said = [
        *facts({name: value for name, value in LEEDS_DEATH.items() if not name.startswith("child.")}),
        *(
            fact(name, value, subject=child)
            for child, after in (("c1", WANDSWORTH), ("c2", HALTON))
            for name, value in (of_children | {"child.looked_after_by": after}).items()
        ),
        *(fact("aware_on", "2026-06-01", of=f"la:{area}") for area in (WANDSWORTH, HALTON)),
    ]
    informed = [
        fact("parents.informed_on", "2026-06-01", of=f"la:{area}", by=f"informed {area}")
        for area in (WANDSWORTH, HALTON)
    ]

    def states(*more: Fact) -> dict[str, str]:
        made = decided([*said, *more])
        return {each.slot.subject: each.standing.state for each in made.obligations if each.rule.id == "N-06P"}

    assert states(informed[0]) == {"c1": "met", "c2": "open"}
    assert states(*informed) == {"c1": "met", "c2": "met"}
