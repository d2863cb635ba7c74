"""Makes duties and messages about them for tests of the deadlines service. All cases and children are invented."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

from services.deadlines.domain.duty import Citation, Dating, Duty, Period

CASE = "c" * 32
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)  # Monday
CALENDAR = "2026.11.0"


def period(working_days: int, from_on: date) -> Period:
    return Period(working_days, from_on, "aware_on", "should", "Working Together 2023, chapter 5")


def dating(due_on: date | None, from_on: date | None = None, working_days: int = 5) -> Dating:
    return Dating(
        period(working_days, from_on) if from_on else None, due_on, None, provisional=False, calendar=CALENDAR
    )


def duty(number: int = 1, due_on: date | None = date(2026, 11, 9), from_on: date | None = None) -> Duty:
    return Duty(
        duty_id=UUID(int=number),
        kind="obligation",
        case_key=CASE,
        partnership="lscp:E08000035",
        rules=("N-01",),
        title="Tell the Panel",
        strength="must",
        duty_holder="la:E08000035",
        subject="incident",
        recipients=("panel",),
        citation=Citation(
            "Children Act 2004, section 16C(1)(a)", "https://www.legislation.gov.uk/", "dies", verified=False
        ),
        rulebook="england-serious-incidents 2026.11.0, not approved",
        stops_when="the Panel's reference is recorded",
        awaits="aware_on of la:E08000035",
        dating=dating(due_on, from_on),
        opened_at=NOON,
    )
