"""Topic `safeguarding.deliveries.v1`: what became of each notice. Producer: routing (its dispatcher)."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from schemas.envelope import Envelope, Model, RecipientId


class NoticeData(Model):
    """One notice: one obligation, one recipient. `revision` counts notices of that pair from 1."""

    notice_id: UUID
    obligation_id: UUID
    rule: str
    recipient: RecipientId
    profile: str
    revision: int


class NoticeOwedData(NoticeData):
    """The notice stands; `released` is false while it waits for a named person's decision."""

    released: bool
    corrects: UUID | None = Field(
        default=None, description="The notice whose place it takes, because that one gave a due date that has changed."
    )


class NoticeAttemptedData(NoticeData):
    """One try to deliver, or to withdraw. `outcome` is `failed` when it will be tried again and `refused` when a person must act."""

    of: Literal["notice", "withdrawal"] = "notice"
    attempt: int
    outcome: Literal["failed", "refused"]
    http_status: int | None = None
    reason: str


class NoticeDeliveredData(NoticeData):
    """The recipient's system took the notice and gave its reference. This alone never meets a duty."""

    attempt: int
    reference: str


class NoticeAcceptedData(NoticeData):
    """A named person at the recipient accepted the notice (the name stays in intake's vault)."""

    acknowledgement: UUID = Field(description="Id of the event `delivery.acknowledged`.")


class NoticeWithdrawnData(NoticeData):
    """The notice will not be sent, or was sent and is withdrawn. `taken`: the recipient's system has taken the withdrawal."""

    reason: str
    was_delivered: bool
    taken: bool = False


class NoticeSupersededData(NoticeData):
    """The notice may have arrived with a due date that has changed; notice `by` corrects it and takes its place."""

    reason: str
    by: UUID


class NoticeOwed(Envelope, title="Notice owed"):
    """A notice is owed."""

    type: Literal["notice.owed.v1"] = "notice.owed.v1"
    data: NoticeOwedData


class NoticeReleased(Envelope, title="Notice released"):
    """A named person's decision released the notice."""

    type: Literal["notice.released.v1"] = "notice.released.v1"
    data: NoticeData


class NoticeAttempted(Envelope, title="Delivery tried without success"):
    """A delivery was tried without success."""

    type: Literal["notice.attempted.v1"] = "notice.attempted.v1"
    data: NoticeAttemptedData


class NoticeDelivered(Envelope, title="Notice delivered"):
    """The recipient's system took the notice."""

    type: Literal["notice.delivered.v1"] = "notice.delivered.v1"
    data: NoticeDeliveredData


class NoticeAccepted(Envelope, title="Notice accepted"):
    """A named person accepted the notice."""

    type: Literal["notice.accepted.v1"] = "notice.accepted.v1"
    data: NoticeAcceptedData


class NoticeWithdrawn(Envelope, title="Notice withdrawn"):
    """A notice was withdrawn."""

    type: Literal["notice.withdrawn.v1"] = "notice.withdrawn.v1"
    data: NoticeWithdrawnData


class NoticeSuperseded(Envelope, title="Notice replaced by one that corrects it"):
    """A notice was replaced by one that corrects it."""

    type: Literal["notice.superseded.v1"] = "notice.superseded.v1"
    data: NoticeSupersededData


DeliveryMessage = Annotated[
    NoticeOwed
    | NoticeReleased
    | NoticeAttempted
    | NoticeDelivered
    | NoticeAccepted
    | NoticeWithdrawn
    | NoticeSuperseded,
    Field(discriminator="type"),
]
