"""England's holidays by the usual rule: what the Act, common law and the yearly proclamations give when nothing special happens.

Implements Banking and Financial Dealings Act 1971 Schedule 1 paragraph 1, with the days proclaimed every year since 1974
(New Year's Day) and 1978 (first Monday in May). It cannot know a jubilee, a funeral or a moved holiday, so a date that
rests on it is provisional; against the verified data it misses exactly the proclaimed changes, which a test pins.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType

from schemas.calendar.holiday import Basis, Holiday

MONDAY, SATURDAY, SUNDAY = 0, 5, 6  # date.weekday()
_Day = tuple[date, str, Basis]
OFF_A_YEAR = 8  # of every year by the usual rule: what falls on a weekend has its substitute in the same year
UNCONFIRMED = "usual rule, not confirmed by a proclamation yet"


def easter_sunday(year: int) -> date:
    """Return Easter Sunday of a Gregorian year. Source: the anonymous Gregorian algorithm (Meeus/Jones/Butcher)."""
    century, year_of_century = divmod(year, 100)
    golden = year % 19
    leap_centuries, century_rest = divmod(century, 4)
    moon_shift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - moon_shift + 15) % 30
    leap_years, year_rest = divmod(year_of_century, 4)
    to_sunday = (32 + 2 * century_rest + 2 * leap_years - epact - year_rest) % 7
    correction = (golden + 11 * epact + 22 * to_sunday) // 451
    month, day = divmod(epact + to_sunday - 7 * correction + 114, 31)
    return date(year, month, day + 1)


def _first_monday(year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=-first.weekday() % 7)


def _last_monday(year: int, month: int) -> date:
    last = date(year, month, 31)
    return last - timedelta(days=last.weekday())


def _new_year(year: int) -> _Day:
    day = date(year, 1, 1)
    if day.weekday() < SATURDAY:
        return day, "New Year's Day", "proclamation"
    return day + timedelta(days=7 - day.weekday()), "New Year's Day (substitute day)", "substitute"


def _christmas(year: int) -> list[_Day]:
    """Return the weekdays off for Christmas Day and Boxing Day, substitutes included."""
    christmas, boxing = date(year, 12, 25), date(year, 12, 26)
    christmas_substitute: _Day = (date(year, 12, 27), "Christmas Day (substitute day)", "substitute")
    boxing_substitute: _Day = (date(year, 12, 28), "Boxing Day (substitute day)", "substitute")
    match christmas.weekday():
        case 4:  # Boxing Day is a Saturday
            return [(christmas, "Christmas Day", "common_law"), boxing_substitute]
        case 5:
            return [christmas_substitute, boxing_substitute]
        case 6:
            return [(boxing, "Boxing Day", "rule"), christmas_substitute]
        case _:
            return [(christmas, "Christmas Day", "common_law"), (boxing, "Boxing Day", "rule")]


@lru_cache(maxsize=256)
def holidays_by_rule(year: int) -> Mapping[date, Holiday]:
    """Return the weekdays off in England in `year` by the usual rule, in date order."""
    easter = easter_sunday(year)
    days: list[_Day] = [
        _new_year(year),
        (easter - timedelta(days=2), "Good Friday", "common_law"),
        (easter + timedelta(days=1), "Easter Monday", "rule"),
        (_first_monday(year, 5), "Early May bank holiday", "proclamation"),
        (_last_monday(year, 5), "Spring bank holiday", "rule"),
        (_last_monday(year, 8), "Summer bank holiday", "rule"),
        *_christmas(year),
    ]
    return MappingProxyType({day: Holiday(title, basis, UNCONFIRMED) for day, title, basis in days})


def worked_by_rule_to(day: date) -> int:
    """Return how many working days there are by the usual rule from the first day of year 1 up to and including `day`."""
    weeks, rest = divmod(day.toordinal(), 7)  # the first day of year 1 is a Monday
    off = OFF_A_YEAR * (day.year - 1) + sum(each <= day for each in holidays_by_rule(day.year))
    return weeks * SATURDAY + min(rest, SATURDAY) - off
