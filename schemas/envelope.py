"""The CloudEvents 1.0 envelope that every message of Handrail travels in (structured JSON mode).

Attribute names follow the CloudEvents rule for extension names (lower-case letters and digits only), so `case_key` is
`casekey` on the wire. Models are closed and strict: whoever produces a message may not add to it. Consumers read with
`extra="ignore"` (see `schemas.messages.parse`), so that a newer producer does not stop an older consumer.

Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

CaseKey = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", description="Pseudonymous case key, minted by intake.")]
ChildKey = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", description="Pseudonymous child key, minted by intake.")]
ItemKey = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-f]{32}$",
        description="Key of what a case has several of: an action, a request, a yearly report, a delay, a withdrawal, a placement.",
    ),
]
AreaCode = Annotated[str, Field(pattern=r"^[EWSN][0-9]{8}$", description="GSS code of a local authority area.")]
RecipientId = Annotated[
    str, Field(pattern=r"^[a-z]+(:[A-Za-z0-9-]+)?$", description="Id in the register of recipients.")
]
Instant = Annotated[AwareDatetime, Field(description="An instant with its offset; Handrail writes UTC.")]


class Model(BaseModel):
    """Base of every part of a message: strict types, nothing extra, never changed after it is made."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, populate_by_name=True)


class Envelope(Model):
    """What every message carries besides its `data`.

    `case_seq` counts the messages of one producer about one case, from 1, given under the case lock.
    `producer_seq` counts all messages of one producer, from 1 without a gap, given by the relay from its cursor.
    A service that makes a message leaves both and `producer` unset; the kit fills them in.
    """

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str
    time: Instant = Field(description="When it happened (starts clocks).")
    datacontenttype: Literal["application/json"] = "application/json"
    case_key: CaseKey | None = Field(default=None, alias="casekey")
    case_seq: int | None = Field(default=None, alias="caseseq", ge=1)
    producer: str | None = None
    producer_seq: int | None = Field(default=None, alias="producerseq", ge=1)
    partnership: str | None = Field(default=None, description="Recipient id of the partnership concerned.")
    causation_id: UUID | None = Field(default=None, alias="causationid", description="Event that caused this one.")
    recorded_at: Instant = Field(alias="recordedat", description="When Handrail learned of it, by the legal clock.")
    traceparent: str | None = Field(default=None, description="W3C trace context.")

    def wire(self) -> bytes:
        """Return the message as CloudEvents structured JSON, unset attributes left out."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


def iso(instant: datetime) -> str:
    """Return an aware instant as RFC 3339 text in UTC, to the microsecond."""
    return instant.isoformat().replace("+00:00", "Z")
