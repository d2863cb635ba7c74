"""The cases that were considered for notification: which of them are asked for, what became of each, and how many.

The API and the page ask in the same words and get the same answer, as of now. What is personal (who decided, why in
their words) routing does not have: intake keeps it, and it is read under a grant.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Annotated, Final

from fastapi import Query

from schemas.calendar.london import london_date
from services.kit.asked import FIRST_DAY, LAST_DAY
from services.kit.database import Database, legal_now
from services.kit.errors import Refused
from services.kit.reach import Reach
from services.routing.domain.considered import (
    FACTS,
    MARKS,
    Agreement,
    Considered,
    Outcome,
    Terms,
    considered,
    notifying_period,
    totals,
)
from services.routing.domain.facts import AUTHORITY
from services.routing.domain.register import Register
from services.routing.domain.statements import Fact
from services.routing.domain.words import Words
from services.routing.laws import Laws
from services.routing.store import loading, reading
from services.routing.views import View

PAGE: Final = 25
OUTCOME_WORDS: Final[dict[Outcome, str]] = {
    "notified": "Notified",
    "to_notify": "To be notified: decided, no submission recorded",
    "not_notified": "Not notified",
    "open": "Still open",
}
NOT_RECORDED: Final = ("whether feedback went to the agency that raised the case",)
"""What people ask about such a case and no event says."""
A_DAY: Final = (
    "A day in England, such as 2026-11-27; included. Cases are picked by the day on which they were considered."
)


class BadQuestion(Refused):
    """The question cannot be understood."""


class PartnerView(View):
    """What one safeguarding partner thought: `notify`, `not_notify` or `undecided`; absent if it is not recorded."""

    partner: str
    view: str | None
    in_words: str


class ConsideredView(View):
    """What became of one case at one local authority. What nobody recorded is absent.

    `outcome` is `notified` once a submission is recorded, `to_notify` while one is only decided on, `not_notified`, or
    `open`: also while a decision not to notify is to be made again, as the facts that it was made on have changed.
    `agreement` compares the partners' views with the decision. `considered_on` is the day of the decision, else of the
    partners' discussion, the submission, the return of the referral, or else the day on which it was recorded.
    `working_days` lie between awareness and submission; `due_on` and `in_time` are by the period of the rulebook.
    """

    case_key: str
    linked: tuple[str, ...]
    rulebook: str | None
    authority: str
    authority_name: str
    area: str
    area_name: str
    raised_by: str | None
    aware_on: date | None
    considered_on: date
    outcome: Outcome
    decision: str | None
    decision_in_words: str | None
    decided_on: date | None
    criterion_not_met: str | None
    criterion_in_words: str | None
    override_of_rule: str | None
    discussed_on: date | None
    partners: tuple[PartnerView, ...]
    agreement: Agreement
    legal_advice: str | None
    referral_returned_on: date | None
    submitted_on: date | None
    withdrawn: str | None
    withdrawn_in_words: str | None
    withdrawn_on: date | None
    working_days: int | None
    due_on: date | None
    in_time: bool | None


class TotalsView(View):
    """Counts of everything that was asked for, on whichever page. `timed` of them have a time from awareness on."""

    considered: int
    outcomes: dict[Outcome, int]
    agreements: dict[Agreement, int]
    legal_advice: int
    timed: int
    in_time: int
    late: int
    median_days: float | None
    longest_days: int | None


class ConsideredList(View):
    """Cases that were considered, the latest first, a page of them; `next` is the `after` of the page that follows.

    `period` is the rulebook's period for notifying, in words, that of the `area` if one is asked for, else the national one,
    from which an area may have a shorter one; `cite` is where it comes from. `not_recorded`: what no event says.
    """

    as_of: datetime
    totals: TotalsView
    period: str | None
    cite: str | None
    not_recorded: tuple[str, ...]
    cases: tuple[ConsideredView, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, as typed; what is empty is not asked for."""

    area: str
    outcome: str
    first: str
    last: str
    after: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for, understood. Days are included."""

    area: str | None
    outcome: str | None
    first: date | None
    last: date | None

    def has(self, one: Considered, register: Register) -> bool:
        """Say whether a result is among what is wanted; what an authority that has ended considered is its successor's."""
        own = None if self.area is None else AUTHORITY + self.area
        return (
            (own is None or one.authority == register.successors.get(own, own))
            and (self.outcome is None or one.outcome == self.outcome)
            and (self.first is None or self.first <= one.considered_on)
            and (self.last is None or one.considered_on <= self.last)
        )


def asked_for(  # a dependency: the API and the page ask in the same words
    area: Annotated[str, Query(max_length=40, description="An area, by its code or its name.")] = "",
    outcome: Annotated[str, Query(max_length=40, description=", ".join(OUTCOME_WORDS))] = "",
    first: Annotated[str, Query(alias="from", max_length=40, description=A_DAY)] = "",
    last: Annotated[str, Query(alias="to", max_length=40, description=A_DAY)] = "",
    after: Annotated[int, Query(ge=0, lt=2**31, description="How many to pass over: `next` of the page before.")] = 0,
) -> Asked:
    """Return what a query string asks for."""
    return Asked(area.strip(), outcome.strip(), first.strip(), last.strip(), after)


class Considering:
    """Reads for the API and the page."""

    def __init__(self, database: Database, laws: Laws) -> None:
        self._database = database
        self._laws = laws
        self._words = Words(laws.vocabulary, laws.register)
        self._areas = {area.name.lower(): area.code for area in laws.register.areas.values()}

    async def find(self, reach: Reach, asked: Asked) -> ConsideredList:
        """Return a page of what was asked for, of the cases that may be read, with the counts of all of it.

        Raises:
            BadQuestion: A day is none or the last is before the first, or there is no such area or outcome.
        """
        wanted = self._understood(asked)
        law = self._laws.newest
        async with self._database.connect() as connection:
            now = await legal_now(connection)
            sets = await reading.stated_in(connection, reach, MARKS)
            keys = sorted({key for members in sets for key in members})
            rows = await reading.facts_named(connection, keys, FACTS)
            versions = await reading.rulebooks(connection, keys)
            asked_of = await reading.asked(connection, keys, MARKS[0])
        register = law.register.on(london_date(now))
        terms = Terms(register, partial(law.merge, now=now), law.calendar, law.book.book)
        facts: defaultdict[str, list[Fact]] = defaultdict(list)
        for row in rows:
            facts[row["case_key"]].append(loading.fact_of(row, law.vocabulary))
        everything = (
            one
            for members in sets
            for one in considered([fact for key in members for fact in facts[key]], members, terms, asked_of)
        )
        found = sorted((one for one in everything if wanted.has(one, register)), key=_latest_first)
        within = notifying_period(terms.book, wanted.area)
        end = asked.after + PAGE
        return ConsideredList(
            as_of=now,
            totals=TotalsView.model_validate(totals(found), from_attributes=True),
            period=self._words.period(within) if within else None,
            cite=within.cite if within else None,
            not_recorded=NOT_RECORDED,
            cases=tuple(self._view(one, versions.get(one.case_key)) for one in found[asked.after : end]),
            next=end if len(found) > end else None,
        )

    def _understood(self, asked: Asked) -> Wanted:
        wrong: list[tuple[str, str]] = []
        days: dict[str, date | None] = {}
        for name, text in (("from", asked.first), ("to", asked.last)):
            try:
                days[name] = _day(text)
            except ValueError:
                wrong.append((name, "Enter a real date as year, month and day, such as 2026-11-27"))
        first, last = days.get("from"), days.get("to")
        if first and last and last < first:
            wrong.append(("to", "The last day must not be before the first"))
        code = self._areas.get(asked.area.lower(), asked.area)
        code = self._laws.register.former_areas.get(code, code)
        if code and code not in self._laws.register.areas:
            wrong.append(("area", "Choose an area that is in the register"))
        if asked.outcome and asked.outcome not in OUTCOME_WORDS:
            wrong.append(("outcome", f"Choose one of {', '.join(OUTCOME_WORDS)}"))
        if wrong:
            errors = [{"parameter": name, "detail": detail} for name, detail in wrong]
            raise BadQuestion(wrong[0][1], errors=errors)
        return Wanted(code or None, asked.outcome or None, first, last)

    def _view(self, one: Considered, version: str | None) -> ConsideredView:
        area = one.authority.removeprefix(AUTHORITY)
        names = ConsideredView.model_fields.keys() & set(Considered.__slots__)
        return ConsideredView(
            **{name: getattr(one, name) for name in names - {"raised_by"}},
            rulebook=version,
            authority_name=self._words.body(one.authority) if one.authority else "not recorded",
            area=area,
            area_name=self._words.area(area) if area else "not recorded",
            raised_by=self._raised_by(one),
            decision_in_words=self._said("notification.decision", one.decision),
            criterion_in_words=self._said("notification.criterion_not_met", one.criterion_not_met),
            partners=tuple(
                PartnerView(partner=partner, view=view, in_words=_stance(view, one.decision))
                for partner, view in one.views
            ),
            referral_returned_on=one.returned_on,
            withdrawn_in_words=self._said("notification.withdrawn", one.withdrawn),
            in_time=one.in_time,
        )

    def _said(self, fact: str, value: str | None) -> str | None:
        return None if value is None else self._words.value(fact, value)

    def _raised_by(self, one: Considered) -> str | None:
        if one.raised_by is None:
            return None
        body, area = one.raised_by
        kind = self._words.value("reporter.body", body)
        return kind if area is None else f"{kind}, {self._words.area(area)}"


def _stance(view: str | None, decision: str | None) -> str:
    """Return what a partner thought, and whether that is what was decided."""
    if view is None:
        return "not recorded"
    if view == "undecided":
        return "undecided"
    said = "to notify" if view == "notify" else "not to notify"
    if decision not in {"notify", "not_notify"}:
        return said
    return f"{said}, as was decided" if view == decision else f"{said}: disagreed with the decision"


def _latest_first(one: Considered) -> tuple[int, str, str]:
    return -one.considered_on.toordinal(), one.case_key, one.authority


def _day(text: str) -> date | None:
    """Return a day as typed, None for nothing.

    Raises:
        ValueError: It is no date, or none that a case can have.
    """
    if not text:
        return None
    day = date.fromisoformat(text)
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(text)
    return day
