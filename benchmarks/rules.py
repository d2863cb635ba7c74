"""`make bench-rules`: the newest rulebook's conditions, answered with a full trace, against other people's rule engines.

Every engine gets the same situations, in which every rule can be decided, in the form that it takes fastest, made before the
clock starts; their answers are compared first. Ours records the answer of every condition, and would say "cannot decide" where
a fact is missing; zen's trace has the rows that matched, or each rule's answer, and CEL has none. The engines take turns; what
counts is CPU time. For the last two rows the others have nothing to compare: the answers packed to two bits each, as a decision
is kept, and all that routing does with merged facts.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

import cel as rust_cel
import zen
from cel_expr_python import cel as cpp_cel

from benchmarks.figures import Figure, Machine, conclude, family_seconds, table
from schemas.vocabulary import ITEMS, Value, load
from services.routing.domain.rulebook.compile import UNDECIDED, YES, Answers, Bundle, pack
from services.routing.domain.rulebook.evaluate import evaluate
from services.routing.domain.rulebook.model import (
    DUTY_HOLDER,
    Applies,
    Combined,
    Compared,
    Condition,
    Meets,
    Recorded,
    Rulebook,
    SameArea,
    walk,
)
from services.routing.law import Law, read_law
from tests.support.cel import exported
from tests.support.rulebooks import base, fact
from tests.support.situations import Situation, Situations

GOAL: Final = 7.0
EACH: Final = 200  # situations for each rule
ROUNDS: Final = 7
OURS: Final = "ours, every condition kept"
PACKED: Final = "ours, and packed to be kept"
WHOLE: Final = "ours, a whole case"
Holds = tuple[bool, ...]

_ZEN: Final = {
    "is": "{fact} == {value}",
    "is not": "{fact} != {value}",
    "is one of": "{fact} in {values}",
    "is not one of": "{fact} not in {values}",
    "is at most": "{fact} <= {value}",
    "is at least": "{fact} >= {value}",
}


class Engine:
    """An engine that is ready: situations in its own form, and how it answers every rule of the book in one of them."""

    def __init__(self, given: Sequence[Any], ask: Callable[[Any], object], read: Callable[[Any], Holds]) -> None:
        self._given = given
        self._ask = ask
        self._read = read
        self.best_s = float("inf")

    def answers(self) -> list[Holds]:
        """Return for each situation the answer of each rule."""
        return [self._read(self._ask(each)) for each in self._given]

    def run(self) -> None:
        """Answer every situation once and keep the least CPU time that one took."""
        ask = self._ask
        started = time.process_time()
        for each in self._given:
            ask(each)
        self.best_s = min(self.best_s, (time.process_time() - started) / len(self._given))


def not_stated(fact: str) -> str | int:
    """Return, to other engines, the value of a fact that nobody stated: they know of no absence, and compare like with like."""
    return -1 if load()[fact].kind == "whole number" else ""


def inlined(condition: Condition, book: Rulebook) -> Condition:
    """Return the condition with the conditions of other rules in the place of `applies`, for engines that have no such thing."""
    match condition:
        case Applies(rule=rule):
            return inlined(book.rule(rule).when, book)
        case Meets(when=when):
            return inlined(when, book)
        case Recorded(fact=fact):
            return Compared(fact, "is not", (not_stated(fact),))
        case Combined(parts=parts):
            return replace(condition, parts=tuple(inlined(part, book) for part in parts))
        case _:
            return condition


def zen_says(condition: Condition) -> str:
    """Return a condition, inlined, in zen's expression language."""
    match condition:
        case Compared(fact=fact, operator=operator, values=values):
            listed = json.dumps(list(values))
            return _ZEN[operator].format(fact=variable(fact), value=json.dumps(values[0]), values=listed)
        case SameArea(fact=fact, other=other, negated=negated):
            return f"{variable(fact)} {'!=' if negated else '=='} {variable(other)}"
        case Combined(how=how, parts=parts):
            sign = " and " if how == "all of" else " or "
            joined = sign.join(f"({zen_says(part)})" for part in parts)
            return f"not ({joined})" if how == "none of" else joined
        case Applies() | Meets() | Recorded():
            raise AssertionError(condition)


def variable(name: str) -> str:
    """Return a fact's name as a name of a variable."""
    return name.replace(".", "_").replace(" ", "_")


def asking(law: Law) -> Callable[[tuple[Any, ...]], list[Answers]]:
    """Return what asks the compiled functions: for each bundle every condition's answer, over rows of facts."""
    applied_by_others = {rule for bundle in law.book.bundles for rule in bundle.depends_on}
    asks = [
        (bundle.ask, bundle.per, [(rule, place.start) for rule, place in places(bundle) if rule in applied_by_others])
        for bundle in law.book.bundles
    ]

    def every(given: tuple[Any, ...]) -> list[Answers]:
        incident, child, items, authority, holder = given
        applied: dict[str, int] = {}
        found: list[Answers] = []
        for ask, per, first in asks:
            answers = ask(incident, child, items[per], authority, holder, applied)
            for rule, place in first:
                applied[rule] = answers[place]
            found.append(answers)
        return found

    return every


def places(bundle: Bundle) -> list[tuple[str, slice]]:
    """Return where the answers of each rule are among those of its bundle."""
    return [(compiled.rule.id, place) for held in bundle.held for compiled, place in held.rules]


def by_rule(law: Law, found: list[Answers]) -> dict[str, Answers]:
    """Return the answers of each rule, in rulebook order."""
    bundles = zip(law.book.bundles, found, strict=True)
    answers = {rule: each[place] for bundle, each in bundles for rule, place in places(bundle)}
    return {rule: answers[rule] for rule in law.book.rules}


def rows_of(law: Law, situation: Situation) -> tuple[Any, ...]:
    """Return a situation as our compiled functions take it: the rows of its items by their scope."""
    incident, child, _, authority = situation.rows(law.vocabulary)
    items = {per: situation.rows(law.vocabulary, per)[2] for per in (None, *ITEMS)}
    return incident, child, items, authority, situation.holder


def ours(law: Law, situations: list[Situation]) -> Engine:
    """Return our engine."""
    given = [rows_of(law, each) for each in situations]
    return Engine(given, asking(law), lambda found: tuple(each[0] == YES for each in by_rule(law, found).values()))


def packed(law: Law, situations: list[Situation]) -> Engine:
    """Return our engine with the answers of each rule packed as well, as a decision is published and kept."""
    ask = asking(law)
    where = [[place for _, place in places(bundle)] for bundle in law.book.bundles]

    def kept(rows: tuple[Any, ...]) -> list[bytes]:
        return [pack(each[place]) for each, some in zip(ask(rows), where, strict=True) for place in some]

    given = [rows_of(law, each) for each in situations]
    return Engine(given, kept, lambda _: ())


def whole_cases(law: Law, situations: list[Situation]) -> Engine:
    """Return the evaluation of merged facts, which no other engine does: who holds each duty, what is in force, and why."""
    given = [
        base([fact(name, value, of=f"la:{each.holder}") for name, value in each.known.items()]) for each in situations
    ]
    return Engine(given, lambda facts: evaluate(law.book, facts, law.register), lambda _: ())


def zen_engine(given: list[dict[str, str | int]], node: dict[str, Any], read: Callable[[Any], Holds]) -> Engine:
    """Return zen with one node between input and output, from a static loader, with its trace on."""
    ends = [{"id": "in", "type": "inputNode", "name": "in"}, {"id": "out", "type": "outputNode", "name": "out"}]
    edges = [{"id": "1", "sourceId": "in", "targetId": "x"}, {"id": "2", "sourceId": "x", "targetId": "out"}]
    graph = {
        "nodes": [{"position": {"x": 0, "y": 0}, **each} for each in (*ends, {"id": "x", "name": "x", **node})],
        "edges": [{"type": "edge", **each} for each in edges],
    }
    engine = zen.ZenEngine({"loader": {"type": "static", "content": {"book": graph}}})
    return Engine(given, lambda facts: engine.evaluate("book", facts, {"trace": True}), lambda got: read(got["result"]))


def plain(law: Law, situations: list[Situation]) -> list[dict[str, str | int]]:
    """Return only the facts that the rules ask for, and the duty holder's area."""
    parts = [part for rule in law.book.book.rules for part in walk(rule.when)]
    used = {part.fact for part in parts if isinstance(part, Compared | SameArea | Recorded)}
    used |= {part.other for part in parts if isinstance(part, SameArea)} - {DUTY_HOLDER}
    found: list[dict[str, str | int]] = []
    for each in situations:
        facts = {name: written(each.known.get(name, not_stated(name))) for name in sorted(used)}
        found.append({**facts, DUTY_HOLDER: each.holder or ""})
    return found


def written(value: Value) -> str | int:
    """Return a value as JSON can have it."""
    return value.isoformat() if isinstance(value, date) else value


def engines(law: Law, situations: list[Situation]) -> dict[str, Engine]:
    """Return all engines with the same rules and situations."""
    rules = [(rule.id, inlined(rule.when, law.book.book)) for rule in law.book.book.rules]
    rows = [{"_id": rule, "i": zen_says(when), "o": json.dumps(rule)} for rule, when in rules]
    columns = {"inputs": [{"id": "i", "name": "rule"}], "outputs": [{"id": "o", "name": "rule", "field": "rule"}]}
    by_table = {"type": "decisionTableNode", "content": {"hitPolicy": "collect", **columns, "rules": rows}}
    expressions = [{"id": rule, "key": variable(rule), "value": zen_says(when)} for rule, when in rules]
    by_expressions = {"type": "expressionNode", "content": {"expressions": expressions}}
    listed = f"[{', '.join(zen_says(when) for _, when in rules)}]"
    by_list = {"type": "expressionNode", "content": {"expressions": [{"id": "x", "key": "x", "value": listed}]}}
    source = f"[{', '.join(exported(when, variable) for _, when in rules)}]"
    facts = [{variable(name): value for name, value in each.items()} for each in plain(law, situations)]
    kinds = {
        name: cpp_cel.Type.INT if isinstance(value, int) else cpp_cel.Type.STRING for name, value in facts[0].items()
    }
    environment = cpp_cel.NewEnv(variables=kinds)
    in_rust, in_cpp = rust_cel.compile(source), environment.compile(source)
    return {
        OURS: ours(law, situations),
        "zen, a table": zen_engine(facts, by_table, lambda got: tuple({"rule": rule} in got for rule, _ in rules)),
        "zen, an expression each": zen_engine(
            facts, by_expressions, lambda got: tuple(got[variable(rule)] for rule, _ in rules)
        ),
        "zen, one list (no rule in its trace)": zen_engine(facts, by_list, lambda got: tuple(got["x"])),
        "CEL in Rust, one list": Engine([rust_cel.Context(variables=each) for each in facts], in_rust.execute, tuple),
        "CEL in C++, one list": Engine(
            [environment.Activation(each) for each in facts], in_cpp.eval, lambda got: tuple(got.plain_value())
        ),
    }


def decided(law: Law, found: list[Answers]) -> bool:
    """Return whether no rule waits for a fact."""
    return all(answers[0] != UNDECIDED for answers in by_rule(law, found).values())


def settled(law: Law, of_each: int) -> list[Situation]:
    """Return so many situations for each rule in which nothing is missing, without those in which a rule is undecided all the same."""
    made = Situations(law.book.book, law.vocabulary, seed=1)
    every = [each for rule in law.book.book.rules for each in made.of(rule, of_each, complete=True)]
    ask = asking(law)
    return [each for each in every if decided(law, ask(rows_of(law, each)))]


def main() -> int:
    """Compare the answers, measure and conclude."""
    law = read_law()
    situations = settled(law, EACH)
    measured = engines(law, situations)
    answers = measured[OURS].answers()
    for name, engine in measured.items():
        if engine.answers() != answers:
            print(f"bench-rules: {name} answers otherwise than {OURS}", file=sys.stderr)
            return 1
    measured |= {PACKED: packed(law, situations), WHOLE: whole_cases(law, situations)}
    machine, cpu = Machine(), family_seconds()
    for _ in range(ROUNDS):
        for engine in measured.values():
            engine.run()
    rows = [(name, f"{1 / engine.best_s:,.0f}/s  {engine.best_s * 1e6:.1f} us") for name, engine in measured.items()]
    rules, conditions = len(law.book.rules), sum(len(rule.conditions) for rule in law.book.rules.values())
    said = f"{sum(map(sum, answers)) / len(answers):.1f} of them hold"
    table(rows, f"{len(situations):,} situations, {rules} rules of {conditions} conditions, {said}; all engines agree")
    print(machine.report(family_seconds() - cpu))
    zen_s = min(
        engine.best_s for name, engine in measured.items() if name in {"zen, a table", "zen, an expression each"}
    )
    return conclude("bench-rules", Figure(zen_s / measured[OURS].best_s, GOAL, "x zen"))


if __name__ == "__main__":
    sys.exit(main())
