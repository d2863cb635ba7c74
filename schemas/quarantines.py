"""Topics `safeguarding.<service>.quarantine.v1`: that something was put aside, why, and the digest of its bytes.

The bytes themselves stay, encrypted where they may be personal, in the store of the service that owns them.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from schemas.envelope import Envelope, Model


class QuarantinedData(Model):
    """What was put aside. `reason` is one of our own sentences; it never quotes the bytes."""

    quarantine_id: UUID
    service: str
    topic: str
    partition: int | None = None
    offset: int | None = None
    sha256: str
    size_bytes: int
    reason: str
    parked: bool = Field(description="True if later events of the case wait behind it.")


class QuarantineResolvedData(Model):
    """A person retried or discarded what was put aside. `by` is an account's id."""

    quarantine_id: UUID
    service: str
    outcome: Literal["retried", "discarded"]
    by: str
    reason: str


class Quarantined(Envelope, title="Record put in quarantine"):
    """Something was put in quarantine."""

    type: Literal["record.quarantined.v1"] = "record.quarantined.v1"
    data: QuarantinedData


class QuarantineResolved(Envelope, title="Record taken out of quarantine"):
    """Something left quarantine."""

    type: Literal["record.resolved.v1"] = "record.resolved.v1"
    data: QuarantineResolvedData


QuarantineMessage = Annotated[Quarantined | QuarantineResolved, Field(discriminator="type")]
