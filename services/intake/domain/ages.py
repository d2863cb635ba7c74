"""Ages in completed years, derived from dates so that no date of birth ever leaves intake.

A person attains an age at the start of their birthday (Family Law Reform Act 1969, section 9). The Act does not say which
day that is for somebody born on 29 February in a year without one, so it is a named setting.
"""

from __future__ import annotations

from datetime import date
from typing import Final, Literal

LeapDayBirthday = Literal["28_february", "1_march"]

LEAP_DAY_BIRTHDAY: Final[LeapDayBirthday] = "1_march"
"""Day on which somebody born on 29 February gets a year older in a common year."""


def completed_years(born_on: date, on: date, *, leap_day_birthday: LeapDayBirthday = LEAP_DAY_BIRTHDAY) -> int | None:
    """Return the whole years from `born_on` to `on`, the birthday itself counted; None if `on` is before birth."""
    if on < born_on:
        return None
    return on.year - born_on.year - ((on.month, on.day) < _birthday(born_on, on.year, leap_day_birthday))


def _birthday(born_on: date, year: int, leap_day_birthday: LeapDayBirthday) -> tuple[int, int]:
    common_year = year % 4 != 0 or (year % 100 == 0 and year % 400 != 0)
    if (born_on.month, born_on.day) == (2, 29) and common_year:
        return (2, 28) if leap_day_birthday == "28_february" else (3, 1)
    return (born_on.month, born_on.day)
