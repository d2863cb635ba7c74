"""Reads the words of a rule that stand for something else: conditions, duty holders and recipients.

The grammar, whole: `all of | any of | none of` lists; `meets: DEFINITION`; `applies: RULE`; `is recorded: FACT`; and `FACT OPERATOR: VALUE`
with the operators of `OPERATORS`. Every fact, value, kind and body is checked here, against the vocabulary and register.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, cast, get_args

from schemas.vocabulary import FactRefused, FactSpec, Kind, Value, Vocabulary, nearest
from services.routing.domain.facts import REPORTER
from services.routing.domain.register import GROUPS, Register
from services.routing.domain.rulebook.model import (
    AREAS_THAT_DIFFER,
    DUTY_HOLDER,
    Applies,
    AreaHolder,
    Combination,
    Combined,
    Compared,
    Condition,
    Holder,
    InFact,
    Meets,
    Named,
    Operator,
    Recipients,
    Recorded,
    ReporterHolder,
    RulesHolder,
    SameArea,
    Serving,
    Test,
    TheReporter,
)
from services.routing.domain.rulebook.tree import Node

OPERATORS: Final[Mapping[str, frozenset[Kind]]] = {
    "is": frozenset({"choice", "yes_no", "area"}),
    "is not": frozenset({"choice", "yes_no", "area"}),
    "is one of": frozenset({"choice", "area"}),
    "is not one of": frozenset({"choice", "area"}),
    "is at most": frozenset({"whole number"}),
    "is at least": frozenset({"whole number"}),
    "is the same as": frozenset({"area"}),
    "is not the same as": frozenset({"area"}),
}
_HOLDERS: Final = frozenset({"la", "lscp", "sab", "csp"})  # groups with one body in an area
_HOLDER_OF: Final = "the duty holder of "
_THE_REPORTER: Final = "the reporter"
_BODY_IN: Final = "the body in "
_BODIES_OF: Final = re.compile(r"(each of )?([a-z-]+)-of\(([^()]+)\)")


@dataclass(slots=True)
class Words:
    """Everything that the words of a rule may refer to. Definitions are added as they are read."""

    vocabulary: Vocabulary
    register: Register
    rules: Collection[str]
    definitions: dict[str, Meets] = field(default_factory=dict)

    def fact(self, name: str, node: Node, *kinds: Kind) -> FactSpec:
        """Return the fact called `name`, which must exist and be of one of the kinds, if any are given."""
        spec = self.vocabulary.get(name)
        if name in self.vocabulary.personal:
            raise node.refuse(
                f"`{name}` is personal: it stays with intake, so no rule can use it; a disclosure profile may"
            )
        if spec is None:
            raise node.refuse(f"unknown fact `{name}`{_hint(name, self.vocabulary)}")
        if kinds and spec.kind not in kinds:
            raise node.refuse(f"`{name}` is of kind {spec.kind}; expected kind {' or '.join(kinds)}")
        return spec

    def value(self, spec: FactSpec, node: Node, text: str | None = None) -> Value:
        """Return a value that the fact may have; "unknown" is none."""
        text = node.text() if text is None else text
        try:
            value = self.vocabulary.read(spec.name, text)
        except FactRefused as refused:
            raise node.refuse(f"`{text}` does not fit: {refused}") from refused
        if value is None:
            raise node.refuse("a condition cannot ask for unknown: an absent fact makes it undecided by itself")
        return value

    def rule(self, identifier: str, node: Node) -> str:
        """Return the id of a rule of this file."""
        if identifier not in self.rules:
            raise node.refuse(f"unknown rule `{identifier}`{_hint(identifier, self.rules)}")
        return identifier


def condition(node: Node, words: Words) -> Condition:
    """Read one condition: a mapping with a single key."""
    entries = node.entries()
    if len(entries) != 1:
        raise node.refuse("expected one condition here; put several under `all of:` or `any of:`, each after a dash")
    ((key, value),) = entries.items()
    if key in get_args(Combination):
        parts = tuple(condition(part, words) for part in value.items())
        return Combined(cast("Combination", key), parts)
    if key == "meets":
        name = value.text()
        if name not in words.definitions:
            raise value.refuse(f"unknown definition `{name}`{_hint(name, words.definitions)}")
        return words.definitions[name]
    if key == "applies":
        return Applies(words.rule(value.text(), value))
    if key == "is recorded":
        return Recorded(words.fact(value.text(), value).name)
    return _test(key, value, words)


def inline(node: Node, words: Words, text: str | None = None) -> Test:
    """Read a condition that is written on one line: `notification.decision is notify`, or `FACT is recorded`.

    `text` is the part of the line to read, if it is not all of it.
    """
    text = node.text() if text is None else text
    name, found, rest = text.partition(" is ")
    if rest == "recorded":
        return Recorded(words.fact(name, node).name)
    if not found:
        raise node.refuse(f"expected a condition such as `notification.decision is notify`, found `{text}`")
    negated = rest.startswith("not ")
    spec = words.fact(name, node, *OPERATORS["is"])
    return Compared(name, "is not" if negated else "is", (words.value(spec, node, rest.removeprefix("not ")),))


def all_inline(node: Node, words: Words) -> tuple[Test, ...]:
    """Read conditions that are written on one line, joined by `and`: all of them have to hold."""
    return tuple(inline(node, words, each) for each in node.text().split(" and "))


def _test(key: str, node: Node, words: Words) -> Condition:
    name, found, rest = key.partition(" is")
    operator = found.strip() + rest
    if operator not in OPERATORS:
        known = ", ".join((*OPERATORS, "all of", "any of", "none of", "meets", "applies", "is recorded"))
        raise node.refuse(f"`{key}` is no condition{_hint(operator, OPERATORS)}; known are: {known}")
    spec = words.fact(name, node)
    if spec.kind not in OPERATORS[operator]:
        fitting = ", ".join(each for each, kinds in OPERATORS.items() if spec.kind in kinds) or "none"
        raise node.refuse(f"`{operator}` does not fit `{name}`, of kind {spec.kind}; fitting are: {fitting}")
    if operator in {"is the same as", "is not the same as"}:
        other = node.text()
        if other != DUTY_HOLDER:
            words.fact(other, node, "area")
        return SameArea(name, other, negated=operator == "is not the same as")
    entries = node.items() if operator in {"is one of", "is not one of"} else [node]
    return Compared(name, cast("Operator", operator), tuple(words.value(spec, entry) for entry in entries))


def holder(node: Node, words: Words) -> Holder:
    """Read whose duty it is: `GROUP-of(FACT)`, `the reporter`, `the body in FACT`, or `the duty holder of RULE or RULE`.

    `GROUP-of(FACT or FACT)` goes by the first of them that is known; `GROUP-of(the duty holder of RULE)` is the body of a group in the
    area of that.
    """
    text = node.text()
    if text == _THE_REPORTER:
        return ReporterHolder()
    if text.startswith(_BODY_IN):
        return _body_in(text, node, words)
    if text.startswith(_HOLDER_OF):
        return _holder_of(text, node, words)
    match = _BODIES_OF.fullmatch(text)
    if match is None or match[1] or match[2] not in _HOLDERS:
        raise node.refuse(
            f"expected la-of(FACT), lscp-of(FACT), the reporter, {_BODY_IN}FACT, or {_HOLDER_OF}RULE, found `{text}`"
        )
    if match[3].startswith(_HOLDER_OF):
        return replace(_holder_of(match[3], node, words), group=match[2])
    return AreaHolder(match[2], tuple(words.fact(fact, node, "area").name for fact in match[3].split(" or ")))


def _body_in(text: str, node: Node, words: Words) -> InFact:
    return InFact(words.fact(text.removeprefix(_BODY_IN), node, "body").name)


def _holder_of(text: str, node: Node, words: Words) -> RulesHolder:
    return RulesHolder(tuple(words.rule(rule, node) for rule in text.removeprefix(_HOLDER_OF).split(" or ")))


def recipients(node: Node, words: Words) -> Recipients:
    """Read who is told: a national body's id, `GROUP-of(AREA)`, `each of GROUP-of(AREA)`, `the body in FACT`, or `the reporter`.

    AREA is a fact of kind area, `duty holder` or `the areas that differ`. A group that may have several bodies in one
    area is written with `each of`.
    """
    text = node.text()
    if text == _THE_REPORTER:
        return TheReporter()
    if text.startswith(_BODY_IN):
        return _body_in(text, node, words)
    match = _BODIES_OF.fullmatch(text)
    if match is None:
        national = [body.id for body in words.register.bodies.values() if not body.areas]
        if text not in national:
            raise node.refuse(
                f"unknown recipient `{text}`{_hint(text, national)}; national bodies: {', '.join(national)}"
            )
        return Named(text)
    each, group, area = match.groups()
    if group not in GROUPS:
        raise node.refuse(f"unknown recipients `{group}-of`{_hint(group, GROUPS)}; known are: {', '.join(GROUPS)}")
    if not each and (group in {"safeguarding-partners", "police", "icb"} or area == AREAS_THAT_DIFFER):
        raise node.refuse(f"there may be several: write `each of {text}`")
    if area not in {DUTY_HOLDER, AREAS_THAT_DIFFER}:
        words.fact(area, node, "area")
    return Serving(group, area)


def _hint(word: str, words: Collection[str] | Mapping[str, object]) -> str:
    close = nearest(word, words)
    return f", did you mean `{close}`?" if close else ""


def bodies(text: str, register: Register) -> tuple[str, ...] | None:
    """Return the bodies that an example means: an id, a group with area codes in place of a fact, or its reporter.

    Those of a group are the ones of the register's day.

    None if the text means nobody in the register.
    """
    if text == _THE_REPORTER:
        return (REPORTER,)
    if text in register.bodies:
        return (text,)
    match = _BODIES_OF.fullmatch(text)
    if match is None or match[2] not in GROUPS:
        return None
    return register.serving_all(match[2], match[3].split(", ")) or None
