"""England's working days: versioned bank-holiday data, and counting that explains itself.

Pure code over one data file, `england.yaml` (a source for every day, hashed). Nothing here reads a clock: callers pass
dates. A working day is a day other than a Saturday, a Sunday, Christmas Day, Good Friday or a bank holiday under the
Banking and Financial Dealings Act 1971, the wording of SI 2006/1738 regulation 2.
"""

from schemas.calendar.counting import (
    Count,
    CountedDay,
    add_months,
    add_working_days,
    count,
    is_working_day,
    working_days_before,
    working_days_between,
)
from schemas.calendar.days import Calendar, CalendarExhausted
from schemas.calendar.england import load_england
from schemas.calendar.holiday import Basis, Holiday
from schemas.calendar.london import end_of_day, london_date
from schemas.calendar.periods import Counted, Length, Unit, count_period, last_day

__all__ = [
    "Basis",
    "Calendar",
    "CalendarExhausted",
    "Count",
    "Counted",
    "CountedDay",
    "Holiday",
    "Length",
    "Unit",
    "add_months",
    "add_working_days",
    "count",
    "count_period",
    "end_of_day",
    "is_working_day",
    "last_day",
    "load_england",
    "london_date",
    "working_days_before",
    "working_days_between",
]
