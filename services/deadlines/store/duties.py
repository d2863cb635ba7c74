"""Duties in PostgreSQL: one row per duty, as it stands now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson
from pydantic import TypeAdapter
from sqlalchemy import RowMapping, Text, Uuid, and_, any_, func, literal, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deadlines.domain.duty import Duty, Kind, State
from services.deadlines.tables import among
from services.deadlines.tables import duty as table
from services.kit.reach import Reach, read_for, readable

READABLE: Final = f"({readable('duty.case_key')} OR duty.kind = 'question' AND {read_for('duty.duty_holder')})"
"""Whoever is asked reads the question alone, also where it is no party to the case (docs/decisions/0005)."""
_DUTY: Final = TypeAdapter(Duty)
_DATING: Final = ("period", "due_on", "warn_on", "provisional", "calendar")
_MEMBERS: Final = tuple(name for name in Duty.__slots__ if name != "dating")
_COLUMNS: Final = tuple(column.name for column in table.columns)
_SAVE: Final = text(
    f"""
    INSERT INTO deadlines.duty
    SELECT * FROM jsonb_populate_recordset(NULL::deadlines.duty, CAST(:rows AS jsonb))
    ON CONFLICT (duty_id) DO UPDATE SET
      {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "duty_id")}
    """  # noqa: S608 (column names of our own table)
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which duties are asked for; what is None or empty does not narrow. `due_before` is exclusive."""

    kind: Kind | None = None
    state: State | None = None
    due_before: date | None = None
    case_key: str | None = None
    duty_holder: str | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of duties ended: the due date (`date.max` for none) and id of its last duty."""

    due_on: date
    duty_id: UUID


async def load(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Duty]:
    """Return the known duties among `ids`."""
    found = await connection.execute(select(table).where(table.c.duty_id == among(ids, Uuid)))
    return {row["duty_id"]: _from_row(row) for row in found.mappings()}


async def save(connection: AsyncConnection, duties: Iterable[Duty]) -> None:
    """Write each duty as it stands, new or known, in one statement."""
    rows = [_to_row(duty) for duty in duties]
    if rows:
        await connection.execute(_SAVE, {"rows": orjson.dumps(rows).decode()})


async def find(
    connection: AsyncConnection, reach: Reach, wanted: Wanted, *, limit: int | None = None, after: Place | None = None
) -> list[Duty]:
    """Return the duties asked for that may be read, by due date, those without a date last, then by id.

    `limit` None returns all.
    """
    due_on = func.coalesce(table.c.due_on, date.max)
    query = select(table).where(reach.bound(READABLE)).order_by(due_on, table.c.duty_id).limit(limit)
    if wanted.kind is not None:
        query = query.where(table.c.kind == wanted.kind)
    if wanted.state is not None:
        query = query.where(table.c.state == wanted.state)
    if wanted.due_before is not None:
        query = query.where(table.c.due_on < wanted.due_before)
    if wanted.case_key is not None:
        query = query.where(table.c.case_key == wanted.case_key)
    if wanted.duty_holder:
        query = query.where(table.c.duty_holder == wanted.duty_holder)
    if wanted.rule:
        query = query.where(literal(wanted.rule) == any_(table.c.rules))
    if after is not None:
        query = query.where(tuple_(due_on, table.c.duty_id) > (after.due_on, after.duty_id))
    return [_from_row(row) for row in (await connection.execute(query)).mappings()]


async def dated(connection: AsyncConnection, *, after: UUID, limit: int) -> list[tuple[UUID, str]]:
    """Return id and case of the open duties that have a date and whose id is above `after`, by id."""
    query = (
        select(table.c.duty_id, table.c.case_key)
        .where(table.c.state == "open", table.c.due_on.is_not(None), table.c.duty_id > after)
        .order_by(table.c.duty_id)
        .limit(limit)
    )
    return [(row.duty_id, row.case_key) for row in await connection.execute(query)]


async def open_questions(connection: AsyncConnection, case_keys: Collection[str]) -> list[Duty]:
    """Return the open questions of some cases, in the order in which they were put."""
    query = (
        select(table)
        .where(table.c.kind == "question", table.c.state == "open", table.c.case_key == among(case_keys, Text))
        .order_by(table.c.opened_at, table.c.duty_id)
    )
    return [_from_row(row) for row in (await connection.execute(query)).mappings()]


async def choices(connection: AsyncConnection, reach: Reach) -> tuple[Mapping[str, str], Sequence[str]]:
    """Return the duty holders (id to name) and the rules of open duties that may be read: the desk's filters.

    Both are sorted by id.
    """
    is_open = and_(table.c.state == "open", reach.bound(READABLE))
    names = (
        select(table.c.duty_holder, func.max(table.c.holder_name).label("holder_name"))
        .where(is_open)
        .group_by(table.c.duty_holder)
    )
    holders = await connection.execute(names.order_by(table.c.duty_holder))
    rules = await connection.scalars(select(func.unnest(table.c.rules)).where(is_open).distinct())
    return {row.duty_holder: row.holder_name for row in holders}, sorted(rules)


def _to_row(duty: Duty) -> Mapping[str, Any]:
    members: dict[str, Any] = {name: getattr(duty, name) for name in _MEMBERS}
    members |= {name: getattr(duty.dating, name) for name in _DATING}
    return members | {"duty_id": str(duty.duty_id)}  # orjson does not know the driver's kind of UUID


def _from_row(row: RowMapping) -> Duty:
    members = dict(row)
    dating = {name: members.pop(name) for name in _DATING}
    return _DUTY.validate_python(members | {"dating": dating})
