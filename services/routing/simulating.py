"""What a version of the rulebook would change in cases that were decided by another: decided again, and forgotten. Pure.

What stands is compared with what the version says of the same facts, as a migration would do it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime

from schemas.decisions import RulebookRef
from services.routing.domain.changes import Known as Before
from services.routing.domain.changes import compare
from services.routing.domain.decide import Obligation
from services.routing.domain.diff import known_before
from services.routing.domain.happenings import Slot
from services.routing.domain.ledger import KnownObligation, by_slot
from services.routing.law import Law
from services.routing.recorded import RecordedCase
from services.routing.views import BodyView, View


class DutyEffectView(View):
    """One duty that would be another. `before` is the due date that it has, `due_on` the one that it would have.

    `reason` says why it would be withdrawn, or what else would be different.
    """

    rule: str
    title: str
    subject: str
    duty_holder: BodyView
    recipients: tuple[BodyView, ...]
    before: date | None
    due_on: date | None
    reason: str | None


class CaseEffectView(View):
    """What would change in a set of linked cases, which were decided by `rulebook`.

    `changed` are duties that would stand and be otherwise: met, released or not, towards others, or in other words.
    """

    case_keys: tuple[str, ...]
    rulebook: str
    added: tuple[DutyEffectView, ...]
    withdrawn: tuple[DutyEffectView, ...]
    moved: tuple[DutyEffectView, ...]
    changed: tuple[DutyEffectView, ...]

    @property
    def any(self) -> bool:
        """Say whether anything would change."""
        return bool(self.added or self.withdrawn or self.moved or self.changed)


class SimulationView(View):
    """What a version would change in the cases in which something was recorded since a day. `cases` are those that change."""

    rulebook: RulebookRef
    since: date
    as_of: datetime | None
    cases_read: int
    cases_changed: int
    added: int
    withdrawn: int
    moved: int
    changed: int
    cases: tuple[CaseEffectView, ...]


def summed(law: Law, since: date, as_of: datetime | None, effects: Iterable[CaseEffectView]) -> SimulationView:
    """Return the effects on all cases that were read, with their counts."""
    every = tuple(effects)
    return SimulationView(
        rulebook=law.rulebook,
        since=since,
        as_of=as_of,
        cases_read=len(every),
        cases_changed=sum(each.any for each in every),
        added=sum(len(each.added) for each in every),
        withdrawn=sum(len(each.withdrawn) for each in every),
        moved=sum(len(each.moved) for each in every),
        changed=sum(len(each.changed) for each in every),
        cases=tuple(each for each in every if each.any),
    )


def effect(case: RecordedCase, law: Law, now: datetime) -> CaseEffectView:
    """Return what a law would change in a case."""
    return _Effect(case, law, now).view()


class _Effect:
    """One case, decided again."""

    def __init__(self, case: RecordedCase, law: Law, now: datetime) -> None:
        self._case = case
        self._law = law
        # On the way here the kinds of values were lost: a date is a text in JSON.
        facts = tuple(
            each if each.value is None else replace(each, value=law.vocabulary.check(each.name, each.value))
            for each in case.facts
        )
        told = {each.event_id: each for each in case.told}
        self._decision = law.decide(facts, told, case.known, now)
        self._known, _ = by_slot(case.known.obligations, self._decision.evaluation.facts.in_place_of)

    def view(self) -> CaseEffectView:
        known = known_before(self._known)
        found = compare(known, self._decision)
        moved = [each for each in found.redated if each.dates.due_on != known[each.slot].due_on]
        gone = [self._duty(each, each.standing.reason) for each in found.withdrawn if each.slot in known]
        gone += [self._lapsed(self._known[each.slot], each.reason) for each in found.lapsed]
        new = [each for each in found.opened if each.standing.state != "withdrawn"]
        return CaseEffectView(
            case_keys=self._case.case_keys,
            rulebook=self._case.rulebook,
            added=tuple(self._duty(each, None if each.standing.state == "open" else each.in_words) for each in new),
            withdrawn=tuple(gone),
            moved=tuple(self._duty(each, None) for each in moved),
            changed=tuple(self._otherwise(known)),
        )

    def _otherwise(self, before: dict[Slot, Before]) -> Iterator[DutyEffectView]:
        for each in self._decision.obligations:
            known = before.get(each.slot)
            if known is None or known.state != "open":
                continue
            if each.standing.state == "met":
                yield self._duty(each, each.in_words)
            elif each.standing.state == "open" and known.recipients != each.recipients:
                yield self._duty(each, "towards others")
            elif each.standing.state == "open" and known.released != each.released:
                yield self._duty(each, each.in_words)
            elif each.standing.state == "open" and self._known[each.slot].says_otherwise(each):
                yield self._duty(each, "the rule says something else of it")

    def _duty(self, obligation: Obligation, reason: str | None) -> DutyEffectView:
        known = self._known.get(obligation.slot)
        return DutyEffectView(
            rule=obligation.rule.id,
            title=obligation.rule.title,
            subject=obligation.slot.subject,
            duty_holder=self._body(obligation.slot.duty_holder),
            recipients=tuple(map(self._body, obligation.recipients)),
            before=known.dates.due_on if known else None,
            due_on=obligation.dates.due_on,
            reason=reason,
        )

    def _lapsed(self, known: KnownObligation, reason: str) -> DutyEffectView:
        rule = self._law.book.rules.get(known.slot.rule)
        return DutyEffectView(
            rule=known.slot.rule,
            title=rule.rule.title if rule else "a duty that this version does not have",
            subject=known.slot.subject,
            duty_holder=self._body(known.slot.duty_holder),
            recipients=tuple(map(self._body, known.recipients)),
            before=known.dates.due_on,
            due_on=None,
            reason=reason,
        )

    def _body(self, identifier: str) -> BodyView:
        return BodyView(id=identifier, name=self._law.register.name(identifier))
