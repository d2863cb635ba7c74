"""Days and instants in England: Europe/London dates to UTC instants and back.

England's clocks change at 01:00 UTC on Sundays, so every local midnight exists exactly once. Nothing here adds
multiples of 24 hours, which would be wrong by an hour twice a year.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def end_of_day(day: date) -> datetime:
    """Return the first instant at which something due on `day` is late, as aware UTC.

    That is the next midnight in England: 23:00 UTC of the same date in summer, 00:00 UTC of the next date in winter.
    """
    return datetime.combine(day + timedelta(days=1), time.min, LONDON).astimezone(UTC)


def london_date(instant: datetime) -> date:
    """Return the date in England at `instant`.

    Raises:
        ValueError: `instant` has no time zone, so its day in England is not known.
    """
    if instant.tzinfo is None:
        message = f"expected an aware datetime, got the naive {instant.isoformat()}: give it a time zone"
        raise ValueError(message)
    return instant.astimezone(LONDON).date()
