"""Runs the examples of a rulebook; a rulebook with a failing example cannot be used.

`tells`, `asks` and `cannot decide` are exact: anything more is a failure too. Each line of `does not tell` must hold, and
its `because` gives, for every rule that names the recipient, the first condition that is no.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from typing import Final
from uuid import UUID

from schemas.calendar import Calendar
from schemas.vocabulary import Vocabulary
from services.routing.domain import reasons
from services.routing.domain.decide import Decision, decide
from services.routing.domain.explain import could_name
from services.routing.domain.facts import AUTHORITY, INCIDENT, Fact, FactBase
from services.routing.domain.happenings import Happening
from services.routing.domain.register import Register
from services.routing.domain.rulebook.compile import CompiledRulebook, compile_rulebook
from services.routing.domain.rulebook.conditions import bodies
from services.routing.domain.rulebook.model import Example
from services.routing.domain.rulebook.parse import parse_rulebook
from services.routing.domain.rulebook.read_examples import CASE
from services.routing.domain.rulebook.tree import RulebookRefused

_NOW: Final = datetime.combine(date(2026, 1, 1), time(), UTC)  # no example depends on when it is run
_EVENT: Final = UUID(int=0)
_CHILD: Final = "the-child"
_REPORT: Final = "the-report"


def load_rulebook(
    text: str, file: str, vocabulary: Vocabulary, register: Register, calendar: Calendar
) -> CompiledRulebook:
    """Return a rulebook that is read, compiled, and whose examples all come out as written.

    Raises:
        RulebookRefused: With file, line and what to do.
    """
    book = compile_rulebook(parse_rulebook(text, file, vocabulary, register), vocabulary)
    for example in book.book.examples:
        failures = run_example(example, book, register, calendar)
        if failures:
            raise RulebookRefused(file, example.line, f"example `{example.name}` fails: {'; '.join(failures)}")
    return book


def run_example(example: Example, book: CompiledRulebook, register: Register, calendar: Calendar) -> tuple[str, ...]:
    """Return what came out otherwise than the example says; empty if all is as written."""
    facts = FactBase(_facts(example, book.vocabulary), book.vocabulary, former_areas=register.former_areas)
    decision = decide(facts, book, register, calendar, _NOW, _happenings(example))
    return (
        *_tells(example, decision, register),
        *_same("asks", set(example.asks), {question.in_words for question in decision.questions}),
        *_same("cannot decide", set(example.cannot_decide), set(decision.undecided)),
        *_tells_not(example, decision, register),
    )


def _facts(example: Example, vocabulary: Vocabulary) -> Iterator[Fact]:
    """Yield an example's facts as if one report about one child and each authority had stated them."""
    body, area = example.facts.get((CASE, "reporter.body")), example.facts.get((CASE, "reporter.area"))
    reporter = f"{AUTHORITY}{area}" if body == "local_authority" else "client:the-reporter"
    subjects = {"incident": INCIDENT, "authority": INCIDENT, "child": _CHILD, "reporter": _REPORT}
    for (owner, name), value in example.facts.items():
        subject = subjects[vocabulary[name].scope]
        yield Fact("the-case", subject, owner or reporter, name, value, _NOW, _NOW, _EVENT)


def _happenings(example: Example) -> Iterator[Happening]:
    """Yield the one event that a fact of an example implies: a notification that was submitted has its reference."""
    by, on = (example.facts.get((CASE, f"notification.submitted_{name}")) for name in ("by", "on"))
    if isinstance(on, date) and by is not None:
        at = datetime.combine(on, time(12), UTC)
        yield Happening("scsi.notification.submitted", f"{AUTHORITY}{by}", INCIDENT, at, at, _EVENT)


def _tells(example: Example, decision: Decision, register: Register) -> Iterator[str]:
    left = list(decision.obligations)
    for tells in example.tells:
        told = bodies(tells.who, register)
        found = next((each for each in left if each.rule.id == tells.under and each.recipients == told), None)
        if found is None:
            yield f"line {tells.line}: nobody is told `{tells.who}` under {tells.under}"
            continue
        left.remove(found)
        if found.in_words != tells.state:
            yield f"line {tells.line}: expected `{tells.state}`, got `{found.in_words}`"
        if found.dates.due_on != tells.by and (tells.by is not None or found.standing.state == "open"):
            yield f"line {tells.line}: expected by {tells.by}, got {found.dates.due_on}"
    for extra in left:
        yield f"also tells {', '.join(extra.recipients)} under {extra.rule.id} by {extra.dates.due_on}: {extra.in_words}"


def _same(what: str, expected: set[str], got: set[str]) -> Iterator[str]:
    if expected - got:
        yield f"{what}: expected also {', '.join(sorted(expected - got))}"
    if got - expected:
        yield f"{what}: unexpected {', '.join(sorted(got - expected))}"


def _tells_not(example: Example, decision: Decision, register: Register) -> Iterator[str]:
    for line in example.tells_not:
        for body in bodies(line.who, register) or (line.who,):
            if any(body in obligation.recipients for obligation in decision.obligations):
                yield f"line {line.line}: {body} is told"
            found = "; ".join(dict.fromkeys(_first_noes(decision, body)))
            if found != line.because:
                yield f"line {line.line}: expected because `{line.because}`, got `{found}`"


def _first_noes(decision: Decision, body: str) -> Iterable[str]:
    evaluation = decision.evaluation
    for trace in evaluation.traces:
        then = evaluation.book.rules[trace.rule].rule.then
        if any(could_name(evaluation, trace, duty, body) for duty in then):
            because = reasons.because(evaluation, trace)
            yield str(because.found or "") if because else f"{trace.rule} is {trace.in_words}"
