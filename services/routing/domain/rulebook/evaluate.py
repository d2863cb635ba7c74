"""Asks every rule of a compiled rulebook about the facts of a case: once per child, per report and per duty holder.

The answer of a run is the least of three: its `when`, whether it was in force on the date it is judged on, and whether
its duty holder is known. So an unknown date or holder leaves a rule undecided, and a plain no stays a no.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from schemas.vocabulary import Scope
from services.routing.domain.facts import AUTHORITY, INCIDENT, FactBase
from services.routing.domain.register import Register
from services.routing.domain.rulebook.compile import ANSWERS, NO, UNDECIDED, YES, CompiledRule, CompiledRulebook
from services.routing.domain.rulebook.model import AreaHolder, ReporterHolder


@dataclass(frozen=True, slots=True)
class HeldBy:
    """A duty holder: its id and the area that it stands for, if known."""

    id: str
    area: str | None


@dataclass(frozen=True, slots=True)
class Trace:
    """One run of a rule: whom it was about, and all its answers. `child` and `report` are None where it has no use for them."""

    rule: str
    child: str | None
    report: str | None
    holder: HeldBy | None
    answer: int
    when: int
    in_force: int
    bits: int

    @property
    def subject(self) -> str:
        """Return what an obligation of this run is about: the child, else the report, else the incident."""
        return self.child or self.report or INCIDENT

    @property
    def in_words(self) -> str:
        """Return the answer as `yes`, `no` or `undecided`."""
        return ANSWERS[self.answer]

    def owner(self, scope: Scope) -> str | None:
        """Return whose facts of a scope this run reads, or None when there is nobody yet."""
        match scope:
            case "incident":
                return INCIDENT
            case "child":
                return self.child
            case "reporter":
                return self.report
            case "authority":
                return self.holder.id if self.holder else None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All runs of all rules about one case, with what they were run on."""

    book: CompiledRulebook
    facts: FactBase
    register: Register
    runs: Mapping[tuple[str, str | None, str | None], tuple[Trace, ...]]

    @property
    def traces(self) -> tuple[Trace, ...]:
        """Return all runs, in rulebook order, then by child and report."""
        places = {rule: place for place, rule in enumerate(self.book.rules)}
        ordered = sorted(self.runs.items(), key=lambda run: places[run[0][0]])
        return tuple(trace for _, traces in ordered for trace in traces)

    def of(self, rule: str, beside: Trace) -> tuple[Trace, ...]:
        """Return the runs of another rule for the same child and report."""
        return _runs_of(self.book.rules[rule], beside.child, beside.report, self.runs)


def evaluate(book: CompiledRulebook, facts: FactBase, register: Register) -> Evaluation:
    """Return every rule's answers. A case without a child is about one of whom nothing is known; without reports, none."""
    runs: dict[tuple[str, str | None, str | None], tuple[Trace, ...]] = {}
    children = facts.children or (None,)
    for compiled in book.in_order:
        for child in children if compiled.per_child else (None,):
            for report in facts.reports if compiled.per_report else (None,):
                runs[compiled.rule.id, child, report] = tuple(
                    _Run(compiled, child, report, book, facts, register, runs).traces()
                )
    return Evaluation(book, facts, register, runs)


@dataclass(slots=True)
class _Run:
    compiled: CompiledRule
    child: str | None
    report: str | None
    book: CompiledRulebook
    facts: FactBase
    register: Register
    runs: Mapping[tuple[str, str | None, str | None], tuple[Trace, ...]]

    def traces(self) -> Iterator[Trace]:
        rule, facts = self.compiled.rule, self.facts
        others = {other: self._of(other) for other in self.compiled.depends_on}
        answers = {other: max((trace.when for trace in traces), default=NO) for other, traces in others.items()}
        child_row, report_row = facts.row("child", self.child), facts.row("reporter", self.report)
        for holder in self._holders(others):
            bits = self.compiled.ask(
                facts.row("incident", INCIDENT),
                child_row,
                report_row,
                facts.row("authority", holder.id if holder else None),
                holder.area if holder else None,
                answers,
            )
            when = bits & 3
            in_force = self._in_force(holder)
            answer = min(when, in_force, YES if holder else UNDECIDED)
            yield Trace(rule.id, self.child, self.report, holder, answer, when, in_force, bits)

    def _of(self, rule: str) -> tuple[Trace, ...]:
        return _runs_of(self.book.rules[rule], self.child, self.report, self.runs)

    def _holders(self, others: Mapping[str, tuple[Trace, ...]]) -> list[HeldBy | None]:
        holder = self.compiled.rule.holder
        match holder:
            case AreaHolder():
                spec = self.book.vocabulary[holder.fact]
                owner = {"child": self.child, "reporter": self.report}.get(spec.scope, INCIDENT)
                area = self.facts.value(holder.fact, owner)
                return [held_by(holder.group, area, self.register) if isinstance(area, str) else None]
            case ReporterHolder():
                area = self.facts.value("reporter.area", self.report)
                source = self.facts.reporter_of(self.report) if self.report else None
                return [HeldBy(source, area if isinstance(area, str) else None) if source else None]
            case _:
                possible = [trace.holder for rule in holder.rules for trace in others[rule] if trace.when != NO]
                return list(dict.fromkeys(possible)) or [None]

    def _in_force(self, holder: HeldBy | None) -> int:
        rule = self.compiled.rule
        probe = Trace(rule.id, self.child, self.report, holder, NO, NO, NO, 0)
        judged_on = self.facts.value(rule.judged_on, probe.owner(self.book.vocabulary[rule.judged_on].scope))
        if not isinstance(judged_on, date):
            return UNDECIDED
        until = rule.in_force_until
        return YES if rule.in_force_from <= judged_on and (until is None or judged_on <= until) else NO


def held_by(group: str, area: str, register: Register) -> HeldBy:
    """Return the body of a group in an area as a duty holder; for an area outside the register, by the usual id."""
    serving = register.serving(group, area)
    return HeldBy(serving[0] if serving else f"{AUTHORITY if group == 'la' else group + ':'}{area}", area)


def _runs_of(
    compiled: CompiledRule,
    child: str | None,
    report: str | None,
    runs: Mapping[tuple[str, str | None, str | None], tuple[Trace, ...]],
) -> tuple[Trace, ...]:
    key = (compiled.rule.id, child if compiled.per_child else None, report if compiled.per_report else None)
    return runs.get(key, ())
