"""Answers questions about the log: entries with their proofs, proofs alone, and everything for whole-log verification.

Every answer is about a signed checkpoint, so that two answers can be compared and paging stays stable while the log
grows. Hashes come from the tree and not from the rows, so that a changed row cannot hide.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from services.audit.domain.merkle import consistency_ranges, inclusion_ranges
from services.audit.domain.tiles import range_hash, range_hashes
from services.audit.store import log, projection, reading
from services.kit.database import Database
from services.kit.errors import NotFound, Refused, Unavailable
from services.kit.reach import Reach

MAX_RAW = 1000  # entries in one answer of the raw log
MAX_CHECKPOINTS = 10_000


class NoSuchCheckpoint(NotFound):
    """No checkpoint of that size was signed; ask `/v1/checkpoints` for those that were."""


class NoSuchEntry(NotFound):
    """There is no such entry under this checkpoint."""


class NotSignedYet(Unavailable):
    """The log has not been signed yet; try again in a second."""


class BadRange(Refused):
    """The numbers do not name a part of the signed log."""


@dataclass(frozen=True, slots=True)
class Proven:
    """One entry, and the path that proves its place in the tree of the answer's checkpoint."""

    row: reading.Row
    proof: tuple[bytes, ...]

    def entry(self) -> dict[str, Any]:
        """Return what the entry says."""
        parsed: dict[str, Any] = orjson.loads(self.row.entry)
        return parsed

    def record(self) -> dict[str, Any] | None:
        """Return the event that the entry commits to, None where none is kept or what is kept is not JSON."""
        try:
            parsed: dict[str, Any] | None = orjson.loads(self.row.payload) if self.row.payload else None
        except orjson.JSONDecodeError:  # NaN was once logged as part of a message
            return None
        return parsed


@dataclass(frozen=True, slots=True)
class Found:
    """Entries under one checkpoint. `next_after` asks for the next page; None when there is none.

    `unsigned` entries follow on the newest checkpoint, so that no answer holds them.
    """

    checkpoint: log.Signed
    unsigned: int
    indexed_to: int
    entries: tuple[Proven, ...]
    next_after: int | None


class Reader:
    """Reads the log for the API and the pages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def checkpoint(self) -> log.Signed:
        """Return the newest checkpoint."""
        async with self._database.connect() as connection:
            return await _checkpoint(connection, None)

    async def checkpoints(self) -> list[str]:
        """Return the notes of all checkpoints, smallest first (the newest 10,000)."""
        async with self._database.connect() as connection:
            return await log.checkpoints(connection, MAX_CHECKPOINTS)

    async def search(self, reach: Reach, wanted: reading.Search, size: int | None = None) -> Found:
        """Return entries that match and may be read, each proved against the checkpoint of `size` (default the newest)."""
        async with self._database.connect() as connection:
            checkpoint = await _checkpoint(connection, size)
            unsigned = await log.unsigned(connection)
            # The index may grow between two queries: neither is more looked for than the answer says, nor less.
            indexed_to = await projection.indexed_to(connection)
            one_more = replace(wanted, limit=wanted.limit + 1)
            rows = await reading.search(connection, reach, one_more, min(checkpoint.size, indexed_to))
            proven = await _proven(connection, rows[: wanted.limit], checkpoint.size)
        next_after = proven[-1].row.index if len(rows) > wanted.limit else None
        return Found(checkpoint, unsigned, indexed_to, proven, next_after)

    async def entry(self, reach: Reach, index: int, size: int | None = None) -> tuple[log.Signed, Proven]:
        """Return one entry, proved against the checkpoint of `size` (default the newest).

        Raises:
            NoSuchEntry: The checkpoint has no such entry, or its case may not be read.
        """
        async with self._database.connect() as connection:
            checkpoint = await _checkpoint(connection, size)
            row = await reading.entry(connection, reach, index)
            if row is None or index >= checkpoint.size:
                raise NoSuchEntry
            return checkpoint, (await _proven(connection, [row], checkpoint.size))[0]

    async def consistency(self, old: int, new: int) -> tuple[log.Signed, log.Signed, list[bytes]]:
        """Return two checkpoints and the proof that the second goes on from the first.

        Raises:
            BadRange: `old` is 0, about which nothing can be proved, or above `new`.
            NoSuchCheckpoint: One of the sizes was never signed.
        """
        if not 0 < old <= new:
            message = f"expected 0 < from <= to, got {old} and {new}"
            raise BadRange(message)
        async with self._database.connect() as connection:
            first, second = await _checkpoint(connection, old), await _checkpoint(connection, new)
            ranges = consistency_ranges(old, new)
            tiles = await log.tiles_for(connection, await _head(connection), ranges)
            return first, second, range_hashes(ranges, tiles)

    async def raw(self, start: int, end: int) -> bytes:
        """Return entries from `start` to `end`, excluded, one a line: hash in the tree, salt, record, entry.

        Salt (hexadecimal) and record (base64) are `-` where none is kept; an entry never has a line break.

        Raises:
            BadRange: More than 1000 entries are asked for, or some that are not signed.
        """
        async with self._database.connect() as connection:
            checkpoint = await _checkpoint(connection, None)
            if not 0 <= start < end <= min(checkpoint.size, start + MAX_RAW):
                message = f"expected at most {MAX_RAW} entries within 0 to {checkpoint.size}, got {start} to {end}"
                raise BadRange(message)
            hashes = await log.leaf_hashes(connection, await _head(connection), start, end)
            rows = {row.index: row for row in await reading.entries(connection, start, end)}
        return b"".join(_line(in_tree, rows.get(start + place)) for place, in_tree in enumerate(hashes))

    async def gaps(self) -> list[projection.Gap]:
        """Return the numbers that producers gave and the log has not got."""
        async with self._database.connect() as connection:
            return await projection.gaps(connection)


async def _checkpoint(connection: AsyncConnection, size: int | None) -> log.Signed:
    if size is None:
        newest = await log.newest_checkpoint(connection)
        if newest is None:
            raise NotSignedYet
        return newest
    signed = await log.checkpoint_of(connection, size)
    if signed is None:
        raise NoSuchCheckpoint
    return signed


async def _head(connection: AsyncConnection) -> log.Head:
    head = await log.read_head(connection)
    if head is None:
        raise NotSignedYet
    return head


async def _proven(connection: AsyncConnection, rows: Sequence[reading.Row], size: int) -> tuple[Proven, ...]:
    """Return rows with their paths; one read of the tiles that all of them need."""
    if not rows:
        return ()
    paths = {row.index: inclusion_ranges(row.index, size) for row in rows}
    ranges = {part for path in paths.values() for part in path}  # neighbours share most of their paths: hash each once
    tiles = await log.tiles_for(connection, await _head(connection), ranges)
    hashes = {part: range_hash(part, tiles) for part in ranges}
    return tuple(Proven(row, tuple(hashes[part] for part in paths[row.index])) for row in rows)


def _line(in_tree: bytes, row: reading.Row | None) -> bytes:
    if row is None:
        return in_tree.hex().encode() + b" - - \n"
    salt = b"-" if row.salt is None else row.salt.hex().encode()
    payload = b"-" if row.payload is None else b64encode(row.payload)
    return b" ".join((in_tree.hex().encode(), salt, payload, row.entry)) + b"\n"
