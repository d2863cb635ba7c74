"""The inbox: which records a consumer has had, so that one delivered twice has one effect.

Every record gets a row: a message under its own id, anything else (poison, raw records) under an id
made from its place and content. So the fence can ask whether a record that it has passed is really the one it passed.
An event that an older version could not read has both, once it was read or retried.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final, Protocol
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


def record_id(topic: str, partition: int, offset: int, value: bytes | None) -> UUID:
    """Return the id of a record that has none of its own: the same bytes in the same place, the same id."""
    place = f"{topic}\x1f{partition}\x1f{offset}\x1f".encode()
    return UUID(bytes=sha256(place + (value or b"")).digest()[:16])


class Inbox(Protocol):
    """Remembers records inside a transaction."""

    async def known(self, consumer: str, ids: Sequence[UUID]) -> set[UUID]:
        """Return which of the ids are there."""
        ...

    async def admit(self, consumer: str, ids: Sequence[UUID]) -> set[UUID]:
        """Add the ids and return those that were new; waits for another transaction that is adding the same."""
        ...

    async def forget(self, consumer: str, event_id: UUID) -> None:
        """Take an id out that this transaction may have added: it has had no effect, and may come to have one."""
        ...


_KNOWN: Final = text("SELECT event_id FROM inbox WHERE consumer = :consumer AND event_id = ANY(CAST(:ids AS uuid[]))")

_FORGET: Final = text("DELETE FROM inbox WHERE consumer = :consumer AND event_id = :event_id")
# Sorted, so that two transactions that add the same ids wait for each other in one direction only.
_ADMIT: Final = text("""
    INSERT INTO inbox (consumer, event_id)
    SELECT :consumer, id FROM unnest(CAST(:ids AS uuid[])) AS u(id) ORDER BY id
    ON CONFLICT DO NOTHING
    RETURNING event_id
""")


class PostgresInbox:
    """The inbox in PostgreSQL."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def known(self, consumer: str, ids: Sequence[UUID]) -> set[UUID]:
        """Return which of the ids are there."""
        return set((await self._connection.execute(_KNOWN, {"consumer": consumer, "ids": list(ids)})).scalars())

    async def admit(self, consumer: str, ids: Sequence[UUID]) -> set[UUID]:
        """Add the ids and return those that were new; waits for another transaction that is adding the same."""
        return set((await self._connection.execute(_ADMIT, {"consumer": consumer, "ids": list(ids)})).scalars())

    async def forget(self, consumer: str, event_id: UUID) -> None:
        """Take an id out that this transaction may have added: it has had no effect, and may come to have one."""
        await self._connection.execute(_FORGET, {"consumer": consumer, "event_id": event_id})
