"""Between messages and duties: what a message of routing makes of a duty, and the messages that deadlines sends.

Translation alone: which duties there are and what they mean was decided by routing, and is only copied here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from schemas import decisions, identity
from schemas.calendar import Calendar, Length
from schemas.deadlines import (
    AlertAcknowledged,
    AlertAcknowledgedData,
    AlertRaised,
    AlertRaisedData,
    Breached,
    BreachedData,
    ClockMoved,
    ClockMovedData,
    DueSoon,
    DueSoonData,
    Met,
    MetData,
)
from services.deadlines.domain.alert import Alert
from services.deadlines.domain.duty import Citation, Dating, Duty, Period, closed, opened, redated

SOURCE: Final = "/handrail/deadlines"

Opening = decisions.ObligationOpened | decisions.QuestionOpened
Change = (
    decisions.ObligationRedated
    | decisions.ObligationMet
    | decisions.ObligationWithdrawn
    | decisions.ObligationSuperseded
    | decisions.QuestionClosed
)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every message that we send about one thing shares: its case, its partnership, its cause and its time."""

    now: datetime
    case_key: str | None = None
    partnership: str | None = None
    causation_id: UUID | None = None


def duty_id(message: Opening | Change) -> UUID:
    """Return the id of the duty that a message is about."""
    data = message.data
    return (
        data.question_id
        if isinstance(data, decisions.QuestionOpenedData | decisions.QuestionClosedData)
        else data.obligation_id
    )


def after_opening(message: Opening, known: Duty | None, now: datetime, calendar: Calendar) -> Duty:
    """Return the duty that a message opens, or opens again."""
    duty = _from_obligation(message) if isinstance(message, decisions.ObligationOpened) else _from_question(message)
    return opened(duty, known, now, calendar)


def after_change(message: Change, duty: Duty, now: datetime, calendar: Calendar) -> Duty:
    """Return what a message makes of a known duty; the same object where it changes nothing."""
    at = message.recorded_at
    match message:
        case decisions.ObligationRedated(data=data):
            dating = Dating(_period(data.period), data.due_on, data.warn_on, data.provisional, data.calendar)
            return redated(duty, dating, data.reason, now, calendar)
        case decisions.ObligationMet(data=data):
            return closed(duty, "met", data.how, at=at, met_on=data.met_on)
        case decisions.ObligationWithdrawn(data=data):
            return closed(duty, "withdrawn", data.reason, at=at)
        case decisions.ObligationSuperseded(data=data):
            return closed(duty, "superseded", data.reason, at=at)
        case decisions.QuestionClosed(data=data):
            return closed(duty, "closed", data.reason, at=at)


def due_soon(duty: Duty, due_on: date, left: int, rung: str, stamp: Stamp) -> DueSoon:
    """Return the message that a date is near; `rung` names the timer, so that a repeat has the same id."""
    data = DueSoonData(**_deadline(duty, due_on), working_days_left=left)
    return DueSoon(**_head("deadline.due-soon", (duty.duty_id, duty.generation, rung), stamp), data=data)


def breached(duty: Duty, due_on: date, at: datetime, stamp: Stamp) -> Breached:
    """Return the message that a date has passed; `at` is the first instant at which the duty was late."""
    data = BreachedData(**_deadline(duty, due_on), breached_at=at)
    return Breached(**_head("deadline.breached", (duty.duty_id, duty.generation), stamp), data=data)


def met(duty: Duty, due_on: date, met_on: date, days_late: int, stamp: Stamp) -> Met:
    """Return the message that a duty with a date was met, in time or late.

    Its id is of its cause: a duty that was met and then withdrawn may be met again on the same date.
    """
    data = MetData(**_deadline(duty, due_on), met_on=met_on, working_days_late=days_late)
    return Met(**_head("deadline.met", (duty.duty_id, duty.generation, stamp.causation_id), stamp), data=data)


def alert_raised(alert: Alert, stamp: Stamp) -> AlertRaised:
    """Return the message that an alert was raised; its sentence stays here."""
    data = AlertRaisedData(alert_id=alert.alert_id, kind=alert.kind, severity=alert.severity, reference=alert.reference)
    return AlertRaised(**_head("alert.raised", (alert.alert_id,), stamp), data=data)


def alert_acknowledged(alert: Alert, account: str, stamp: Stamp) -> AlertAcknowledged:
    """Return the message that a person took an alert on, by the account's id alone.

    Its id is of this decision: after a restore somebody else may take the alert on.
    """
    data = AlertAcknowledgedData(alert_id=alert.alert_id, by=account)
    return AlertAcknowledged(**_head("alert.acknowledged", (alert.alert_id, stamp.now.isoformat()), stamp), data=data)


def clock_moved(data: ClockMovedData, stamp: Stamp) -> ClockMoved:
    """Return the message that the legal clock was moved."""
    parts = (stamp.now.isoformat(), data.seconds, data.offset_seconds)
    return ClockMoved(**_head("clock.moved", parts, stamp), data=data)


def _from_obligation(message: decisions.ObligationOpened) -> Duty:
    data = message.data
    book = data.rulebook
    return Duty(
        duty_id=data.obligation_id,
        kind="obligation",
        case_key=_case_of(message),
        partnership=message.partnership or data.duty_holder,
        rules=(data.rule,),
        title=data.title,
        strength=data.duty,
        duty_holder=data.duty_holder,
        holder_name=data.duty_holder_name or "",
        subject=data.subject,
        recipients=data.recipients,
        citation=Citation(data.citation.cite, data.citation.href, data.citation.quote, data.citation.verified),
        rulebook=f"{book.id} {book.version}, {'approved' if book.approved else 'not approved'}",
        stops_when=data.stops_when,
        awaits=data.anchor,
        dating=Dating(_period(data.period), data.due_on, data.warn_on, data.provisional, data.calendar),
        opened_at=message.recorded_at,
    )


def _from_question(message: decisions.QuestionOpened) -> Duty:
    data = message.data
    return Duty(
        duty_id=data.question_id,
        kind="question",
        case_key=_case_of(message),
        partnership=message.partnership or data.of_whom,
        rules=data.rules,
        title=data.ask,
        strength=data.period.strength,
        duty_holder=data.of_whom,
        holder_name=data.of_whom_name or "",
        subject=data.subject,
        recipients=(data.of_whom,),
        citation=Citation(cite=data.period.cite, href="", quote="", verified=False),
        rulebook="",
        stops_when="the question is answered",
        awaits=data.fact,
        dating=Dating(_period(data.period), data.due_on, None, provisional=False, calendar=data.calendar),
        opened_at=message.recorded_at,
    )


def _case_of(message: Opening) -> str:
    if message.case_key is None:
        raise ValueError("expected a duty to name its case, got none")
    return message.case_key


def _period(given: decisions.Period | None) -> Period | None:
    if given is None:
        return None
    length = Length(given.amount, given.unit, given.counted)
    return Period(length, given.from_on, given.from_fact, given.strength, given.cite, given.ends_on)


def _deadline(duty: Duty, due_on: date) -> dict[str, Any]:
    return {
        "duty_id": duty.duty_id,
        "kind": duty.kind,
        "rule": duty.rule,
        "duty_holder": duty.duty_holder,
        "due_on": due_on,
        "generation": duty.generation,
    }


def _head(kind: str, parts: tuple[object, ...], stamp: Stamp) -> dict[str, Any]:
    return {
        "id": identity.derived_event_id(kind, *parts),
        "source": SOURCE,
        "time": stamp.now,
        "recorded_at": stamp.now,
        "case_key": stamp.case_key,
        "partnership": stamp.partnership,
        "causation_id": stamp.causation_id,
    }
