"""The legal clock in PostgreSQL: reading and moving it, the log of moves, and the last tick that was trusted."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deadlines.domain.guard import Tick
from services.deadlines.tables import clock_move, tick

_READ: Final = text(
    """
    SELECT clock.legal_now() AS legal_at,
           coalesce((SELECT offset_s FROM deadlines.clock_move ORDER BY move_id DESC LIMIT 1), 0) AS logged_offset_s
    """
)
_MOVE: Final = text(
    """
    UPDATE clock.legal_clock
    SET offset_s = offset_s + :seconds, moved_at = clock_timestamp(), moved_by = :by, reason = :reason
    RETURNING offset_s
    """
)


async def read(connection: AsyncConnection, witness_at: datetime) -> Tick:
    """Return the clocks as they stand, beside the time that the caller's witness shows."""
    row = (await connection.execute(_READ)).one()
    return Tick(row.legal_at, witness_at, row.logged_offset_s)


async def now_and_offset(connection: AsyncConnection) -> tuple[datetime, int]:
    """Return the legal time, and by how many seconds it is ahead of the database's clock."""
    row = (await connection.execute(text("SELECT clock.legal_now(), offset_s FROM clock.legal_clock"))).one()
    return row[0], row[1]


async def move(connection: AsyncConnection, seconds: int, *, by: str, reason: str, now: datetime) -> int:
    """Move the legal clock, log the move, and return its new offset in seconds."""
    offset: int = (await connection.execute(_MOVE, {"seconds": seconds, "by": by, "reason": reason})).scalar_one()
    await connection.execute(
        insert(clock_move).values(seconds=seconds, offset_s=offset, moved_at=now, moved_by=by, reason=reason)
    )
    return offset


async def last_tick(connection: AsyncConnection) -> Tick | None:
    """Return the last tick that was trusted, by any copy of this service; None on a new database."""
    row = (await connection.execute(select(tick))).one_or_none()
    return None if row is None else Tick(row.legal_at, row.witness_at, row.logged_offset_s)


async def save_tick(connection: AsyncConnection, current: Tick) -> None:
    """Keep a trusted tick in the table's only row."""
    values = {
        "legal_at": current.legal_at,
        "witness_at": current.witness_at,
        "logged_offset_s": current.logged_offset_s,
    }
    query = upsert(tick).values(one=True, **values)
    await connection.execute(query.on_conflict_do_update(index_elements=[tick.c.one], set_=values))
