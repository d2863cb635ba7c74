"""What became of each case that was considered for notification to the Panel, from the facts that were stated about it.

Each local authority has a duty and a clock of its own (Children Act 2004, section 16C), so a set of linked cases gives one
result for each authority that considered it. The partners' views are those that they recorded; nothing is inferred. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from statistics import median
from typing import Final, Literal

from schemas.calendar import Calendar, london_date, working_days_between
from schemas.vocabulary import Value
from services.routing.domain.facts import AUTHORITY, AWARE_OF_DEATH, HARM, INCIDENT, FactBase
from services.routing.domain.periods import dates
from services.routing.domain.register import Register
from services.routing.domain.rulebook.model import Compared, Rulebook, Within
from services.routing.domain.standing import off_before_the_death
from services.routing.domain.statements import Fact

Outcome = Literal["notified", "to_notify", "not_notified", "open"]
Agreement = Literal["unanimous", "not_unanimous", "not_recorded"]
MARKS: Final = (
    "notification.decision",
    "threshold.discussed_on",
    "notification.submitted_on",
    "referral.returned_on",
)
"""A case in which one of these was stated was considered; the first that stands says which of linked cases is named."""
PARTNERS: Final = {
    "threshold.authority_view": "the local authority",
    "threshold.health_view": "the integrated care board",
    "threshold.police_view": "the police",
}
"""The fact that has each safeguarding partner's view, and the partner."""
_BY_SOURCE: Final = (
    *("threshold.discussed_on", *PARTNERS, "threshold.legal_advice", "referral.returned_on"),
    "notification.submitted_on",
)
"""Facts about the incident that belong to the authority for whose area their source speaks."""
_OF_AUTHORITY: Final = (
    *("notification.decision", "notification.decided_on", "notification.criterion_not_met"),
    *("notification.override_of_rule", "notification.withdrawn", "notification.withdrawn_on"),
    *("aware_on", AWARE_OF_DEATH, "suspected_on"),
)
FACTS: Final = (*_OF_AUTHORITY, *_BY_SOURCE, HARM, "reporter.body", "reporter.area")
"""Every fact that is read here."""
_AGAINST: Final = Compared(MARKS[0], "is", ("not_notify",))


@dataclass(frozen=True, slots=True)
class Terms:
    """What cases are judged by: who speaks for which area, how facts merge, and the rulebook with its period for notifying."""

    register: Register
    merge: Callable[[tuple[Fact, ...]], FactBase]
    calendar: Calendar
    book: Rulebook


@dataclass(frozen=True, slots=True)
class Considered:
    """What became of one case at one authority; what nobody recorded is None. `authority` is empty if none is known.

    `views`: partner and what it thought. `working_days`: from awareness to the submission. `due_on`: by the rulebook's period.
    """

    case_key: str
    linked: tuple[str, ...]
    authority: str
    raised_by: tuple[str, str | None] | None
    aware_on: date | None
    considered_on: date
    outcome: Outcome
    decision: str | None
    decided_on: date | None
    criterion_not_met: str | None
    override_of_rule: str | None
    discussed_on: date | None
    views: tuple[tuple[str, str | None], ...]
    agreement: Agreement
    legal_advice: str | None
    returned_on: date | None
    submitted_on: date | None
    withdrawn: str | None
    withdrawn_on: date | None
    working_days: int | None
    due_on: date | None
    recorded_at: datetime

    @property
    def in_time(self) -> bool | None:
        """Say whether the Panel was notified by the due date; None if it was not notified or the date is not known."""
        if self.submitted_on is None or self.due_on is None:
            return None
        return self.submitted_on <= self.due_on


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts over results; `median_days` and `longest_days` are None where no time is known."""

    considered: int
    outcomes: dict[Outcome, int]
    agreements: dict[Agreement, int]
    legal_advice: int
    timed: int
    in_time: int
    late: int
    median_days: float | None
    longest_days: int | None


def notifying_period(book: Rulebook, area: str | None = None) -> Within | None:
    """Return the period of the first duty that waits for the decision whether to notify, None if there is no such duty.

    In an `area` that has a shorter one of its own it is that, else the national one.
    """
    for rule in book.rules:
        for duty in rule.duties_in(area):
            if any(isinstance(test, Compared) and test.fact == "notification.decision" for test in duty.release):
                return duty.within
    return None


def considered(
    facts: Sequence[Fact], keys: Sequence[str], terms: Terms, asked: Collection[tuple[str, str]]
) -> Iterator[Considered]:
    """Yield what became of a set of linked cases (`keys`), once for each authority that considered it, by its id.

    `asked`: case and authority of which the decision is asked: if it was made, it is to be made again on other facts. Of an
    authority that has ended it is its successor.
    """
    asked = {(key, _in_place_of(body, terms.register)) for key, body in asked}
    acting = {
        authority
        for fact in facts
        if fact.name in _OF_AUTHORITY and fact.authority.startswith(AUTHORITY)
        for authority in _authorities(fact.authority, (), terms.register)
    }
    by_source = {
        source: _authorities(source, acting, terms.register)
        for source in {fact.authority for fact in facts if fact.name in {*MARKS, *_BY_SOURCE}}
    }
    for authority in sorted({each for found in by_source.values() for each in found}):
        # A fact of one authority counts from itself alone, so only those about the incident need to be told apart.
        own = (fact for fact in facts if fact.name not in _BY_SOURCE or authority in by_source[fact.authority])
        found = _of_authority(terms.merge(tuple(own)), authority, keys, terms)
        if found is None:
            continue
        again = found.outcome == "not_notified" and any((key, authority) in asked for key in keys)
        yield replace(found, outcome="open") if again else found


def _authorities(source: str, acting: Iterable[str], register: Register) -> tuple[str, ...]:
    """Return the local authorities for which a source speaks: itself, or those of its area, the acting ones if any is."""
    source = _in_place_of(source, register)
    if source.startswith(AUTHORITY):
        return (source,)
    body = register.bodies.get(source)
    served = register.serving_all("la", body.areas) if body else tuple(sorted(acting))
    return tuple(each for each in served if each in acting) or served or ("",)


def _in_place_of(body: str, register: Register) -> str:
    """Return who stands in the place of a body, by its present code; mostly it is that one itself. See `FactBase.in_place_of`."""
    if body.startswith(AUTHORITY):
        area = body.removeprefix(AUTHORITY)
        body = AUTHORITY + register.former_areas.get(area, area)
    return register.successors.get(body, body)


def _of_authority(base: FactBase, authority: str, keys: Sequence[str], terms: Terms) -> Considered | None:
    """Return what became of the cases at an authority, None if nothing that it was considered by still stands."""

    def value(name: str) -> Value | None:
        owner = authority if base.vocabulary[name].scope == "authority" else INCIDENT
        return base.value(name, owner)

    marks = [fact for name in MARKS for owner in (authority, INCIDENT) for fact in base.standing(name, owner)]
    if not marks:
        return None
    decision, submitted_on, aware_on = (
        value(MARKS[0]),
        _day(value("notification.submitted_on")),
        _day(value("aware_on")),
    )
    decided_on, discussed_on = _day(value("notification.decided_on")), _day(value("threshold.discussed_on"))
    decided_on = decided_on if decision else None
    returned_on = _day(value("referral.returned_on"))
    recorded_at = max(fact.recorded_at for fact in marks)
    views = tuple((partner, _text(value(name))) for name, partner in PARTNERS.items())
    within = notifying_period(terms.book, authority.removeprefix(AUTHORITY))
    of_a_death = within and within.anew_from and value(within.anew_from) is not None
    if within and of_a_death and off_before_the_death(base, _AGAINST, base.said_for(None, MARKS[0], authority)):
        within = within.anew()
    fallback = terms.book.defaults.missing_clock_counts_from
    due_on = dates(within, value, fallback, terms.calendar).due_on if within else None
    return Considered(
        case_key=marks[0].case_key,
        linked=tuple(key for key in keys if key != marks[0].case_key),
        authority=authority,
        raised_by=_raised_by(base),
        aware_on=aware_on,
        considered_on=decided_on or discussed_on or submitted_on or returned_on or london_date(recorded_at),
        outcome=outcome(_text(decision), submitted_on),
        decision=_text(decision),
        decided_on=decided_on,
        # These stay behind when a decision is corrected, and say nothing about another decision.
        criterion_not_met=_text(value("notification.criterion_not_met")) if decision == "not_notify" else None,
        override_of_rule=_text(value("notification.override_of_rule")) if decision == "not_notify" else None,
        discussed_on=discussed_on,
        views=views,
        agreement=agreement(_text(decision), [view for _, view in views]),
        legal_advice=_text(value("threshold.legal_advice")),
        returned_on=returned_on,
        submitted_on=submitted_on,
        withdrawn=_text(value("notification.withdrawn")),
        withdrawn_on=_day(value("notification.withdrawn_on")),
        working_days=working_days_between(aware_on, submitted_on, terms.calendar)
        if aware_on and submitted_on
        else None,
        due_on=due_on,
        recorded_at=recorded_at,
    )


def outcome(decision: str | None, submitted_on: date | None) -> Outcome:
    """Return what a case came to: a submission that was recorded is one, whatever was decided."""
    if submitted_on is not None:
        return "notified"
    match decision:
        case "notify":
            return "to_notify"
        case "not_notify":
            return "not_notified"
        case _:
            return "open"


def agreement(decision: str | None, views: Sequence[str | None]) -> Agreement:
    """Say whether every partner thought as was decided, or where nothing is decided, all the same.

    A partner that is undecided does not agree. Views that differ are not unanimous even while one is missing.
    """
    known = [view for view in views if view is not None]
    wanted = decision if decision in {"notify", "not_notify"} else next(iter(known), None)
    if any(view != wanted or view == "undecided" for view in known):
        return "not_unanimous"
    return "unanimous" if known and len(known) == len(views) else "not_recorded"


def totals(found: Sequence[Considered]) -> Totals:
    """Count results, and how long it took from awareness to the submission."""
    days = [each.working_days for each in found if each.working_days is not None]
    return Totals(
        considered=len(found),
        outcomes={
            which: sum(each.outcome == which for each in found)
            for which in ("notified", "to_notify", "not_notified", "open")
        },
        agreements={
            which: sum(each.agreement == which for each in found)
            for which in ("unanimous", "not_unanimous", "not_recorded")
        },
        legal_advice=sum(each.legal_advice == "yes" for each in found),
        timed=len(days),
        in_time=sum(each.in_time is True for each in found),
        late=sum(each.in_time is False for each in found),
        median_days=median(days) if days else None,
        longest_days=max(days, default=None),
    )


def _raised_by(base: FactBase) -> tuple[str, str | None] | None:
    """Return the kind and the area of the body whose report was recorded first."""
    reports = [fact for report in base.reports for fact in base.standing("reporter.body", report)]
    if not reports:
        return None
    first = min(reports, key=lambda fact: (fact.recorded_at, fact.event_id))
    return str(first.value), _text(base.value("reporter.area", first.subject))


def _text(value: Value | None) -> str | None:
    return None if value is None else str(value)


def _day(value: Value | None) -> date | None:
    return value if isinstance(value, date) else None
