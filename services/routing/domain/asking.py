"""Which open question to put first: the one whose answer settles most duties, found by trying every answer.

A duty is open while it cannot be said whether it is owed: its rule is undecided, or the rest of its `then` entry is. For
each question every answer is tried that the rulebook can tell apart, and the duties are counted that are no longer open.
Questions are sorted by the mean over these answers, because the worst answer nearly always settles nothing (to suspect
abuse only leads on to the next question), so it would rank nothing; it comes second, then how many rules wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from schemas.vocabulary import Value
from services.routing.domain.decide import Decision, Question
from services.routing.domain.recipients import recipients
from services.routing.domain.rulebook.classes import ValueClass, areas_named, classes
from services.routing.domain.rulebook.compile import NO, UNDECIDED
from services.routing.domain.rulebook.evaluate import About
from services.routing.domain.standing import answer

Retry = Callable[[Question, Value], Decision]
"""Gives the decision if a question had this answer and all else stayed as it is."""
Open = tuple[str, About, int]
"""A duty that cannot be decided yet: rule, what it is about and position in the rule's `then`."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One answer, for all that the rulebook cannot tell from it, and how many open duties it settles."""

    answer: ValueClass
    settles: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """A missing fact with all its answers, tried. It may be asked of several; `rules` are those that want it.

    `question` is the first of its questions, `open_duties` how many duties there are to settle.
    """

    question: Question
    of_whom: tuple[str, ...]
    rules: tuple[str, ...]
    tried: tuple[Tried, ...]
    open_duties: int

    @property
    def mean(self) -> float:
        """Return how many duties an answer settles, over all answers alike."""
        return sum(each.settles for each in self.tried) / len(self.tried)

    @property
    def worst(self) -> int:
        """Return how many duties are settled whatever the answer."""
        return min(each.settles for each in self.tried)

    @property
    def best(self) -> int:
        """Return how many duties the best answer settles."""
        return max(each.settles for each in self.tried)


def ranked(decision: Decision, retry: Retry) -> tuple[Ranked, ...]:
    """Return the open questions, best first, each once though it may be put to several; as many tries as answers."""
    before = set(open_duties(decision))
    put: dict[tuple[str, str], list[Question]] = {}
    for question in decision.questions:
        put.setdefault((question.fact, question.owner or question.subject), []).append(question)
    found = [
        Ranked(
            question=same[0],
            of_whom=tuple(each.of_whom for each in same),
            rules=tuple(dict.fromkeys(rule for each in same for rule in each.rules)),
            tried=tuple(
                Tried(each, len(before - set(open_duties(retry(same[0], each.value)))))
                for each in _answers(same[0], decision)
            ),
            open_duties=len(before),
        )
        for same in put.values()
    ]
    return tuple(sorted(found, key=lambda each: (-each.mean, -each.worst, -len(each.rules))))


def open_duties(decision: Decision) -> Iterator[Open]:
    """Yield every duty of which it cannot be said yet whether it is owed, or to whom."""
    evaluation = decision.evaluation
    for trace in evaluation.traces:
        if trace.answer == NO:
            continue
        for position, duty in enumerate(evaluation.book.rules[trace.rule].rule.then):
            test = duty.only_if
            applies = None if test is None else answer(test, evaluation.value(test.fact, trace))
            if applies == NO:
                continue
            if UNDECIDED in {trace.answer, applies} or recipients(duty, evaluation, trace) is None:
                yield trace.rule, trace.about, position


def _answers(question: Question, decision: Decision) -> tuple[ValueClass, ...]:
    evaluation = decision.evaluation
    rules = evaluation.book.book.rules
    spec = evaluation.book.vocabulary[question.fact]
    if spec.kind == "body":
        return (ValueClass(next(iter(evaluation.register.bodies))),)  # whichever it is, nothing else hangs on it
    if spec.kind != "area":
        return classes(spec, rules)
    facts, owners = evaluation.facts, ["incident", *evaluation.facts.children, *evaluation.facts.reports]
    areas = [each.name for each in evaluation.book.vocabulary.values() if each.kind == "area"]
    known = [facts.value(name, owner) for name in areas for owner in owners]
    codes = dict.fromkeys([*(str(each) for each in known if each is not None), *areas_named(question.fact, rules)])
    other = next((code for code in evaluation.register.areas if code not in codes), None)
    return tuple(ValueClass(code) for code in (*codes, *([other] if other else [])))
