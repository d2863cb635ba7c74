"""Runs the examples of a rulebook, and scenarios of the same form; a rulebook with a failing example cannot be used.

`tells`, `asks` and `cannot decide` are exact: anything more is a failure too. Each line of `does not tell` must hold, and
its `because` gives, for every rule that names the recipient, the first condition that is no.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from schemas.calendar import Calendar
from schemas.vocabulary import Vocabulary
from services.routing.domain import reasons
from services.routing.domain.decide import Decision, Obligation, decide
from services.routing.domain.explain import could_name
from services.routing.domain.register import Register
from services.routing.domain.rulebook.compile import YES, CompiledRulebook, compile_rulebook
from services.routing.domain.rulebook.conditions import bodies
from services.routing.domain.rulebook.editions import names
from services.routing.domain.rulebook.model import Example, Tells
from services.routing.domain.rulebook.parse import parse_rulebook
from services.routing.domain.rulebook.suppose import SUPPOSED_AT, as_reported, implied, suppose
from services.routing.domain.rulebook.tree import RulebookRefused, Text


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that an example expects, or that came out unexpected, with what came out. `line` is where it stands."""

    line: int
    expected: str
    got: str

    @property
    def holds(self) -> bool:
        """Say whether what was expected came out."""
        return self.expected == self.got

    def __str__(self) -> str:
        """Return what is wrong, for a refusal."""
        return f"line {self.line}: expected {self.expected}, got {self.got}"


def load_rulebook(
    text: str,
    file: str,
    vocabulary: Vocabulary,
    register: Register,
    calendar: Calendar,
    overlays: Sequence[Text] = (),
    *,
    approved_by: tuple[str, ...] = (),
) -> CompiledRulebook:
    """Return a rulebook that is read, compiled, and whose examples all come out as written.

    The national examples are played by the national rules, those of an overlay by all rules together. `approved_by` are
    the people of its release.

    Raises:
        RulebookRefused: With file, line and what to do.
    """
    read = replace(parse_rulebook(text, file, vocabulary, register, overlays), approved_by=approved_by)
    book = compile_rulebook(read, vocabulary)
    national = compile_rulebook(book.book.without_overlays(), vocabulary) if overlays else book
    known = [(file, national, national.book.examples)]
    known += [(each.file, book, each.examples) for each in book.book.overlays]
    for where, rules, examples in known:
        for example in examples:
            failures = [str(each) for each in check_example(example, rules, register, calendar) if not each.holds]
            if failures:
                raise RulebookRefused(where, example.line, f"example `{example.name}` fails: {'; '.join(failures)}")
    return book


def check_example(
    example: Example, book: CompiledRulebook, register: Register, calendar: Calendar
) -> tuple[Checked, ...]:
    """Return everything that an example expects with what came out, and then what came out besides."""
    register = register.on(example.decided_on)
    facts = suppose(as_reported(example.facts), book.vocabulary, register)
    decision = decide(facts, book, register, calendar, SUPPOSED_AT, implied(example.facts))
    return (
        *_tells(example, decision, register),
        _same(example, "asks", example.asks, (question.in_words for question in decision.questions)),
        _same(example, "cannot decide", example.cannot_decide, decision.undecided),
        *_tells_not(example, decision, register),
    )


def _tells(example: Example, decision: Decision, register: Register) -> Iterator[Checked]:
    left = list(decision.obligations)
    for tells in example.tells:
        found = next((each for each in left if each.rule.id == tells.under and _means(tells.who, each, register)), None)
        edition = f", edition {tells.edition}" if tells.edition else ""
        expected = _told(tells.who, tells.under, tells.by, tells.state) + edition
        if found is None:
            yield Checked(tells.line, expected, f"nobody is told `{tells.who}` under {tells.under}")
            continue
        left.remove(found)
        came_under = f", edition {names(found.editions) or 'none'}" if tells.edition else ""
        got = _told(tells.who, tells.under, _due_on(found, tells), found.in_words) + came_under
        yield Checked(tells.line, expected, got)
    for extra in left:
        also = _told(", ".join(extra.recipients), extra.rule.id, extra.dates.due_on, extra.in_words)
        yield Checked(example.line, "nobody besides", f"also tells {also}")


def _means(who: str, obligation: Obligation, register: Register) -> bool:
    """Say whether an expression of recipients means those of an obligation."""
    return obligation.recipients == bodies(who, register)


def _due_on(found: Obligation, tells: Tells) -> date | None:
    """Return a due date; of what is no longer open, only if the example gives one."""
    return found.dates.due_on if tells.by is not None or found.standing.state == "open" else None


def _told(who: str, under: str, by: date | None, state: str) -> str:
    return f"{who} under {under}{f' by {by}' if by else ''}: {state}"


def _same(example: Example, what: str, expected: Iterable[str], got: Iterable[str]) -> Checked:
    told = [f"{what}: {', '.join(sorted(set(each))) or 'none'}" for each in (expected, got)]
    return Checked(example.line, *told)


def _tells_not(example: Example, decision: Decision, register: Register) -> Iterator[Checked]:
    for line in example.tells_not:
        for body in bodies(line.who, register) or (line.who,):
            expected = f"{body} is not told because {line.because}"
            if any(body in obligation.recipients for obligation in decision.obligations):
                yield Checked(line.line, expected, f"{body} is told")
                continue
            found = "; ".join(dict.fromkeys(_first_noes(decision, body)))
            yield Checked(line.line, expected, f"{body} is not told because {found or 'no rule names it'}")


def _first_noes(decision: Decision, body: str) -> Iterable[str]:
    evaluation = decision.evaluation
    for trace in evaluation.traces:
        rule = evaluation.book.rules[trace.rule].rule
        if body in rule.reaches and trace.answer == YES:
            yield f"it hears of it through another system ({rule.id})"
        if any(could_name(evaluation, trace, duty, body) for duty in rule.then):
            because = reasons.because(evaluation, trace)
            yield str(because.found or "") if because else f"{trace.rule} is {trace.in_words}"
