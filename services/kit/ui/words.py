"""Dates, times and counts as people read them, in the style of GOV.UK ("23 November 2026", "9:15am").

Instants are shown in Europe/London. Counting working days is not done here: callers bring the number.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def datetime_words(instant: datetime) -> str:
    """Return an aware instant in London time, such as "23 November 2026 at 9:15am".

    Raises:
        ValueError: `instant` has no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError("expected an instant with a time zone, got a naive one")
    local = instant.astimezone(LONDON)
    return f"{local.day} {local:%B %Y} at {_clock_words(local)}"


def days_left(working_days: int) -> str:
    """Return a count of working days in words; 0 is due today, below 0 is overdue."""
    if working_days == 0:
        return "due today"
    unit = "working day" if abs(working_days) == 1 else "working days"
    return f"{working_days} {unit} left" if working_days > 0 else f"{-working_days} {unit} overdue"


def _clock_words(local: datetime) -> str:
    """12:00am and 12:00pm are often read the wrong way round, so they are named."""
    if local.minute == 0 and local.hour in (0, 12):
        return "midday" if local.hour else "midnight"
    return f"{local.hour % 12 or 12}:{local:%M}{local:%p}".replace("AM", "am").replace("PM", "pm")
