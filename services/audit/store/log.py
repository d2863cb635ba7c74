"""The queries of the log itself: its head, its entries, its tiles, its checkpoints."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.audit.domain.entry import Entry
from services.audit.domain.merkle import EMPTY_ROOT, HASH_BYTES, Range, leaf_hash
from services.audit.domain.tiles import HEIGHT, WIDTH, Edge, TileKey, append, tiles_of

# Start a log that has no head yet.
CREATE = text("INSERT INTO audit.log (origin, root) VALUES (:origin, :root) ON CONFLICT DO NOTHING")

# Read the head; the writer also locks it, so that there is one writer at a time.
READ_HEAD = text("SELECT origin, size, root, edge FROM audit.log")
LOCK_HEAD = text("SELECT origin, size, root, edge FROM audit.log FOR UPDATE")

# Find which events stand in the log already, with the records that they commit to.
KNOWN = text("""
SELECT e.event_id, r.payload FROM audit.entry e LEFT JOIN audit.record r USING (seq)
WHERE e.event_id = ANY(CAST(:ids AS uuid[]))
""")

# Append entries, the records kept beside them, and the tiles that they filled; then move the head.
ADD = text("""
WITH entries AS (
  INSERT INTO audit.entry (seq, leaf_hash, entry, event_id)
  SELECT * FROM unnest(CAST(:seqs AS bigint[]), CAST(:hashes AS bytea[]), CAST(:entries AS bytea[]), CAST(:ids AS uuid[]))
), tiles AS (
  INSERT INTO audit.tile (level, idx, hashes)
  SELECT * FROM unnest(CAST(:levels AS smallint[]), CAST(:idxs AS bigint[]), CAST(:tiles AS bytea[]))
)
INSERT INTO audit.record (seq, salt, payload)
SELECT * FROM unnest(CAST(:kept AS bigint[]), CAST(:salts AS bytea[]), CAST(:payloads AS bytea[]))
""")
MOVE_HEAD = text("UPDATE audit.log SET size = :size, root = :root, edge = CAST(:edge AS bytea[])")

# Read full tiles by level and index.
READ_TILES = text("""
SELECT t.level, t.idx, t.hashes FROM audit.tile t
JOIN unnest(CAST(:levels AS smallint[]), CAST(:idxs AS bigint[])) AS wanted (level, idx) USING (level, idx)
""")

# Checkpoints: the newest, one of a size, all of them up to a number, newest last; what follows on the newest; add one that is
# not there.
NEWEST_CHECKPOINT = text("SELECT size, root, note FROM audit.checkpoint ORDER BY size DESC LIMIT 1")
CHECKPOINT_OF = text("SELECT size, root, note FROM audit.checkpoint WHERE size = :size")
CHECKPOINTS = text("SELECT note FROM (SELECT * FROM audit.checkpoint ORDER BY size DESC LIMIT :limit) c ORDER BY size")
UNSIGNED = text("SELECT greatest(size - (SELECT max(size) FROM audit.checkpoint), 0) FROM audit.log")
ADD_CHECKPOINT = text("""
INSERT INTO audit.checkpoint (size, root, note, signed_at) VALUES (:size, :root, :note, :signed_at)
ON CONFLICT DO NOTHING
""")


@dataclass(frozen=True, slots=True)
class Head:
    """The committed head of the log."""

    origin: str
    size: int = 0
    root: bytes = EMPTY_ROOT
    edge: Edge = field(default_factory=Edge)


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint that was signed."""

    size: int
    root: bytes
    note: str


def grown(head: Head, leaves: Sequence[bytes]) -> tuple[Head, dict[TileKey, bytes]]:
    """Return the head after some more leaves (their hashes, in order), and the tiles that they filled."""
    edge, filled = append(head.edge, leaves)
    return Head(head.origin, edge.size, edge.root(), edge), filled


async def read_head(connection: AsyncConnection) -> Head | None:
    """Return the head as last committed, None before the first entry is appended."""
    row = (await connection.execute(READ_HEAD)).one_or_none()
    return None if row is None else _head(row)


async def lock_head(connection: AsyncConnection, origin: str) -> Head:
    """Return the head and keep every other writer out until the transaction ends; start the log if there is none."""
    row = (await connection.execute(LOCK_HEAD)).one_or_none()
    if row is None:
        await connection.execute(CREATE, {"origin": origin, "root": EMPTY_ROOT})
        row = (await connection.execute(LOCK_HEAD)).one()
    return _head(row)


async def known(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, bytes | None]:
    """Return the records of those events that stand in the log; None where no record is kept."""
    rows = await connection.execute(KNOWN, {"ids": list(ids)})
    return {row.event_id: row.payload for row in rows}


async def add(connection: AsyncConnection, head: Head, entries: Sequence[Entry]) -> Head:
    """Append entries behind a head that `lock_head` gave, and return the new head."""
    hashes = [leaf_hash(entry.text) for entry in entries]
    moved, filled = grown(head, hashes)
    seqs = range(head.size, moved.size)
    kept = [(seq, one.salt, one.payload) for seq, one in zip(seqs, entries, strict=True) if one.salt is not None]
    values = {
        "seqs": [*seqs],
        "hashes": hashes,
        "entries": [e.text for e in entries],
        "ids": [e.event_id for e in entries],
        **_columns(filled),
        "tiles": [*filled.values()],
        "kept": [seq for seq, _, _ in kept],
        "salts": [salt for _, salt, _ in kept],
        "payloads": [payload for _, _, payload in kept],
    }
    await connection.execute(ADD, values)
    await connection.execute(MOVE_HEAD, {"size": moved.size, "root": moved.root, "edge": [*moved.edge.partial]})
    return moved


async def tiles_for(connection: AsyncConnection, head: Head, ranges: Collection[Range]) -> dict[TileKey, bytes]:
    """Return the tiles that hold the hashes of `ranges`, all of which must lie within `head`."""
    edge = head.edge.tiles()
    missing = tiles_of(ranges) - edge.keys()
    if not missing:
        return edge
    rows = await connection.execute(READ_TILES, _columns(missing))
    return {**edge, **{(row.level, row.idx): row.hashes for row in rows}}


async def leaf_hashes(connection: AsyncConnection, head: Head, start: int, end: int) -> list[bytes]:
    """Return the hashes that stand in the tree for the entries from `start` to `end`, excluded: not those of the rows."""
    places = [(index, index + 1) for index in range(start, end)]
    tiles = await tiles_for(connection, head, places)
    found = []
    for index in range(start, end):
        place = index % WIDTH * HASH_BYTES
        found.append(tiles[0, index >> HEIGHT][place : place + HASH_BYTES])
    return found


async def newest_checkpoint(connection: AsyncConnection) -> Signed | None:
    """Return the checkpoint of the greatest size."""
    row = (await connection.execute(NEWEST_CHECKPOINT)).one_or_none()
    return None if row is None else Signed(*row)


async def checkpoint_of(connection: AsyncConnection, size: int) -> Signed | None:
    """Return the checkpoint of exactly that size, if one was signed."""
    row = (await connection.execute(CHECKPOINT_OF, {"size": size})).one_or_none()
    return None if row is None else Signed(*row)


async def checkpoints(connection: AsyncConnection, limit: int) -> list[str]:
    """Return the notes of the newest checkpoints, smallest first."""
    return list((await connection.execute(CHECKPOINTS, {"limit": limit})).scalars())


async def unsigned(connection: AsyncConnection) -> int:
    """Return how many entries follow on the newest checkpoint."""
    return (await connection.execute(UNSIGNED)).scalar_one_or_none() or 0


async def add_checkpoint(connection: AsyncConnection, signed: Signed, signed_at: datetime) -> None:
    """Keep a signed checkpoint; signing the same head again changes nothing."""
    values = {"size": signed.size, "root": signed.root, "note": signed.note, "signed_at": signed_at}
    await connection.execute(ADD_CHECKPOINT, values)


def _head(row: Row[Any]) -> Head:
    return Head(row.origin, row.size, row.root, Edge(row.size, tuple(row.edge)))


def _columns(keys: Collection[TileKey]) -> dict[str, list[int]]:
    return {"levels": [level for level, _ in keys], "idxs": [index for _, index in keys]}
