"""Explains a whole decision: every rule with its conditions, facts and duties, and every recipient, told or left out. Pure.

The decision may be that on a case, with what has become of its notices, or that on supposed facts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.decisions import RulebookRef
from schemas.words import date_words
from services.routing.answering import Asked, answers, questions, statements
from services.routing.domain import reasons
from services.routing.domain.decide import Decision, Obligation, Question
from services.routing.domain.recipients import slot_of
from services.routing.domain.rulebook.compile import ANSWERS, UNDECIDED, YES
from services.routing.domain.rulebook.editions import Edition
from services.routing.domain.rulebook.evaluate import Trace
from services.routing.domain.rulebook.model import DUTY_HOLDER, Condition, Recorded
from services.routing.outcome.published import citation_of
from services.routing.views import (
    STATE_WORDS,
    BodyView,
    CaseView,
    ConditionView,
    DutyView,
    EditionView,
    ExplanationView,
    FoundView,
    RecipientView,
    RuleView,
    State,
)

TOLD: Final[frozenset[State]] = frozenset({"delivered", "owed", "awaiting_release", "met"})
"""The states of a recipient that is, or was, told or to be told; in all others it is left out."""


def explanation(decision: Decision, rulebook: RulebookRef, case: CaseView | None = None) -> ExplanationView:
    """Return why a decision is as it is.

    Args:
        decision: On the facts of the case as they were known, or on supposed facts.
        rulebook: What was decided by.
        case: The case as it stood, with its notices; None for supposed facts.
    """
    asking = Asked(case, decision, "")
    register = decision.evaluation.register
    recipients = [_recipient(decision, case, body) for body in register.bodies]
    return ExplanationView(
        case_key=case.case_key if case else None,
        as_of=case.as_of if case else None,
        rulebook=rulebook,
        migrations=case.migrations if case else (),
        rules=tuple(_rule(trace, asking) for trace in decision.traces),
        told=tuple(each for each in recipients if each.state in TOLD),
        left_out=tuple(each for each in recipients if each.state not in TOLD | {"no_rule"}),
        unnamed=tuple(
            BodyView(id=each.recipient, name=each.name)
            for each in recipients
            if each.state == "no_rule" and register.exists(each.recipient)  # who is gone is missed by nobody
        ),
        conflicts=tuple(reasons.named(each.name, each.owner) for each in decision.conflicts),
    )


def _recipient(decision: Decision, case: CaseView | None, body: str) -> RecipientView:
    found = answers(Asked(case, decision, body))
    state = found[0].state
    return RecipientView(
        recipient=body, name=decision.words.body(body), state=state, state_in_words=STATE_WORDS[state], answers=found
    )


def _rule(trace: Trace, asking: Asked) -> RuleView:
    decision = asking.decision
    rule = decision.evaluation.book.rules[trace.rule].rule
    wanted = tuple(_wanted(trace, decision))
    return RuleView(
        rule=rule.id,
        title=rule.title,
        strength=rule.strength,
        answer=trace.in_words,
        subject=trace.subject,
        duty_holder=_body(trace.holder.id, decision) if trace.holder else None,
        citation=citation_of(rule),
        in_force=_in_force(trace, decision),
        in_force_answer=ANSWERS[trace.in_force],
        editions=tuple(map(_edition, decision.evaluation.editions(trace))),
        conditions=tuple(_conditions(trace, asking)),
        duties=tuple(_duty(each, decision) for each in _owed(trace, decision)),
        questions=tuple(questions(wanted, asking)),
    )


def _edition(edition: Edition) -> EditionView:
    return EditionView(
        id=edition.id,
        begins=edition.begins,
        ends=edition.ends,
        says=edition.says,
        cite=edition.cite,
        href=edition.href,
        verified=bool(edition.verified),
        not_known=edition.not_known,
    )


def _body(identifier: str, decision: Decision) -> BodyView:
    return BodyView(id=identifier, name=decision.words.body(identifier))


def _in_force(trace: Trace, decision: Decision) -> str:
    """Return from when the rule is in force and on which day it was judged."""
    evaluation, words = decision.evaluation, decision.words
    rule = evaluation.book.rules[trace.rule].rule
    until = f" until {date_words(rule.in_force_until)}" if rule.in_force_until else ""
    says = f"in force from {date_words(rule.in_force_from)}{until}"
    if evaluation.judged_on is not None:
        return f"{says}; judged on {date_words(evaluation.judged_on)}, as was asked"
    return f"{says}; judged on {words.found(reasons.known_of(evaluation, trace, rule.judged_on))}"


def _conditions(trace: Trace, asking: Asked) -> Iterator[ConditionView]:
    evaluation, words = asking.decision.evaluation, asking.decision.words
    for line in reasons.lines(evaluation, trace):
        yield ConditionView(
            depth=line.depth,
            says=words.asked(line.condition),
            answer=line.answer,
            found=tuple(_found(trace, line.condition, asking)),
        )


def _found(trace: Trace, condition: Condition, asking: Asked) -> Iterator[FoundView]:
    """Yield what is known of the facts of a condition; both areas where two are compared."""
    words = asking.decision.words
    for fact in reasons.facts_of(condition):
        if fact == DUTY_HOLDER:
            area = trace.holder.area if trace.holder else None
            yield FoundView(fact=fact, in_words=words.area(area) if area else "not known", statements=())
            continue
        found = reasons.known_of(asking.decision.evaluation, trace, fact)
        said = tuple(statements(found.statements, asking))
        doubt = "not recorded" if isinstance(condition, Recorded) and not said else found.doubt
        value = doubt if found.value is None else words.value(fact, found.value)
        yield FoundView(fact=reasons.named(fact, found.owner), in_words=value, statements=said)


def _owed(trace: Trace, decision: Decision) -> Iterator[Obligation]:
    if trace.answer != YES:
        return
    then = decision.evaluation.book.rules[trace.rule].rule.then
    slots = {slot_of(decision.evaluation, trace, position) for position in range(len(then))}
    yield from (each for each in decision.obligations if each.slot in slots)


def _duty(obligation: Obligation, decision: Decision) -> DutyView:
    duty, dates, words = obligation.duty, obligation.dates, decision.words
    is_open = obligation.standing.state == "open"
    return DutyView(
        tell=words.recipients(duty.tell),
        recipients=tuple(_body(each, decision) for each in obligation.recipients),
        unserved_areas=obligation.unserved_areas,
        period=words.period(duty.within),
        due_on=dates.due_on if is_open else None,
        warn_on=dates.warn_on if is_open else None,
        provisional=dates.provisional,
        strength=duty.within.strength,
        period_cite=obligation.period_cite,
        state=obligation.in_words,
        release=obligation.release,
        stops_when=duty.stop.phrase,
    )


def _wanted(trace: Trace, decision: Decision) -> Iterator[Question]:
    """Yield the questions that this run of its rule waits for."""
    evaluation = decision.evaluation
    missing = set(reasons.missing(evaluation, trace)) if trace.answer == UNDECIDED else set()
    if trace.answer == YES:
        for duty in evaluation.book.rules[trace.rule].rule.then:
            anew = filter(None, (duty.within.anew_from,))
            named = [*duty.within.clock, *anew, *(test.fact for test in duty.tests)]
            missing |= {each for fact in named for each in reasons.absent(evaluation, trace, fact)}
    for question in decision.questions:
        if (
            trace.rule in question.rules
            and reasons.Missing(question.fact, question.owner or question.subject) in missing
        ):
            yield question
