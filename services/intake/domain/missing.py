"""Which facts a report usually needs and this one lacks: told in the answer at once, so that nobody has to be asked later.

Intake looks at the one event only; what the whole case still lacks, and whom to ask, is routing's to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

from schemas.people import Child
from schemas.submission import Submission
from schemas.submissions import AbuseSuspicionChanged, IncidentReported
from schemas.vocabulary import Vocabulary
from services.intake.domain.translate import derived_ages, whether_died

_INCIDENT: Final = {
    "harm": "harm",
    "country": "incident.country",
    "area": "incident.area",
    "child_review": "concern.child_review",
    "adult_at_risk": "concern.adult_at_risk",
    "domestic_death": "concern.domestic_death",
}


@dataclass(frozen=True, slots=True)
class Missing:
    """An open question. `child_ref` is the client's own reference, None if it is not about one child."""

    fact: str
    ask: str
    child_ref: str | None = None


def missing(data: Submission, vocabulary: Vocabulary) -> tuple[Missing, ...]:
    """Return the open questions of one event, in the vocabulary's order within the incident and within each child."""
    return tuple(Missing(fact, vocabulary[fact].ask, ref) for fact, ref in _lacking(data))


def _lacking(data: Submission) -> Iterator[tuple[str, str | None]]:
    match data:
        case IncidentReported():
            yield from ((fact, None) for field, fact in _INCIDENT.items() if _absent(data, field))
            for child in data.children:
                yield from ((f"child.{field}", child.ref) for field in _child_lacks(data, child))
        case AbuseSuspicionChanged(view="unknown"):
            yield "abuse_or_neglect", None
        case _:
            return


def _child_lacks(data: IncidentReported, child: Child) -> Iterator[str]:
    ages = derived_ages(data, child.ref)
    is_death, died = data.harm == "death", whether_died(data, child)
    has_age = child.unborn != "yes"
    wanted = {
        "home_area": True,
        "age_at_incident": has_age and "age_at_incident" not in ages,
        "died": is_death and died is None,
        "age_at_death": has_age and is_death and died == "yes" and "age_at_death" not in ages,
        "looked_after": True,
        "looked_after_by": child.looked_after == "yes",
        "placed_in": child.looked_after == "yes",
        "care_leaver": True,
        "care_leaver_of": child.care_leaver == "yes",
    }
    yield from (field for field, needed in wanted.items() if needed and _absent(child, field))


def _absent(model: BaseModel, field: str) -> bool:
    return getattr(model, field) in {None, "unknown"}
