"""Accepted events, exactly as they were sent, encrypted; and what was returned to its sender."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake import tables
from services.intake.store.inserting import Rows


@dataclass(frozen=True, slots=True)
class Kept:
    """One accepted event. `sealed` is what the partner sent; `sameness` tells whether another submission says the same.

    `about` is the key of what an act, or a correction of one, is about, if a case has several of those; what was accepted
    before that was kept has none.
    """

    event_id: UUID
    receipt_id: UUID
    client: str
    case_key: str
    about: str | None
    type: str
    sameness: bytes
    occurred_at: datetime
    recorded_at: datetime
    wrapped_key: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Returned:
    """A submission by HTTP that could not be accepted."""

    returned_id: UUID
    client: str
    returned_at: datetime
    reason: str
    wrapped_key: bytes
    sealed: bytes


_KEPT: Final = (
    "event_id, receipt_id, client, case_key, about, type, sameness, occurred_at, recorded_at, wrapped_key, sealed"
)
_BY_EVENT: Final = text(f"SELECT {_KEPT} FROM submission WHERE event_id = ANY(CAST(:ids AS uuid[]))")  # noqa: S608 - only our own column names
_OF_CASES: Final = text(
    f"SELECT {_KEPT} FROM submission WHERE case_key = ANY(CAST(:keys AS text[])) ORDER BY recorded_at, event_id"  # noqa: S608
)
_CORRECTIONS: Final = text(
    f"SELECT {_KEPT} FROM submission WHERE case_key = ANY(CAST(:keys AS text[])) AND type = 'fact.corrected.v1'"  # noqa: S608
)
_RECIPIENTS: Final = text("SELECT notice_id, recipient FROM notice WHERE notice_id = ANY(CAST(:ids AS uuid[]))")
_DUTY_HOLDERS: Final = text("""
    SELECT obligation_id, duty_holder FROM obligation WHERE obligation_id = ANY(CAST(:ids AS uuid[]))
""")
_DECIDE: Final = text("""
    UPDATE submission AS s
    SET decided_at = e.decided_at, revision = e.revision, rulebook = e.rulebook, answers_nothing = e.answers_nothing
    FROM early_decision AS e WHERE s.event_id = e.event_id AND e.event_id = ANY(CAST(:ids AS uuid[]))
        AND s.decided_at IS NULL
""")


async def by_event(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Kept]:
    """Return those of these events that are kept."""
    rows = await connection.execute(_BY_EVENT, {"ids": list(ids)})
    return {row.event_id: Kept(**row._mapping) for row in rows}  # noqa: SLF001 - SQLAlchemy's public name for it


async def of_cases(connection: AsyncConnection, case_keys: Collection[str]) -> list[Kept]:
    """Return every event of these cases, in the order in which they were recorded."""
    rows = await connection.execute(_OF_CASES, {"keys": list(case_keys)})
    return [Kept(**row._mapping) for row in rows]  # noqa: SLF001


async def corrections(connection: AsyncConnection, case_keys: Collection[str]) -> list[Kept]:
    """Return the corrections of these cases, of whatever they correct."""
    if not case_keys:
        return []
    rows = await connection.execute(_CORRECTIONS, {"keys": list(case_keys)})
    return [Kept(**row._mapping) for row in rows]  # noqa: SLF001


async def recipients(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return to whom each of these notices is addressed, as far as routing has told."""
    if not ids:
        return {}
    return {row.notice_id: row.recipient for row in await connection.execute(_RECIPIENTS, {"ids": list(ids)})}


async def duty_holders(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return whose each of these duties is, as far as routing has told."""
    if not ids:
        return {}
    return {row.obligation_id: row.duty_holder for row in await connection.execute(_DUTY_HOLDERS, {"ids": list(ids)})}


def added(kept: Sequence[Kept]) -> Rows:
    """Return the rows of accepted events."""
    names = Kept.__slots__  # asdict would copy deeply
    return Rows(tables.submission, [{name: getattr(one, name) for name in names} for one in kept])


async def recall_decisions(connection: AsyncConnection, published: Collection[UUID]) -> None:
    """Take those of these events that were decided before a restore, and are kept again, for decided."""
    if published:
        await connection.execute(_DECIDE, {"ids": list(published)})


async def add_returned(connection: AsyncConnection, returned: Returned) -> None:
    """Keep what could not be accepted."""
    await connection.execute(insert(tables.returned), asdict(returned))
