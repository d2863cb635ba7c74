"""A second opinion on conditions: a slow interpreter that walks the tree, written without looking at the compiler."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from schemas.vocabulary import Value
from services.routing.domain.rulebook.model import (
    DUTY_HOLDER,
    Applies,
    Combination,
    Combined,
    Compared,
    Condition,
    Meets,
    Recorded,
    SameArea,
)

Read = Callable[[str], Value | None]


def interpret(condition: Condition, read: Read, holder: str | None, applies: Mapping[str, bool | None]) -> bool | None:
    """Return True, False, or None for "cannot decide"."""
    match condition:
        case Combined(how=how, parts=parts):
            return combine(how, [interpret(part, read, holder, applies) for part in parts])
        case Meets(when=when):
            return interpret(when, read, holder, applies)
        case Applies(rule=rule):
            return applies[rule]
        case SameArea(fact=fact, other=other, negated=negated):
            one, two = read(fact), holder if other == DUTY_HOLDER else read(other)
            return None if one is None or two is None else (one == two) is not negated
        case Recorded(fact=fact):
            return read(fact) is not None
        case Compared(fact=fact):
            value = read(fact)
            return None if value is None else compare(condition, value)


def combine(how: Combination, answers: list[bool | None]) -> bool | None:
    if how == "all of":
        return all_of(answers)
    some = negate(all_of([negate(each) for each in answers]))
    return some if how == "any of" else negate(some)


def all_of(answers: list[bool | None]) -> bool | None:
    if False in answers:
        return False
    return None if None in answers else True


def negate(answer: bool | None) -> bool | None:  # noqa: FBT001 - it is an answer, not a switch
    return None if answer is None else not answer


def compare(condition: Compared, value: Value) -> bool:
    if condition.operator in {"is at most", "is at least"}:
        assert isinstance(value, int)
        limit = condition.values[0]
        assert isinstance(limit, int)
        return value <= limit if condition.operator == "is at most" else value >= limit
    found = any(value == each for each in condition.values)
    return not found if "not" in condition.operator else found
