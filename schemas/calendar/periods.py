"""Periods of law: a number of working days, calendar days or months, counted on from a day or back from it.

`after` leaves the day itself out ("within five working days of"); `beginning with` takes it as the first day, as Acts do
that say so; `before` counts back to the last day on which something may still be done in time. Only working days look
at holidays: a period of days or months that ends on a holiday is not moved, and so its date is never provisional.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from schemas.calendar.counting import (
    Count,
    CountedDay,
    add_months,
    add_working_days,
    count,
    count_back,
    working_days_before,
)
from schemas.calendar.days import Calendar, CalendarExhausted

Unit = Literal["working days", "calendar days", "months"]
Counted = Literal["after", "beginning with", "before"]


_START: Final[dict[Counted, str]] = {
    "after": "the day itself is not counted",
    "beginning with": "the day itself is the first day",
    "before": "counted back from this day",
}


@dataclass(frozen=True, slots=True)
class Length:
    """How long a period is, in which unit, and in which way it is counted."""

    amount: int
    unit: Unit = "working days"
    counted: Counted = "after"

    @property
    def in_words(self) -> str:
        """Return the length alone: "5 working days", "1 month"."""
        return f"{self.amount} {self.unit.removesuffix('s') if self.amount == 1 else self.unit}"

    def __str__(self) -> str:
        """Return it up to the day that it is counted from: "5 working days after"."""
        return f"{self.in_words} {self.counted}"


def last_day(start_on: date, length: Length, calendar: Calendar) -> tuple[date, bool]:
    """Return the last day of a period and whether it is provisional: as `count_period`, without counting day by day.

    Raises:
        ValueError: The amount is negative.
    """
    if length.unit == "working days":
        with suppress(CalendarExhausted):  # then by the usual rule, day by day
            match length.counted:
                case "before":
                    return working_days_before(start_on, length.amount, calendar), False
                case "beginning with":
                    return add_working_days(start_on - timedelta(days=1), length.amount, calendar), False
                case _:
                    return add_working_days(start_on, length.amount, calendar), False
    counted = count_period(start_on, length, calendar)
    return counted.due_on, counted.provisional


def count_period(start_on: date, length: Length, calendar: Calendar) -> Count:
    """Count a period and explain it.

    Args:
        start_on: England local date that the period is counted from.
        length: Of `amount` 0 or more, else as `count`.
        calendar: England's holidays; beyond its verified span working days go by the usual rule, provisionally.

    Raises:
        ValueError: The amount is negative.
    """
    if length.unit == "working days":
        match length.counted:
            case "before":
                return count_back(start_on, length.amount, calendar)
            case "beginning with":
                return count(start_on - timedelta(days=1), length.amount, calendar)
            case _:
                return count(start_on, length.amount, calendar)
    due_on, why = _end(start_on, length)
    return Count(
        start_on=start_on,
        days=length.amount,
        due_on=due_on,
        provisional_because=None,
        explanation=(CountedDay(start_on, 0, _START[length.counted]), CountedDay(due_on, length.amount, why)),
        calendar_version=calendar.version,
        calendar_sha256=calendar.sha256,
    )


def _end(start_on: date, length: Length) -> tuple[date, str]:
    if length.amount < 0:
        message = f"expected 0 or more {length.unit}, got {length.amount}"
        raise ValueError(message)
    back = length.counted == "before"
    amount = -length.amount if back else length.amount
    away = f"{length.in_words} {'earlier' if back else 'later'}"
    if length.unit == "months":
        end_on = add_months(start_on, amount)
        if end_on.day != start_on.day:  # no corresponding date: the period ends with the month, however it is counted
            return end_on, f"the last day of a shorter month, {away}"
        away = f"the same day, {away}"
    else:
        end_on = start_on + timedelta(days=amount)
    if length.counted == "beginning with":
        return end_on - timedelta(days=1), f"the day before {away}"
    return end_on, away
