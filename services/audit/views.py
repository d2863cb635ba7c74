"""What the API answers with. Hashes and salts are hexadecimal, records base64, so that a stranger can check every byte."""

from base64 import b64encode
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from services.audit.reader import Found, Proven
from services.audit.store.projection import Gap


class EntryView(BaseModel):
    """One entry with the path from its hash to the root, lowest first."""

    index: int
    leaf_hash: str
    proof: list[str]
    entry: dict[str, Any]
    entry_text: str = Field(description="The exact text that is hashed: SHA-256 over a zero byte and this.")
    record: dict[str, Any] | None = Field(
        description="The event that the entry commits to; none for poison, nor for what is not JSON."
    )
    record_base64: str | None
    salt: str | None

    @classmethod
    def of(cls, proven: Proven) -> "EntryView":
        """Return the view of an entry."""
        row = proven.row
        return cls(
            index=row.index,
            leaf_hash=row.leaf_hash.hex(),
            proof=[part.hex() for part in proven.proof],
            entry=proven.entry(),
            entry_text=row.entry.decode(),
            record=proven.record(),
            record_base64=None if row.payload is None else b64encode(row.payload).decode(),
            salt=None if row.salt is None else row.salt.hex(),
        )


class ProvenEntry(EntryView):
    """One entry and the signed note under which its proof holds."""

    checkpoint: str
    size: int


class EntryPage(BaseModel):
    """Entries under one signed note. For the next page ask with `after=next_after` and this `size`."""

    checkpoint: str
    size: int
    unsigned: int = Field(
        description="Entries that follow on the newest checkpoint; the log is signed each second, so they soon are in it."
    )
    indexed_to: int = Field(description="Entries from this number on are not searchable yet.")
    entries: list[EntryView]
    next_after: int | None

    @classmethod
    def of(cls, found: Found) -> "EntryPage":
        """Return the view of what was found."""
        return cls(
            checkpoint=found.checkpoint.note,
            size=found.checkpoint.size,
            unsigned=found.unsigned,
            indexed_to=found.indexed_to,
            entries=[EntryView.of(proven) for proven in found.entries],
            next_after=found.next_after,
        )


class CheckpointList(BaseModel):
    """Signed notes, smallest first."""

    checkpoints: list[str]


class Consistency(BaseModel):
    """Two signed notes and the proof that the second goes on from the first."""

    old: str = Field(serialization_alias="from")
    new: str = Field(serialization_alias="to")
    proof: list[str]


class GapView(BaseModel):
    """Numbers of a producer, both included, that have not reached the log although a later one has, `since` then."""

    producer: str
    first: int = Field(serialization_alias="from")
    last: int = Field(serialization_alias="to")
    since: datetime

    @classmethod
    def of(cls, gap: Gap) -> "GapView":
        """Return the view of a gap."""
        return cls(producer=gap.producer, first=gap.first_missing, last=gap.last_missing, since=gap.since)


class GapList(BaseModel):
    """Every gap there is now."""

    gaps: list[GapView]
