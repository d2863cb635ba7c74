"""Delivery rows in PostgreSQL: claimed under a lease, oldest first per recipient and case, and settled with their result.

A claim is one short transaction, a settlement another; between them nothing is held but the lease. The lease has an
epoch, so that a result which comes after its lease was given to somebody else changes nothing. Leases run on the
database's wall clock, the schedule on the legal clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.routing.dispatch.grants import VALID_FOR
from services.routing.dispatch.schedule import LONGEST_RETRY_AFTER_S
from services.routing.store.saving import as_json

LEASE_S: Final = 60  # four times the longest request
RENEW_AFTER: Final = VALID_FOR / 2

# Only the oldest live row of a recipient and case may go; among them, at most `cap` for each recipient. A notice that was
# withdrawn while it is on its way still goes before its withdrawal: whoever got them the other way round would act on it.
# A row is as urgent as the most urgent one that waits behind it.
# `next_at` was counted by a legal clock that may have been wrong and put right since: a first attempt never has to wait,
# and what would wait longer than any recipient can ask for goes now.
_CLAIM: Final = text("""
    WITH heads AS (
        SELECT DISTINCT ON (recipient, case_key) delivery_id, recipient, case_key, next_at, seq, state, lease_until,
            attempts = 0 OR next_at <= clock.legal_now()
                OR next_at > clock.legal_now() + make_interval(secs => :longest_s) AS may_go
        FROM routing.delivery WHERE state IN ('due', 'sending') AND recipient <> ALL(CAST(:closed AS text[]))
        ORDER BY recipient, case_key, seq
    ), ready AS (
        SELECT delivery_id, next_at, seq, row_number() OVER (PARTITION BY recipient ORDER BY next_at, seq) AS place
        FROM heads
        WHERE ((state = 'due' AND may_go)
            OR (state = 'sending' AND lease_until < clock_timestamp()))
          AND NOT EXISTS (
            SELECT 1 FROM routing.delivery before
            WHERE before.case_key = heads.case_key AND before.recipient = heads.recipient
              AND before.seq < heads.seq AND before.lease_until > clock_timestamp())
    ), chosen AS (
        SELECT d.delivery_id FROM routing.delivery d JOIN ready r USING (delivery_id)
        WHERE r.place <= :cap AND d.state IN ('due', 'sending')
        ORDER BY r.next_at, r.seq LIMIT :most FOR UPDATE OF d SKIP LOCKED
    )
    UPDATE routing.delivery d
    SET state = 'sending', attempts = d.attempts + 1, lease_epoch = d.lease_epoch + 1,
        maybe_arrived = d.maybe_arrived OR d.state = 'sending',
        granted_at = CASE WHEN d.granted_at > clock_timestamp() - make_interval(days => :renew_days)
            THEN d.granted_at ELSE clock_timestamp() END,
        lease_until = clock_timestamp() + make_interval(secs => :lease_s)
    FROM chosen WHERE d.delivery_id = chosen.delivery_id
      AND (d.state = 'due' OR d.lease_until < clock_timestamp())
    RETURNING d.delivery_id, d.kind, d.notice_id, d.obligation_id, d.case_key, d.rule, d.recipient, d.profile,
        d.revision, d.attempts AS attempt, d.lease_epoch, d.due_since, d.person_told, d.granted_at, d.payload,
        (SELECT min(live.due_by) FROM routing.delivery live
         WHERE live.case_key = d.case_key AND live.recipient = d.recipient AND live.state IN ('due', 'sending')) AS due_by
""")
# A notice that was withdrawn or accepted while it was on its way stays so; that it arrived is kept all the same. One that
# must wait again has arrived if it was taken, and is not tried again if it was not.
_SETTLE: Final = text("""
    UPDATE routing.delivery d
    SET state = CASE WHEN d.state = 'sending' OR (d.state IN ('awaiting_release', 'due') AND r.state = 'delivered')
            THEN r.state ELSE d.state END,
        next_at = CASE WHEN d.state = 'sending' THEN r.next_at ELSE d.next_at END,
        reason = coalesce(r.reason, d.reason), reference = coalesce(r.reference, d.reference),
        delivered_at = CASE WHEN r.reference IS NULL THEN d.delivered_at ELSE coalesce(d.delivered_at, :now) END,
        person_told = d.person_told OR r.person_told, maybe_arrived = d.maybe_arrived OR r.maybe_arrived,
        lease_until = NULL
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(delivery_id uuid, lease_epoch integer, state text,
        next_at timestamptz, reason text, reference text, person_told boolean, maybe_arrived boolean)
    WHERE d.delivery_id = r.delivery_id AND d.lease_epoch = r.lease_epoch AND d.lease_until IS NOT NULL
    RETURNING d.delivery_id, d.state
""")
_REDRIVE: Final = text("""
    UPDATE routing.delivery
    SET state = 'due', next_at = :now, due_since = coalesce(due_since, :now), person_told = false
    WHERE delivery_id = :delivery_id AND state IN ('due', 'refused')
    RETURNING delivery_id
""")
_CASE: Final = text("SELECT case_key FROM routing.delivery WHERE delivery_id = :delivery_id")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this process may send now. `attempt` counts from 1.

    `granted_at`: when its grant begins (wall clock); the same at every attempt, so that a repeat is the same bytes, until
    half of the grant's time is over.
    """

    delivery_id: UUID
    kind: str
    notice_id: UUID
    obligation_id: UUID
    case_key: str
    rule: str
    recipient: str
    profile: str
    revision: int
    attempt: int
    lease_epoch: int
    due_by: datetime | None
    due_since: datetime
    person_told: bool
    granted_at: datetime
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Settled:
    """What one attempt leads to: the row's next state (`delivered`, `due` or `refused`) and when it goes on."""

    claimed: Claimed
    state: str
    next_at: datetime | None = None
    reason: str | None = None
    reference: str | None = None
    person_told: bool = False
    maybe_arrived: bool = False


async def claim(connection: AsyncConnection, *, most: int, cap: int, closed: Sequence[str]) -> list[Claimed]:
    """Take the deliveries that are due, leaving out recipients in `closed`; at most `cap` for one recipient."""
    limits = {
        "most": most,
        "cap": cap,
        "closed": list(closed),
        "lease_s": LEASE_S,
        "longest_s": LONGEST_RETRY_AFTER_S,
        "renew_days": RENEW_AFTER.days,
    }
    found = await connection.execute(_CLAIM, limits)
    return [Claimed(**row) for row in found.mappings()]


async def settle(connection: AsyncConnection, settled: Sequence[Settled], now: datetime) -> dict[UUID, str]:
    """Write what attempts led to; return the state of each row whose lease was still ours."""
    rows = [
        {
            "delivery_id": each.claimed.delivery_id,
            "lease_epoch": each.claimed.lease_epoch,
            "state": each.state,
            "next_at": each.next_at,
            "reason": each.reason,
            "reference": each.reference,
            "person_told": each.person_told,
            "maybe_arrived": each.maybe_arrived,
        }
        for each in settled
    ]
    found = await connection.execute(_SETTLE, {"rows": as_json(rows), "now": now})
    return {row.delivery_id: row.state for row in found}


async def case_of(connection: AsyncConnection, delivery_id: UUID) -> str | None:
    """Return the case of a delivery, if there is such a one."""
    found: str | None = await connection.scalar(_CASE, {"delivery_id": delivery_id})
    return found


async def redrive(connection: AsyncConnection, delivery_id: UUID, now: datetime) -> bool:
    """Make a delivery due at once; False if it is not one that waits or was refused."""
    found = await connection.execute(_REDRIVE, {"delivery_id": delivery_id, "now": now})
    return found.first() is not None
