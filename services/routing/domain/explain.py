"""Answers "why was X told, or not?" for any registered body, from a decision as things were known at some time.

Whether a notice was delivered is not known here; the shell adds that to what is owed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from services.routing.domain import reasons
from services.routing.domain.decide import Decision, Obligation, Question
from services.routing.domain.facts import INCIDENT
from services.routing.domain.recipients import recipients, slot_of
from services.routing.domain.register import GROUPS
from services.routing.domain.rulebook.compile import NO, UNDECIDED, YES
from services.routing.domain.rulebook.evaluate import Evaluation, Trace
from services.routing.domain.rulebook.model import (
    AREAS_THAT_DIFFER,
    DUTY_HOLDER,
    Duty,
    InFact,
    Named,
    Rule,
    RulesHolder,
    Serving,
    TheReporter,
)
from services.routing.domain.standing import answer, unsaid

Kind = Literal[
    "owed",
    "awaiting_release",
    "met",
    "derived",
    "withdrawn",
    "cannot_decide",
    "excluded",
    "not_in_force",
    "condition_false",
    "no_rule",
]
ORDER: Final[tuple[Kind, ...]] = (
    "owed",
    "awaiting_release",
    "met",
    "derived",
    "withdrawn",
    "cannot_decide",
    "excluded",
    "not_in_force",
    "condition_false",
    "no_rule",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer about one body under one rule. Which of obligation, questions and because is set depends on `kind`.

    `subject` is whom it is about: a child, a report or `incident`. `holder` is who owes the duty, None if not known.
    """

    kind: Kind
    rule: str | None
    says: str
    obligation: Obligation | None = None
    questions: tuple[Question, ...] = ()
    because: reasons.Because | None = None
    subject: str = INCIDENT
    holder: str | None = None


def explain(decision: Decision, body: str) -> tuple[Finding, ...]:
    """Return every answer about a body, what is owed first, then in rulebook order; never empty.

    Args:
        decision: Made from the facts as they were known at the time that is asked about.
        body: Id of a registered body.
    """
    findings = [
        replace(found, subject=_about(trace, found), holder=trace.holder.id if trace.holder else None)
        for trace in decision.traces
        for found in _of_run(decision, trace, body)
    ]
    if not findings:
        evaluation = decision.evaluation
        gone = decision.words.succession(body) if body in evaluation.register.ended else None
        return (Finding("no_rule", None, gone or f"no rule of rulebook {evaluation.book.book.version} names it"),)
    unique = {(each.kind, each.rule, each.says, each.subject, each.holder): each for each in findings}
    return tuple(sorted(unique.values(), key=lambda finding: ORDER.index(finding.kind)))


def _of_run(decision: Decision, trace: Trace, body: str) -> Iterator[Finding]:
    rule = decision.evaluation.book.rules[trace.rule].rule
    for position, duty in enumerate(rule.then):
        if could_name(decision.evaluation, trace, duty, body):
            yield _of_duty(decision, trace, rule, position, body)
    if body in rule.reaches and trace.answer != NO:
        yield _of_reach(decision, trace, rule)


def _about(trace: Trace, finding: Finding) -> str:
    """Return whom an answer is about; a condition on the incident is false for every child alike."""
    stated = {fact.subject for fact in finding.because.statements} if finding.because else set()
    return INCIDENT if stated == {INCIDENT} else trace.subject


def _of_duty(decision: Decision, trace: Trace, rule: Rule, position: int, body: str) -> Finding:
    evaluation = decision.evaluation
    no = _no(evaluation, trace, rule)
    if no is not None:
        return no
    duty = rule.then[position]
    if duty.only_if is not None and trace.answer != UNDECIDED:
        found = reasons.known(evaluation, trace, duty.only_if)
        if answer(duty.only_if, found.value) == NO:
            unmet = reasons.Because(rule.id, duty.only_if, found)
            return Finding("condition_false", rule.id, str(found), because=unmet)
    obligation = _obligation(decision, trace, position)
    if obligation is None:
        return _not_known(rule, tuple(_asked(decision, trace, rule, duty)))
    return _of_obligation(obligation, body)


def _of_reach(decision: Decision, trace: Trace, rule: Rule) -> Finding:
    """Return what a rule says of a body that hears of it through another system."""
    if trace.answer == UNDECIDED:
        return _not_known(rule, tuple(_asked(decision, trace, rule)))
    return Finding("derived", rule.id, "shared by the national system; Handrail sends it nothing")


def _no(evaluation: Evaluation, trace: Trace, rule: Rule) -> Finding | None:
    """Return why a rule does not apply, and by which other rule that is so on purpose; None if it applies or may."""
    if trace.in_force == NO and trace.when != NO:  # else the condition is the better answer: it would be no on any day
        until = f" until {rule.in_force_until}" if rule.in_force_until else ""
        says = f"in force from {rule.in_force_from}{until}; {_judged_on(evaluation, trace, rule)}"
        return Finding("not_in_force", rule.id, says)
    because = reasons.because(evaluation, trace)
    if because is None:
        return None
    for excluding in evaluation.book.book.rules:
        if rule.id in excluding.excludes and any(run.answer == YES for run in evaluation.of(excluding.id, trace)):
            return Finding("excluded", excluding.id, excluding.title, because=because)
    return Finding("condition_false", rule.id, str(because.found or ""), because=because)


def _not_known(rule: Rule, asked: tuple[Question, ...]) -> Finding:
    wanted = ", ".join(f"{question.in_words} (asked of {question.of_whom})" for question in asked)
    return Finding("cannot_decide", rule.id, f"not known: {wanted}", questions=asked)


def _judged_on(evaluation: Evaluation, trace: Trace, rule: Rule) -> str:
    if evaluation.judged_on is not None:
        return f"judged on {evaluation.judged_on}, as was supposed"
    value = evaluation.value(rule.judged_on, trace)
    return f"{reasons.named(rule.judged_on, trace.holder.id if trace.holder else None)} is {value}"


def _asked(decision: Decision, trace: Trace, rule: Rule, duty: Duty | None = None) -> Iterator[Question]:
    """Yield the questions that this run waits for; the same rule may ask others about another child or holder."""
    evaluation = decision.evaluation
    missing = {*reasons.missing(evaluation, trace), *unsaid(evaluation, trace)}
    # A rule without a duty asks for nothing itself: it waits for what those that it applies ask for.
    asking = {rule.id} if duty is not None else {*evaluation.book.rules[rule.id].depends_on}
    if duty is not None and duty.only_if is not None:
        missing |= set(reasons.absent(evaluation, trace, duty.only_if.fact))
    if duty is not None and isinstance(duty.tell, Serving) and duty.tell.area in evaluation.book.vocabulary:
        missing |= set(reasons.absent(evaluation, trace, duty.tell.area))
    for question in decision.questions:
        owner = question.owner or question.subject
        if asking & {*question.rules} and reasons.Missing(question.fact, owner) in missing:
            yield question


def _of_obligation(obligation: Obligation, body: str) -> Finding:
    standing, rule = obligation.standing, obligation.rule.id
    if standing.state == "withdrawn":
        return Finding("withdrawn", rule, standing.reason, obligation)
    if standing.state == "met" or body in standing.met_by:
        return Finding("met", rule, standing.reason or obligation.duty.stop.phrase, obligation)
    due = f"due {obligation.dates.due_on}" if obligation.dates.due_on else "no date yet: the clock's fact is missing"
    return Finding("owed" if obligation.released else "awaiting_release", rule, due, obligation)


def _obligation(decision: Decision, trace: Trace, position: int) -> Obligation | None:
    if trace.holder is None:
        return None
    slot = slot_of(decision.evaluation, trace, position)
    return next((each for each in decision.obligations if each.slot == slot), None)


def could_name(evaluation: Evaluation, trace: Trace, duty: Duty, body: str) -> bool:
    """Say whether a `then` entry names a body, or would if its conditions held; with an unknown area, whether it could."""
    if isinstance(duty.tell, Named):
        return duty.tell.body == body
    told = recipients(duty, evaluation, trace)
    if told is not None:
        return body in told[0]
    if isinstance(duty.tell, TheReporter | InFact):
        return False
    areas = _areas_if(evaluation, trace, duty.tell.area)
    if areas:
        return body in evaluation.register.serving_all(duty.tell.group, areas)
    register = evaluation.register
    return register.has(body) and register.bodies[body].kind in GROUPS[duty.tell.group]


def _areas_if(evaluation: Evaluation, trace: Trace, area: str) -> tuple[str, ...]:
    if area == AREAS_THAT_DIFFER:
        return reasons.compared_areas(evaluation, trace)
    holder = evaluation.book.rules[trace.rule].rule.holder
    if area != DUTY_HOLDER or not isinstance(holder, RulesHolder):
        return ()
    possible = [run.holder for rule in holder.rules for run in evaluation.of(rule, trace)]
    return tuple(dict.fromkeys(held.area for held in possible if held is not None and held.area is not None))
