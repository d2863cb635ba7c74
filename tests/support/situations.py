"""Invented situations for the rules of a rulebook, the same ones for the same seed.

Random facts alone seldom make a rule with many conditions hold. So each situation first leans towards making its rule hold, half
of them then towards making it fail, by one way of its conditions, and then some facts are turned to anything and some removed: most
lie near a border.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from schemas.vocabulary import FactSpec, Scope, Value, Vocabulary
from services.routing.domain.facts import Row
from services.routing.domain.rulebook.model import (
    DUTY_HOLDER,
    Applies,
    Combined,
    Compared,
    Condition,
    Meets,
    Recorded,
    Rule,
    Rulebook,
    SameArea,
    walk,
)

AREAS = ("E08000035", "E06000006", "E09000032")  # Leeds, Halton, Wandsworth
BODIES = ("la:E08000035", "police:west-yorkshire", "school:not-in-the-register")
TURNED, REMOVED = 0.15, 0.15
_FIRST_DAY, _DAYS = date(2023, 12, 1), 1000
_BEYOND = {"is at most": 1, "is at least": -1}


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known for one run of a rule; an absent fact has no entry. `applies` has the answers of the rules it applies."""

    known: Mapping[str, Value]
    holder: str | None
    applies: Mapping[str, bool | None]

    def rows(self, vocabulary: Vocabulary, per: Scope | None = "reporter") -> tuple[Row, Row, Row, Row]:
        """Return the facts as compiled functions take them: of the incident, child, item of the scope `per`, and duty holder."""
        incident, child, item, authority = (
            [self.known.get(spec.name) for spec in vocabulary.values() if spec.scope == scope]
            for scope in ("incident", "child", per, "authority")
        )
        return incident, child, item, authority


class Situations:
    """Makes situations for the rules of one rulebook."""

    def __init__(self, book: Rulebook, vocabulary: Vocabulary, seed: int) -> None:
        self._book = book
        self._vocabulary = vocabulary
        self._random = Random(seed)  # noqa: S311 - invents test data
        self._mentioned: defaultdict[str, list[Value]] = defaultdict(list)
        for rule in book.rules:
            for part in walk(rule.when):
                if isinstance(part, Compared):
                    self._mentioned[part.fact] += part.values

    def of(self, rule: Rule, count: int, *, complete: bool = False) -> Iterator[Situation]:
        """Yield situations that lean towards a rule by turns: to hold, to fail. `complete` leaves no fact out."""
        for number in range(count):
            yield self._one(rule, wanted=number % 2 == 0, complete=complete)

    def _one(self, rule: Rule, *, wanted: bool, complete: bool) -> Situation:
        known: dict[str, Value] = {spec.name: self._any(spec) for spec in self._vocabulary.values()}
        known[DUTY_HOLDER] = self._random.choice(AREAS)
        self._lean(rule.when, known, wanted=True)
        if not wanted:
            self._lean(rule.when, known, wanted=False)
        for name in known:
            if self._random.random() < TURNED:
                known[name] = self._any(self._vocabulary[name]) if name != DUTY_HOLDER else self._random.choice(AREAS)
        if not complete:
            known = {name: value for name, value in known.items() if self._random.random() >= REMOVED}
        holder = known.pop(DUTY_HOLDER, None)
        answers = (True, False) if complete else (wanted, wanted, not wanted, None)
        applies = {each.id: self._random.choice(answers) for each in self._book.rules}
        return Situation(known, holder if isinstance(holder, str) else None, applies)

    def _any(self, spec: FactSpec) -> Value:
        match spec.kind:
            case "choice" | "yes_no":
                return self._random.choice(spec.values)
            case "area":
                return self._random.choice((*AREAS, *self._mentioned[spec.name]))
            case "body":
                return self._random.choice(BODIES)
            case "date":
                return _FIRST_DAY + timedelta(self._random.randrange(_DAYS))
            case "whole number":
                limits = [value for value in self._mentioned[spec.name] if isinstance(value, int)] or [17]
                return max(0, self._random.choice(limits) + self._random.choice((-1, 0, 1)))

    def _lean(self, condition: Condition, known: dict[str, Value], *, wanted: bool) -> None:
        match condition:
            case Meets(when=when):
                self._lean(when, known, wanted=wanted)
            case Applies(rule=identifier):
                self._lean(self._book.rule(identifier).when, known, wanted=wanted)
            case Combined(how=how, parts=parts):
                # "all of" holds when every part does, "any of" fails when every part does: else one part is enough.
                every = wanted is (how != "any of")
                each = wanted is not (how == "none of")
                # In any order: of two limits on one fact the one that comes last stays.
                for part in self._random.sample(parts, len(parts) if every else 1):
                    self._lean(part, known, wanted=each)
            case Recorded(fact=fact):
                if not wanted:
                    known.pop(fact, None)
            case SameArea(fact=fact, other=other, negated=negated):
                known.setdefault(other, AREAS[0])
                known[fact] = known[other]
                if wanted is negated:
                    known[fact] = self._random.choice([area for area in AREAS if area != known[other]])
            case Compared(fact=fact, operator=operator, values=values):
                known[fact] = self._fitting(fact, operator, values, wanted=wanted)

    def _fitting(self, fact: str, operator: str, values: tuple[Value, ...], *, wanted: bool) -> Value:
        if operator in _BEYOND:
            limit = values[0]
            assert isinstance(limit, int)
            return limit if wanted else limit + _BEYOND[operator]
        if ("not" in operator) is not wanted:
            return self._random.choice(values)
        spec = self._vocabulary[fact]
        return self._random.choice([each for each in spec.values or AREAS if each not in values])
