"""From which awareness a duty counts: the first, and of what follows from a death alone the first of that.

Working Together 2023, chapter 5: within five working days of becoming aware of what is to be notified.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from schemas.case_events import BecameAware
from services.routing.domain.facts_of import facts_of
from services.routing.domain.statements import Fact
from tests.support.routing import MONDAY, aware, corrected
from tests.support.rulebooks import LEEDS, LEEDS_DEATH, NOW, VOCABULARY, decided, fact, facts

COUNCIL = f"la:{LEEDS}"
DEATH = [
    *facts(LEEDS_DEATH | {"child.looked_after": "yes", "child.looked_after_by": LEEDS, "child.placed_in": LEEDS}),
    fact("suspected_on", "2026-06-01", of=COUNCIL),
    fact("abuse_or_neglect", "suspected", of=COUNCIL),
]
FIRST = facts_of(aware(on=date(2026, 6, 1)), VOCABULARY)


HARMED_BEFORE = [fact("harm", "serious_harm", at=NOW - timedelta(days=1))]


def again_aware(of: str | None) -> BecameAware:
    """Return that the council became aware on 15 June."""
    said = aware(on=date(2026, 6, 15), at=MONDAY + timedelta(days=14))
    return said.model_copy(update={"data": said.data.model_copy(update={"of": of})})


def due(*of: str, stated: list[Fact]) -> dict[str, date | None]:
    """Return the due dates of duties after the council became aware on 1 June of what became a death."""
    decision = decided([*DEATH, *FIRST, *stated])
    return {each.rule.id: each.dates.due_on for each in decision.obligations if each.rule.id in of}


def test_a_second_awareness_moves_nothing() -> None:
    for again in (None, "incident"):
        said = facts_of(again_aware(again), VOCABULARY)
        assert due("N-01", "N-03", "N-06", "N-18", stated=[*HARMED_BEFORE, *said]) == {
            "N-01": date(2026, 6, 8),  # Monday 1 June + 5
            "N-03": date(2026, 6, 8),
            "N-06": date(2026, 6, 8),
            "N-18": date(2026, 6, 2),  # + 1
        }


def test_what_follows_from_a_death_alone_counts_from_the_awareness_of_the_death() -> None:
    stated = [*HARMED_BEFORE, *facts_of(again_aware("death"), VOCABULARY)]
    assert due("N-01", "N-03", "N-06", "N-06P", "N-18", stated=stated) == {
        "N-01": date(2026, 6, 8),  # the harm has to be notified all the same
        "N-03": date(2026, 6, 8),
        "N-06": date(2026, 6, 22),  # Monday 15 June + 5
        "N-06P": date(2026, 6, 15),
        "N-18": date(2026, 6, 16),
    }


def test_who_learned_of_the_death_first_is_aware_of_the_incident_by_it() -> None:
    said = aware(on=date(2026, 6, 1))
    of_death = said.model_copy(update={"data": said.data.model_copy(update={"of": "death"})})

    decision = decided([*DEATH, *facts_of(of_death, VOCABULARY)])

    assert {each.dates.due_on for each in decision.obligations if each.rule.id in {"N-01", "N-06"}} == {
        date(2026, 6, 8)
    }


def test_a_later_death_does_not_move_what_is_owed_of_a_case_that_was_a_death_from_the_first() -> None:
    of_a_brother = facts_of(again_aware("death"), VOCABULARY)

    assert due("N-06", "N-06P", "N-18", stated=of_a_brother) == {
        "N-06": date(2026, 6, 8),
        "N-06P": date(2026, 6, 1),
        "N-18": date(2026, 6, 2),
    }


@pytest.mark.parametrize("fact_", ["aware_on", "aware_of_death_on"])
def test_a_corrected_awareness_of_a_death_is_corrected_as_a_whole(fact_: str) -> None:
    death = again_aware("death")
    stated = [*HARMED_BEFORE, *facts_of(death, VOCABULARY)]

    earlier = facts_of(corrected(death.id, fact_, "2026-06-09"), VOCABULARY)
    before_all = facts_of(corrected(death.id, fact_, "2026-05-29"), VOCABULARY)

    assert due("N-06", "N-18", stated=[*stated, *earlier]) == {"N-06": date(2026, 6, 16), "N-18": date(2026, 6, 10)}
    assert due("N-06", stated=[*stated, *before_all]) == {"N-06": date(2026, 6, 5)}  # Friday 29 May + 5


def test_an_awareness_that_was_not_of_a_death_is_one_of_the_incident_all_the_same() -> None:
    death = again_aware("death")
    stated = [*HARMED_BEFORE, *facts_of(death, VOCABULARY)]

    assert due("N-06", stated=[*stated, *facts_of(corrected(death.id, "aware_of_death_on", None), VOCABULARY)]) == {
        "N-06": date(2026, 6, 8)
    }
