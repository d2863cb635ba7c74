"""An alert: something that a person must look at. It stands until a person acknowledges it or its cause is gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Severity = Literal["warning", "breach", "fault"]
AlertKind = Literal[
    "deadline.due-soon",
    "deadline.breached",
    "deadline.digest",
    "notice.refused",
    "record.quarantined",
    "database.restored",
    "clock.distrusted",
]


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. `reference` names the duty, notice, clock reading, service or, of a digest, who owes its duties; `says` is one sentence, worded when it was raised.

    `since_then` says what has become since of what a breach was told about, empty while that stands.
    `duties` are those that a digest still stands for: it is read by their holder, and goes with the last one.
    `acknowledged_by` is an account's id; the name beside it is shown on the desk and never leaves this service.
    """

    alert_id: UUID
    kind: AlertKind
    severity: Severity
    reference: str
    says: str
    raised_at: datetime
    case_key: str | None = None
    partnership: str | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_name: str | None = None
    closed_at: datetime | None = None
    closed_because: str | None = None
    since_then: str = ""
    duties: tuple[UUID, ...] = ()
