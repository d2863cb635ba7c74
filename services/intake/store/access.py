"""The log of reads of personal data, and what is known of the notice that a read is for. Append-only by privilege."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake import tables


class Notice(NamedTuple):
    """To whom a notice is addressed, and how it stands: as the notice does that corrects it, if there is one."""

    recipient: str
    state: str


_NOTICE: Final = text("""
    WITH RECURSIVE one AS (
        SELECT recipient, state, superseded_by, 0 AS place FROM notice WHERE notice_id = :notice_id
        UNION ALL
        SELECT n.recipient, n.state, n.superseded_by, one.place + 1
        FROM one JOIN notice AS n ON one.state = 'superseded' AND n.notice_id = one.superseded_by
    )
    SELECT recipient, state FROM one ORDER BY place DESC LIMIT 1
""")


async def notice(connection: AsyncConnection, notice_id: UUID) -> Notice | None:
    """Return a notice as routing last announced it."""
    row = (await connection.execute(_NOTICE, {"notice_id": notice_id})).first()
    return Notice(row.recipient, row.state) if row else None


_READS: Final = text("""
    SELECT id AS number, read_at, recipient, participant, notice_id, profile, purpose, case_keys, fields FROM access_log
    WHERE (CAST(:case_key AS text) IS NULL OR case_keys @> ARRAY[CAST(:case_key AS text)])
      AND (CAST(:before AS bigint) IS NULL OR id < :before)
    ORDER BY id DESC LIMIT :limit
""")


async def reads(
    connection: AsyncConnection, case_key: str | None, before: int | None, limit: int
) -> Sequence[RowMapping]:
    """Return the newest reads, of one case or of all, before a number (excluded) or the newest of all."""
    wanted = {"case_key": case_key, "before": before, "limit": limit}
    return (await connection.execute(_READS, wanted)).mappings().all()


async def log(connection: AsyncConnection, **read: Any) -> None:
    """Write down one read: every column of `access_log` but its number."""
    await connection.execute(insert(tables.access_log), read)
