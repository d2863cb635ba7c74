"""Compiles the conditions of rules into Python functions with three-valued (Kleene) logic.

Of an answer's two bits the lower says that it is not no, the upper that it is yes. So "all of" is `&`, "any of" is `|`, and
YES shifted right by an answer is its opposite. Nothing is cut short: a function answers every condition, and returns all
answers in one tuple, in which each rule has its place: its own answer first, then those of its conditions in the order of
`model.walk`. With the facts and the digest of the rulebook, "why" and "why not" can be rebuilt from them for ever.

Rules that run for the same children and items (reports, actions ...) are asked in one call, in which a condition that several
of them have is answered once; those with conditions on the duty holder, in a call for each holder. The source text that is
compiled has no word of the rulebook in it: facts become positions, values become arguments that nobody passes (a local name is
read faster than a global one).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from schemas.vocabulary import ITEMS, FactSpec, Scope, Topic, Vocabulary
from services.routing.domain.facts import Row
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

NO: Final = 0b00
UNDECIDED: Final = 0b01
YES: Final = 0b11
ANSWERS: Final[Mapping[int, str]] = {NO: "no", UNDECIDED: "undecided", YES: "yes"}

Answers = tuple[int, ...]
"""Of a rule and each of its conditions, in order; or of several rules, one after another."""
Ask = Callable[[Row, Row, Row, Row, str | None, Mapping[str, int]], Answers]
"""(facts of the incident, child, item and duty holder, duty holder's area, answers of applied rules) -> answers of all rules."""

_ROWS: Final[Mapping[Scope, str]] = {"incident": "i", "child": "c", "authority": "a", **dict.fromkeys(ITEMS, "t")}
_TESTS: Final = {
    "is": "{x} == {k}",
    "is not": "{x} != {k}",
    "is one of": "{x} in {k}",
    "is not one of": "{x} not in {k}",
    "is at most": "{x} <= {k}",
    "is at least": "{x} >= {k}",
}
_COMBINED: Final = {"all of": "{}", "any of": "{}", "none of": f"{YES} >> ({{}})"}


def combined(how: Combination, answers: Iterable[int]) -> int:
    """Return the answer of a combination, by those of its parts."""
    found = NO if how != "all of" else YES
    for answer in answers:
        found = found & answer if how == "all of" else found | answer
    return YES >> found if how == "none of" else found


@lru_cache(maxsize=4096)  # few of the answers that are possible come up, and those again and again
def pack(answers: Answers) -> bytes:
    """Return answers four to a byte, the first in the lowest bits."""
    bits = sum(answer << 2 * place for place, answer in enumerate(answers))
    return bits.to_bytes((len(answers) + 3) // 4, "little")


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule whose conditions a bundle asks. `conditions` are in the order of the answers; `depends_on` are asked before it.

    It runs once for each child (`per_child`), and once for each item of the scope `per`, in cases of what it is `about`.
    `on_holder`: what its conditions say depends on whose duty it would be.
    """

    rule: Rule
    conditions: tuple[Condition, ...]
    judged_on: FactSpec
    on_holder: bool
    per_child: bool
    per: Scope | None
    about: frozenset[Topic]
    depends_on: tuple[str, ...]

    def unpack(self, packed: bytes) -> Answers:
        """Return the answers of all conditions, in order."""
        bits = int.from_bytes(packed, "little")
        return tuple(bits >> 2 * place & 3 for place in range(len(self.conditions)))


@dataclass(frozen=True, slots=True)
class Held:
    """The rules of a bundle whose duty one expression gives to somebody, each with the place that its answers have."""

    holder: Holder
    rules: tuple[tuple[CompiledRule, slice], ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Rules that run for the same children and items, with the function that asks them all, and their conditions as it asks them.

    `on_holder`: there are conditions on the duty holder, so `held` is one, and each holder is asked about by itself.
    """

    held: tuple[Held, ...]
    conditions: tuple[Condition, ...]
    ask: Ask
    on_holder: bool
    per_child: bool
    per: Scope | None
    about: frozenset[Topic]
    depends_on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledRulebook:
    """A rulebook ready to be asked. `bundles` have every rule after those that it depends on."""

    book: Rulebook
    vocabulary: Vocabulary
    rules: Mapping[str, CompiledRule]
    bundles: tuple[Bundle, ...]


def compile_rulebook(book: Rulebook, vocabulary: Vocabulary) -> CompiledRulebook:
    """Return the rulebook with every rule compiled.

    Raises:
        RulebookRefused: Rules apply one another in a circle, or a rule about items is judged on another's date, or is
            about two kinds of them.
    """
    sorter = TopologicalSorter({rule.id: _depends_on(rule) for rule in book.rules})
    try:
        sorter.prepare()
    except CycleError as error:
        circle = error.args[1]
        raise RulebookRefused(
            book.rule(circle[0]).file, book.rule(circle[0]).line, f"rules apply one another: {', '.join(circle)}"
        ) from error
    compiled: dict[str, CompiledRule] = {}
    bundles: list[Bundle] = []
    while sorter.is_active():
        ready = sorter.get_ready()
        alike: dict[tuple[Holder | None, bool, Scope | None, frozenset[Topic]], list[CompiledRule]] = {}
        for identifier in ready:
            each = compiled[identifier] = _compiled(book.rule(identifier), vocabulary, compiled)
            holder = each.rule.holder if each.on_holder else None
            alike.setdefault((holder, each.per_child, each.per, each.about), []).append(each)
        bundles += [_bundle(rules, vocabulary) for rules in alike.values()]
        sorter.done(*ready)
    return CompiledRulebook(book, vocabulary, {rule.id: compiled[rule.id] for rule in book.rules}, tuple(bundles))


def _compiled(rule: Rule, vocabulary: Vocabulary, compiled: Mapping[str, CompiledRule]) -> CompiledRule:
    depends_on = _depends_on(rule)
    before = [compiled[other] for other in depends_on]
    scopes = {vocabulary[name].scope for name in _facts_of(rule)}
    per = _per(rule, {scope for scope in scopes if scope in ITEMS} | {other.per for other in before if other.per})
    if per is not None and vocabulary[rule.judged_on].scope != per:
        # Else two of them would give two obligations with one identity.
        dates = [name for name, spec in vocabulary.items() if spec.scope == per and spec.kind == "date"]
        problem = f"{rule.id} runs once per {ITEMS[per]}, so it has to be `judged on` one of: {', '.join(dates)}"
        raise RulebookRefused(rule.file, rule.line, problem)
    return CompiledRule(
        rule=rule,
        conditions=tuple(walk(rule.when)),
        judged_on=vocabulary[rule.judged_on],
        on_holder=any(name == DUTY_HOLDER or vocabulary[name].scope == "authority" for name in _asked_for(rule)),
        per_child="child" in scopes or any(other.per_child for other in before),
        per=per,
        about=frozenset(vocabulary[name].about for name in _facts_of(rule)).union(*(each.about for each in before)),
        depends_on=depends_on,
    )


def _per(rule: Rule, scopes: set[Scope]) -> Scope | None:
    if len(scopes) > 1:
        kinds = " and ".join(sorted(f"each {ITEMS[scope]}" for scope in scopes))
        raise RulebookRefused(rule.file, rule.line, f"{rule.id} would run for {kinds}; write a rule for each of them")
    return next(iter(scopes), None)


def _bundle(rules: list[CompiledRule], vocabulary: Vocabulary) -> Bundle:
    held: dict[Holder, list[tuple[CompiledRule, slice]]] = {}
    place = 0
    for each in rules:
        held.setdefault(each.rule.holder, []).append((each, slice(place, place + len(each.conditions))))
        place += len(each.conditions)
    conditions = tuple(each.rule.when for each in rules)
    return Bundle(
        held=tuple(Held(holder, tuple(those)) for holder, those in held.items()),
        conditions=conditions,
        ask=compile_conditions(conditions, vocabulary),
        on_holder=rules[0].on_holder,
        per_child=rules[0].per_child,
        per=rules[0].per,
        about=rules[0].about,
        depends_on=tuple(dict.fromkeys(rule for each in rules for rule in each.depends_on)),
    )


def _depends_on(rule: Rule) -> tuple[str, ...]:
    applied = [part.rule for part in walk(rule.when) if isinstance(part, Applies)]
    held = rule.holder.rules if isinstance(rule.holder, RulesHolder) else ()
    return tuple(dict.fromkeys((*applied, *held)))


def _facts_of(rule: Rule) -> set[str]:
    """Return every fact by which the rule's runs differ; the reporter as duty holder or recipient makes it one per report."""
    names = {rule.judged_on} | _asked_for(rule) - {DUTY_HOLDER}
    if isinstance(rule.holder, AreaHolder):
        names.update(rule.holder.facts)
    if isinstance(rule.holder, InFact):
        names.add(rule.holder.fact)
    if isinstance(rule.holder, ReporterHolder):
        names.add("reporter.area")
    for duty in rule.then:
        names.update((*duty.within.clock, *filter(None, (duty.within.anew_from,))))
        names.update(test.fact for test in duty.tests)
        names.update(fact for done in duty.stop.recorded for fact in done.facts)
        names.update(test.fact for test in duty.stop.holds)
        names.update(filter(None, (duty.stop.at_the_end, duty.stop.since)))
        if isinstance(duty.tell, Serving) and duty.tell.area not in {DUTY_HOLDER, AREAS_THAT_DIFFER}:
            names.add(duty.tell.area)
        if isinstance(duty.tell, TheReporter):
            names.add("reporter.area")
        if isinstance(duty.tell, InFact):
            names.add(duty.tell.fact)
    return names


def _asked_for(rule: Rule) -> set[str]:
    """Return every fact that the conditions name, and `the duty holder` if they name it."""
    parts = [part for part in walk(rule.when) if isinstance(part, Compared | SameArea | Recorded)]
    return {part.fact for part in parts} | {part.other for part in parts if isinstance(part, SameArea)}


class _Writer:
    """Writes the lines of one function: parts first, so that a combination finds their answers; and nothing twice."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._names: dict[Condition | str, str] = {}  # of conditions and facts that have been written
        self.lines: list[str] = []
        self.constants: dict[str, object] = {}

    def write(self, condition: Condition) -> str:
        """Return the name that the answer of a condition has."""
        if isinstance(condition, Meets):
            return self.write(condition.when)
        if isinstance(condition, Combined) and condition.how != "none of" and len(condition.parts) == 1:
            return self.write(condition.parts[0])
        if condition not in self._names:
            self._names[condition] = self._line(self._answer(condition))
        return self._names[condition]

    def _answer(self, condition: Compared | SameArea | Recorded | Applies | Combined) -> str:
        match condition:
            case Compared(fact=fact, operator=operator, values=values):
                several = operator.endswith("one of")
                x, k = self._read(fact), self._constant(frozenset(values) if several else values[0])
                return f"{UNDECIDED} if {x} is None else {YES} if {_TESTS[operator].format(x=x, k=k)} else {NO}"
            case SameArea(fact=fact, other=other, negated=negated):
                x, y = self._read(fact), "holder" if other == DUTY_HOLDER else self._read(other)
                same = f"{x} {'!=' if negated else '=='} {y}"
                return f"{UNDECIDED} if {x} is None or {y} is None else {YES} if {same} else {NO}"
            case Recorded(fact=fact):
                return f"{NO} if {self._read(fact)} is None else {YES}"
            case Applies(rule=rule):
                return f"applied[{self._constant(rule)}]"
            case Combined(how=how, parts=parts):
                return _COMBINED[how].format((" & " if how == "all of" else " | ").join(map(self.write, parts)))

    def _read(self, fact: str) -> str:
        """Return the name that a fact's value has."""
        if fact not in self._names:
            spec = self._vocabulary[fact]
            self._names[fact] = self._line(f"{_ROWS[spec.scope]}[{spec.position}]")
        return self._names[fact]

    def _line(self, expression: str) -> str:
        name = f"n{len(self.lines)}"
        self.lines.append(f"{name} = {expression}")
        return name

    def _constant(self, value: object) -> str:
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return name


def compile_conditions(conditions: Iterable[Condition], vocabulary: Vocabulary) -> Ask:
    """Return the function that answers conditions and all their parts."""
    writer = _Writer(vocabulary)
    answers = ", ".join(writer.write(part) for condition in conditions for part in walk(condition))
    body = "\n    ".join((*writer.lines, f"return ({answers},)"))
    given = ", ".join(("i, c, t, a, holder, applied", *(f"{name}={name}" for name in writer.constants)))
    namespace: dict[str, Any] = {**writer.constants, "__builtins__": {}}
    exec(f"def ask({given}):\n    {body}\n", namespace)  # noqa: S102 - only names made here, see above
    ask: Ask = namespace["ask"]
    return ask
