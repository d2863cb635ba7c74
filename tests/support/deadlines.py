"""Makes duties and messages about them for tests of the deadlines service. All cases and children are invented."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID

from schemas import decisions, deliveries, quarantines
from schemas.calendar import Length
from services.deadlines.domain.duty import Citation, Dating, Duty, Period

CASE = "c" * 32
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)  # Monday
CALENDAR = "2026.11.0"
_NOTICE = UUID(int=901)


def period(working_days: int, from_on: date) -> Period:
    return Period(Length(working_days), from_on, "aware_on", "should", "Working Together 2023, chapter 5")


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
        holder_name="Leeds City Council",
    )


def envelope(number: int, *, at: datetime = NOON, case_key: str = CASE) -> dict[str, Any]:
    return {
        "id": UUID(int=number),
        "source": "/handrail/routing",
        "time": at,
        "recorded_at": at,
        "case_key": case_key,
        "partnership": "lscp:E08000035",
    }


def given_period(working_days: int, from_on: date) -> decisions.Period:
    return decisions.Period(
        amount=working_days,
        unit="working days",
        counted="after",
        from_on=from_on,
        from_fact="aware_on",
        strength="should",
        cite="Working Together 2023, chapter 5",
    )


def obligation_opened(
    number: int,
    duty_id: UUID,
    due_on: date | None,
    *,
    from_on: date | None = None,
    working_days: int = 5,
    case_key: str = CASE,
    partnership: str = "lscp:E08000035",
    recipients: tuple[str, ...] = ("panel",),
    at: datetime = NOON,
) -> decisions.ObligationOpened:
    return decisions.ObligationOpened(
        **envelope(number, at=at, case_key=case_key) | {"partnership": partnership},
        data=decisions.ObligationOpenedData(
            obligation_id=duty_id,
            revision=1,
            rule="N-01",
            title="Tell the Panel",
            position=0,
            duty="must",
            citation=decisions.Citation(
                cite="Children Act 2004, section 16C(1)(a)",
                href="https://www.legislation.gov.uk/ukpga/2004/31/section/16C",
                quote="the child dies or is seriously harmed",
                verified=False,
            ),
            rulebook=decisions.RulebookRef(
                id="england-serious-incidents", version="2026.11.0", sha256="0" * 64, approved=False
            ),
            duty_holder="la:E08000035",
            duty_holder_name="Leeds City Council",
            subject="incident",
            anchor="aware_on of la:E08000035",
            recipients=recipients,
            profile="panel-notification",
            release="at once",
            released=True,
            stops_when="the Panel's reference is recorded",
            period=given_period(working_days, from_on) if from_on else None,
            due_on=due_on,
            calendar=CALENDAR,
        ),
    )


def obligation_redated(
    number: int,
    duty_id: UUID,
    due_on: date,
    from_on: date,
    *,
    working_days: int = 5,
    warn_on: date | None = None,
) -> decisions.ObligationRedated:
    return decisions.ObligationRedated(
        **envelope(number),
        data=decisions.ObligationRedatedData(
            obligation_id=duty_id,
            revision=2,
            period=given_period(working_days, from_on),
            due_on=due_on,
            warn_on=warn_on,
            old_due_on=None,
            provisional=False,
            calendar=CALENDAR,
            reason="the day of awareness was corrected",
        ),
    )


def obligation_met(number: int, duty_id: UUID, met_at: datetime, *, case_key: str = CASE) -> decisions.ObligationMet:
    data = decisions.ObligationMetData(
        obligation_id=duty_id, met_at=met_at, met_on=met_at.date(), how="the Panel's reference was recorded"
    )
    return decisions.ObligationMet(**envelope(number, at=met_at, case_key=case_key), data=data)


def obligation_withdrawn(number: int, duty_id: UUID) -> decisions.ObligationWithdrawn:
    data = decisions.ObligationClosedData(obligation_id=duty_id, reason="a named person decided not to notify")
    return decisions.ObligationWithdrawn(**envelope(number), data=data)


def question_opened(number: int, question_id: UUID, due_on: date, from_on: date) -> decisions.QuestionOpened:
    return decisions.QuestionOpened(
        **envelope(number),
        data=decisions.QuestionOpenedData(
            question_id=question_id,
            fact="aware_on",
            of_whom="la:E08000035",
            subject="incident",
            ask="When did your authority become aware of the incident?",
            rules=("N-01", "N-03"),
            period=given_period(1, from_on),
            due_on=due_on,
            calendar=CALENDAR,
        ),
    )


def question_closed(number: int, question_id: UUID) -> decisions.QuestionClosed:
    data = decisions.QuestionClosedData(question_id=question_id, reason="it was answered")
    return decisions.QuestionClosed(**envelope(number), data=data)


def _notice(notice_id: UUID = _NOTICE) -> dict[str, Any]:
    return {
        "notice_id": notice_id,
        "obligation_id": UUID(int=1),
        "rule": "N-03",
        "recipient": "police:west-yorkshire",
        "profile": "partnership-notification",
        "revision": 1,
    }


def notice_refused(
    number: int, attempt: int = 3, of: Literal["notice", "withdrawal"] = "notice", notice: UUID = _NOTICE
) -> deliveries.NoticeAttempted:
    data = deliveries.NoticeAttemptedData(
        **_notice(notice), of=of, attempt=attempt, outcome="refused", http_status=422, reason="HTTP 422"
    )
    return deliveries.NoticeAttempted(**envelope(number), data=data)


def notice_failed(number: int) -> deliveries.NoticeAttempted:
    data = deliveries.NoticeAttemptedData(**_notice(), attempt=1, outcome="failed", http_status=503, reason="HTTP 503")
    return deliveries.NoticeAttempted(**envelope(number), data=data)


def notice_delivered(number: int) -> deliveries.NoticeDelivered:
    data = deliveries.NoticeDeliveredData(**_notice(), attempt=4, reference="WYP-1")
    return deliveries.NoticeDelivered(**envelope(number), data=data)


def notice_withdrawn(number: int, *, taken: bool = False) -> deliveries.NoticeWithdrawn:
    data = deliveries.NoticeWithdrawnData(
        **_notice(), reason="the duty no longer stands", was_delivered=False, taken=taken
    )
    return deliveries.NoticeWithdrawn(**envelope(number), data=data)


def notice_held(number: int) -> deliveries.NoticeOwed:
    data = deliveries.NoticeOwedData(**_notice(), released=False)
    return deliveries.NoticeOwed(**envelope(number), data=data)


def notice_superseded(number: int) -> deliveries.NoticeSuperseded:
    data = deliveries.NoticeSupersededData(**_notice(), reason="the due date has changed", by=UUID(int=902))
    return deliveries.NoticeSuperseded(**envelope(number), data=data)


def quarantined(number: int) -> quarantines.Quarantined:
    """Return the announcement that intake put something aside."""
    data = quarantines.QuarantinedData(
        quarantine_id=UUID(int=700),
        service="intake",
        topic="safeguarding.submissions.example-police.v1",
        partition=0,
        offset=4,
        sha256="0" * 64,
        size_bytes=17,
        reason="it is not JSON",
        parked=False,
    )
    return quarantines.Quarantined(**{**envelope(number), "case_key": None}, data=data)


def resolved(number: int) -> quarantines.QuarantineResolved:
    """Return the announcement that a person discarded it."""
    data = quarantines.QuarantineResolvedData(
        quarantine_id=UUID(int=700), service="intake", outcome="discarded", by="account-1", reason="a test message"
    )
    return quarantines.QuarantineResolved(**{**envelope(number), "case_key": None}, data=data)


def restored(number: int) -> quarantines.DatabaseRestored:
    """Return the announcement that routing goes on from a backup."""
    data = quarantines.DatabaseRestoredData(service="routing", after_producer_seq=40, lacking=12, moved=False)
    return quarantines.DatabaseRestored(**{**envelope(number), "case_key": None}, data=data)
