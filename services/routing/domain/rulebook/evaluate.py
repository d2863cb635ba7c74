"""Asks every rule of a compiled rulebook about the facts of a case: once per child, per item and per duty holder.

The answer of a run is the least of three: its `when`, whether it was in force on the date it is judged on, and whether
its duty holder is known. So an unknown date or holder leaves a rule undecided, and a plain no stays a no.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import chain
from typing import NamedTuple

from schemas.vocabulary import Scope, Value
from services.routing.domain.facts import INCIDENT, PARTNERSHIP, FactBase, Row
from services.routing.domain.register import Register
from services.routing.domain.rulebook.compile import (
    ANSWERS,
    NO,
    UNDECIDED,
    YES,
    Answers,
    Bundle,
    CompiledRule,
    CompiledRulebook,
    pack,
)
from services.routing.domain.rulebook.disputes import settled
from services.routing.domain.rulebook.editions import Edition, editions_for
from services.routing.domain.rulebook.model import AreaHolder, Holder, InFact, ReporterHolder, Rule


@dataclass(frozen=True, slots=True)
class HeldBy:
    """A duty holder: its id, the area that it stands for, if known, and whose facts `of each: authority` count for it.

    A partnership has those of the authority that acts for it on the day of the decision. Source: Working Together 2023, chapter 5: the
    local authority notifies on behalf of the safeguarding partners.
    """

    id: str
    area: str | None
    authority: str


class About(NamedTuple):
    """What a run is about: a child, and an item of the scope `per` (a report, an action, a request); None where it has no use for them."""

    child: str | None
    item: str | None
    per: Scope | None

    def owner(self, scope: Scope, holder: HeldBy | None) -> str | None:
        """Return whose facts of a scope are read in such a run, or None when there is nobody yet."""
        match scope:
            case "incident":
                return INCIDENT
            case "child":
                return self.child
            case "authority":
                return holder.authority if holder else None
            case _:
                return self.item if scope == self.per else None


class Trace(NamedTuple):
    """One run of a rule: what it was about, whose duty it is, the day that it was judged on if known, and all its answers."""

    rule: str
    about: About
    holder: HeldBy | None
    on: date | None
    in_force: int
    answers: Answers

    @property
    def when(self) -> int:
        """Return whether the rule's conditions hold."""
        return self.answers[0]

    @property
    def applies(self) -> int:
        """Return whether the rule was in force and its conditions hold, whoever has to act."""
        return self.answers[0] & self.in_force

    @property
    def answer(self) -> int:
        """Return whether the duty holder has to act."""
        return self.applies & (UNDECIDED if self.holder is None else YES)

    @property
    def packed(self) -> bytes:
        """Return all answers as they are kept, two bits each."""
        return pack(self.answers)

    @property
    def subject(self) -> str:
        """Return what an obligation of this run is about: the child, else the item, else the incident."""
        return self.about.child or self.about.item or INCIDENT

    @property
    def in_words(self) -> str:
        """Return the answer as `yes`, `no` or `undecided`."""
        return ANSWERS[self.answer]

    def owner(self, scope: Scope) -> str | None:
        """Return whose facts of a scope this run reads, or None when there is nobody yet."""
        return self.about.owner(scope, self.holder)


Disputes = Mapping[str, Mapping[str, tuple[Value | None, ...]]]
"""By owner and fact, what each source says, where they differ."""
Runs = dict[tuple[str, About], tuple[Trace, ...]]
"""(rule, what it is about) -> one run for each duty holder; once all are there, in rulebook order."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All runs of all rules about one case, with what they were run on."""

    book: CompiledRulebook
    facts: FactBase
    register: Register
    runs: Runs
    judged_on: date | None = None

    @property
    def traces(self) -> tuple[Trace, ...]:
        """Return all runs, in rulebook order, then by child and item."""
        return tuple(chain.from_iterable(self.runs.values()))

    def owner(self, fact: str, run: Trace) -> str | None:
        """Return whose fact it is in a run, or None when there is nobody yet."""
        return run.owner(self.book.vocabulary[fact].scope)

    def value(self, fact: str, run: Trace) -> Value | None:
        """Return what is known of a fact in a run, or None."""
        return self.facts.value(fact, self.owner(fact, run))

    def of(self, rule: str, beside: Trace) -> tuple[Trace, ...]:
        """Return the runs of another rule for the same child and item."""
        return _runs_of(self.book.rules[rule], beside.about, self.runs)

    def editions(self, run: Trace) -> tuple[Edition, ...]:
        """Return the editions of the law that a run comes under, by the day on which it is judged; none while that is not known."""
        return editions_for(self.book.book.editions, run.rule, run.on) if run.on else ()


def evaluate(book: CompiledRulebook, facts: FactBase, register: Register, judged_on: date | None = None) -> Evaluation:
    """Return every rule's answers. A case without a child is about one of whom nothing is known; without items, none.

    Rules are asked that read a fact of what the case is about: in one of a placement alone, none about incidents.
    With `judged_on`, each rule is in force or not as on that day, whatever the fact that it is judged on says.
    """
    runs: Runs = {}
    children = facts.children or (None,)
    disputes = _disputes(facts)
    for bundle in book.bundles:
        if bundle.about.isdisjoint(facts.about):
            continue
        for child in children if bundle.per_child else (None,):
            for item in facts.items[bundle.per] if bundle.per else (None,):
                about = About(child, item, bundle.per)
                others = {rule: _runs_of(book.rules[rule], about, runs) for rule in bundle.depends_on}
                applied = {rule: max((run.applies for run in ran), default=NO) for rule, ran in others.items()}
                asking = partial(_asked, bundle, facts, disputes, applied, about)
                alike = None if bundle.on_holder else asking(None)  # whoever holds it
                for held in bundle.held:
                    holders = _holders(held.holder, facts, register, others, about)
                    asked = [(each, alike or asking(each)) for each in holders]
                    for compiled, place in held.rules:
                        runs[compiled.rule.id, about] = tuple(
                            _trace(compiled, facts, about, holder, answers[place], judged_on)
                            for holder, answers in asked
                        )
    places = {rule: place for place, rule in enumerate(book.rules)}
    in_order = sorted(runs, key=lambda run: places[run[0]])
    return Evaluation(book, facts, register, {run: runs[run] for run in in_order}, judged_on)


def _disputes(facts: FactBase) -> Disputes:
    found: dict[str, dict[str, tuple[Value | None, ...]]] = {}
    for each in facts.conflicts:
        found.setdefault(each.owner, {})[each.name] = tuple(fact.value for fact in each.statements)
    return found


def _asked(
    bundle: Bundle,
    facts: FactBase,
    disputes: Disputes,
    applied: Mapping[str, int],
    about: About,
    holder: HeldBy | None,
) -> Answers:
    scopes: tuple[Scope, ...] = ("incident", "child", about.per or "incident", "authority")
    owners = [about.owner(scope, holder) for scope in scopes]
    rows = [facts.row(scope, owner) for scope, owner in zip(scopes, owners, strict=True)]

    def ask(rows: list[Row]) -> Answers:
        incident, child, item, authority = rows
        return bundle.ask(incident, child, item, authority, holder.area if holder else None, applied)

    disputed = {name: said for owner in filter(None, owners) for name, said in disputes.get(owner, {}).items()}
    if not disputed:
        return ask(rows)

    def supposing(name: str, value: Value | None) -> Answers:
        spec = facts.vocabulary[name]
        at = spec.position
        changed = [
            [*row[:at], value, *row[at + 1 :]] if scope == spec.scope else row
            for scope, row in zip(scopes, rows, strict=True)
        ]
        return ask(changed)

    return settled(bundle.conditions, ask(rows), disputed, supposing)


def _trace(
    compiled: CompiledRule,
    facts: FactBase,
    about: About,
    holder: HeldBy | None,
    answers: Answers,
    supposed: date | None,
) -> Trace:
    judged_on = compiled.judged_on
    on = supposed or facts.row(judged_on.scope, about.owner(judged_on.scope, holder))[judged_on.position]
    day = on if isinstance(on, date) else None
    return Trace(compiled.rule.id, about, holder, day, _in_force(compiled.rule, day), answers)


def _in_force(rule: Rule, on: date | None) -> int:
    if on is None:
        return UNDECIDED
    return YES if rule.in_force_from <= on and (rule.in_force_until is None or on <= rule.in_force_until) else NO


def _holders(
    holder: Holder,
    facts: FactBase,
    register: Register,
    others: Mapping[str, tuple[Trace, ...]],
    about: About,
) -> list[HeldBy | None]:
    match holder:
        case AreaHolder():
            areas = (_named(fact, facts, about) for fact in holder.facts)
            first = next((each for each in areas if each is not None), None)
            return [held_by(holder.group, first, register) if first else None]
        case InFact():
            named = _named(holder.fact, facts, about)
            if named is None:
                return [None]
            body = facts.in_place_of(named)
            return [_held(body, register.only_area_of(body), register)]
        case ReporterHolder():
            area = facts.value("reporter.area", about.item)
            source = facts.reporter_of(about.item) if about.item else None
            return [_held(source, area if isinstance(area, str) else None, register) if source else None]
        case _:
            possible = [trace.holder for rule in holder.rules for trace in others[rule] if trace.applies != NO]
            if holder.group is not None:
                possible = [
                    held_by(holder.group, each.area, register) if each and each.area else None for each in possible
                ]
            return list(dict.fromkeys(possible)) or [None]


def _named(fact: str, facts: FactBase, about: About) -> str | None:
    value = facts.value(fact, about.owner(facts.vocabulary[fact].scope, None))
    return value if isinstance(value, str) else None


def held_by(group: str, area: str, register: Register) -> HeldBy:
    """Return the body of a group in an area as a duty holder; for an area outside the register, by the usual id."""
    return _held(_serving(group, area, register), area, register)


def _held(body: str, area: str | None, register: Register) -> HeldBy:
    return HeldBy(body, area, _serving("la", area, register) if area and body.startswith(PARTNERSHIP) else body)


def _serving(group: str, area: str, register: Register) -> str:
    serving = register.serving(group, area)
    return serving[0] if serving else f"{group}:{area}"


def _runs_of(compiled: CompiledRule, about: About, runs: Runs) -> tuple[Trace, ...]:
    child, item = about.child if compiled.per_child else None, about.item if compiled.per else None
    return runs.get((compiled.rule.id, About(child, item, compiled.per)), ())
