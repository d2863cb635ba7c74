"""What would follow if something were true: facts from a request, decided by the rulebook, and forgotten. Pure.

The facts have the form of those of an example, as JSON. They are of the vocabulary alone, so no personal data is among
them; what is wrong is said without the value, in case somebody typed a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from schemas.vocabulary import FactRefused, Vocabulary
from services.kit.asked import FIRST_DAY, LAST_DAY
from services.kit.errors import Refused
from services.routing.domain.facts import AUTHORITY
from services.routing.domain.rulebook.read_examples import CASE, Stated
from services.routing.domain.rulebook.suppose import as_reported
from services.routing.explaining import explanation
from services.routing.law import Law
from services.routing.views import ExplanationView

_OF: Final = "of "
MOST: Final = 100
"""Facts of one request: each that there is not takes its time until the nearest that there is is found."""
_DAYS: Final = f"a date from {FIRST_DAY} to {LAST_DAY}"


class Preview(BaseModel):
    """Facts to suppose, and the day on which every rule is then judged; by default each on the date that it names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    facts: dict[str, Any] = Field(
        min_length=1,
        max_length=MOST,
        description="Facts by name; those of an authority in an object under `of ` and its area code.",
        examples=[{"harm": "death", "incident.area": "E08000035", "of E08000035": {"aware_on": "2026-06-01"}}],
    )
    judged_on: date | None = None


class FactsRefused(Refused):
    """Some of these facts cannot be supposed."""

    title = "Some things have to be put right"


def preview(wanted: Preview, law: Law) -> ExplanationView:
    """Return who would be told if these facts were so, and why; and why everybody else would not.

    Raises:
        FactsRefused: A fact or a value is not in the vocabulary, or stands in the wrong place; all of them at once.
    """
    if wanted.judged_on is not None and not FIRST_DAY <= wanted.judged_on <= LAST_DAY:
        raise FactsRefused(errors=[{"pointer": "/judged_on", "detail": f"expected {_DAYS}"}])
    return explanation(law.suppose(as_reported(_stated(wanted.facts, law)), wanted.judged_on), law.rulebook)


def _stated(facts: Mapping[str, Any], law: Law) -> Stated:
    found: Stated = {}
    errors: list[dict[str, str]] = []
    flat = [*islice(_flat(facts, law, errors), MOST + 1)]
    if len(flat) > MOST:
        raise FactsRefused(errors=[{"pointer": "/facts", "detail": f"expected at most {MOST} facts in all"}])
    for owner, name, value in flat:
        try:
            typed = law.vocabulary.check(name, value)
            _require_place(owner, name, law.vocabulary)
            _require_day(name, typed)
        except FactRefused as refused:
            errors.append({"pointer": "/facts", "detail": str(refused)})
        else:
            if typed is not None:
                found[owner, name] = typed
    if errors:
        raise FactsRefused(errors=errors)
    return found


def _flat(facts: Mapping[str, Any], law: Law, errors: list[dict[str, str]]) -> Iterator[tuple[str, str, Any]]:
    """Yield owner, name and value of each fact."""
    for key, value in facts.items():
        if not key.startswith(_OF):
            yield CASE, key, value
        elif key.removeprefix(_OF) in law.register.areas and isinstance(value, dict):
            yield from ((AUTHORITY + key.removeprefix(_OF), name, stated) for name, stated in value.items())
        else:
            detail = "expected `of ` with the code of a registered area, and under it the facts of its authority"
            errors.append({"pointer": "/facts", "detail": detail})


def _require_day(name: str, value: object) -> None:
    if isinstance(value, date) and not FIRST_DAY <= value <= LAST_DAY:
        raise FactRefused(name, _DAYS)


def _require_place(owner: str, name: str, vocabulary: Vocabulary) -> None:
    own = vocabulary[name].scope == "authority"
    if own and owner == CASE:
        raise FactRefused(name, "to stand under `of ` and the code of the authority whose fact it is")
    if not own and owner != CASE:
        raise FactRefused(name, "to stand outside of every authority: it is not one per authority")
