"""Why a rule said what it said: its conditions with their answers, the facts that are missing, the first no.

Everything is rebuilt from a run's answers, the rulebook and the facts; nothing is kept besides them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from schemas.vocabulary import Value
from services.routing.domain.facts import AUTHORITY, INCIDENT
from services.routing.domain.rulebook.compile import ANSWERS, NO, UNDECIDED, YES
from services.routing.domain.rulebook.evaluate import Evaluation, Trace
from services.routing.domain.rulebook.model import (
    DUTY_HOLDER,
    Applies,
    AreaHolder,
    Combined,
    Compared,
    Condition,
    InFact,
    Meets,
    Recorded,
    RulesHolder,
    SameArea,
    walk,
)
from services.routing.domain.statements import Fact


@dataclass(frozen=True, slots=True)
class Missing:
    """An absent fact that leaves something undecided; `owner` is whose fact it is."""

    fact: str
    owner: str


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a fact: its value, None if that is in dispute or not known, and the statements it rests on."""

    fact: str
    owner: str | None
    value: Value | None
    statements: tuple[Fact, ...]
    absent: Literal["not known", "not recorded"] = "not known"

    @property
    def doubt(self) -> str:
        """Why there is no value."""
        return "in dispute" if self.statements else self.absent

    def __str__(self) -> str:
        """Return it in ids, as the examples of a rulebook do."""
        return f"{named(self.fact, self.owner)} is {self.doubt if self.value is None else self.value}"


@dataclass(frozen=True, slots=True)
class Because:
    """A condition that is no, and what is known of its fact, if it is about one. `rule` is where it stands.

    `unwanted`: it stands under `none of`, so that it is no because the condition itself holds.
    """

    rule: str
    condition: Condition
    found: Found | None
    unwanted: bool = False

    @property
    def statements(self) -> tuple[Fact, ...]:
        """The statements that it rests on."""
        return self.found.statements if self.found else ()


@dataclass(frozen=True, slots=True)
class Line:
    """One condition for a page: how deep it stands, its answer, and what is known of its fact, if it is about one."""

    depth: int
    condition: Condition
    answer: str
    found: Found | None


class Answered(NamedTuple):
    """A condition with its answer, and its parts with theirs."""

    condition: Condition
    answer: int
    parts: tuple[Answered, ...]


def answered(evaluation: Evaluation, trace: Trace) -> Answered:
    """Return a run's conditions with their answers, as a tree."""
    rule = evaluation.book.rules[trace.rule]
    answers = iter(trace.answers)

    def build(condition: Condition) -> Answered:
        answer = next(answers)
        parts: tuple[Condition, ...] = ()
        if isinstance(condition, Combined):
            parts = condition.parts
        elif isinstance(condition, Meets):
            parts = (condition.when,)
        return Answered(condition, answer, tuple(build(part) for part in parts))

    return build(rule.rule.when)


def missing(evaluation: Evaluation, trace: Trace) -> Iterator[Missing]:
    """Yield the facts that would settle an undecided run, in the order of the file; some may come twice."""
    if trace.when == UNDECIDED:
        yield from _missing_below(evaluation, trace, answered(evaluation, trace))
    if trace.holder is None:
        yield from _missing_holder(evaluation, trace)
    if trace.in_force == UNDECIDED:
        yield from absent(evaluation, trace, evaluation.book.rules[trace.rule].rule.judged_on)


def absent(evaluation: Evaluation, trace: Trace, fact: str) -> Iterator[Missing]:
    """Yield the fact if it is absent in this run and somebody could be asked for it."""
    owner = evaluation.owner(fact, trace)
    if owner is not None and evaluation.facts.value(fact, owner) is None:
        yield Missing(fact, owner)
    elif owner is None and evaluation.book.vocabulary[fact].scope == "child":
        yield Missing(fact, INCIDENT)  # no child has been named yet


def _missing_below(evaluation: Evaluation, trace: Trace, node: Answered) -> Iterator[Missing]:
    if node.answer != UNDECIDED:
        return
    match node.condition:
        case Compared(fact=fact):
            yield from absent(evaluation, trace, fact)
        case SameArea(fact=fact, other=other):
            yield from absent(evaluation, trace, fact)
            if other != DUTY_HOLDER:
                yield from absent(evaluation, trace, other)
        case Applies(rule=rule):
            for run in evaluation.of(rule, trace):
                if run.applies == UNDECIDED:
                    yield from missing(evaluation, run)
        case _:
            for part in node.parts:
                yield from _missing_below(evaluation, trace, part)


def _missing_holder(evaluation: Evaluation, trace: Trace) -> Iterator[Missing]:
    holder = evaluation.book.rules[trace.rule].rule.holder
    if isinstance(holder, AreaHolder | InFact):
        yield from absent(evaluation, trace, holder.facts[-1] if isinstance(holder, AreaHolder) else holder.fact)
    elif isinstance(holder, RulesHolder):
        for rule in holder.rules:
            for run in evaluation.of(rule, trace):
                if run.applies != NO and run.holder is None:
                    yield from _missing_holder(evaluation, run)


def because(evaluation: Evaluation, trace: Trace) -> Because | None:
    """Return the first condition that makes a run's `when` no, or None if it is not no."""
    if trace.when != NO:
        return None
    return _first_no(evaluation, trace, answered(evaluation, trace))


def _first_no(evaluation: Evaluation, trace: Trace, node: Answered) -> Because | None:
    condition = node.condition
    match condition:
        case Combined(how="none of"):
            part = next(part for part in node.parts if part.answer == YES)
            return Because(trace.rule, part.condition, _found(evaluation, trace, part.condition), unwanted=True)
        case Combined() | Meets():
            return _first_no(evaluation, trace, next(part for part in node.parts if part.answer == NO))
        case Applies(rule=rule):
            reasons = (because(evaluation, run) for run in evaluation.of(rule, trace))
            found = next((reason for reason in reasons if reason is not None), None)
            return found or Because(trace.rule, condition, None)  # it was not in force
        case _:
            return Because(trace.rule, condition, _found(evaluation, trace, condition))


def differing_areas(evaluation: Evaluation, trace: Trace) -> tuple[str, ...]:
    """Return the areas in the conditions `is not the same as` that made a run yes, each once, in the order of the file."""
    found: dict[str, None] = {}

    def collect(node: Answered) -> None:
        if node.answer != YES:
            return
        if isinstance(node.condition, SameArea) and node.condition.negated:
            area = known(evaluation, trace, node.condition).value
            if isinstance(area, str):
                found[area] = None
        for part in node.parts:
            collect(part)

    collect(answered(evaluation, trace))
    return tuple(found)


def compared_areas(evaluation: Evaluation, trace: Trace) -> tuple[str, ...]:
    """Return the known areas in a rule's conditions `is not the same as`, whatever their answers."""
    rule = evaluation.book.rules[trace.rule].rule
    facts = [part.fact for part in walk(rule.when) if isinstance(part, SameArea) and part.negated]
    values = (evaluation.value(fact, trace) for fact in facts)
    return tuple(dict.fromkeys(value for value in values if isinstance(value, str)))


def lines(evaluation: Evaluation, trace: Trace) -> tuple[Line, ...]:
    """Return a run's conditions for a page, in the order of the file."""

    def flatten(node: Answered, depth: int) -> Iterator[Line]:
        yield Line(depth, node.condition, ANSWERS[node.answer], _found(evaluation, trace, node.condition))
        for part in node.parts:
            yield from flatten(part, depth + 1)

    return tuple(flatten(answered(evaluation, trace), 0))


def says(condition: Condition) -> str:
    """Return a condition in the words of the file."""
    match condition:
        case Compared():
            return f"{condition.fact} {condition.operator} {', '.join(map(str, condition.values))}"
        case Recorded():
            return f"{condition.fact} is recorded"
        case SameArea():
            return f"{condition.fact} is {'not ' if condition.negated else ''}the same as {condition.other}"
        case Applies():
            return f"applies: {condition.rule}"
        case Meets():
            return f"meets {condition.definition}: {condition.says}"
        case Combined():
            return condition.how


def named(fact: str, owner: str | None) -> str:
    """Return a fact's name, with the authority's code if it is one authority's: `aware_on of E08000035`."""
    return f"{fact} of {owner.removeprefix(AUTHORITY)}" if owner and owner.startswith(AUTHORITY) else fact


def facts_of(condition: Condition) -> tuple[str, ...]:
    """Return the facts that a condition itself asks about; `duty holder` for the area of that."""
    match condition:
        case Compared() | Recorded():
            return (condition.fact,)
        case SameArea():
            return (condition.fact, condition.other)
        case _:
            return ()


def known(evaluation: Evaluation, trace: Trace, condition: Compared | SameArea | Recorded) -> Found:
    """Return what a run of a rule knows of the fact of a condition."""
    found = known_of(evaluation, trace, condition.fact)
    return replace(found, absent="not recorded") if isinstance(condition, Recorded) else found


def known_of(evaluation: Evaluation, trace: Trace, fact: str) -> Found:
    """Return what a run of a rule knows of a fact."""
    owner = evaluation.owner(fact, trace)
    return Found(fact, owner, evaluation.facts.value(fact, owner), evaluation.facts.standing(fact, owner))


def _found(evaluation: Evaluation, trace: Trace, condition: Condition) -> Found | None:
    return known(evaluation, trace, condition) if isinstance(condition, Compared | SameArea | Recorded) else None
