"""Answers "was this recipient told, and if not, why not?" in the eleven states that exist. Pure.

What has become of a notice is known from its history and goes first; everything else is what the rulebook says about
the facts as they were known at the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from schemas.words import date_words
from services.routing.domain import reasons
from services.routing.domain.decide import Decision, Question
from services.routing.domain.explain import Finding, Kind, explain
from services.routing.domain.statements import Fact
from services.routing.domain.words import Words
from services.routing.outcome.published import citation_of
from services.routing.views import (
    STATE_WORDS,
    AnswerView,
    AskedView,
    AskView,
    CaseView,
    NoticeView,
    ObligationView,
    State,
    StatementView,
)

_BY_NOTICE: Final[dict[str, State]] = {
    "delivered": "delivered",
    "accepted": "delivered",
    "owed": "owed",
    "sending": "owed",
    "refused": "owed",
    "awaiting_release": "awaiting_release",
    "withdrawn": "withdrawn",
}
_BY_KIND: Final[dict[Kind, State]] = {
    "owed": "owed",
    "awaiting_release": "awaiting_release",
    "met": "met",
    "derived": "derived",
    "withdrawn": "withdrawn",
    "cannot_decide": "cannot_decide",
    "excluded": "excluded",
    "not_in_force": "not_in_force",
    "condition_false": "condition_false",
    "no_rule": "no_rule",
}
_ORDER: Final = tuple(STATE_WORDS)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a recipient: the case as it stood, and the decision on the facts as they were known.

    Of facts that are only supposed there is no case.
    """

    case: CaseView | None
    decision: Decision
    recipient: str


def answer(asked: Asked, case: CaseView) -> AskView:
    """Return every answer about a recipient in a case."""
    found = answers(asked)
    return AskView(
        case_key=case.case_key,
        recipient=asked.recipient,
        name=asked.decision.words.body(asked.recipient),
        as_of=case.as_of,
        state=found[0].state,
        answers=found,
    )


def answers(asked: Asked) -> tuple[AnswerView, ...]:
    """Return every answer, the strongest first; there is always one."""
    noticed = [
        (obligation, notice)
        for obligation in (asked.case.obligations if asked.case else ())
        for notice in obligation.notices
        if notice.recipient == asked.recipient
    ]
    found = [_of_notice(obligation, notice) for obligation, notice in noticed]
    in_place_of = asked.decision.evaluation.facts.in_place_of
    told = {(each.rule, each.subject, in_place_of(each.duty_holder)) for each, _ in noticed}
    standing = {(each.rule, each.subject, in_place_of(each.duty_holder)) for each, _ in noticed if each.state == "open"}
    for finding in explain(asked.decision, asked.recipient):
        place = (finding.rule, finding.subject, finding.holder)
        if finding.obligation is not None and place in told:
            continue  # its notice has been answered for
        if finding.kind == "cannot_decide" and place in standing:
            continue  # doubt does not withdraw a duty; a doubt about another child or holder is said
        if finding.kind == "no_rule" and found:
            continue
        found.append(_of_finding(finding, asked))
    return tuple(sorted(found, key=lambda each: _ORDER.index(each.state)))


def _of_notice(obligation: ObligationView, notice: NoticeView) -> AnswerView:
    replaced = notice.state == "superseded"
    return AnswerView(
        state=_replaced(notice) if replaced else _BY_NOTICE[notice.state],
        rule=obligation.rule,
        title=obligation.title,
        says=_notice_says(obligation, notice),
        subject=obligation.subject,
        citation=obligation.citation,
        notice=notice,
        due_on=notice.due_on if replaced else obligation.due_on if obligation.state == "open" else None,
    )


def _replaced(notice: NoticeView) -> State:
    """Return what is so of a notice that another one replaces: it was taken with its old date, or is sent no more."""
    return "delivered" if notice.reference else "withdrawn"


def _notice_says(obligation: ObligationView, notice: NoticeView) -> str:
    tried = "1 attempt" if notice.attempts == 1 else f"{notice.attempts} attempts"
    match notice.state:
        case "accepted":
            return f"a named person accepted it; reference {notice.reference or 'not given'}"
        case "delivered" | "superseded" if notice.reference:
            then = f"; {notice.reason}" if notice.state == "superseded" else ""
            return f"its system took the notice, reference {notice.reference}{then}"
        case "refused":
            return f"a person must act: {notice.reason}; {tried}"
        case "owed" | "sending":
            return f"{tried} so far" + (f"; last: {notice.reason}" if notice.reason else "")
        case "awaiting_release":
            return f"sent when {obligation.release}"
        case _:
            return notice.reason or "withdrawn"


def _of_finding(finding: Finding, asked: Asked) -> AnswerView:
    rule = asked.decision.evaluation.book.rules[finding.rule].rule if finding.rule else None
    words = asked.decision.words
    obligation, because = finding.obligation, finding.because
    return AnswerView(
        state=_BY_KIND[finding.kind],
        rule=finding.rule,
        title=rule.title if rule else None,
        says=_finding_says(finding, asked, words),
        subject=finding.subject,
        citation=citation_of(rule) if rule else None,
        due_on=obligation.dates.due_on if obligation and obligation.standing.state == "open" else None,
        condition=_condition(because, words) if because and finding.kind != "excluded" else None,
        statements=tuple(statements(because.statements, asked)) if because else (),
        questions=tuple(questions(finding.questions, asked)),
    )


def _finding_says(finding: Finding, asked: Asked, words: Words) -> str:
    evaluation = asked.decision.evaluation
    match finding.kind:
        case "condition_false" | "excluded" if finding.because and finding.because.statements:
            fact = finding.because.statements[-1]
            return words.stated(fact.name, fact.value) if fact.value is not None else finding.says
        case "cannot_decide":
            return "not known: " + "; ".join(dict.fromkeys(words.label(each.fact) for each in finding.questions))
        case "not_in_force" if finding.rule:
            rule = evaluation.book.rules[finding.rule].rule
            until = f" until {date_words(rule.in_force_until)}" if rule.in_force_until else ""
            judged_on = (
                words.label(rule.judged_on) if evaluation.judged_on is None else date_words(evaluation.judged_on)
            )
            return f"in force from {date_words(rule.in_force_from)}{until}, judged on {judged_on}"
        case "owed" | "awaiting_release":
            return "no notice of it has been written yet" if asked.case else "would be told"
        case _:
            return finding.says


def _condition(because: reasons.Because, words: Words) -> str:
    return ("none of: " if because.unwanted else "") + words.needed(because.condition)


def statements(facts: Iterable[Fact], asked: Asked) -> Iterator[StatementView]:
    """Yield statements for people: who said what, and when that was recorded in the case."""
    words = asked.decision.words
    for fact in facts:
        if fact.value is not None:
            yield StatementView(
                fact=fact.name,
                value=str(fact.value),
                in_words=words.stated(fact.name, fact.value),
                source=fact.authority,
                name=words.body(fact.authority),
                recorded_at=fact.recorded_at if asked.case else None,
            )


def questions(wanted: Iterable[Question], asked: Asked) -> Iterator[AskedView]:
    """Yield questions for people, with the time since when each has been open in the case."""
    put = asked.case.questions if asked.case else ()
    opened = {(each.fact, each.of_whom, each.subject): each.opened_at for each in put}
    for question in wanted:
        yield AskedView(
            fact=question.in_words,
            ask=question.ask,
            of_whom=question.of_whom,
            name=asked.decision.words.body(question.of_whom),
            since=opened.get((question.fact, question.of_whom, question.subject)),
        )
