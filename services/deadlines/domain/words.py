"""What people read about duties and alerts: short sentences in plain words, never anything personal.

Alerts are worded once, when they are raised, so that what a person was told can be shown for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from schemas.calendar import Calendar, Count, count_period, london_date
from schemas.words import STRENGTH_WORDS, body_words, date_words
from services.deadlines.domain.duty import Duty, Period
from services.deadlines.domain.standing import Group, days_left

GROUP_WORDS: Final[dict[Group, str]] = {
    "overdue": "Overdue",
    "soon": "Due within 2 working days",
    "later": "Later",
    "undated": "No date yet",
}


def working_days_words(days: int) -> str:
    """Return "1 working day" or "3 working days"."""
    return f"{days} working day" if days == 1 else f"{days} working days"


def left_words(due_on: date | None, now: datetime, calendar: Calendar) -> str:
    """Return how long is left, in words: "3 working days left", "due today", "1 working day overdue", "no date yet"."""
    if due_on is None:
        return "no date yet"
    left = days_left(due_on, now, calendar)
    if left < 0:
        return f"{working_days_words(-left)} overdue"
    if due_on == london_date(now):
        return "due today"
    if left == 0:  # due on a weekend or a holiday that is still to come
        return "no working day left"
    return f"{working_days_words(left)} left"


def holder_words(duty: Duty) -> str:
    """Return who must act, by name where the register has told it."""
    return duty.holder_name or body_words(duty.duty_holder)


def due_soon_says(duty: Duty, due_on: date, now: datetime, calendar: Calendar) -> str:
    """Return the sentence of a warning."""
    return f"{_whose(duty)}: due {date_words(due_on)}, {left_words(due_on, now, calendar)}."


def strictest_says(duty: Duty, warn_on: date, due_on: date, now: datetime, calendar: Calendar) -> str:
    """Return the sentence of a warning about `warn_on`, the date by the strictest reading, which is not the due date."""
    return (
        f"{_whose(duty)}: the strictest reading gives {date_words(warn_on)}; "
        f"the date that counts is {date_words(due_on)}, {left_words(due_on, now, calendar)}."
    )


def breached_says(duty: Duty, due_on: date) -> str:
    """Return the sentence of a breach."""
    return f"{_whose(duty)}: was due {date_words(due_on)} and is not met."


def since_then_says(duty: Duty) -> str:
    """Return the sentence of what has become since of a duty that was told as missed: another day, met, or fallen away."""
    match duty.state:
        case "open":
            due_on = duty.dating.due_on
            return f"It is due {date_words(due_on)} now." if due_on else "It has no due date any more."
        case "met" if duty.met_on:
            return f"It was met on {date_words(duty.met_on)}."
        case "closed":
            return f"The question is closed: {duty.reason}."
        case _:
            return f"The duty is {duty.state}: {duty.reason}."


def digest_says(duties: Sequence[Duty]) -> str:
    """Return the sentence of one alert that stands for the warnings of many duties of one holder at once."""
    return f"{len(duties)} due dates of {holder_words(duties[0])} came near at the same time. The desk lists them all."


def refused_says(recipient: str, attempt: int, reason: str) -> str:
    """Return the sentence about a notice on which a person must act; `reason` says whether it is still being tried."""
    return f"A notice to {body_words(recipient)} was not taken (attempt {attempt}): {reason}"


def quarantined_says(service: str, reason: str, *, parked: bool) -> str:
    """Return the sentence about something that a service put aside; `reason` is the service's own and quotes nothing."""
    waits = " Later events of its case wait behind it." if parked else ""
    return f"{service.capitalize()} could not process a message and kept it in quarantine: {reason}.{waits}"


def restored_says(service: str, lacking: int, after: int, *, moved: bool) -> str:
    """Return the sentence about a service that goes on from an older copy of its database."""
    what = "moved to another server" if moved else "restored from a backup"
    messages = "1 message that was" if lacking == 1 else f"{lacking} messages that were"
    found = f"lacks {messages} published after number {after}" if lacking else "has all it published"
    held = " What a person took out of quarantine since is held again, and no alert says so." if lacking else ""
    # Nothing is published about clients, so it is not known whether there are any.
    let_in = (
        " Clients that were revoked since are let in again, and old tokens work again." if service == "intake" else ""
    )
    return (
        f"The database of {service} was {what}. It {found}. "
        f"What was kept after the backup and not published yet is gone, and cannot be counted.{held}{let_in}"
    )


def missing_words(duty: Duty, asked: Sequence[str]) -> str:
    """Say what an undated duty waits for: the questions that are open about its rule, else the fact's name."""
    if asked:
        return " ".join(asked)
    fact, _, owner = duty.awaits.partition(" of ")
    return f"Not known yet: {_fact_words(fact)}{f', from {body_words(owner)}' if owner else ''}."


@dataclass(frozen=True, slots=True)
class Explained:
    """How a due date was counted. `note` says what a reader must know besides the days, or is empty.

    The days of `count` go no further than a last day that cuts it.
    """

    count: Count
    summary: str
    note: str


def explained(duty: Duty, calendar: Calendar) -> Explained | None:
    """Count a duty's period again, day by day; None while it has no date.

    The duty's own date stands. Where a last day cuts the count, or today's calendar data gives another day, the note says so.
    """
    period, due_on = duty.dating.period, duty.dating.due_on
    if period is None or due_on is None:
        return None
    counted = count_period(period.from_on, period.length, calendar)
    return Explained(_up_to(counted, period.ends_on), _summary(period), _note(duty, period, due_on, counted))


def _whose(duty: Duty) -> str:
    """Name a duty with its holder: several bodies may have one of the same title in a case."""
    return f"{duty.title} ({holder_words(duty)})"


def _summary(period: Period) -> str:
    start = f"{date_words(period.from_on)} ({_fact_words(period.from_fact)})"
    return f"{period.length} {start}. The period is {STRENGTH_WORDS[period.strength]}: {period.cite}."


def _fact_words(fact: str) -> str:
    return fact.replace("_", " ")


def _up_to(counted: Count, ends_on: date | None) -> Count:
    if ends_on is None:
        return counted
    return replace(counted, explanation=tuple(day for day in counted.explanation if day.on <= ends_on))


def _note(duty: Duty, period: Period, due_on: date, counted: Count) -> str:
    if period.ends_on is not None:
        return f"It ends with {date_words(period.ends_on)}, the last day of the period."
    if counted.due_on != due_on and counted.calendar_version != duty.dating.calendar:
        return (
            f"The date was counted with calendar {duty.dating.calendar}; "
            f"calendar {counted.calendar_version} gives {date_words(counted.due_on)}."
        )
    return f"Provisional: {counted.provisional_because}." if counted.provisional_because else ""
