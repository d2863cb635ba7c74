"""Topic `safeguarding.deadlines.v1`: how duties stand against their dates. Producer: deadlines."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from schemas.envelope import Envelope, Instant, Model, RecipientId


class DeadlineData(Model):
    """One duty (an obligation or an open question) and its date. `generation` counts its re-datings from 1."""

    duty_id: UUID
    kind: Literal["obligation", "question"]
    rule: str
    duty_holder: RecipientId
    due_on: date
    generation: int


class DueSoonData(DeadlineData):
    """`working_days_left` whole working days remain after today; 0 on the due day."""

    working_days_left: int


class BreachedData(DeadlineData):
    """The due date has passed without what the rule asks for."""

    breached_at: Instant


class MetData(DeadlineData):
    """The duty was met; `working_days_late` is 0 when in time."""

    met_on: date
    working_days_late: int


class AlertRaisedData(Model):
    """A person must look at something. `reference` names the duty, event or notice; never anything personal."""

    alert_id: UUID
    kind: str
    severity: Literal["warning", "breach", "fault"]
    reference: str


class AlertAcknowledgedData(Model):
    """A signed-in person took an alert on. `by` is their account's id, not their name."""

    alert_id: UUID
    by: str


class ClockMovedData(Model):
    """The legal clock was moved (only where the installation allows it)."""

    seconds: int
    offset_seconds: int
    by: str
    reason: str


class DueSoon(Envelope, title="Due date near"):
    """A due date is near."""

    type: Literal["deadline.due-soon.v1"] = "deadline.due-soon.v1"
    data: DueSoonData


class Breached(Envelope, title="Due date passed"):
    """A due date has passed."""

    type: Literal["deadline.breached.v1"] = "deadline.breached.v1"
    data: BreachedData


class Met(Envelope, title="Due date met"):
    """A duty was met."""

    type: Literal["deadline.met.v1"] = "deadline.met.v1"
    data: MetData


class AlertRaised(Envelope, title="Alert raised"):
    """An alert was raised."""

    type: Literal["alert.raised.v1"] = "alert.raised.v1"
    data: AlertRaisedData


class AlertAcknowledged(Envelope, title="Alert acknowledged"):
    """An alert was acknowledged."""

    type: Literal["alert.acknowledged.v1"] = "alert.acknowledged.v1"
    data: AlertAcknowledgedData


class ClockMoved(Envelope, title="Legal clock moved"):
    """The legal clock was moved."""

    type: Literal["clock.moved.v1"] = "clock.moved.v1"
    data: ClockMovedData


DeadlineMessage = Annotated[
    DueSoon | Breached | Met | AlertRaised | AlertAcknowledged | ClockMoved, Field(discriminator="type")
]
