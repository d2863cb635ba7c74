"""Which areas a rule means in a case, worked out apart from the engine: the guard's second opinion. Pure.

It reads the texts of the rulebook and the register with nothing but a YAML parser, and the facts as they were stated. It
merges nothing: every statement counts with the last area that it named, corrections included, so that sources which
disagree are no objection, and an area that nobody names any more is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import yaml

_OF: Final = re.compile(r"^(?:each of )?[a-z-]+-of\((?P<area>.+)\)$")
_DIFFERS: Final = " is not the same as"
_HOLDER_OF: Final = "the duty holder of "
_REPORTER_AREA: Final = "reporter.area"
_CHILD: Final = "child."
_OWN: Final = (_CHILD, "action.", "request.")  # each subject has these facts of its own
_BODY_IN: Final = "the body in "
_OR: Final = " or "


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement about an area, as it was stored; ids as text."""

    event_id: str
    authority: str
    subject: str
    name: str
    value: str | None
    corrects: str | None


@dataclass(frozen=True, slots=True)
class Matter:
    """What a duty is about: its subject, the body that owes it, and what was stated in its case, oldest first; sent `on` a day."""

    subject: str
    duty_holder: str
    statements: Sequence[Statement]
    on: date


class Areas:
    """Who serves which area, and which areas an expression of a rule means; by the text of the register."""

    def __init__(self, register: str) -> None:
        page = yaml.load(register, Loader=yaml.CBaseLoader)  # noqa: S506 - only text
        self._present: dict[str, str] = {
            old: area["code"] for area in page["areas"] for old in area.get("formerly", ())
        }
        self._served: dict[str, frozenset[str]] = {
            body["id"]: frozenset(body.get("areas", ())) for body in page["bodies"]
        }
        self._begins: dict[str, str] = {body["id"]: body["from"] for body in page["bodies"] if "from" in body}
        self._ends: dict[str, str] = {body["id"]: body["until"] for body in page["bodies"] if "until" in body}
        self._heirs: dict[str, str] = {
            body["id"]: body["succeeded by"] for body in page["bodies"] if "succeeded by" in body
        }

    def exists(self, body: str, on: date) -> bool:
        """Say whether a body exists on a day, as far as the register says."""
        day = on.isoformat()  # days of the register compare as texts
        return self._begins.get(body, day) <= day <= self._ends.get(body, day)

    def served_by(self, body: str) -> frozenset[str] | None:
        """Return the areas that a body serves, none for a national one; None if it is not registered."""
        return self._served.get(body)

    def meant(self, area: str, rule: Mapping[str, Any], book: Mapping[str, Any], matter: Matter) -> frozenset[str]:
        """Return the areas that a word in brackets means: a fact, `duty holder` or `the areas that differ`."""
        if area == "duty holder":
            named = self._holders(rule["duty on"], book, matter)
            return named & (self.served_by(matter.duty_holder) or named)
        if area == "the areas that differ":
            pairs = _differing(rule["when"], book)
            apart = (
                self.meant(fact, rule, book, matter) - self.meant(other, rule, book, matter) for fact, other in pairs
            )
            return frozenset().union(*apart)
        return frozenset(self._stated(area, matter))

    def reporters(self, matter: Matter) -> frozenset[str]:
        """Return who made the report that a duty is about; nobody if it is about no report."""
        about = (each for each in matter.statements if each.subject == matter.subject and each.corrects is None)
        return frozenset(self._source(each, matter) for each in about if each.name == _REPORTER_AREA)

    def bodies(self, fact: str, matter: Matter) -> frozenset[str]:
        """Return the bodies that a fact of the duty's subject has named."""
        return frozenset(self._present_id(each, matter) for each in self._stated(fact, matter))

    def _holders(self, duty_on: str, book: Mapping[str, Any], matter: Matter) -> frozenset[str]:
        """Return the areas in which a duty can be held, by the words after `duty on`."""
        area = area_in(duty_on)
        whose = area or duty_on  # a body of the area of another rule's duty holder, or that one itself
        if whose.startswith(_HOLDER_OF):
            rules = whose.removeprefix(_HOLDER_OF).split(_OR)
            holders = [rule["duty on"] for rule in book["rules"] if rule["id"] in rules]
            return frozenset().union(*(self._holders(each, book, matter) for each in holders))
        if (fact := body_fact(duty_on)) is not None:
            return frozenset().union(*(self.served_by(body) or () for body in self.bodies(fact, matter)))
        return frozenset().union(*(self._stated(fact, matter) for fact in (area or _REPORTER_AREA).split(_OR)))

    def _stated(self, fact: str, matter: Matter) -> Iterator[str]:
        about = [each for each in matter.statements if each.name == fact]
        first = [each for each in about if each.corrects is None]
        own = [each for each in first if each.subject == matter.subject]
        for statement in own if own or fact.startswith(_OWN) else first:
            named = [each.value for each in self._versions(statement, about, matter) if each.value is not None]
            yield from (self._present.get(value, value) for value in named[-1:])

    def _versions(self, statement: Statement | None, about: Iterable[Statement], matter: Matter) -> Iterator[Statement]:
        """Yield a statement and its corrections by the same source, each the last of its kind."""
        while statement is not None:
            yield statement
            correcting = [each for each in about if each.corrects == statement.event_id]
            if statement.name.startswith(_CHILD):  # one event speaks of many children, and is corrected for one of them
                correcting = [each for each in correcting if each.subject == statement.subject]
            source = self._source(statement, matter)
            following = [each for each in correcting if self._source(each, matter) == source]
            statement = following[-1] if following else None

    def _source(self, statement: Statement, matter: Matter) -> str:
        return self._present_id(statement.authority, matter)

    def _present_id(self, body: str, matter: Matter) -> str:
        """Return a body by its present code or, if it had ended on the day, the one that stands in its place."""
        kind, colon, code = body.partition(":")
        found = kind + colon + self._present.get(code, code)
        while found in self._heirs and self._ends[found] < matter.on.isoformat():
            found = self._heirs[found]
        return found


def area_in(expression: str) -> str | None:
    """Return the word in brackets of `GROUP-of(AREA)`, if it is such an expression."""
    match = _OF.match(expression)
    return match["area"] if match else None


def body_fact(expression: str) -> str | None:
    """Return the fact of `the body in FACT`, if it is such an expression."""
    return expression.removeprefix(_BODY_IN) if expression.startswith(_BODY_IN) else None


def area_facts(book: Mapping[str, Any]) -> set[str]:
    """Return the facts by which the rules of a book name areas and bodies."""
    words = {_REPORTER_AREA}
    for rule in book["rules"]:
        words |= {each for pair in _differing(rule["when"], book) for each in pair}
        said = (rule["duty on"], *(duty["tell"] for duty in rule.get("then", [])))
        words |= {each for text in said for each in (area_in(text) or body_fact(text) or "").split(_OR)}
    return {word for word in words if "." in word}


def _differing(when: object, book: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is compared in the conditions `FACT is not the same as: OTHER`, also of a definition that is met."""
    if isinstance(when, list):
        for part in when:
            yield from _differing(part, book)
    elif isinstance(when, dict):
        for key, value in when.items():
            if key.endswith(_DIFFERS):
                yield key.removesuffix(_DIFFERS), value
            elif key == "meets":
                yield from _differing(book["definitions"][value]["when"], book)
            else:
                yield from _differing(value, book)
