"""Alerts in PostgreSQL: open ones (neither acknowledged nor closed) through a partial index, the rest as evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, RowMapping, Text, and_, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deadlines.domain.alert import Alert
from services.deadlines.store.duties import READABLE
from services.deadlines.tables import alert as table
from services.deadlines.tables import among
from services.kit.outbox import decided_again
from services.kit.reach import Reach, read_for, readable

_ADD: Final = text(
    """
    INSERT INTO deadlines.alert
    SELECT * FROM jsonb_populate_recordset(NULL::deadlines.alert, CAST(:rows AS jsonb))
    ON CONFLICT DO NOTHING RETURNING alert_id
    """
)
# An alert about no case is for those who read every case. One about a question is also for whoever is asked, and a digest for
# its holder, whose all its duties are: it tells others how many there are in cases of which they know nothing. (One of before
# its duties were kept names a partnership, and stays with those who read every case.)
_READABLE: Final = f"""({readable("alert.case_key")} OR EXISTS (
    SELECT FROM deadlines.duty
    WHERE duty.duty_id = CASE WHEN alert.reference ~ '^[0-9a-f-]{{36}}$' THEN CAST(alert.reference AS uuid) END
        AND {READABLE}
) OR alert.duties <> '{{}}' AND {read_for("alert.reference")})"""
# Held first, in an order: two cases of which each has duties in two digests would wait for each other.
_LEAVE_DIGESTS: Final = text(
    """
    WITH held AS (
        SELECT alert_id FROM deadlines.alert
        WHERE kind = 'deadline.digest' AND acknowledged_at IS NULL AND closed_at IS NULL
            AND duties && CAST(:ids AS uuid[])
        ORDER BY alert_id FOR UPDATE
    )
    UPDATE deadlines.alert
    SET duties = ARRAY(SELECT one FROM unnest(duties) AS one WHERE one <> ALL(CAST(:ids AS uuid[]))),
        closed_at = CASE WHEN duties <@ CAST(:ids AS uuid[]) THEN CAST(:now AS timestamptz) END,
        closed_because = CASE WHEN duties <@ CAST(:ids AS uuid[]) THEN :because END
    FROM held WHERE alert.alert_id = held.alert_id
    """
)
_SINCE_THEN: Final = text(
    """
    UPDATE deadlines.alert SET since_then = given.says
    FROM unnest(CAST(:references AS text[]), CAST(:says AS text[])) AS given (reference, says)
    WHERE alert.reference = given.reference AND alert.severity = 'breach'
        AND alert.acknowledged_at IS NULL AND alert.closed_at IS NULL
    """
)
_OPEN: Final = (table.c.acknowledged_at.is_(None), table.c.closed_at.is_(None))
_IS_WARNING: Final = table.c.severity == "warning"


@dataclass(frozen=True, slots=True)
class AlertPlace:
    """Where a page of alerts ended: whether its last alert is a warning, when that was raised, and its id."""

    is_warning: bool
    raised_at: datetime
    alert_id: UUID


async def add(connection: AsyncConnection, alerts: Iterable[Alert]) -> list[Alert]:
    """Insert alerts; return those that were new, in the order given."""
    given = list(alerts)
    if not given:
        return []
    rows = [
        {**_members(alert), "alert_id": str(alert.alert_id), "duties": list(map(str, alert.duties))} for alert in given
    ]
    new = set(await connection.scalars(_ADD, {"rows": orjson.dumps(rows).decode()}))
    return [alert for alert in given if alert.alert_id in new]


async def close(
    connection: AsyncConnection,
    references: Collection[str],
    because: str,
    now: datetime,
    *,
    severities: Sequence[str] = ("warning", "fault"),
) -> None:
    """Close the open alerts about some duties or notices; a breach stays open until a person acknowledges it."""
    if not references:
        return
    await connection.execute(
        update(table)
        .where(table.c.reference == among(references, Text), table.c.severity.in_(severities), *_OPEN)
        .values(closed_at=now, closed_because=because)
    )


async def leave_digests(connection: AsyncConnection, duty_ids: Collection[UUID], because: str, now: datetime) -> None:
    """Take duties out of the open digests that stand for them; one that stands for none any more is closed."""
    if duty_ids:
        values = {"ids": list(duty_ids), "because": because, "now": now}
        await connection.execute(_LEAVE_DIGESTS, values)


async def tell_since(connection: AsyncConnection, says: Mapping[str, str]) -> None:
    """Say beside the open breaches of some duties what has become of those since; the last that is said stands."""
    if says:
        await connection.execute(_SINCE_THEN, {"references": [*says], "says": [*says.values()]})


async def acknowledge(connection: AsyncConnection, alert_id: UUID, *, by: str, name: str, now: datetime) -> bool:
    """Record who took an alert on; False when somebody had done so before (the first stands)."""
    done = await connection.execute(
        update(table)
        .where(table.c.alert_id == alert_id, table.c.acknowledged_at.is_(None))
        .values(acknowledged_at=now, acknowledged_by=by, acknowledged_name=name)
    )
    if done.rowcount != 1:
        return False
    await decided_again(connection, "alert.acknowledged.v1", alert_id=alert_id)
    return True


async def get(connection: AsyncConnection, reach: Reach, alert_id: UUID) -> Alert | None:
    """Return one alert, whatever became of it; none if it may not be read."""
    query = select(table).where(table.c.alert_id == alert_id, reach.bound(_READABLE))
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else _from_row(row)


async def find(
    connection: AsyncConnection,
    reach: Reach,
    *,
    acknowledged_since: datetime | None = None,
    limit: int | None = None,
    after: AlertPlace | None = None,
) -> list[Alert]:
    """Return the open alerts or, given an instant, those acknowledged since; breaches and faults first, then newest."""
    query = select(table).where(*_among(acknowledged_since))
    if after is not None:
        later = and_(table.c.raised_at == after.raised_at, table.c.alert_id > after.alert_id)
        behind = or_(table.c.raised_at < after.raised_at, later)
        query = query.where(and_(_IS_WARNING, behind) if after.is_warning else or_(_IS_WARNING, behind))
    order = (_IS_WARNING, table.c.raised_at.desc(), table.c.alert_id)
    rows = await connection.execute(query.where(reach.bound(_READABLE)).order_by(*order).limit(limit))
    return [_from_row(row) for row in rows.mappings()]


async def count(connection: AsyncConnection, reach: Reach, *, acknowledged_since: datetime | None = None) -> int:
    """Return how many there are of those that `find` returns page by page."""
    query = select(func.count()).select_from(table).where(*_among(acknowledged_since), reach.bound(_READABLE))
    return (await connection.execute(query)).scalar_one()


def _among(acknowledged_since: datetime | None) -> tuple[ColumnElement[bool], ...]:
    return _OPEN if acknowledged_since is None else (table.c.acknowledged_at >= acknowledged_since,)


def _members(alert: Alert) -> dict[str, Any]:
    return {name: getattr(alert, name) for name in Alert.__slots__}  # asdict would copy deeply


def _from_row(row: RowMapping) -> Alert:
    return Alert(**{**row, "since_then": row["since_then"] or "", "duties": tuple(row["duties"] or ())})
