"""Memory twins of the log and of the folder of checkpoints; tests/contract/audit runs on them and on the real ones.

Rows are kept by a `MemoryTransaction`, which is its own connection (`tests.support.self_connected`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.audit.domain import tiles
from services.audit.domain.entry import Entry
from services.audit.domain.merkle import Range, leaf_hash
from services.audit.domain.note import BadNote, Checkpoint
from services.audit.domain.tiles import TileKey
from services.audit.sink import CheckpointFolder
from services.audit.store.log import Head, Signed, grown
from services.kit.memory import MemoryTransaction

_HEAD: Final = ("head", None)


class MemoryLog:
    """The log in memory."""

    async def read_head(self, tx: Any) -> Head | None:
        """Return the head, None before the first entry is appended."""
        return head_of(tx)

    async def lock_head(self, tx: Any, origin: str) -> Head:
        """Return the head and keep every other writer out until the transaction ends; start the log if there is none."""
        await tx.hold_rows([_HEAD])
        tx.written()
        found: Head = tx.view("kept").setdefault(_HEAD, Head(origin))
        return found

    async def known(self, tx: Any, ids: Collection[UUID]) -> dict[UUID, bytes | None]:
        """Return the records of those events that stand in the log; None where no record is kept."""
        kept = tx.view("kept")
        return {each: kept["event", each].payload for each in ids if ("event", each) in kept}

    async def add(self, tx: Any, head: Head, entries: Sequence[Entry]) -> Head:
        """Append entries behind a head that `lock_head` gave, and return the new head."""
        tx.written()
        moved, filled = grown(head, [leaf_hash(entry.text) for entry in entries])
        kept = tx.view("kept")
        kept.update({("entry", seq): entry for seq, entry in enumerate(entries, head.size)})
        kept.update({("event", entry.event_id): entry for entry in entries})
        kept.update({("tile", key): hashes for key, hashes in filled.items()})
        kept[_HEAD] = moved
        return moved

    async def tiles_for(self, tx: Any, head: Head, ranges: Collection[Range]) -> dict[TileKey, bytes]:
        """Return the tiles that hold the hashes of `ranges`, all of which must lie within `head`."""
        edge, kept = head.edge.tiles(), tx.view("kept")
        return edge | {key: kept["tile", key] for key in tiles.tiles_of(ranges) - edge.keys() if ("tile", key) in kept}

    async def newest_checkpoint(self, tx: Any) -> Signed | None:
        """Return the checkpoint of the greatest size."""
        kept = tx.view("kept")
        found: Signed | None = kept.get(
            ("checkpoint", max((key[1] for key in kept if key[0] == "checkpoint"), default=0))
        )
        return found

    async def add_checkpoint(self, tx: Any, signed: Signed, signed_at: datetime) -> None:
        """Keep a signed checkpoint; signing the same head again changes nothing."""
        del signed_at
        tx.written()
        await tx.hold_rows([("checkpoint", signed.size)])
        tx.view("kept").setdefault(("checkpoint", signed.size), signed)


def head_of(tx: MemoryTransaction) -> Head | None:
    """Return the head that a transaction sees, None before the first entry is appended."""
    return tx.view("kept").get(_HEAD)


def entries_of(tx: MemoryTransaction) -> dict[int, Entry]:
    """Return what a transaction sees of the log, by number."""
    return {key[1]: entry for key, entry in tx.view("kept").items() if key[0] == "entry"}


def tiles_of(tx: MemoryTransaction) -> dict[TileKey, bytes]:
    """Return the full tiles that a transaction sees."""
    return {key[1]: hashes for key, hashes in tx.view("kept").items() if key[0] == "tile"}


class MemoryFolder(CheckpointFolder):
    """The folder of checkpoints in memory."""

    def __init__(self) -> None:
        self.notes: dict[int, tuple[Checkpoint, str]] = {}

    def newest(self) -> Checkpoint | None:
        """Return the checkpoint of the greatest size, None if there is none yet."""
        return self.notes[max(self.notes)][0] if self.notes else None

    def keep(self, checkpoint: Checkpoint, note: str) -> None:
        """Write a checkpoint, unless the very same stands there.

        Raises:
            BadNote: Another one of that size stands there.
        """
        if self.notes.setdefault(checkpoint.size, (checkpoint, note))[1] != note:
            message = f"two different checkpoints of size {checkpoint.size}"
            raise BadNote(message)
