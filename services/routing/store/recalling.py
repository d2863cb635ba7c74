"""Takes what became of notices before the database was restored from a backup for done: nobody is told again.

A notice counts on from the last attempt that was published: under a number that was given before, what comes of an attempt
now would be taken for said already, and a person would never hear of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas import topics
from schemas.deliveries import NoticeAttempted, NoticeDelivered, NoticeDeliveredData
from schemas.messages import parse
from services.kit.restored import published_on
from services.routing.dispatch.settling import about_notice, may_have_arrived
from services.routing.store.saving import as_json

Tried = NoticeDelivered | NoticeAttempted

# Only attempts of which the history has nothing, so that what is taken over twice changes nothing.
_RECALL: Final = text("""
    WITH said AS MATERIALIZED (
        SELECT r.delivery_id, r.at, r.attempt, r.http_status, r.reference, r.reason, r.maybe_arrived,
            CASE WHEN r.reference IS NOT NULL AND d.state IN ('awaiting_release', 'due', 'sending', 'refused') THEN 'delivered'
                WHEN d.state = 'sending' THEN 'due' ELSE d.state END AS state
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(delivery_id uuid, at timestamptz, attempt integer,
            http_status integer, reference text, reason text, maybe_arrived boolean)
        JOIN routing.delivery d ON d.delivery_id = r.delivery_id
        WHERE d.delivery_id = ANY(CAST(:ids AS uuid[])) AND NOT EXISTS (
            SELECT FROM routing.delivery_history h WHERE h.delivery_id = r.delivery_id AND h.attempt = r.attempt)
    ), kept AS (
        INSERT INTO routing.delivery_history (delivery_id, at, state, attempt, http_status, reference, reason)
        SELECT delivery_id, at, state, attempt, http_status, reference, reason FROM said ORDER BY delivery_id, attempt
    ), last AS (
        SELECT delivery_id, max(attempt) AS attempts, bool_or(maybe_arrived) AS maybe_arrived, max(reference) AS reference,
            max(at) FILTER (WHERE reference IS NOT NULL) AS delivered_at, bool_or(state = 'delivered') AS delivered
        FROM said GROUP BY delivery_id
    )
    UPDATE routing.delivery AS d
    SET attempts = greatest(d.attempts, last.attempts), maybe_arrived = d.maybe_arrived OR last.maybe_arrived,
        reference = coalesce(last.reference, d.reference), delivered_at = coalesce(d.delivered_at, last.delivered_at),
        state = CASE WHEN last.delivered THEN 'delivered' ELSE d.state END,
        next_at = CASE WHEN last.delivered THEN NULL ELSE d.next_at END,
        lease_until = CASE WHEN last.delivered THEN NULL ELSE d.lease_until END, changed_at = clock.legal_now()
    FROM last WHERE d.delivery_id = ANY(CAST(:ids AS uuid[])) AND d.delivery_id = last.delivery_id
""")


async def recall(connection: AsyncConnection, tried: Sequence[Tried]) -> None:
    """Take attempts to send notices, of which the database may know nothing, for made: what was delivered is not sent again."""
    if rows := [_row(each) for each in tried if about_notice(each)]:
        await connection.execute(_RECALL, {"rows": as_json(rows), "ids": [row["delivery_id"] for row in rows]})


async def recall_published(connection: AsyncConnection) -> None:
    """Take everything that was tried after the backup for tried, before a restored database is sent from."""
    published: Iterable[Any] = map(parse, await published_on(connection, topics.DELIVERIES))
    await recall(connection, [each for each in published if isinstance(each, Tried)])


def _row(message: Tried) -> dict[str, Any]:
    data = message.data
    about = {"delivery_id": data.notice_id, "at": message.time, "attempt": data.attempt}
    if isinstance(data, NoticeDeliveredData):
        return {**about, "reference": data.reference, "maybe_arrived": True}
    return {**about, "http_status": data.http_status, "reason": data.reason, "maybe_arrived": may_have_arrived(data)}
