"""What one rule makes of the facts, in words that can be compared; and which facts may still change it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from schemas.vocabulary import Vocabulary
from schemas.words import STRENGTH_WORDS
from services.routing.domain import reasons
from services.routing.domain.recipients import recipients
from services.routing.domain.rulebook.compile import NO, UNDECIDED, YES
from services.routing.domain.rulebook.evaluate import Evaluation, Trace
from services.routing.domain.rulebook.model import (
    Duty,
    Rule,
    Serving,
    Test,
)
from services.routing.domain.standing import answer
from services.routing.domain.unsettled import Unsettled
from services.routing.domain.words import Words

Outcome = tuple[str, ...]
"""What a rule makes due, each duty once, sorted; or that it makes nothing due, or cannot be decided."""
NOTHING: Final = "tells nobody"
OPEN: Final = "cannot be decided"


def outcome(rule: str, evaluation: Evaluation, words: Words) -> Outcome:
    """Return what the runs of a rule give; a rule that is not in the rulebook tells nobody."""
    found = {each for trace in _runs(rule, evaluation) for each in _of_run(trace, evaluation, words)}
    return tuple(sorted(found - {NOTHING})) or (NOTHING,)


def wanted(rule: str, evaluation: Evaluation, settled: Callable[[reasons.Missing], bool]) -> Iterator[reasons.Missing]:
    """Yield the absent facts that may still change the outcome, but for those that are settled to stay absent."""
    unsettled = Unsettled(evaluation, settled)
    for trace in _runs(rule, evaluation):
        yield from unsettled.run(trace)
        if trace.answer == YES:
            for fact in _after_when(evaluation.book.rules[rule].rule, evaluation.book.vocabulary):
                yield from unsettled.fact(trace, fact)


def _runs(rule: str, evaluation: Evaluation) -> list[Trace]:
    return [trace for trace in evaluation.traces if trace.rule == rule]


def _after_when(rule: Rule, vocabulary: Vocabulary) -> Iterator[str]:
    """Yield the facts that a rule reads once its conditions hold, but for clocks: a date moves no outcome."""
    if rule.cancelled_when is not None:
        yield rule.cancelled_when.fact
    for duty in rule.then:
        yield from (test.fact for test in duty.tests)
        if isinstance(duty.tell, Serving) and duty.tell.area in vocabulary:
            yield duty.tell.area


def _of_run(trace: Trace, evaluation: Evaluation, words: Words) -> Iterator[str]:
    if trace.answer != YES:
        yield NOTHING if trace.answer == NO else OPEN
        return
    rule = evaluation.book.rules[trace.rule].rule
    for duty in rule.duties_in(trace.holder.area if trace.holder else None):
        applies = YES if duty.only_if is None else _answered(duty.only_if, trace, evaluation)
        if applies == NO:
            yield NOTHING
        elif applies == UNDECIDED or (told := recipients(duty, evaluation, trace)) is None or trace.holder is None:
            yield OPEN
        else:
            holder, who = words.body(trace.holder.id), ", ".join(map(words.body, told[0]))
            yield f"{holder} tells {who} {_terms(rule, duty, trace, evaluation, words)}"


def _terms(rule: Rule, duty: Duty, trace: Trace, evaluation: Evaluation, words: Words) -> str:
    within = duty.within
    warned = f", warned from {within.warn_from}" if within.warn_from else ""
    anew = f", or anew from {within.anew_from}" if within.anew_from else ""
    period = f"{words.period(within)}{warned}{anew}, {within.strength}"
    terms = f"{STRENGTH_WORDS[rule.strength]}; sees {duty.profile}; ends when {duty.stop.phrase}"
    return f"{period}: {_state(rule, duty, trace, evaluation)}; {terms}"


def _state(rule: Rule, duty: Duty, trace: Trace, evaluation: Evaluation) -> str:
    if rule.cancelled_when is not None and _answered(rule.cancelled_when, trace, evaluation) == YES:
        return "withdrawn"
    if all(_answered(test, trace, evaluation) == YES for test in duty.release):
        return "to send"
    return "owed, awaiting a decision"


def _answered(test: Test, trace: Trace, evaluation: Evaluation) -> int:
    return answer(test, reasons.known(evaluation, trace, test).value)
