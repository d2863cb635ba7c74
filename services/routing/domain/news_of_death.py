"""Which report brings news of a death: whoever was aware before was aware of the harm, or of another's death, and is told. Pure.

Source: Working Together 2023, chapter 5: partners are told "of any incident which they think should be considered".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas.vocabulary import Value
from services.routing.domain.facts import AGE_AT_DEATH, AWARE_OF_DEATH, DEATH, DIED, HARM, INCIDENT, FactBase
from services.routing.domain.statements import Fact, age, is_withdrawn

_AWARE: Final = "aware_on"
_DEAD: Final[Mapping[str, Callable[[Value | None], bool]]] = {
    HARM: lambda value: value == DEATH,
    DIED: lambda value: value == "yes",
    AGE_AT_DEATH: lambda value: value is not None,
}
"""The facts that tell of a death, and which of their values do."""


@dataclass(frozen=True, slots=True)
class News:
    """A death that a report tells of, when it was told first, and by whom; `is_first`: nobody was known to have died before."""

    told: tuple[Fact, ...]
    since_at: datetime
    is_first: bool

    def known_to(self, body: str, facts: FactBase) -> Fact | None:
        """Return by which statement of its own a body knows of it: that it is so, or that it is aware since it was told."""
        said = [each for each in self.told if facts.in_place_of(each.authority) == body]
        aware = facts.first_said(_AWARE, body)
        said += [now for first, now in aware if first.recorded_at >= self.since_at and not is_withdrawn(now)]
        said += facts.standing(AWARE_OF_DEATH, body) if self.is_first else ()
        return min(said, key=age, default=None)


def news_in(facts: FactBase, report: str | None, child: str | None) -> News | None:
    """Return what a report tells of a death, or of that of one child; None where the case was about that from the first."""
    told: defaultdict[str, list[Fact]] = defaultdict(list)
    for name, is_dead in _DEAD.items():
        for owner in (INCIDENT, *facts.children):
            told[owner] += [first for first, now in facts.first_said(name, owner) if is_dead(now.value)]
    since = {owner: min(each.recorded_at for each in said) for owner, said in told.items() if said}
    reported = [
        owner
        for owner in since
        if (child is None or owner in {INCIDENT, child}) and any(facts.is_in(each, report) for each in told[owner])
    ]
    if not reported:
        return None
    at_first = min(since.values())
    first_child = min((at for owner, at in since.items() if owner != INCIDENT), default=at_first)
    counts_from = {owner: at if owner != INCIDENT and at > first_child else at_first for owner, at in since.items()}
    latest = max(counts_from[owner] for owner in reported)
    if latest == at_first and facts.was_a_death_from_the_first:
        return None
    said = (each for owner in reported if counts_from[owner] == latest for each in told[owner])
    return News(tuple(said), latest, is_first=latest == at_first)
