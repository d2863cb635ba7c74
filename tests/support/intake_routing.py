"""What routing says, for the tests of intake's receipts and content."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid5

from schemas.decisions import (
    CaseDecided,
    CaseDecidedData,
    Citation,
    ObligationOpened,
    ObligationOpenedData,
    Period,
    QuestionOpened,
    QuestionOpenedData,
    RulebookRef,
)
from schemas.deliveries import (
    NoticeDelivered,
    NoticeDeliveredData,
    NoticeOwed,
    NoticeOwedData,
    NoticeSuperseded,
    NoticeSupersededData,
)
from tests.support.intake import LEEDS

NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)
BOOK = RulebookRef(id="england-serious-incidents", version="2026.11.0", sha256="0" * 64, approved=False)
PERIOD = Period(
    amount=1,
    unit="working days",
    counted="after",
    from_on=date(2026, 6, 1),
    from_fact="reported_on",
    strength="local",
    cite="default of this rulebook",
)


def ident(name: str) -> UUID:
    """Return the same id for the same name."""
    return uuid5(UUID(int=0), name)


def envelope(name: str, case_key: str, cause: str | None = None) -> dict[str, Any]:
    """Return what a message carries besides its data."""
    return {
        "id": ident(name),
        "source": "/handrail/routing",
        "time": NOON,
        "recorded_at": NOON,
        "case_key": case_key,
        "causation_id": UUID(cause) if cause else None,
    }


def decided(
    case_key: str, *events: str, reporters: tuple[str, ...] = (), answers_nothing: tuple[str, ...] = ()
) -> CaseDecided:
    """Say that a case was decided because of these events."""
    data = CaseDecidedData(
        revision=1,
        rulebook=BOOK,
        calendar="england 2026.1",
        traces=(),
        open_obligations=(),
        open_questions=(),
        event_ids=tuple(map(UUID, events)),
        answers_nothing=tuple(map(UUID, answers_nothing)),
        reporters=reporters,
    )
    return CaseDecided(**envelope("decided" + "".join(events), case_key), data=data)


def opened(
    rule: str, case_key: str, *, holder: str = "police:west-yorkshire", cause: str | None = None
) -> ObligationOpened:
    """Say that a duty stands."""
    data = ObligationOpenedData(
        obligation_id=ident(rule),
        revision=1,
        rule=rule,
        title="Tell the authority",
        position=0,
        duty="should",
        citation=Citation(cite="Working Together 2023", href="https://www.example.org", quote="...", verified=False),
        rulebook=BOOK,
        duty_holder=holder,
        subject="incident",
        anchor="reported_on",
        recipients=(f"la:{LEEDS}",),
        profile="referral",
        release="at once",
        released=True,
        stops_when="the authority has recorded that it is aware",
        period=PERIOD,
        due_on=date(2026, 6, 2),
        calendar="england 2026.1",
    )
    return ObligationOpened(**envelope("opened" + rule, case_key, cause), data=data)


def notice(rule: str, recipient: str) -> dict[str, Any]:
    """Return the data of a notice."""
    data = {"notice_id": ident(rule + recipient), "obligation_id": ident(rule), "rule": rule, "recipient": recipient}
    return data | {"profile": "referral", "revision": 1}


def superseded(rule: str, case_key: str, recipient: str) -> NoticeSuperseded:
    """Say that another notice, `ident("correction")`, corrects a notice."""
    data = NoticeSupersededData(**notice(rule, recipient), reason="the due date has changed", by=ident("correction"))
    return NoticeSuperseded(**envelope("superseded" + rule + recipient, case_key), data=data)


def owed(rule: str, case_key: str, recipient: str) -> NoticeOwed:
    """Say that a notice is owed."""
    data = NoticeOwedData(**notice(rule, recipient), released=True)
    return NoticeOwed(**envelope("owed" + rule + recipient, case_key), data=data)


def delivered(rule: str, case_key: str, recipient: str) -> NoticeDelivered:
    """Say that a recipient's system took a notice."""
    data = NoticeDeliveredData(**notice(rule, recipient), attempt=1, reference="REF-1")
    return NoticeDelivered(**envelope("delivered" + rule, case_key), data=data)


def question(case_key: str, of_whom: str) -> QuestionOpened:
    """Say that a fact is asked for."""
    data = QuestionOpenedData(
        question_id=ident("question"),
        fact="abuse_or_neglect",
        of_whom=of_whom,
        subject="incident",
        ask="Does your authority know or suspect that the child was abused or neglected?",
        rules=("N-01",),
        period=PERIOD,
        due_on=date(2026, 6, 2),
        calendar="england 2026.1",
    )
    return QuestionOpened(**envelope("question", case_key), data=data)
