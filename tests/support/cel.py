"""Conditions as expressions of the Common Expression Language, and the two libraries that answer them.

An error of an expression stands for "cannot decide": `&&` and `||` take errors as Kleene's logic takes what is not known. Only a
missing fact is such an error; any other ends the test. The libraries share no code: one is in Rust, one Google's in C++.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import cel as rust
from cel_expr_python import cel as cpp

from schemas.vocabulary import Value
from services.routing.domain.rulebook.model import (
    DUTY_HOLDER,
    Applies,
    Combined,
    Compared,
    Condition,
    Meets,
    Recorded,
    SameArea,
)
from tests.support.situations import Situation

_OPERATORS = {
    "is": "{fact} == {value}",
    "is not": "{fact} != {value}",
    "is one of": "{fact} in {values}",
    "is not one of": "!({fact} in {values})",
    "is at most": "{fact} <= {value}",
    "is at least": "{fact} >= {value}",
}
_JOINED = {"all of": "({})", "any of": "({})", "none of": "!({})"}
_ENVIRONMENT = cpp.NewEnv(
    variables={
        "facts": cpp.Type.Map(cpp.Type.STRING, cpp.Type.DYN),
        "rules": cpp.Type.Map(cpp.Type.STRING, cpp.Type.BOOL),
    }
)


def _fact(name: str) -> str:
    return f"facts[{_literal(name)}]"


def exported(condition: Condition, named: Callable[[str], str] = _fact) -> str:
    """Return a condition as an expression over `facts`, which has the duty holder's area too, and the answers of `rules`.

    `named` may give facts another form, such as variables of their own: faster, but absent ones are not told from misspelt ones.
    """
    match condition:
        case Meets(when=when):
            return exported(when, named)
        case Applies(rule=rule):
            return f"rules[{_literal(rule)}]"
        case Recorded(fact=fact):
            return f"{_literal(fact)} in facts"
        case SameArea(fact=fact, other=other, negated=negated):
            return f"{named(fact)} {'!=' if negated else '=='} {named(other)}"
        case Compared(fact=fact, operator=operator, values=values):
            listed = f"[{', '.join(map(_literal, values))}]"
            return _OPERATORS[operator].format(fact=named(fact), value=_literal(values[0]), values=listed)
        case Combined(how=how, parts=parts):
            sign = " && " if how == "all of" else " || "
            return _JOINED[how].format(sign.join(f"({exported(part, named)})" for part in parts))


def _literal(value: Value) -> str:
    return json.dumps(value.isoformat() if isinstance(value, date) else value)


class Asked:
    """One condition, ready to be answered by both libraries."""

    def __init__(self, condition: Condition) -> None:
        self.expression = exported(condition)
        self._rust = rust.compile(self.expression)
        self._cpp = _ENVIRONMENT.compile(self.expression)

    def by_rust(self, given: Given) -> bool | None:
        """Return the answer of `common-expression-language`, None for "cannot decide"."""
        try:
            return _answer(self._rust.execute(given.rust))
        except KeyError:
            return None

    def by_cpp(self, given: Given) -> bool | None:
        """Return the answer of `cel-expr-python`, None for "cannot decide"."""
        value = self._cpp.eval(given.cpp)
        if value.type() == cpp.Type.ERROR:
            assert "Key not found in map" in value.value(), value.value()
            return None
        return _answer(value.value())


class Given:
    """A situation in the form of each library. What is absent or undecided has no entry."""

    def __init__(self, situation: Situation) -> None:
        facts = {
            name: value.isoformat() if isinstance(value, date) else value for name, value in situation.known.items()
        }
        if situation.holder is not None:
            facts[DUTY_HOLDER] = situation.holder
        rules = {rule: answer for rule, answer in situation.applies.items() if answer is not None}
        data = {"facts": facts, "rules": rules}
        self.rust = rust.Context(variables=data)
        self.cpp = _ENVIRONMENT.Activation(data)


def _answer(value: object) -> bool:
    assert isinstance(value, bool), value
    return value
