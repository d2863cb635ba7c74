"""Which values of a fact no condition can tell apart, so that a finite number of them stands for all.

A choice falls into groups with the same answer in every condition, a number and a date into spans between the limits
that conditions and in-force dates set. Areas are compared with one another, so they are dealt with where they are chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from schemas.vocabulary import FactSpec, Value
from schemas.vocabulary.words import LARGEST_NUMBER
from services.routing.domain.rulebook.model import Compared, Rule, walk

_DAY: Final = timedelta(days=1)
_ANY_DAY: Final = date(2026, 1, 1)  # stands for every day where no rule is in force from or until one


@dataclass(frozen=True, slots=True)
class ValueClass:
    """Values that no condition tells apart: one that stands for them, the first and the last, or all of a choice."""

    value: Value
    values: tuple[str, ...] = ()
    first: Value | None = None
    last: Value | None = None


def tests_of(rule: Rule) -> Iterator[Compared]:
    """Yield every comparison of a fact with fixed values that a rule makes, also those after its `when`."""
    later = (test for duty in rule.then for test in duty.tests)
    for each in (*walk(rule.when), *later, rule.cancelled_when):
        if isinstance(each, Compared):
            yield each


def classes(spec: FactSpec, rules: Iterable[Rule]) -> tuple[ValueClass, ...]:
    """Return the classes of a fact's values, in order; together they are all values but absence. Not for areas and bodies."""
    rules = tuple(rules)
    tests = [test for rule in rules for test in tests_of(rule) if test.fact == spec.name]
    match spec.kind:
        case "choice" | "yes_no":
            return tuple(_choices(spec, tests))
        case "whole number":
            limits = {
                value + (test.operator == "is at most")
                for test in tests
                for value in test.values
                if isinstance(value, int)
            }
            return tuple(_numbers(sorted(limits - {0, LARGEST_NUMBER + 1})))
        case "date":
            judged = [rule for rule in rules if rule.judged_on == spec.name]
            starts = {rule.in_force_from for rule in judged}
            ends = {rule.in_force_until + _DAY for rule in judged if rule.in_force_until is not None}
            return tuple(_days(sorted(starts | ends)))
        case "area" | "body":
            raise ValueError(f"{spec.name} is of kind {spec.kind}: these are told apart by one another")


def areas_named(fact: str, rules: Iterable[Rule]) -> tuple[str, ...]:
    """Return the area codes that conditions compare an area with."""
    named = (str(value) for rule in rules for test in tests_of(rule) if test.fact == fact for value in test.values)
    return tuple(dict.fromkeys(named))


def _choices(spec: FactSpec, tests: Iterable[Compared]) -> Iterator[ValueClass]:
    alike: dict[tuple[bool, ...], list[str]] = {}
    for value in spec.values:
        alike.setdefault(tuple(value in test.values for test in tests), []).append(value)
    for values in alike.values():
        yield ValueClass(values[0], values=tuple(values))


def _numbers(limits: list[int]) -> Iterator[ValueClass]:
    for first, following in zip([0, *limits], [*limits, LARGEST_NUMBER + 1], strict=True):
        yield ValueClass(first, first=first, last=following - 1)


def _days(limits: list[date]) -> Iterator[ValueClass]:
    if not limits:
        yield ValueClass(_ANY_DAY)
        return
    yield ValueClass(limits[0] - _DAY, last=limits[0] - _DAY)
    for first, following in zip(limits, [*limits[1:], None], strict=True):
        yield ValueClass(first, first=first, last=following - _DAY if following else None)
