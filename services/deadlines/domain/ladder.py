"""The ladder of a duty: at which instants a person is told that its date is near, and when it is breached.

Rungs are set by working days left, never by elapsed hours, and fire at 09:00 in England on a working day, so that they
reach somebody. The breach is the first instant after the due day in England. What a period of law says is not known
here: only its length and its last day are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal

from schemas.calendar import Calendar, end_of_day, is_working_day, working_days_between
from schemas.calendar.london import LONDON

RungKind = Literal["warn", "soon", "breach"]

OFFICE_OPENS: Final = time(9)
_LONG: Final = (10, 5, 1, 0)  # periods of ten working days and more; of a rapid review's 15: days 5, 10, 14, 15
_SHORT: Final = (3, 1, 0)
_BRIEF: Final = (0,)  # periods of up to two working days


@dataclass(frozen=True, slots=True)
class Rung:
    """One timer: fires at the first moment that is not before `due_at`. `days_left` are working days; -1 for the breach."""

    kind: RungKind
    days_left: int
    due_at: datetime


def ladder(due_on: date, length: int, warn_on: date | None, calendar: Calendar) -> tuple[Rung, ...]:
    """Return the rungs of one duty, earliest first; the last one is the breach.

    Args:
        due_on: Last day of the period, an England date; need not be a working day.
        length: Working days of the whole period: rungs at or above it would fire before the clock started.
        warn_on: Due date by the strictest reading, told as a warning; ignored unless before `due_on`.
        calendar: England's holidays; beyond its verified span the usual rule decides.
    """
    steps = [Rung("soon", left, _opening(_day_with(left, due_on, calendar))) for left in _steps(length)]
    if warn_on is not None and warn_on < due_on:
        day = _day_with(0, warn_on, calendar)
        warning = Rung("warn", working_days_between(day, due_on, calendar), _opening(day))
        if all(step.due_at != warning.due_at for step in steps):
            steps.append(warning)
    return (*sorted(steps, key=lambda rung: rung.due_at), Rung("breach", -1, end_of_day(due_on)))


def _steps(length: int) -> tuple[int, ...]:
    steps = _LONG if length >= _LONG[0] else _SHORT if length >= _SHORT[0] else _BRIEF
    return tuple(step for step in steps if step < length or step == 0)


def _day_with(left: int, due_on: date, calendar: Calendar) -> date:
    """Return the last working day on which `left` working days remain until `due_on` (0: the due day, if it is worked)."""
    day = due_on
    while not is_working_day(day, calendar):
        day -= timedelta(days=1)
    for _ in range(left):
        day -= timedelta(days=1)
        while not is_working_day(day, calendar):
            day -= timedelta(days=1)
    return day


def _opening(day: date) -> datetime:
    return datetime.combine(day, OFFICE_OPENS, LONDON).astimezone(UTC)
