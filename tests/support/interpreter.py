"""A second opinion: a slow interpreter of conditions and of whole rulebooks, written without looking at the compiler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from schemas.vocabulary import Scope, Value
from services.routing.domain.facts import INCIDENT, FactBase
from services.routing.domain.register import Register
from services.routing.domain.rulebook.model import (
    DUTY_HOLDER,
    Applies,
    AreaHolder,
    Combination,
    Combined,
    Compared,
    Condition,
    InFact,
    Meets,
    Recorded,
    ReporterHolder,
    Rule,
    Rulebook,
    RulesHolder,
    SameArea,
    walk,
)

Read = Callable[[str], Value | None]
Holder = tuple[str | None, str | None]
"""A duty holder's id and area."""
NOBODY: Holder = (None, None)
Items = Mapping[Scope, str]
"""One item of each kind: a report, an action, a request."""


def interpret(
    condition: Condition,
    read: Read,
    holder: str | None,
    applies: Mapping[str, bool | None],
    said: Callable[[str], list[Value]] = lambda _: [],
) -> bool | None:
    """Return True, False, or None for "cannot decide". `said` gives what sources say of a fact on which they differ."""
    match condition:
        case Combined(how=how, parts=parts):
            return combine(how, [interpret(part, read, holder, applies, said) for part in parts])
        case Meets(when=when):
            return interpret(when, read, holder, applies, said)
        case Applies(rule=rule):
            return applies[rule]
        case SameArea(fact=fact, other=other, negated=negated):
            one, two = read(fact), holder if other == DUTY_HOLDER else read(other)
            return None if one is None or two is None else (one == two) is not negated
        case Recorded(fact=fact):
            return read(fact) is not None
        case Compared(fact=fact):
            value = read(fact)
            answers = [compare(condition, each) for each in (said(fact) if value is None else [value])]
            return answers[0] if answers and all(each == answers[0] for each in answers) else None


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


@dataclass(frozen=True, slots=True)
class SlowRun:
    """One run of a rule. `parts` has the answer of each condition, in order."""

    holder: Holder
    answer: bool | None
    in_force: bool | None
    parts: tuple[bool | None, ...]

    @property
    def applies(self) -> bool | None:
        """Return whether the rule is in force and its `when` holds, whoever has to act."""
        return all_of([self.parts[0], self.in_force])


@dataclass(frozen=True, slots=True)
class SlowRulebook:
    """A rulebook that is asked about one child and one item of each kind at a time, anew for each question."""

    book: Rulebook
    facts: FactBase
    register: Register

    def runs(self, rule: Rule, child: str | None, items: Items) -> list[SlowRun]:
        """Return one run for each possible duty holder."""
        applies = {
            part.rule: self.applies(part.rule, child, items) for part in walk(rule.when) if isinstance(part, Applies)
        }
        return [self._run(rule, child, items, holder, applies) for holder in self._holders(rule, child, items)]

    def applies(self, rule: str, child: str | None, items: Items) -> bool | None:
        """Return whether a rule is in force and its `when` holds for any of its duty holders."""
        return combine("any of", [run.applies for run in self.runs(self.book.rule(rule), child, items)])

    def _run(
        self,
        rule: Rule,
        child: str | None,
        items: Items,
        holder: Holder,
        applies: Mapping[str, bool | None],
    ) -> SlowRun:
        def read(name: str) -> Value | None:
            return self._read(name, child, items, holder[0])

        def said(name: str) -> list[Value]:
            owner = self._owner(name, child, items, holder[0])
            return [
                each.value
                for conflict in self.facts.conflicts
                if (conflict.name, conflict.owner) == (name, owner)
                for each in conflict.statements
                if each.value is not None
            ]

        parts = tuple(interpret(part, read, holder[1], applies, said) for part in walk(rule.when))
        day, until = read(rule.judged_on), rule.in_force_until
        in_force = None
        if isinstance(day, date):
            in_force = day >= rule.in_force_from and not (until is not None and day > until)
        known = None if holder[0] is None else True
        return SlowRun(holder, all_of([parts[0], in_force, known]), in_force, parts)

    def _holders(self, rule: Rule, child: str | None, items: Items) -> list[Holder]:
        match rule.holder:
            case AreaHolder(group=group, facts=facts):
                areas = [self._read(fact, child, items, None) for fact in facts]
                return [self._serving(group, next((area for area in areas if area is not None), None))]
            case ReporterHolder():
                area = self._read("reporter.area", child, items, None)
                return [(self.facts.reporter_of(items["reporter"]), area if isinstance(area, str) else None)]
            case InFact(fact=fact):
                body = self._read(fact, child, items, None)
                return [(body, self._only_area(body)) if isinstance(body, str) else NOBODY]
            case RulesHolder(rules=rules, group=group):
                found: list[Holder] = []
                for other in rules:
                    for run in self.runs(self.book.rule(other), child, items):
                        holder = self._serving(group, run.holder[1]) if group else run.holder
                        if run.applies is not False and holder not in found:
                            found.append(holder)
                return found or [NOBODY]

    def _only_area(self, body: str) -> str | None:
        found = [each.areas for each in self.register.bodies.values() if each.id == body and len(each.areas) == 1]
        return found[0][0] if found else None

    def _serving(self, group: str, area: Value | None) -> Holder:
        if not isinstance(area, str):
            return NOBODY
        serving = self.register.serving(group, area)
        return (serving[0] if serving else f"{group}:{area}", area)

    def _read(self, name: str, child: str | None, items: Items, authority: str | None) -> Value | None:
        return self.facts.value(name, self._owner(name, child, items, authority))

    def _owner(self, name: str, child: str | None, items: Items, authority: str | None) -> str | None:
        kind, _, code = (authority or "").partition(":")
        # A children's partnership goes by what the authority of its area has said.
        spoken_for = f"la:{code}" if kind == "lscp" else authority
        owners = {"incident": INCIDENT, "child": child, **items, "authority": spoken_for}
        return owners[self.facts.vocabulary[name].scope]
