"""From which awareness a duty counts: the first, and of what follows from a death alone the first of that.

Working Together 2023, chapter 5: within five working days of becoming aware of what is to be notified.
"""

from __future__ import annotations

from datetime import date, timedelta

from services.routing.domain.facts_of import facts_of
from tests.support.routing import MONDAY, aware
from tests.support.rulebooks import LEEDS, LEEDS_DEATH, VOCABULARY, decided, fact, facts

COUNCIL = f"la:{LEEDS}"
DEATH = [
    *facts(LEEDS_DEATH | {"child.looked_after": "yes", "child.looked_after_by": LEEDS, "child.placed_in": LEEDS}),
    fact("suspected_on", "2026-06-01", of=COUNCIL),
    fact("abuse_or_neglect", "suspected", of=COUNCIL),
]
FIRST = facts_of(aware(on=date(2026, 6, 1)), VOCABULARY)


def due(*of: str, again: str | None) -> dict[str, date | None]:
    """Return the due dates of duties after the council became aware on 1 June, and again on 15 June."""
    said = aware(on=date(2026, 6, 15), at=MONDAY + timedelta(days=14))
    said = said.model_copy(update={"data": said.data.model_copy(update={"of": again})})
    decision = decided([*DEATH, *FIRST, *facts_of(said, VOCABULARY)])
    return {each.rule.id: each.dates.due_on for each in decision.obligations if each.rule.id in of}


def test_a_second_awareness_moves_nothing() -> None:
    for again in (None, "incident"):
        assert due("N-01", "N-03", "N-06", "N-18", again=again) == {
            "N-01": date(2026, 6, 8),  # Monday 1 June + 5
            "N-03": date(2026, 6, 8),
            "N-06": date(2026, 6, 8),
            "N-18": date(2026, 6, 2),  # + 1
        }


def test_what_follows_from_a_death_alone_counts_from_the_awareness_of_the_death() -> None:
    assert due("N-01", "N-03", "N-06", "N-06P", "N-18", again="death") == {
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
