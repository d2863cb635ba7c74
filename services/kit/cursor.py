"""The relay's cursor: how far the outbox is published, by whom, from which database and to which offsets.

One relay per service: whoever holds a session lock and the newest epoch. `read` gives rows in commit order: by the
transaction's id, and only below the oldest transaction still running, so that a slow one is never skipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

import orjson
import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.kit.fence import Place

_log = structlog.get_logger("services.kit.cursor")


class OutboxRow(NamedTuple):
    """One message to publish.

    `published`: Kafka had it before the database was restored, so it is passed over here. After a rewind it comes in its
    old place instead, with the number that it had, `producer_seq`; its payload is what Kafka had.
    """

    xid: int
    id: int
    topic: str
    key: str
    payload: bytes
    event_id: UUID
    published: bool = False
    producer_seq: int | None = None


@dataclass(frozen=True)
class Position:
    """How far a relay has come. `acknowledged`: the last offset that Kafka gave back, per partition.

    `server`: when the server that it is from was started; one that took its place was not started at the same instant.
    """

    xid: int = 0
    id: int = 0
    producer_seq: int = 0
    epoch: int = 0
    acknowledged: Mapping[Place, int] | None = None
    database_identity: str | None = None
    server: datetime | None = None


class Fenced(RuntimeError):
    """There is a newer epoch, by another relay or by a rewind; this relay must not publish."""


class OtherDatabase(RuntimeError):
    """The cursor was written in another database than this one (a copy, or a restored backup)."""


class Cursor(Protocol):
    """The cursor of one service."""

    async def acquire(self) -> Position | None:
        """Become the relay: return the position under a new epoch, or nothing while somebody else is.

        Raises:
            OtherDatabase: The cursor belongs to another database.
        """
        ...

    async def look(self) -> Position:
        """Return the position without becoming the relay.

        Raises:
            OtherDatabase: The cursor belongs to another database.
        """
        ...

    async def unknown(self, position: Position, ids: Sequence[UUID]) -> set[UUID]:
        """Return those ids that are neither in the outbox after a position nor known to be on Kafka."""
        ...

    async def read(self, position: Position, limit: int) -> list[OutboxRow]:
        """Return the next rows after a position, in commit order.

        Raises:
            Fenced: Another relay has taken over, or the cursor was set back.
        """
        ...

    async def save(self, position: Position, passed: Sequence[UUID] = ()) -> None:
        """Keep the position, and which messages were passed over because Kafka has them.

        Raises:
            Fenced: Another relay has taken over.
        """
        ...

    async def backlog(self) -> tuple[int, float]:
        """Return how many messages wait, and for how many seconds the oldest has waited."""
        ...

    async def release(self) -> None:
        """Stop being the relay."""
        ...


SILENT_AFTER_S: Final = 180.0
"""How long a relay may leave its session unused before another ends it. One that lives does so for some 100 s at most, while
it waits for Kafka and before it tries again; one that was ended wrongly finds itself fenced."""

_TRY_LOCK: Final = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 1))")
_UNLOCK: Final = text("SELECT pg_advisory_unlock_all()")
_END_SILENT: Final = text("""
    SELECT pg_terminate_backend(a.pid), extract(epoch FROM clock_timestamp() - a.state_change) AS silent_s
    FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND a.datname = current_database()
        AND (CAST(l.classid AS bigint) << 32 | CAST(l.objid AS bigint)) = hashtextextended(:name, 1)
        AND a.application_name = current_setting('application_name')
        AND a.state_change < clock_timestamp() - make_interval(secs => :silent_s)
""")
_TAKE: Final = text("""
    UPDATE relay_cursor SET epoch = epoch + 1, database_identity = coalesce(database_identity, clock.database_identity())
    RETURNING CAST(xid AS text) AS xid, id, producer_seq, epoch, CAST(acknowledged AS text) AS acknowledged,
        database_identity, clock.database_identity() AS here, pg_postmaster_start_time() AS server
""")
_LOOK: Final = text("""
    SELECT CAST(xid AS text) AS xid, id, producer_seq, epoch, CAST(acknowledged AS text) AS acknowledged,
        database_identity, clock.database_identity() AS here, pg_postmaster_start_time() AS server
    FROM relay_cursor
""")
_UNKNOWN: Final = text("""
    SELECT event_id FROM unnest(CAST(:ids AS uuid[])) AS p(event_id)
    EXCEPT SELECT event_id FROM outbox WHERE (xid, id) > (CAST(CAST(:xid AS text) AS xid8), CAST(:id AS bigint))
    EXCEPT SELECT event_id FROM published_before WHERE event_id = ANY(CAST(:ids AS uuid[]))
""")
_READ: Final = text("""
    SELECT CAST(o.xid AS text) AS xid, o.id, o.topic, o.key, o.payload, o.event_id,
        o.producer_seq IS NULL AND EXISTS (SELECT FROM published_before AS p WHERE p.event_id = o.event_id) AS published,
        o.producer_seq
    FROM relay_cursor AS c LEFT JOIN LATERAL (
        (SELECT xid, id, topic, key, payload, event_id, CAST(NULL AS bigint) AS producer_seq FROM outbox
         WHERE (xid, id) > (CAST(CAST(:xid AS text) AS xid8), CAST(:id AS bigint))
            AND xid < pg_snapshot_xmin(pg_current_snapshot())
         ORDER BY xid, id LIMIT :limit)
        UNION ALL
        (SELECT after_xid, after_id, topic, key, payload, event_id, producer_seq FROM published_before
         WHERE (after_xid, after_id, producer_seq)
            > (CAST(CAST(:xid AS text) AS xid8), CAST(:id AS bigint), CAST(:producer_seq AS bigint))
         ORDER BY after_xid, after_id, producer_seq LIMIT :limit)
        ORDER BY xid, id, producer_seq NULLS FIRST LIMIT :limit
    ) AS o ON true
    WHERE c.epoch = :epoch ORDER BY o.xid, o.id, o.producer_seq NULLS FIRST
""")
_SAVE: Final = text("""
    UPDATE relay_cursor SET xid = CAST(CAST(:xid AS text) AS xid8), id = :id, producer_seq = :producer_seq,
        acknowledged = CAST(CAST(:acknowledged AS text) AS jsonb), saved_at = clock_timestamp()
    WHERE epoch = :epoch
""")
_IN_OUTBOX: Final = text("UPDATE published_before SET in_outbox = true WHERE event_id = ANY(CAST(:ids AS uuid[]))")
_BACKLOG: Final = text("""
    SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(o.created_at)), 0)
    FROM outbox AS o, relay_cursor AS c WHERE (o.xid, o.id) > (c.xid, c.id)
""")
_REWIND: Final = text("""
    UPDATE relay_cursor SET xid = '0', id = 0, producer_seq = 0, epoch = epoch + 1, acknowledged = '{}',
        database_identity = NULL
""")


class PostgresCursor:
    """The cursor in PostgreSQL, on a session of its own: if the session is lost, so is the lock."""

    def __init__(self, engine: AsyncEngine, service: str) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._service = service
        self._session: AsyncConnection | None = None

    async def acquire(self) -> Position | None:
        """Become the relay: return the position under a new epoch, or nothing while somebody else is."""
        await self.release()
        session = self._session = await self._engine.connect()
        lock = {"name": f"{self._service}:relay"}
        if not (await session.execute(_TRY_LOCK, lock)).scalar_one():
            # Its holder may hang while its machine goes on answering for it, and would have the lock for ever.
            for ended in await session.execute(_END_SILENT, lock | {"silent_s": SILENT_AFTER_S}):
                _log.warning("relay.ended_silent", ms=round(ended.silent_s * 1000))
            await self.release()
            return None
        row = (await session.execute(_TAKE)).one()
        if row.database_identity != row.here:
            await self.release()
            raise OtherDatabase
        return _position(row)

    async def look(self) -> Position:
        """Return the position without becoming the relay."""
        position, moved = await self.stand()
        if moved:
            raise OtherDatabase
        return position

    async def stand(self) -> tuple[Position, bool]:
        """Return the position, and whether it is another database's."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(_LOOK)).one()
        return _position(row), row.database_identity not in {None, row.here}

    async def unknown(self, position: Position, ids: Sequence[UUID]) -> set[UUID]:
        """Return those ids that are neither in the outbox after a position nor known to be on Kafka."""
        values = {"ids": list(ids), "xid": str(position.xid), "id": position.id}
        if self._session is not None:  # the relay, which must not leave it unused
            return set((await self._session.execute(_UNKNOWN, values)).scalars())
        async with self._engine.connect() as connection:
            return set((await connection.execute(_UNKNOWN, values)).scalars())

    async def read(self, position: Position, limit: int) -> list[OutboxRow]:
        """Return the next rows after a position, in commit order."""
        place = {"xid": str(position.xid), "id": position.id, "producer_seq": position.producer_seq}
        values = {**place, "limit": limit, "epoch": position.epoch}
        rows = (await self._held().execute(_READ, values)).all()
        if not rows:  # even an outbox with nothing new gives one row, an empty one, under our epoch
            raise Fenced(Fenced.__doc__)
        return [OutboxRow(int(xid), *columns) for xid, *columns in rows if xid]

    async def save(self, position: Position, passed: Sequence[UUID] = ()) -> None:
        """Keep the position, and which messages were passed over because Kafka has them."""
        if passed:
            await self._held().execute(_IN_OUTBOX, {"ids": list(passed)})
        values = {
            "xid": str(position.xid),
            "id": position.id,
            "producer_seq": position.producer_seq,
            "epoch": position.epoch,
            "acknowledged": pack(position.acknowledged or {}),
        }
        saved = await self._held().execute(_SAVE, values)
        if saved.rowcount != 1:
            raise Fenced(Fenced.__doc__)

    async def backlog(self) -> tuple[int, float]:
        """Return how many messages wait, and for how many seconds the oldest has waited."""
        async with self._engine.connect() as connection:
            count, age = (await connection.execute(_BACKLOG)).one()
        return count, float(age)

    async def release(self) -> None:
        """Stop being the relay."""
        session, self._session = self._session, None
        if session is None:
            return
        try:
            await session.execute(_UNLOCK)  # the session goes back to the pool, where it would keep the lock
        except (SQLAlchemyError, TimeoutError):  # SQLAlchemy's own also of a session that was known to be lost
            await session.invalidate()  # the server gives up the lock when the session ends
        finally:
            await session.close()

    def _held(self) -> AsyncConnection:
        if self._session is None:
            raise Fenced("this process is not the relay")
        return self._session


async def rewind(connection: AsyncConnection) -> None:
    """Publish again, with the same numbers, the outbox and what was said before a restore; consumers know them by their ids.

    For `handrail relay rewind`, when the topics are new or shorter than what was published.
    """
    await connection.execute(_REWIND)


def _position(row: Any) -> Position:
    acknowledged = _unpack(row.acknowledged)
    return Position(int(row.xid), row.id, row.producer_seq, row.epoch, acknowledged, row.database_identity, row.server)


def pack(acknowledged: Mapping[Place, int]) -> str:
    """Return offsets per partition as the cursor keeps them."""
    return orjson.dumps({f"{place.topic}/{place.partition}": offset for place, offset in acknowledged.items()}).decode()


def _unpack(packed: str) -> dict[Place, int]:
    found: dict[str, Any] = orjson.loads(packed)
    parts: Sequence[tuple[list[str], int]] = [(name.rsplit("/", 1), offset) for name, offset in found.items()]
    return {Place(topic, int(partition)): offset for (topic, partition), offset in parts}
