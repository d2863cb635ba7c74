"""What the API and the desk show of a duty: one shape for both, so that they cannot disagree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from schemas.calendar import Calendar, CountedDay
from schemas.words import STRENGTH_WORDS
from services.deadlines.domain.alert import Alert
from services.deadlines.domain.duty import Citation, Duty, Kind, State, Strength, working_days_late
from services.deadlines.domain.standing import Group, days_left, group_of
from services.deadlines.domain.words import explained, holder_words, left_words, missing_words


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class DayView(_View):
    """One day of a count: its number in the period (0 = the day counted from), or none when it was skipped."""

    on: date
    number: int | None
    reason: str


class CountView(_View):
    """How a due date was counted, day by day."""

    summary: str
    note: str = Field(
        description="What must be known besides the days: a provisional date, a last day, another calendar. Or empty."
    )
    start_on: date
    calendar: str
    calendar_sha256: str
    days: tuple[DayView, ...]


class ObligationView(_View):
    """One duty: an obligation, or a question that must be answered by a date."""

    obligation_id: UUID
    kind: Kind
    case_key: str
    rule: str
    title: str
    duty: Strength
    duty_words: str
    citation: Citation
    duty_holder: str
    duty_holder_words: str
    recipients: tuple[str, ...]
    subject: str
    rulebook: str
    state: State
    reason: str
    group: Group | None = Field(description="Group of the desk; none once the duty is closed.")
    due_on: date | None
    warn_on: date | None
    provisional: bool
    days_left: int | None = Field(description="Working days after today up to the due date; below 0 once overdue.")
    left: str = Field(description="The days left, in words; empty once the duty is closed.")
    breach_raised_at: datetime | None = Field(
        description="When operations staff were told that its date has passed; none if they were not."
    )
    missing: str = Field(description="What an open duty without a date waits for, else empty.")
    stops_when: str
    opened_at: datetime
    closed_at: datetime | None
    met_on: date | None
    working_days_late: int | None = Field(description="0 when met in time; none unless met.")
    generation: int
    count: CountView | None

    @classmethod
    def of(
        cls, duty: Duty, now: datetime, calendar: Calendar, asked: Sequence[str], breach_raised_at: datetime | None
    ) -> Self:
        """Return the view of a duty at `now`; `asked` are the open questions about its rules."""
        due_on, is_open = duty.dating.due_on, duty.state == "open"
        late = working_days_late(due_on, duty.met_on, calendar) if due_on and duty.met_on else None
        return cls(
            obligation_id=duty.duty_id,
            kind=duty.kind,
            case_key=duty.case_key,
            rule=duty.rule,
            title=duty.title,
            duty=duty.strength,
            duty_words=STRENGTH_WORDS[duty.strength],
            citation=duty.citation,
            duty_holder=duty.duty_holder,
            duty_holder_words=holder_words(duty),
            recipients=duty.recipients,
            subject=duty.subject,
            rulebook=duty.rulebook,
            state=duty.state,
            reason=duty.reason,
            group=group_of(due_on, now, calendar) if is_open else None,
            due_on=due_on,
            warn_on=duty.dating.warn_on,
            provisional=duty.dating.provisional,
            days_left=days_left(due_on, now, calendar) if is_open and due_on else None,
            left=left_words(due_on, now, calendar) if is_open else "",
            breach_raised_at=breach_raised_at,
            missing=missing_words(duty, asked) if is_open and due_on is None else "",
            stops_when=duty.stops_when,
            opened_at=duty.opened_at,
            closed_at=duty.closed_at,
            met_on=duty.met_on,
            working_days_late=late,
            generation=duty.generation,
            count=_count(duty, calendar),
        )


class ObligationPage(_View):
    """A page of duties by due date; `next` is the `after` of the next page, none on the last."""

    obligations: tuple[ObligationView, ...]
    next: str | None


class AlertView(_View):
    """One alert; `acknowledged_name` is the person who took it on."""

    alert_id: UUID
    kind: str
    severity: str
    reference: str
    says: str
    since_then: str = Field(
        description="What has become since of a duty that was told as missed, such as another due date; empty while that stands."
    )
    raised_at: datetime
    case_key: str | None
    partnership: str | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledged_name: str | None

    @classmethod
    def of(cls, alert: Alert) -> Self:
        """Return the view of an alert."""
        return cls.model_validate(alert)


class AlertPage(_View):
    """A page of the open alerts: breaches and faults first, then the newest; `total` counts all of them.

    `next` is the `after` of the next page, none on the last.
    """

    alerts: tuple[AlertView, ...]
    total: int
    next: str | None


def views(
    duties: Iterable[Duty],
    questions: Iterable[Duty],
    breaches: Mapping[UUID, datetime],
    now: datetime,
    calendar: Calendar,
) -> tuple[ObligationView, ...]:
    """Return the views of some duties, in their order, given the open questions of their cases and when breaches were raised."""
    asked = _asked_by_rule(questions)
    return tuple(
        ObligationView.of(duty, now, calendar, asked.get((duty.case_key, duty.rule), ()), breaches.get(duty.duty_id))
        for duty in duties
    )


def _asked_by_rule(questions: Iterable[Duty]) -> Mapping[tuple[str, str], Sequence[str]]:
    asked: dict[tuple[str, str], list[str]] = defaultdict(list)
    for question in questions:
        for rule in question.rules:
            asked[question.case_key, rule].append(question.title)
    return asked


def _count(duty: Duty, calendar: Calendar) -> CountView | None:
    found = explained(duty, calendar)
    if found is None:
        return None
    return CountView(
        summary=found.summary,
        note=found.note,
        start_on=found.count.start_on,
        calendar=found.count.calendar_version,
        calendar_sha256=found.count.calendar_sha256,
        days=tuple(_day(day) for day in found.count.explanation),
    )


def _day(day: CountedDay) -> DayView:
    return DayView(on=day.on, number=day.number, reason=day.reason)
