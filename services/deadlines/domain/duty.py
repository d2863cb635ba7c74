"""A duty: something that a body owes by a date, and how it changes.

An obligation and an open question are both duties: each has a holder, a period, a date and something that closes it.
`generation` counts the datings of one duty from 1; timers carry the generation they were made for, so that a timer of
an old date can never fire.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from schemas.calendar import Calendar, Length, working_days_between

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
    """A length counted from `from_on`; the period's strength and source may differ from the duty's."""

    length: Length
    from_on: date
    from_fact: str
    strength: Strength
    cite: str


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


def opened(duty: Duty, known: Duty | None) -> Duty:
    """Return `duty` as it stands once opened; a duty that was closed before goes on with its next generation."""
    return duty if known is None else replace(duty, generation=known.generation + 1)


def redated(duty: Duty, dating: Dating, reason: str) -> Duty:
    """Return the duty with its new date, in its next generation; a closed duty stays as it is."""
    if duty.state != "open":
        return duty
    return replace(duty, dating=dating, reason=reason, generation=duty.generation + 1)


def closed(duty: Duty, state: State, reason: str, *, at: datetime, met_on: date | None = None) -> Duty:
    """Return the duty closed; the first closing counts, a later one changes nothing."""
    if duty.state != "open":
        return duty
    return replace(duty, state=state, reason=reason, closed_at=at, met_on=met_on)


def working_days_late(due_on: date, met_on: date, calendar: Calendar) -> int:
    """Return how many working days after its due date a duty was met: 0 in time, at least 1 when late.

    A duty due on a Friday and met on the Saturday is late although no working day lies between: it counts as 1.
    """
    return max(1, working_days_between(due_on, met_on, calendar)) if met_on > due_on else 0
