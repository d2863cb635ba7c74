"""Counting periods of working days and months, and saying how each day was counted.

The day of the event is day 0 and is never counted; day 1 is the next working day, also when day 0 is a weekend or a
holiday. Periods of months end on the corresponding date, clamped to the end of the month, and never roll forward.
What is settled and what a rule may configure: the rulebook.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from schemas.calendar.days import SATURDAY, Calendar

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY_ZERO = "day 0: the day of the event is not counted"
LAST_DAY = "day 0: counted back from this day, which is not counted"


@dataclass(frozen=True, slots=True)
class CountedDay:
    """One day of a count: `number` is its place in the period (0 = the day counted from), None when it was skipped.

    `reason` says in words why: "Monday", "Sunday: weekend", "Good Friday: common law holiday".
    """

    on: date
    number: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Count:
    """A counted period: its last day, whether that day may still move, and every day on the way, in the order of the count.

    `provisional_because` is None for a final date, else a sentence that says why the date may move.
    """

    start_on: date
    days: int
    due_on: date
    provisional_because: str | None
    explanation: tuple[CountedDay, ...]
    calendar_version: str
    calendar_sha256: str

    @property
    def provisional(self) -> bool:
        """Say whether the due date rests on days that the calendar's verified data does not cover."""
        return self.provisional_because is not None


def is_working_day(day: date, calendar: Calendar) -> bool:
    """Say whether `day` is worked in England; outside the verified span by the usual rule."""
    return day.weekday() < SATURDAY and calendar.holiday_on(day) is None


def add_working_days(start_on: date, days: int, calendar: Calendar) -> date:
    """Return the last day of a period of `days` working days after `start_on`.

    The day of the event is day 0. Weekends and England bank holidays are skipped. Zero days give `start_on` itself.
    A bare date cannot say that it is provisional, so this refuses what `count` would mark as provisional.

    Args:
        start_on: England local date of the triggering event, not a UTC date.
        days: Whole working days, >= 0.
        calendar: Verified holidays.

    Raises:
        CalendarExhausted: The calendar has no bank-holiday data for a day that it needs.
        ValueError: `days` is negative.
    """
    _not_negative(days)
    return calendar.nth_after(start_on, days) if days else start_on


def working_days_before(end_on: date, days: int, calendar: Calendar) -> date:
    """Return the working day number `days` strictly before `end_on`: the last day of a lead time counted backwards.

    Raises:
        CalendarExhausted: The calendar has no bank-holiday data for a day that it needs.
        ValueError: `days` is negative.
    """
    _not_negative(days)
    return calendar.nth_before(end_on, days) if days else end_on


def working_days_between(start_on: date, end_on: date, calendar: Calendar) -> int:
    """Return how many working days lie after `start_on` up to and including `end_on`; negative when `end_on` is earlier.

    The inverse of `add_working_days`. Outside the verified span the usual rule decides.
    """
    if end_on < start_on:
        return -working_days_between(end_on, start_on, calendar)
    return calendar.working_days_to(end_on) - calendar.working_days_to(start_on)


def add_months(start_on: date, months: int) -> date:
    """Return the corresponding date `months` later (earlier if negative), clamped to the end of a shorter month.

    Working days play no part: 29 August plus six months is 28 February, whatever day of the week that is.
    """
    year, month0 = divmod(start_on.year * 12 + start_on.month - 1 + months, 12)
    return date(year, month0 + 1, min(start_on.day, monthrange(year, month0 + 1)[1]))


def count(start_on: date, days: int, calendar: Calendar) -> Count:
    """Count `days` working days after `start_on`, day by day, with the reason for each.

    Equal to `add_working_days` inside the verified span. Beyond it the count goes on by the usual rule (weekends and the
    holidays that fall every year) and says that its date is provisional.

    Args:
        start_on: England local date of the triggering event, not a UTC date.
        days: Whole working days, >= 0.
        calendar: Verified holidays.

    Raises:
        ValueError: `days` is negative.
    """
    return _counted(start_on, days, calendar, step=timedelta(days=1), why_zero=DAY_ZERO)


def count_back(end_on: date, days: int, calendar: Calendar) -> Count:
    """Count `days` working days back from `end_on`, which is not counted: the last day of a lead time, explained.

    Equal to `working_days_before` inside the verified span; beyond it as `count`.

    Raises:
        ValueError: `days` is negative.
    """
    return _counted(end_on, days, calendar, step=timedelta(days=-1), why_zero=LAST_DAY)


def _counted(start_on: date, days: int, calendar: Calendar, *, step: timedelta, why_zero: str) -> Count:
    _not_negative(days)
    explained = [CountedDay(start_on, 0, why_zero)]
    day, number = start_on, 0
    while number < days:
        day += step
        skipped = _why_skipped(day, calendar)
        if skipped is None:
            number += 1
        explained.append(CountedDay(day, number if skipped is None else None, skipped or DAY_NAMES[day.weekday()]))
    return Count(
        start_on=start_on,
        days=days,
        due_on=day,
        provisional_because=_why_provisional(explained[1:], calendar),
        explanation=tuple(explained),
        calendar_version=calendar.version,
        calendar_sha256=calendar.sha256,
    )


def _why_skipped(day: date, calendar: Calendar) -> str | None:
    if day.weekday() >= SATURDAY:
        return f"{DAY_NAMES[day.weekday()]}: weekend"
    holiday = calendar.holiday_on(day)
    if holiday is None:
        return None
    return f"{holiday.title}: {'common law' if holiday.basis == 'common_law' else 'bank'} holiday"


def _why_provisional(days: list[CountedDay], calendar: Calendar) -> str | None:
    if all(calendar.covers(day.on) for day in days):
        return None
    return (
        f"bank holidays are verified from {calendar.covers_from} to {calendar.covers_to} only;"
        " the other days were counted by the usual rule and a proclamation can still move the date"
    )


def _not_negative(days: int) -> None:
    if days < 0:
        message = f"expected 0 or more working days, got {days}"
        raise ValueError(message)
