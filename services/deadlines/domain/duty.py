"""A duty: something that a body owes by a date, and how it changes.

An obligation and an open question are both duties: each has a holder, a period, a date and something that closes it.
`generation` counts the datings of one duty from 1; timers carry the generation they were made for, so that a timer of
an old date can never fire. A duty whose date stands keeps its generation, so that what was told is not told again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from schemas.calendar import Calendar, Length, end_of_day, london_date, working_days_between
from services.deadlines.domain.ladder import Rung, ladder

Kind = Literal["obligation", "question"]
State = Literal["open", "met", "withdrawn", "superseded", "closed"]
Strength = Literal["must", "should", "may", "local"]


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a duty comes from. `verified` is false until a person has checked it against the full text."""

    cite: str
    href: str
    quote: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Period:
    """A length counted from `from_on`; the period's strength and source may differ from the duty's.

    `ends_on` is the last day of a task that comes round again, where the count goes past it: it is due then.
    """

    length: Length
    from_on: date
    from_fact: str
    strength: Strength
    cite: str
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Dating:
    """When a duty is due and how that was counted. `due_on` is absent while the fact that starts the clock is missing."""

    period: Period | None
    due_on: date | None
    warn_on: date | None
    provisional: bool
    calendar: str


@dataclass(frozen=True, slots=True)
class Duty:
    """One duty as it stands.

    `holder_name` is the duty holder as the register names it, empty if not told.
    `rules` are the rules that it comes from (one for an obligation). `awaits` names the fact that starts the clock of an
    obligation, or that a question asks for. `reason` says why the duty has its present state or date.
    """

    duty_id: UUID
    kind: Kind
    case_key: str
    partnership: str
    rules: tuple[str, ...]
    title: str
    strength: Strength
    duty_holder: str
    subject: str
    recipients: tuple[str, ...]
    citation: Citation
    rulebook: str
    stops_when: str
    awaits: str
    dating: Dating
    opened_at: datetime
    holder_name: str = ""
    generation: int = 1
    state: State = "open"
    reason: str = ""
    closed_at: datetime | None = None
    met_on: date | None = None

    @property
    def rule(self) -> str:
        """Name the rules in one text, such as "N-01" or "N-01, N-03"."""
        return ", ".join(self.rules)

    def stands(self, dating: Dating, now: datetime, calendar: Calendar) -> bool:
        """Say whether this is an open duty that `dating` gives the date it has, and no other days to be reminded on.

        Once the day is over, no stricter reading and no other count of the same date gives any.
        """
        due_on = self.dating.due_on
        if self.state != "open" or dating.due_on != due_on:
            return False
        over = due_on is not None and now >= end_of_day(due_on)
        return over or rungs(dating, self.opened_at, calendar) == rungs(self.dating, self.opened_at, calendar)


def rungs(dating: Dating, opened_at: datetime, calendar: Calendar) -> tuple[Rung, ...]:
    """Return the timers of a duty that has these dates, earliest first; none without a date."""
    if dating.due_on is None:
        return ()
    counted_on = dating.period is not None and dating.period.length.counted != "before"
    start_on = dating.period.from_on if dating.period and counted_on else london_date(opened_at)
    return ladder(dating.due_on, working_days_between(start_on, dating.due_on, calendar), dating.warn_on, calendar)


def opened(duty: Duty, known: Duty | None, now: datetime, calendar: Calendar) -> Duty:
    """Return `duty` as it stands once opened at `now`.

    One that is open already, with the same date, is told to others, held by another or worded otherwise, no more. Any
    other that was known goes on with its next generation.
    """
    if known is None:
        return duty
    if known.stands(duty.dating, now, calendar):
        return replace(duty, generation=known.generation, opened_at=known.opened_at, reason=known.reason)
    return replace(duty, generation=known.generation + 1)


def redated(duty: Duty, dating: Dating, reason: str, now: datetime, calendar: Calendar) -> Duty:
    """Return the duty as dated at `now`, in its next generation unless its date stands; what no longer stands stays closed.

    If it is met, or is met now after all, on which day is told after its new date, and in time or late with it.
    """
    if duty.state != "open":
        generation = duty.generation + (dating.due_on != duty.dating.due_on)
        return replace(duty, dating=dating, generation=generation, met_on=None)
    generation = duty.generation if duty.stands(dating, now, calendar) else duty.generation + 1
    return replace(duty, dating=dating, reason=reason, generation=generation)


def closed(duty: Duty, state: State, reason: str, *, at: datetime, met_on: date | None = None) -> Duty:
    """Return the duty closed; what is closed may be closed otherwise: whoever decided not to notify may do so after all.

    What was met on another day than was known was closed when it was first told.
    """
    if duty.state == state and duty.met_on == met_on:
        return duty
    closed_at = duty.closed_at if duty.state == state else at
    return replace(duty, state=state, reason=reason, closed_at=closed_at, met_on=met_on)


def working_days_late(due_on: date, met_on: date, calendar: Calendar) -> int:
    """Return how many working days after its due date a duty was met: 0 in time, at least 1 when late.

    A duty due on a Friday and met on the Saturday is late although no working day lies between: it counts as 1.
    """
    return max(1, working_days_between(due_on, met_on, calendar)) if met_on > due_on else 0
