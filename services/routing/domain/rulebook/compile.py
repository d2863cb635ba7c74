"""Compiles a rule's conditions into one Python function with three-valued (Kleene) logic.

NO < UNDECIDED < YES, so "all of" is the least answer, "any of" the greatest, and "not" swaps the ends. Nothing is cut
short: the function answers every condition and returns all answers in one whole number, two bits each, the rule's own
answer in the lowest bits and then each condition in the order of `model.walk`. With the facts and the digest of the
rulebook, "why" and "why not" can be rebuilt from those bits for ever.

The source text that is compiled has no word of the rulebook in it: facts become positions, values become constants of
the function's namespace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from schemas.vocabulary import FactSpec, Scope, Vocabulary
from services.routing.domain.facts import Row
from services.routing.domain.rulebook.model import (
    AREAS_THAT_DIFFER,
    DUTY_HOLDER,
    Applies,
    AreaHolder,
    Combined,
    Compared,
    Condition,
    Meets,
    Recorded,
    ReporterHolder,
    Rule,
    Rulebook,
    RulesHolder,
    SameArea,
    Serving,
    TheReporter,
    walk,
)
from services.routing.domain.rulebook.tree import RulebookRefused

NO: Final = 0
UNDECIDED: Final = 1
YES: Final = 2
ANSWERS: Final = ("no", "undecided", "yes")

Ask = Callable[[Row, Row, Row, Row, str | None, Mapping[str, int]], int]
"""(incident, child, reporter and duty holder's facts, duty holder's area, answers of other rules) -> packed answers."""

_ROWS: Final[Mapping[Scope, str]] = {"incident": "i", "child": "c", "reporter": "r", "authority": "a"}
_TESTS: Final = {
    "is": "{x} == {k}",
    "is not": "{x} != {k}",
    "is one of": "{x} in {k}",
    "is not one of": "{x} not in {k}",
    "is at most": "{x} <= {k}",
    "is at least": "{x} >= {k}",
}


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with its function. `conditions` are in the order of the answers; `depends_on` are rules to be asked first."""

    rule: Rule
    ask: Ask
    conditions: tuple[Condition, ...]
    judged_on: FactSpec
    per_child: bool
    per_report: bool
    depends_on: tuple[str, ...]

    def pack(self, bits: int) -> bytes:
        """Return the answers as bytes, four to a byte, the first in the lowest bits."""
        return bits.to_bytes((len(self.conditions) + 3) // 4, "little")

    def unpack(self, packed: bytes) -> tuple[int, ...]:
        """Return the answers of all conditions, in order."""
        return self.answers(int.from_bytes(packed, "little"))

    def answers(self, bits: int) -> tuple[int, ...]:
        """Return the answers of all conditions, in order."""
        return tuple(bits >> (2 * place) & 3 for place in range(len(self.conditions)))


@dataclass(frozen=True, slots=True)
class CompiledRulebook:
    """A rulebook ready to be asked. `in_order` has every rule after those that it depends on."""

    book: Rulebook
    vocabulary: Vocabulary
    rules: Mapping[str, CompiledRule]
    in_order: tuple[CompiledRule, ...]


def compile_rulebook(book: Rulebook, vocabulary: Vocabulary) -> CompiledRulebook:
    """Return the rulebook with every rule compiled.

    Raises:
        RulebookRefused: Rules apply one another in a circle, or a rule about reports is judged on another's date.
    """
    depends = {rule.id: _depends_on(rule) for rule in book.rules}
    try:
        order = tuple(TopologicalSorter(depends).static_order())
    except CycleError as error:
        circle = error.args[1]
        raise RulebookRefused(
            book.rule(circle[0]).file, book.rule(circle[0]).line, f"rules apply one another: {', '.join(circle)}"
        ) from error
    compiled: dict[str, CompiledRule] = {}
    for identifier in order:
        rule = book.rule(identifier)
        before = [compiled[other] for other in depends[identifier]]
        scopes = {vocabulary[name].scope for name in _facts_of(rule)}
        per_report = "reporter" in scopes or any(other.per_report for other in before)
        if per_report and vocabulary[rule.judged_on].scope != "reporter":
            # Else two reports would give two obligations with one identity.
            problem = f"{rule.id} runs once per report, so it has to be `judged on` a report's fact such as reported_on"
            raise RulebookRefused(rule.file, rule.line, problem)
        compiled[identifier] = CompiledRule(
            rule=rule,
            ask=compile_condition(rule.when, vocabulary),
            conditions=tuple(walk(rule.when)),
            judged_on=vocabulary[rule.judged_on],
            per_child="child" in scopes or any(other.per_child for other in before),
            per_report=per_report,
            depends_on=depends[identifier],
        )
    rules = {rule.id: compiled[rule.id] for rule in book.rules}
    return CompiledRulebook(book, vocabulary, rules, tuple(compiled.values()))


def _depends_on(rule: Rule) -> tuple[str, ...]:
    applied = [part.rule for part in walk(rule.when) if isinstance(part, Applies)]
    held = rule.holder.rules if isinstance(rule.holder, RulesHolder) else ()
    return tuple(dict.fromkeys((*applied, *held)))


def _facts_of(rule: Rule) -> set[str]:
    """Return every fact by which the rule's runs differ; the reporter as duty holder or recipient makes it one per report."""
    names = {rule.judged_on}
    if isinstance(rule.holder, AreaHolder):
        names.add(rule.holder.fact)
    if isinstance(rule.holder, ReporterHolder):
        names.add("reporter.area")
    for part in walk(rule.when):
        if isinstance(part, Compared | SameArea | Recorded):
            names.add(part.fact)
        if isinstance(part, SameArea) and part.other != DUTY_HOLDER:
            names.add(part.other)
    for duty in rule.then:
        names.update(duty.within.clock)
        names.update(test.fact for test in (duty.release, duty.only_if) if test is not None)
        names.update((*duty.stop.recorded, *(test.fact for test in duty.stop.holds)))
        if isinstance(duty.tell, Serving) and duty.tell.area not in {DUTY_HOLDER, AREAS_THAT_DIFFER}:
            names.add(duty.tell.area)
        if isinstance(duty.tell, TheReporter):
            names.add("reporter.area")
    return names


class _Writer:
    """Writes the lines of one function: parts first, so that a combination finds their answers."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._count = 0
        self.lines: list[str] = []
        self.constants: dict[str, object] = {}

    def write(self, condition: Condition) -> str:
        name = f"n{self._count}"
        self._count += 1
        match condition:
            case Compared():
                self._compared(name, condition)
            case SameArea():
                self._same_area(name, condition)
            case Recorded():
                self.lines.append(f"{name} = 0 if {self._read(condition.fact)} is None else 2")
            case Applies():
                self.lines.append(f"{name} = rules[{self._constant(name, condition.rule)}]")
            case Meets():
                self.lines.append(f"{name} = {self.write(condition.when)}")
            case Combined():
                self._combined(name, condition)
        return name

    def _compared(self, name: str, condition: Compared) -> None:
        several = condition.operator.endswith("one of")
        constant = self._constant(name, frozenset(condition.values) if several else condition.values[0])
        test = _TESTS[condition.operator].format(x="x", k=constant)
        self.lines += [f"x = {self._read(condition.fact)}", f"{name} = 1 if x is None else 2 if {test} else 0"]

    def _same_area(self, name: str, condition: SameArea) -> None:
        other = "holder" if condition.other == DUTY_HOLDER else self._read(condition.other)
        sign = "!=" if condition.negated else "=="
        self.lines += [
            f"x = {self._read(condition.fact)}",
            f"y = {other}",
            f"{name} = 1 if x is None or y is None else 2 if x {sign} y else 0",
        ]

    def _combined(self, name: str, condition: Combined) -> None:
        parts = ", ".join([self.write(part) for part in condition.parts])
        match condition.how:
            case "all of":
                self.lines.append(f"{name} = min(({parts},))")
            case "any of":
                self.lines.append(f"{name} = max(({parts},))")
            case "none of":
                self.lines.append(f"{name} = 2 - max(({parts},))")

    def _read(self, fact: str) -> str:
        spec = self._vocabulary[fact]
        return f"{_ROWS[spec.scope]}[{spec.position}]"

    def _constant(self, name: str, value: object) -> str:
        self.constants[f"k{name}"] = value
        return f"k{name}"

    def packed(self) -> str:
        return " | ".join(["n0", *(f"n{place} << {2 * place}" for place in range(1, self._count))])


def compile_condition(condition: Condition, vocabulary: Vocabulary) -> Ask:
    """Return the function that answers a condition and all its parts."""
    writer = _Writer(vocabulary)
    writer.write(condition)
    body = "\n    ".join((*writer.lines, f"return {writer.packed()}"))
    namespace: dict[str, Any] = {**writer.constants, "min": min, "max": max, "__builtins__": {}}
    exec(f"def ask(i, c, r, a, holder, rules):\n    {body}\n", namespace)  # noqa: S102 - only names made here, see above
    ask: Ask = namespace["ask"]
    return ask
