"""A child that was reported by mistake is no child of the case once each fact of it was withdrawn."""

from __future__ import annotations

from datetime import timedelta

from schemas.case_events import ChildFacts
from services.routing.domain.changes import Lapsed, lapsed
from services.routing.domain.facts_of import facts_of
from services.routing.domain.statements import Fact
from tests.support.routing import reported
from tests.support.rulebooks import CHILD, LEEDS, LEEDS_DEATH, NOW, VOCABULARY, base, decided, fact, facts

COUNCIL = f"la:{LEEDS}"
DEATH = [*facts(LEEDS_DEATH), fact("aware_on", "2026-06-01", of=COUNCIL)]
MISTAKE = [
    fact("child.home_area", LEEDS, subject="child-2", by="mistaken"),
    fact("child.died", "yes", subject="child-2", by="mistaken"),
    fact("child.age_at_incident", 4, subject="child-2", by="mistaken"),
]


def withdrawn(name: str, subject: str = "child-2", corrects: str = "mistaken") -> Fact:
    later = NOW + timedelta(days=1)
    return fact(name, None, subject=subject, at=later, by=f"{name} withdrawn", corrects=corrects)


ALL = [withdrawn(each.name) for each in MISTAKE]


def test_a_child_of_which_everything_was_withdrawn_has_no_duties_any_more() -> None:
    before, after = decided([*DEATH, *MISTAKE]), decided([*DEATH, *MISTAKE, *ALL])
    owed = [each.slot for each in before.obligations if each.slot.subject == "child-2"]

    assert after.evaluation.facts.children == (CHILD,)
    assert owed
    assert lapsed(owed, after) == [
        Lapsed(slot, "the report or child that it was about is no longer part of the case") for slot in owed
    ]


def test_a_child_stays_while_one_fact_of_it_stands_or_somebody_else_speaks_of_it() -> None:
    of_council = fact("child.looked_after", "no", of=COUNCIL, subject="child-2", by="the council")

    for stated in ([*MISTAKE, ALL[0]], [*MISTAKE, *ALL, of_council]):
        assert base([*DEATH, *stated]).children == (CHILD, "child-2")


def test_a_child_comes_back_with_the_correction_of_the_correction() -> None:
    again = fact("child.home_area", LEEDS, subject="child-2", by="again", corrects="child.home_area withdrawn")

    assert base([*DEATH, *MISTAKE, *ALL, again]).children == (CHILD, "child-2")


def test_a_child_of_whom_nothing_is_known_is_one() -> None:
    key = "2" * 32
    told = facts_of(reported(children=(ChildFacts(child=key),)), VOCABULARY)

    assert base(told).children == (key,)


def test_the_case_asks_about_its_child_when_the_only_one_was_a_mistake() -> None:
    gone = [withdrawn(each.name, CHILD, "first") for each in DEATH if each.name.startswith("child.")]

    decision = decided([*DEATH, *gone])

    assert decision.evaluation.facts.children == ()
    assert ("child.age_at_incident", "incident") in [(each.fact, each.subject) for each in decision.questions]
