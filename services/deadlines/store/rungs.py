"""Rungs in PostgreSQL: the hot table. Pending ones are found through one small partial index.

A poll reads from a low-water mark, so that dead index entries behind it cost nothing even while an old snapshot is held
open. `wake_at` is never before the moment of insertion, so that nothing new appears behind the mark; a full sweep now
and then finds what a long transaction committed late, and goes by `due_at`: a rung that was armed while the legal clock
was ahead wakes too late once the clock is right again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import BigInteger, Text, Uuid, and_, func, literal_column, not_, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deadlines.domain.catch_up import DueRung
from services.deadlines.domain.duty import Duty
from services.deadlines.domain.ladder import Rung
from services.deadlines.tables import FIRED, PENDING, SUPERSEDED, among
from services.deadlines.tables import rung as table

# Written into the statement: a plan that is kept for every value of a parameter can use no index of what is pending.
_IS_PENDING: Final = table.c.state == literal_column(str(PENDING))
_ARM: Final = text(
    """
    INSERT INTO deadlines.rung (duty_id, case_key, generation, kind, days_left, due_at, wake_at, state)
    SELECT duty_id, case_key, generation, kind, days_left, due_at, greatest(due_at, CAST(:now AS timestamptz)), 0
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
      AS given (duty_id uuid, case_key text, generation int, kind text, days_left smallint, due_at timestamptz)
    ON CONFLICT (duty_id, generation, kind, days_left) DO NOTHING
    """
)


# OFFSET 0: the duty of each rung that is due, and not every open duty beside them.
_CLAIM: Final = text(
    f"""
    SELECT r.rung_id, r.duty_id, r.kind, r.days_left, r.due_at, d.partnership, d.duty_holder
    FROM deadlines.rung AS r CROSS JOIN LATERAL (
        SELECT duty.partnership, duty.duty_holder FROM deadlines.duty
        WHERE duty.duty_id = r.duty_id AND duty.generation = r.generation AND duty.state = 'open' OFFSET 0
    ) AS d
    WHERE r.case_key = ANY(CAST(:keys AS text[])) AND r.state = {PENDING} AND r.due_at <= :now
    ORDER BY r.due_at, r.rung_id
    FOR UPDATE OF r SKIP LOCKED
    """  # noqa: S608 (a number of our own)
)

# CASE: found by the duty; the indexes of what is pending know no duties, and all of them would be read.
_SUPERSEDE: Final = text(
    f"""
    UPDATE deadlines.rung SET state = {SUPERSEDED}, settled_at = :now
    WHERE duty_id = ANY(CAST(:ids AS uuid[])) AND CASE state WHEN {PENDING} THEN true ELSE false END
    """  # noqa: S608 (numbers of our own)
)


# A warning is the only one of its duty; how many days it leaves goes by the calendar, too.
_MOVE: Final = text(
    f"""
    UPDATE deadlines.rung AS r
    SET due_at = given.due_at, days_left = given.days_left, wake_at = greatest(given.due_at, CAST(:now AS timestamptz))
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
      AS given (duty_id uuid, generation int, kind text, days_left smallint, due_at timestamptz)
    WHERE r.duty_id = ANY(CAST(:ids AS uuid[])) AND CASE r.state WHEN {PENDING} THEN true ELSE false END
      AND (r.duty_id, r.generation, r.kind) = (given.duty_id, given.generation, given.kind)
      AND (r.kind = 'warn' OR r.days_left = given.days_left) AND r.due_at <> given.due_at
    """  # noqa: S608 (a number of our own)
)


async def arm(connection: AsyncConnection, ladders: Iterable[tuple[Duty, Sequence[Rung]]], now: datetime) -> None:
    """Insert the rungs of some duties, in each duty's present generation."""
    if rows := _rows(ladders):
        await connection.execute(_ARM, {"rows": orjson.dumps(rows).decode(), "now": now})


async def move(connection: AsyncConnection, ladders: Iterable[tuple[Duty, Sequence[Rung]]], now: datetime) -> int:
    """Let the pending rungs of some duties fire when these ladders say; return how many that moves. None is made or undone."""
    if not (rows := _rows(ladders)):
        return 0
    values = {"rows": orjson.dumps(rows).decode(), "ids": [row["duty_id"] for row in rows], "now": now}
    return (await connection.execute(_MOVE, values)).rowcount


def _rows(ladders: Iterable[tuple[Duty, Sequence[Rung]]]) -> list[dict[str, Any]]:
    return [
        {
            "duty_id": str(duty.duty_id),
            "case_key": duty.case_key,
            "generation": duty.generation,
            "kind": rung.kind,
            "days_left": rung.days_left,
            "due_at": rung.due_at,
        }
        for duty, rungs in ladders
        for rung in rungs
    ]


async def supersede(connection: AsyncConnection, duty_ids: Collection[UUID], now: datetime) -> None:
    """Make every pending rung of some duties unable to fire."""
    await connection.execute(_SUPERSEDE, {"ids": list(duty_ids), "now": now})


async def due_cases(
    connection: AsyncConnection, now: datetime, *, low: datetime | None, limit: int, without: Collection[str] = ()
) -> tuple[str, ...]:
    """Return the cases of the first `limit` due rungs above `low` (None: a full sweep), in due order; takes no lock.

    The rungs of the cases in `without` are passed over.
    """
    query = select(table.c.case_key).where(_IS_PENDING)
    if without:
        query = query.where(not_(table.c.case_key == among(without, Text)))
    if low is None:
        delayed = and_(table.c.wake_at > table.c.due_at, table.c.due_at <= now)
        query = query.where(or_(table.c.wake_at <= now, delayed))
    else:
        query = query.where(table.c.wake_at <= now, table.c.wake_at > low)
    found = await connection.scalars(query.order_by(table.c.wake_at, table.c.rung_id).limit(limit))
    return tuple(dict.fromkeys(found))


async def claim(connection: AsyncConnection, case_keys: Collection[str], now: datetime) -> list[DueRung]:
    """Lock and return every due rung of the open duties of some cases, of their present generation only.

    What another worker holds is left to it.
    """
    return [
        DueRung(row.rung_id, row.duty_id, row.partnership, row.duty_holder, Rung(row.kind, row.days_left, row.due_at))
        for row in await connection.execute(_CLAIM, {"keys": list(case_keys), "now": now})
    ]


async def settle(
    connection: AsyncConnection, *, fired: Sequence[DueRung], superseded: Sequence[DueRung], now: datetime
) -> None:
    """Mark claimed rungs as fired or superseded."""
    for items, state in ((fired, FIRED), (superseded, SUPERSEDED)):
        if not items:
            continue
        of_these = table.c.rung_id == among([item.rung_id for item in items], BigInteger)
        await connection.execute(update(table).where(of_these).values(state=state, settled_at=now))


async def breaches(connection: AsyncConnection, duties: Iterable[Duty]) -> Mapping[UUID, datetime]:
    """Return when the breach of each duty's present date was raised; no entry for a duty of which it was not."""
    generations = {duty.duty_id: duty.generation for duty in duties}
    query = select(table.c.duty_id, table.c.generation, table.c.settled_at).where(
        table.c.duty_id == among(generations, Uuid), table.c.kind == "breach", table.c.state == FIRED
    )
    found = await connection.execute(query)
    return {row.duty_id: row.settled_at for row in found if row.generation == generations[row.duty_id]}


async def next_wake(connection: AsyncConnection, *, low: datetime | None) -> datetime | None:
    """Return when the next pending rung above `low` wakes, by the legal clock; None when there is none."""
    query = select(func.min(table.c.wake_at)).where(_IS_PENDING)
    found: datetime | None = await connection.scalar(query if low is None else query.where(table.c.wake_at > low))
    return found
