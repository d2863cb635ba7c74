"""Which absent facts may still change what a rule says, while none of them is taken to stay absent. Pure.

For every condition the least and the greatest answer are found that further facts can give. What is recorded is no while
it is not, but may turn out yes, so it is open until it is settled that nobody will state it; an undecided comparison may
turn out either way. Below a condition whose least answer is its greatest, no fact matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from services.routing.domain import reasons
from services.routing.domain.facts import INCIDENT
from services.routing.domain.reasons import Answered, Missing
from services.routing.domain.rulebook.compile import NO, UNDECIDED, YES
from services.routing.domain.rulebook.evaluate import Evaluation, Trace
from services.routing.domain.rulebook.model import (
    DUTY_HOLDER,
    Applies,
    AreaHolder,
    Combined,
    InFact,
    Meets,
    Recorded,
    RulesHolder,
)

Span = tuple[int, int]
"""The least and the greatest answer that is still possible."""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Looks for facts that matter in one evaluation. `settled` says of a fact that it is known, or stays absent."""

    evaluation: Evaluation
    settled: Callable[[Missing], bool]

    def run(self, trace: Trace) -> Iterator[Missing]:
        """Yield the facts that may change the answer of a run, or who owes it."""
        yield from self._holder(trace)
        rule = self.evaluation.book.rules[trace.rule].rule
        if not self.may_hold(trace):
            return
        yield from self._below(trace, reasons.answered(self.evaluation, trace))
        yield from self._fact(trace, rule.judged_on)

    def may_hold(self, trace: Trace) -> bool:
        """Say whether the conditions of a run may turn out otherwise than no."""
        return self._run_span(trace)[1] != NO

    def fact(self, trace: Trace, fact: str) -> Iterator[Missing]:
        """Yield a fact that a run reads, while it is not settled."""
        yield from self._fact(trace, fact)

    def _fact(self, trace: Trace, fact: str) -> Iterator[Missing]:
        if fact == DUTY_HOLDER:
            return
        owner = self.evaluation.owner(fact, trace)
        if owner is None and self.evaluation.book.vocabulary[fact].scope == "child":
            owner = INCIDENT
        missing = Missing(fact, owner) if owner is not None else None
        if missing and self.evaluation.facts.value(fact, owner) is None and not self.settled(missing):
            yield missing

    def _holder(self, trace: Trace) -> Iterator[Missing]:
        holder = self.evaluation.book.rules[trace.rule].rule.holder
        if isinstance(holder, AreaHolder):
            for fact in holder.facts:
                yield from self._fact(trace, fact)
                if self.evaluation.value(fact, trace) is not None:
                    return
        elif isinstance(holder, InFact):
            yield from self._fact(trace, holder.fact)
        elif isinstance(holder, RulesHolder):
            for rule in holder.rules:
                for other in self.evaluation.of(rule, trace):
                    yield from self.run(other)
        else:
            yield from self._fact(trace, "reporter.area")
            yield from self._fact(trace, "reporter.body")

    def _run_span(self, trace: Trace) -> Span:
        least, greatest = self._span(trace, reasons.answered(self.evaluation, trace))
        in_force = (NO, YES) if trace.in_force == UNDECIDED else (trace.in_force, trace.in_force)
        return min(least, in_force[0]), min(greatest, in_force[1])

    def _span(self, trace: Trace, node: Answered) -> Span:
        match node.condition:
            case Recorded(fact=fact):
                open_ = node.answer == NO and any(True for _ in self._fact(trace, fact))
                # Of nobody yet: whoever it will be may state it, while that is not settled.
                nobody = node.answer == NO and self.evaluation.owner(fact, trace) is None and any(self._holder(trace))
                return (NO, YES) if open_ or nobody else (node.answer, node.answer)
            case Applies(rule=rule):
                spans = [self._run_span(run) for run in self.evaluation.of(rule, trace)] or [(NO, NO)]
                return max(span[0] for span in spans), max(span[1] for span in spans)
            case Combined(how=how):
                spans = [self._span(trace, part) for part in node.parts]
                if how == "all of":
                    return min(span[0] for span in spans), min(span[1] for span in spans)
                greatest = max(span[0] for span in spans), max(span[1] for span in spans)
                return greatest if how == "any of" else (YES >> greatest[1], YES >> greatest[0])
            case Meets():
                return self._span(trace, node.parts[0])
            case _:
                return (NO, YES) if node.answer == UNDECIDED else (node.answer, node.answer)

    def _below(self, trace: Trace, node: Answered) -> Iterator[Missing]:
        least, greatest = self._span(trace, node)
        if least == greatest:
            return
        match node.condition:
            case Applies(rule=rule):
                for run in self.evaluation.of(rule, trace):
                    yield from self.run(run)
            case Combined() | Meets():
                for part in node.parts:
                    yield from self._below(trace, part)
            case _:
                for fact in reasons.facts_of(node.condition):
                    yield from self._fact(trace, fact)
