"""What a fact is, and which values it may take.

A value is text (choice, yes or no, area), a whole number or a date. "unknown" is the same as absent and is None. A refusal
names what was expected and the nearest word that exists, and never repeats the value: somebody may have typed a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Final, Literal, get_args

Kind = Literal["choice", "yes_no", "date", "whole number", "area", "body"]
PersonalKind = Literal["text", "choice", "choices", "date", "whole number", "entries"]
"""Kind of a personal field; of choices any number may be true, entries are a list of objects."""
ItemScope = Literal["action", "recommendation", "request", "yearly_report", "delay", "withdrawal", "placement"]
"""What an act may be about: a case has several of each."""
Scope = Literal["incident", "child", "authority", "reporter", ItemScope]
Keeps = Literal["the latest", "the earliest", "the newest", "the first"]
"""Which statement stands: each source's latest, and none if they differ; the earliest date of all; the newest of all; the first of
all since the last one of None."""
Topic = Literal["an incident", "no incident"]
Means = Literal["the incident", "the children known then", "the deaths known then"]
"""Whom a statement about a whole case is of: of all that is in it, or of the children that are known, or known to have died, when it is
recorded."""
Value = str | int | date
PERSONAL: Final = "personal."
"""What the name of every personal field begins with, and of no fact."""

AREA: Final = re.compile(r"[EWSN][0-9]{8}")  # GSS code of an authority area
BODY: Final = re.compile(r"[a-z]+(:[A-Za-z0-9-]+)?")  # id of a body, as in the register
ISO_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")  # fromisoformat also takes week dates
LARGEST_NUMBER: Final = 150  # every whole number here is an age in years


class FactRefused(ValueError):
    """A fact or its value is not in the vocabulary."""

    def __init__(self, fact: str, expected: str, nearest_word: str | None = None) -> None:
        self.fact = fact
        self.expected = expected
        self.nearest_word = nearest_word
        hint = f"; did you mean {nearest_word}?" if nearest_word else ""
        super().__init__(f"{fact}: expected {expected}{hint}")


@dataclass(frozen=True, slots=True)
class FactSpec:
    """One fact. `position` is its place among the facts of its scope, from 0; `about` is what it tells of."""

    name: str
    label: str
    kind: Kind
    scope: Scope
    ask: str
    position: int
    values: tuple[str, ...] = ()
    said_as: Mapping[str, str] = field(default_factory=dict)
    keeps: Keeps = "the latest"
    about: Topic = "an incident"
    means: Means = "the incident"

    @property
    def expected(self) -> str:
        """Say in words which values the fact takes."""
        match self.kind:
            case "choice" | "yes_no":
                return "one of " + ", ".join((*self.values, "unknown"))
            case "date":
                return "a date as YYYY-MM-DD, or unknown"
            case "whole number":
                return f"a whole number from 0 to {LARGEST_NUMBER}, or unknown"
            case "area":
                return "the nine-character code of an authority area such as E08000035, or unknown"
            case "body":
                return "the id of a body in the register such as police:west-yorkshire, or unknown"


@dataclass(frozen=True, slots=True)
class PersonalSpec:
    """One field of the personal block. Intake keeps it encrypted; a disclosure profile says who is given it, rules never see it."""

    name: str
    label: str
    kind: PersonalKind
    ask: str
    values: tuple[str, ...] = ()


class Vocabulary(Mapping[str, FactSpec]):
    """All facts by name, in the order of the file. `personal` has what is not for rules, by name too."""

    scopes: Final[tuple[Scope, ...]] = get_args(Scope)

    def __init__(self, specs: Iterable[FactSpec], personal: Iterable[PersonalSpec] = ()) -> None:
        self.personal: Final = {field.name: field for field in personal}
        self._specs = {spec.name: spec for spec in specs}
        self._sizes = {scope: sum(spec.scope == scope for spec in self._specs.values()) for scope in self.scopes}

    def __getitem__(self, name: str) -> FactSpec:
        return self._specs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)

    def size(self, scope: Scope) -> int:
        """Return how many facts the scope has."""
        return self._sizes[scope]

    def spec(self, name: str) -> FactSpec:
        """Return the fact called `name`.

        Raises:
            FactRefused: There is none; says the nearest one. What is personal is none.
        """
        if name in self.personal:
            raise FactRefused(name, "a fact that is not personal: what is personal stays with intake")
        found = self._specs.get(name)
        if found is None:
            raise FactRefused("unknown fact", "a fact of the vocabulary", nearest(name, self._specs))
        return found

    def check(self, name: str, value: object) -> Value | None:
        """Return the typed value of a fact as an event states it; None for "unknown" or None.

        Strict: the text "3" is no number, `false` is neither an age nor a "no". A date may be a date or ISO text.

        Raises:
            FactRefused: The fact does not exist, or does not take such a value.
        """
        spec = self.spec(name)
        if value is None or value == "unknown":
            return None
        typed = _typed(spec, value)
        if typed is None:
            word = nearest(value, spec.values) if isinstance(value, str) else None
            raise FactRefused(name, spec.expected, word)
        return typed

    def read(self, name: str, text: str) -> Value | None:
        """Return the typed value of a fact written as text, as a rulebook has it; otherwise as `check`.

        Raises:
            FactRefused: The fact does not exist, or does not take such a value.
        """
        if self.spec(name).kind == "whole number" and text.isascii() and text.isdigit():
            return self.check(name, int(text))
        return self.check(name, text)


ITEMS: Final[Mapping[Scope, str]] = {
    "reporter": "report",
    "action": "action",
    "recommendation": "recommendation",
    "request": "request",
    "yearly_report": "yearly report",
    "delay": "delay of the review",
    "withdrawal": "withdrawal of a notification",
    "placement": "placement",
}
"""Scopes of what a case has several of besides children, each with its word. A rule is about one kind of them at most."""


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Return the existing word that is most like `word`, whatever the case and the spaces, or None if none is near."""
    known = {_plain(each): each for each in words}
    close = get_close_matches(_plain(word), list(known), n=1)
    return known[close[0]] if close else None


def _plain(word: str) -> str:
    return word.strip().lower().replace(" ", "_")


def _typed(spec: FactSpec, value: object) -> Value | None:
    match spec.kind, value:
        case (("choice" | "yes_no"), str()) if value in spec.values:
            return value
        case "area", str() if AREA.fullmatch(value):
            return value
        case "body", str() if BODY.fullmatch(value):
            return value
        case "whole number", int() if not isinstance(value, bool) and 0 <= value <= LARGEST_NUMBER:
            return value
        case "date", _:
            return _date(value)
        case _:
            return None


def _date(value: object) -> date | None:
    if type(value) is date:
        return value
    if not isinstance(value, str) or not ISO_DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:  # 30 February
        return None
