"""Topics `safeguarding.<service>.quarantine.v1`: that something was put aside, why, and the digest of its bytes.

And that a service's database was restored from a backup: the other thing that a person must look after.

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


class DatabaseRestoredData(Model):
    """A database that a person had go on from what Kafka has. What was never published is in neither, and not counted."""

    service: str
    after_producer_seq: int = Field(ge=0, description="The last number of the service that its backup knew.")
    lacking: int = Field(ge=0, description="How many messages of the service are on Kafka and not in its database.")
    moved: bool = Field(description="True if it is another database than the one that published before.")


class DatabaseRestored(Envelope, title="Database restored from a backup"):
    """A service goes on from an older copy of its database."""

    type: Literal["database.restored.v1"] = "database.restored.v1"
    data: DatabaseRestoredData


QuarantineMessage = Annotated[Quarantined | QuarantineResolved | DatabaseRestored, Field(discriminator="type")]
