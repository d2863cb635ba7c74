"""Dates of a period: from which fact it was counted, the last day, the warning day, and whether the calendar is sure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from schemas.calendar import Calendar, last_day
from schemas.vocabulary import Value
from services.routing.domain.rulebook.model import Duty, Within


@dataclass(frozen=True, slots=True)
class Dates:
    """When a duty is due. All None while the clock's fact is missing; `provisional` = beyond the verified calendar.

    `ends_on` is the last day of a task that comes round again, where the count would go past it.
    """

    from_fact: str | None
    from_on: date | None
    due_on: date | None
    warn_on: date | None
    provisional: bool
    ends_on: date | None = None


def dates(within: Within, value: Callable[[str], Value | None], fallback: str, calendar: Calendar) -> Dates:
    """Count a period.

    Args:
        within: The period; with several clock facts the latest counts.
        value: Gives a clock fact's date, or None while it is missing.
        fallback: The fact to count from while another clock fact is missing: the strictest reading.
        calendar: England's working days.
    """
    known = {fact: on for fact in within.clock if isinstance(on := value(fact), date)}
    if len(known) < len(within.clock) and not within.as_known:
        known = {fallback: known[fallback]} if fallback in known else {}
    if not known:
        return Dates(None, None, None, None, provisional=False)
    from_fact = max(known, key=known.__getitem__)
    due_on, provisional = last_day(known[from_fact], within.length, calendar)
    end = end_of(within, value, calendar)
    ends_on = end if end is not None and known[from_fact] < end < due_on else None
    warn_from = value(within.warn_from) if within.warn_from else None
    warn_on = last_day(warn_from, within.length, calendar)[0] if isinstance(warn_from, date) else None
    # It comes round for the last time on the last day.
    return Dates(from_fact, known[from_fact], ends_on or due_on, warn_on, provisional, ends_on)


def over_on(duty: Duty, value: Callable[[str], Value | None], calendar: Calendar) -> date | None:
    """Return the day on which a task was done for the last time: the last day of its `until`, or later; None before that."""
    end = end_of(duty.within, value, calendar)
    done_on = value(duty.stop.at_the_end) if duty.stop.at_the_end else None
    return done_on if end is not None and isinstance(done_on, date) and done_on >= end else None


def too_late(duty: Duty, dated: Dates, value: Callable[[str], Value | None], calendar: Calendar) -> bool:
    """Say whether what is to be done came up only after the last day of the period; what comes round again always did before."""
    end = end_of(duty.within, value, calendar) if duty.stop.at_the_end is None else None
    return end is not None and dated.from_on is not None and dated.from_on > end


def end_of(within: Within, value: Callable[[str], Value | None], calendar: Calendar) -> date | None:
    """Return the last day of a task that comes round again, counted from the first of its facts; None if it has none."""
    first = [on for fact in within.clock if isinstance(on := value(fact), date)]
    return last_day(min(first), within.until, calendar)[0] if within.until and first else None
