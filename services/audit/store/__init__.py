"""What audit keeps: the log itself, its index, and what readers ask of both.

The sequencer and the publisher use the log in PostgreSQL (`store.log`), or in memory where a test has no database; what
it must do is said here once, in terms of types.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.audit.domain.entry import Entry
from services.audit.domain.merkle import Range
from services.audit.domain.tiles import TileKey
from services.audit.store import log
from services.audit.store.log import Head, Signed


class Log(Protocol):
    """The log: its head, its entries, its tiles, its checkpoints."""

    async def read_head(self, connection: AsyncConnection) -> Head | None:
        """Return the head as last committed, None before the first entry is appended."""
        ...

    async def lock_head(self, connection: AsyncConnection, origin: str) -> Head:
        """Return the head and keep every other writer out until the transaction ends; start the log if there is none."""
        ...

    async def known(self, connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, bytes | None]:
        """Return the records of those events that stand in the log; None where no record is kept."""
        ...

    async def add(self, connection: AsyncConnection, head: Head, entries: Sequence[Entry]) -> Head:
        """Append entries behind a head that `lock_head` gave, and return the new head."""
        ...

    async def tiles_for(
        self, connection: AsyncConnection, head: Head, ranges: Collection[Range]
    ) -> dict[TileKey, bytes]:
        """Return the tiles that hold the hashes of `ranges`, all of which must lie within `head`."""
        ...

    async def newest_checkpoint(self, connection: AsyncConnection) -> Signed | None:
        """Return the checkpoint of the greatest size."""
        ...

    async def add_checkpoint(self, connection: AsyncConnection, signed: Signed, signed_at: datetime) -> None:
        """Keep a signed checkpoint; signing the same head again changes nothing."""
        ...


POSTGRES: Final[Log] = log
