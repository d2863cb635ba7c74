"""How a duty stands at an instant: which group of the desk it belongs to, and how many working days are left.

The groups are the engine's own answer: a duty is overdue from the instant at which its breach fires.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final, Literal

from schemas.calendar import Calendar, end_of_day, london_date, working_days_between
from services.deadlines.domain.duty import Duty

Group = Literal["overdue", "soon", "later", "undated"]
GROUPS: Final[tuple[Group, ...]] = ("overdue", "soon", "later", "undated")
SOON: Final = 2  # working days left


def days_left(due_on: date, now: datetime, calendar: Calendar) -> int:
    """Return the working days left after today up to `due_on`: 0 on the due day, below 0 once overdue.

    A duty due on a Friday is overdue by 1 from the Saturday on, although no working day has passed.
    """
    today = london_date(now)
    if today <= due_on:
        return working_days_between(today, due_on, calendar)
    return min(-1, -working_days_between(due_on, today, calendar))


def group_of(due_on: date | None, now: datetime, calendar: Calendar) -> Group:
    """Say in which group of the desk a duty due on `due_on` stands at `now`."""
    if due_on is None:
        return "undated"
    if now >= end_of_day(due_on):
        return "overdue"
    return "soon" if days_left(due_on, now, calendar) <= SOON else "later"


def grouped(duties: Iterable[Duty], now: datetime, calendar: Calendar) -> Mapping[Group, tuple[Duty, ...]]:
    """Return every duty in exactly one group, the groups in the desk's order, each by due date and then by its id."""
    found: dict[Group, list[Duty]] = {group: [] for group in GROUPS}
    for duty in duties:
        found[group_of(duty.dating.due_on, now, calendar)].append(duty)
    return {group: tuple(sorted(members, key=_by_date)) for group, members in found.items()}


def _by_date(duty: Duty) -> tuple[date, str]:
    return duty.dating.due_on or date.max, str(duty.duty_id)
