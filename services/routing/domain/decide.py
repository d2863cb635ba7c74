"""Decides a case: what is owed by whom to whom by when, what has to be asked, and what cannot be decided yet.

Owed is not sent: an obligation stands from the moment its conditions hold, and says apart whether it has been released.
Nothing is remembered between calls; what changed since the last decision is `changes.compare`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from schemas.calendar import Calendar, Length, last_day, london_date
from schemas.vocabulary import Value
from services.routing.domain import reasons
from services.routing.domain.facts import INCIDENT, FactBase
from services.routing.domain.happenings import Happening, Slot
from services.routing.domain.periods import Dates, dates, over_on, too_late
from services.routing.domain.recipients import recipients, slot_of
from services.routing.domain.register import Register
from services.routing.domain.rulebook.compile import NO, UNDECIDED, YES, CompiledRulebook
from services.routing.domain.rulebook.editions import Edition, relaxed_words
from services.routing.domain.rulebook.evaluate import About, Evaluation, Trace, evaluate
from services.routing.domain.rulebook.model import Compared, Duty, Rule, Serving, Test
from services.routing.domain.standing import (
    Standing,
    agreed,
    answer,
    noon,
    outdated,
    standing,
    unsaid,
    was_off_before_the_death,
)
from services.routing.domain.statements import Conflict, Ignored
from services.routing.domain.words import Words


@dataclass(frozen=True, slots=True)
class Obligation:
    """One duty that stands, or stood. Everything that the law says about it is in `rule` and `duty`.

    `recipients` are in register order; the obligation is met when every one of them is. `unserved_areas` are areas in
    which the register has nobody to tell: a person handles those. `editions` are those of the law that it comes under.
    """

    slot: Slot
    rule: Rule
    duty: Duty
    recipients: tuple[str, ...]
    unserved_areas: tuple[str, ...]
    dates: Dates
    released: bool
    standing: Standing
    editions: tuple[Edition, ...] = ()

    @property
    def period_cite(self) -> str:
        """Return the source of its period, and whether an edition of the law relaxes that; the date stays as it is."""
        return "; ".join(filter(None, (self.duty.within.cite, relaxed_words(self.editions))))

    @property
    def release(self) -> str:
        """Return under which conditions it is sent: `at once`, or the conditions in the words of the file."""
        return " and ".join(map(reasons.says, self.duty.release)) or "at once"

    @property
    def in_words(self) -> str:
        """Return its state: `to send`, `owed, awaiting a decision`, `withdrawn, REASON` or `met, REASON`."""
        if self.standing.state != "open":
            return f"{self.standing.state}, {self.standing.reason}"
        return "to send" if self.released else "owed, awaiting a decision"


@dataclass(frozen=True, slots=True)
class Question:
    """A missing fact to be given by `of_whom` by the end of `due_on`; `rules` is why (none: sources disagree on it).

    `owner` is the authority for one of its own facts. `subject` is `incident`, a child or a report.
    """

    fact: str
    subject: str
    owner: str | None
    of_whom: str
    ask: str
    rules: tuple[str, ...]
    from_on: date
    within_working_days: int
    due_on: date

    @property
    def in_words(self) -> str:
        """Return the fact, with the authority's code if it is one authority's."""
        return reasons.named(self.fact, self.owner)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rulebook says about a case at one time. Obligations are in rulebook order.

    `undecided` are the rules of which something cannot be decided, about whatever child or item. `unsettled` are the entries
    (rule, what it is about, position) of rules that hold, of which it cannot be said whether they apply, or to whom.
    """

    obligations: tuple[Obligation, ...]
    questions: tuple[Question, ...]
    undecided: tuple[str, ...]
    unsettled: frozenset[tuple[str, About, int]]
    conflicts: tuple[Conflict, ...]
    ignored: tuple[Ignored, ...]
    evaluation: Evaluation
    calendar: Calendar
    decided_at: datetime

    @property
    def traces(self) -> tuple[Trace, ...]:
        """Return every run of every rule, with its answers."""
        return self.evaluation.traces

    @property
    def words(self) -> Words:
        """Return the words in which people read what it rests on."""
        return Words(self.evaluation.book.vocabulary, self.evaluation.register)

    @property
    def partnership(self) -> str | None:
        """Return the children's partnership of the incident's area, else of the area of the first report."""
        facts = self.evaluation.facts
        areas = [facts.value("incident.area", INCIDENT)]
        areas += [facts.value("reporter.area", report) for report in facts.reports]
        area = next((each for each in areas if isinstance(each, str)), None)
        serving = self.evaluation.register.serving("lscp", area) if area else ()
        return serving[0] if serving else None


def decide(
    facts: FactBase,
    book: CompiledRulebook,
    register: Register,
    calendar: Calendar,
    now: datetime,
    happenings: Iterable[Happening] = (),
    judged_on: date | None = None,
) -> Decision:
    """Return the decision on a case.

    Args:
        facts: What is known, merged; for linked cases, of all of them.
        book: The rulebook to decide by.
        register: Who exists on the day of the decision, and which areas they serve.
        calendar: England's working days.
        now: The legal clock, aware; recorded as the time of the decision.
        happenings: What may have ended duties.
        judged_on: Suppose that each rule was judged on this day, whatever the facts say.
    """
    evaluation = evaluate(book, facts, register, judged_on)
    deciding = _Deciding(evaluation, calendar, tuple(happenings))
    for trace in evaluation.traces:
        if book.rules[trace.rule].rule.then:  # the others make no duty: they say why there is none
            deciding.run(trace)
    return Decision(
        obligations=tuple(deciding.obligations),
        questions=tuple(deciding.all_questions()),
        undecided=tuple(deciding.undecided),
        unsettled=frozenset(deciding.unsettled),
        conflicts=facts.conflicts,
        ignored=tuple(facts.ignored),
        evaluation=evaluation,
        calendar=calendar,
        decided_at=now,
    )


class _Deciding:
    """Collects what the runs of the rules give, one after the other."""

    def __init__(self, evaluation: Evaluation, calendar: Calendar, happenings: tuple[Happening, ...]) -> None:
        self._evaluation = evaluation
        self._facts = evaluation.facts
        self._calendar = calendar
        self._happenings = happenings
        self._asked: dict[tuple[str, str, str], dict[str, None]] = {}  # (fact, owner, of whom) -> rules, in order
        self._disputed = {(conflict.name, conflict.owner): conflict for conflict in evaluation.facts.conflicts}
        self.obligations: list[Obligation] = []
        self.undecided: dict[str, None] = {}
        self.unsettled: set[tuple[str, About, int]] = set()

    def run(self, trace: Trace) -> None:
        if trace.answer == NO:
            return
        if trace.answer == UNDECIDED:
            self._cannot_decide(trace, reasons.missing(self._evaluation, trace))
            return
        said_before = tuple(unsaid(self._evaluation, trace))
        if said_before:
            self._cannot_decide(trace, said_before)
            return
        rule = self._evaluation.book.rules[trace.rule].rule
        for position, duty in enumerate(rule.duties_in(trace.holder.area if trace.holder else None)):
            self._owe(trace, rule, position, duty)

    def _owe(self, trace: Trace, rule: Rule, position: int, duty: Duty) -> None:
        applies = YES if duty.only_if is None else self._answer(duty.only_if, trace)
        if applies == NO:
            return
        if applies == UNDECIDED and duty.only_if is not None:
            self._cannot_settle(trace, position, reasons.absent(self._evaluation, trace, duty.only_if.fact))
            return
        told = recipients(duty, self._evaluation, trace)
        if told is None:
            area = duty.tell.area if isinstance(duty.tell, Serving) else ""
            known = area in self._evaluation.book.vocabulary
            self._cannot_settle(trace, position, reasons.absent(self._evaluation, trace, area) if known else ())
            return
        slot = slot_of(self._evaluation, trace, position)
        value = partial(self._counted, trace=trace)
        again = tuple(outdated(self._evaluation, trace, duty))
        anew_from = duty.within.anew_from
        anew_from = anew_from if anew_from and was_off_before_the_death(self._evaluation, trace) else None
        within = duty.within.anew() if anew_from and value(anew_from) is not None else duty.within
        dated = dates(within, value, self._evaluation.book.book.defaults.missing_clock_counts_from, self._calendar)
        if too_late(duty, dated, value, self._calendar):
            return
        stands = standing(self._evaluation, trace, slot, duty, *told, self._happenings, again)
        over = over_on(duty, value, self._calendar)
        if over is not None and stands.state == "open":
            stands = Standing("met", duty.stop.phrase, noon(over))
        obligation = Obligation(
            slot=slot,
            rule=rule,
            duty=duty,
            recipients=told[0],
            unserved_areas=told[1],
            dates=dated,
            released=all(self._releases(test, trace) for test in duty.release),
            standing=stands,
            editions=self._evaluation.editions(trace),
        )
        self.obligations.append(obligation)
        if obligation.standing.state == "open":
            clock = () if duty.within.as_known else duty.within.clock
            needed = (
                *clock,
                *filter(None, (anew_from,)),
                *(test.fact for test in duty.release if isinstance(test, Compared)),
            )
            for fact in needed:
                self._ask(trace, reasons.absent(self._evaluation, trace, fact))
            self._ask(trace, again)

    def _cannot_settle(self, trace: Trace, position: int, missing: Iterable[reasons.Missing]) -> None:
        self.unsettled.add((trace.rule, trace.about, position))
        self._cannot_decide(trace, missing)

    def _cannot_decide(self, trace: Trace, missing: Iterable[reasons.Missing]) -> None:
        self.undecided[trace.rule] = None
        self._ask(trace, missing)

    def _ask(self, trace: Trace, missing: Iterable[reasons.Missing]) -> None:
        for each in missing:
            for of_whom in self._whom(each, trace):
                self._asked.setdefault((each.fact, each.owner, of_whom), {})[trace.rule] = None

    def _whom(self, missing: reasons.Missing, trace: Trace) -> Iterator[str]:
        disputed = self._disputed.get((missing.fact, missing.owner))
        if disputed is not None:
            yield from (self._facts.in_place_of(fact.authority) for fact in disputed.statements)
            return
        match self._evaluation.book.vocabulary[missing.fact].scope:
            case "authority":
                yield missing.owner
            case "reporter":
                yield self._facts.reporter_of(missing.owner)
            case _ if trace.holder is not None:
                yield trace.holder.id
            case _ if self._facts.first_source is not None:
                yield self._facts.first_source
            case _:
                return  # nobody has said anything yet, so there is nobody to ask

    def all_questions(self) -> Iterator[Question]:
        for name, owner in self._disputed:
            for of_whom in self._whom(reasons.Missing(name, owner), self._evaluation.traces[0]):
                self._asked.setdefault((name, owner, of_whom), {})
        if self._facts.latest_recorded_at is None:
            return
        days = self._evaluation.book.book.defaults.ask_within_working_days
        from_on = london_date(self._facts.latest_recorded_at)
        due_on, _ = last_day(from_on, Length(days), self._calendar)
        for (name, owner, of_whom), rules in self._asked.items():
            spec = self._evaluation.book.vocabulary[name]
            own = spec.scope == "authority"
            yield Question(
                fact=name,
                subject="incident" if own else owner,
                owner=owner if own else None,
                of_whom=of_whom,
                ask=spec.ask,
                rules=tuple(rules),
                from_on=from_on,
                within_working_days=days,
                due_on=due_on,
            )

    def _counted(self, fact: str, trace: Trace) -> Value | None:
        """Return a clock's day: of a child's duty, as it was said since the child was known; while nobody has, as it was before.

        So a child that joins the case late is overdue for all to see until the authority says from when it counts.
        """
        found = agreed(self._evaluation, trace, fact)
        return found[0].value if found else self._evaluation.value(fact, trace)

    def _releases(self, test: Test, trace: Trace) -> bool:
        """Say whether it is sent: of a child's duty, a decision that was made before the child was known is none about it."""
        found = agreed(self._evaluation, trace, test.fact)
        return answer(test, found[0].value if found else None) == YES

    def _answer(self, test: Test, trace: Trace) -> int:
        return answer(test, self._evaluation.value(test.fact, trace))
