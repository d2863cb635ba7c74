"""Delivery rows in PostgreSQL: claimed under a lease, oldest first per recipient and case, and settled with their result.

A claim is one short transaction, a settlement another; between them nothing is held but the lease. The lease has an
epoch, so that a result which comes after its lease was given to somebody else changes nothing. Leases run on the
database's wall clock, the schedule on the legal clock.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.routing.dispatch.grants import VALID_FOR
from services.routing.store.saving import as_json, hurry

LEASE_S: Final = 60  # four times the longest request
RENEW_AFTER: Final = VALID_FOR / 2

# Only the oldest live row of a recipient and case may go; among them, at most as many as its recipient has room for. A notice that was
# withdrawn or superseded while it is on its way still goes before its withdrawal or correction: whoever got them the other
# way round would act on it. One that was held and released while it is on its way waits until that try is over, so that its answer counts.
# A row is as urgent (`due_by`) as the most urgent one that waits behind it. One that changed last at a time which has not
# come yet does not wait: the clock was moved back since. Nor can any have been due for longer than until now.
# Reads what may go now, not what waits: recipients one by one, each one's rows in the order of an index, and asks of each
# whether another goes before it (a count, so that it is asked row by row until there are enough). What stands in (..) IS TRUE is
# checked in the rows, so that the index on the other column finds them. What was found is taken by its ids as an array and
# never joined: a join that was planned while the table was empty would read all of it.
_IS_FIRST: Final = """
    (SELECT count(*) FROM routing.delivery b WHERE b.recipient = d.recipient AND b.case_key = d.case_key
         AND b.seq < d.seq AND b.state IN ('due', 'sending')) = 0
    AND (SELECT count(*) FROM routing.delivery b WHERE b.recipient = d.recipient AND b.case_key = d.case_key
         AND b.seq <= d.seq AND b.lease_until > clock_timestamp()) = 0
"""
_DUE_BY: Final = """
    (SELECT min(live.due_by) FROM routing.delivery live
     WHERE live.case_key = d.case_key AND live.recipient = d.recipient AND live.state IN ('due', 'sending')) AS due_by
"""
_CLAIM: Final = text(
    """
    WITH RECURSIVE recipients AS (
        (SELECT recipient FROM routing.delivery WHERE state IN ('due', 'sending') ORDER BY recipient LIMIT 1)
        UNION ALL
        SELECT (SELECT d.recipient FROM routing.delivery d
                WHERE d.state IN ('due', 'sending') AND d.recipient > r.recipient ORDER BY d.recipient LIMIT 1)
        FROM recipients r WHERE r.recipient IS NOT NULL
    ), ready AS (
        SELECT head.* FROM (
            SELECT recipient, coalesce(CAST(CAST(:rooms AS jsonb) ->> recipient AS integer), :cap) AS room
            FROM recipients WHERE recipient IS NOT NULL
        ) r CROSS JOIN LATERAL (
            (SELECT delivery_id, next_at, seq FROM routing.delivery d
             WHERE recipient = r.recipient AND state = 'due' AND next_at <= :now AND {is_first}
             ORDER BY next_at, seq LIMIT r.room)
            UNION ALL
            (SELECT delivery_id, next_at, seq FROM routing.delivery d
             WHERE state = 'due' AND changed_at > :now AND (recipient = r.recipient AND next_at > :now) IS TRUE AND {is_first}
             ORDER BY next_at, seq LIMIT r.room)
            UNION ALL
            (SELECT delivery_id, next_at, seq FROM routing.delivery d
             WHERE state = 'sending' AND (recipient = r.recipient) IS TRUE AND lease_until < clock_timestamp() AND {is_first})
            ORDER BY next_at, seq LIMIT r.room
        ) head
    ), chosen AS (
        SELECT delivery_id FROM routing.delivery WHERE delivery_id = ANY(ARRAY(SELECT delivery_id FROM ready))
        ORDER BY next_at, seq LIMIT :most FOR UPDATE SKIP LOCKED
    )
    UPDATE routing.delivery d
    SET state = 'sending', attempts = d.attempts + 1, lease_epoch = d.lease_epoch + 1,
        maybe_arrived = d.maybe_arrived OR d.lease_until IS NOT NULL, due_since = least(d.due_since, :now),
        granted_at = CASE WHEN d.granted_at > clock_timestamp() - make_interval(days => :renew_days)
            THEN d.granted_at ELSE clock_timestamp() END,
        lease_until = clock_timestamp() + make_interval(secs => :lease_s)
    WHERE d.delivery_id = ANY(ARRAY(SELECT delivery_id FROM chosen))
      AND CASE WHEN d.state IN ('due', 'sending') THEN coalesce(d.lease_until < clock_timestamp(), true) ELSE false END
    RETURNING d.delivery_id, d.kind, d.notice_id, d.obligation_id, d.case_key, d.rule, d.recipient, d.profile, d.revision,
        d.attempts AS attempt, d.attempts - d.anew_after AS nth, d.lease_epoch, d.next_at, d.due_since, d.person_told,
        d.granted_at, d.payload,
        {due_by},
        (SELECT jsonb_build_object('rule', o.rule, 'position', o.position, 'duty_holder', o.duty_holder, 'subject', o.subject)
         FROM routing.obligation o WHERE o.obligation_id = d.obligation_id) AS obligation
""".replace("{is_first}", _IS_FIRST).replace("{due_by}", _DUE_BY)
)
_URGENCY: Final = text(
    """
    SELECT d.delivery_id, d.next_at, d.due_since, d.person_told, {due_by}
    FROM routing.delivery d WHERE d.delivery_id = ANY(CAST(:ids AS uuid[]))
""".replace("{due_by}", _DUE_BY)
)
_STATED: Final = text("""
    SELECT d.delivery_id,
        (SELECT coalesce(jsonb_agg(to_jsonb(f) ORDER BY f.occurred_at, f.recorded_at, f.event_id), '[]')
         FROM routing.fact f WHERE f.name = ANY(CAST(:facts AS text[]))
           AND f.case_key = ANY(ARRAY(SELECT jsonb_array_elements_text(d.payload #> '{grant,case_keys}')))) AS statements
    FROM routing.delivery d WHERE d.delivery_id = ANY(CAST(:ids AS uuid[]))
""")
# A notice that was withdrawn, superseded or accepted while it was on its way stays so; that it arrived is kept all the same, and so is
# why it is so. One that must wait again has arrived if it was taken, and is not tried again if it was not. Of one
# that was held and released again meanwhile, or behind which another waits since, a person is told anew: being told before
# is no news, so it does not count twice.
_SETTLE: Final = text("""
    UPDATE routing.delivery d
    SET state = CASE WHEN d.state = 'sending' OR (d.state IN ('awaiting_release', 'due') AND r.state = 'delivered')
            THEN r.state ELSE d.state END,
        next_at = CASE WHEN d.state = 'sending' THEN r.next_at ELSE d.next_at END,
        changed_at = :now, reason = CASE WHEN d.state IN ('awaiting_release', 'withdrawn', 'superseded', 'accepted')
            THEN d.reason ELSE coalesce(r.reason, d.reason) END,
        reference = coalesce(r.reference, d.reference),
        delivered_at = CASE WHEN r.reference IS NULL THEN d.delivered_at ELSE coalesce(d.delivered_at, :now) END,
        person_told = d.person_told OR (r.person_told AND d.state IN ('sending', r.state)),
        maybe_arrived = d.maybe_arrived OR r.maybe_arrived, lease_until = NULL
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(delivery_id uuid, lease_epoch integer, state text,
        next_at timestamptz, reason text, reference text, person_told boolean, maybe_arrived boolean)
    WHERE d.delivery_id = ANY(CAST(:ids AS uuid[])) AND d.delivery_id = r.delivery_id AND d.lease_epoch = r.lease_epoch AND d.lease_until IS NOT NULL
    RETURNING d.delivery_id, d.lease_epoch, d.state
""")
_REDRIVE: Final = text("""
    UPDATE routing.delivery
    SET state = 'due', next_at = :now, changed_at = :now, due_since = coalesce(due_since, :now), person_told = false,
        anew_after = attempts
    WHERE delivery_id = ANY(CAST(:ids AS uuid[])) AND state IN ('due', 'refused')
    RETURNING delivery_id
""")
_REFUSED_FOR: Final = text("""
    SELECT delivery_id, case_key FROM routing.delivery
    WHERE state = 'refused' AND reason = :reason AND recipient = ANY(CAST(:recipients AS text[])) ORDER BY seq LIMIT :most
""")
_CASE: Final = text("SELECT case_key FROM routing.delivery WHERE delivery_id = :delivery_id")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this process may send now. `attempt` counts from 1, `nth` so since its waiting began anew.

    `granted_at`: when its grant begins (wall clock); the same at every attempt, so that a repeat is the same bytes, until
    half of the grant's time is over. `next_at`: when it was to go. What comes to wait behind it sets another time in its row;
    it is `hurried` once that was seen, and goes on as soon as may be if it fails. `obligation` and `statements` are for the
    guard: rows as they are stored, the statements oldest first.
    """

    delivery_id: UUID
    kind: Literal["notice", "withdrawal"]
    notice_id: UUID
    obligation_id: UUID
    case_key: str
    rule: str
    recipient: str
    profile: str
    revision: int
    attempt: int
    nth: int
    lease_epoch: int
    next_at: datetime | None
    due_by: datetime | None
    due_since: datetime
    person_told: bool
    granted_at: datetime
    payload: dict[str, Any]
    obligation: dict[str, Any] | None
    statements: list[dict[str, Any]] = field(default_factory=list)
    hurried: bool = False


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


async def claim(
    connection: AsyncConnection, now: datetime, *, most: int, cap: int, rooms: Mapping[str, int]
) -> list[Claimed]:
    """Take the deliveries that are due at `now` (legal clock): for each recipient as many as its room in `rooms`, else `cap`."""
    limits = {
        "now": now,
        "most": most,
        "cap": cap,
        "rooms": orjson.dumps(rooms).decode(),
        "lease_s": LEASE_S,
        "renew_days": RENEW_AFTER.days,
    }
    found = await connection.execute(_CLAIM, limits)
    return [Claimed(**row) for row in found.mappings()]


async def stated(connection: AsyncConnection, claimed: Sequence[Claimed], facts: Sequence[str]) -> list[Claimed]:
    """Return what was claimed, each with what was stated in its cases about `facts`."""
    found = await connection.execute(_STATED, {"ids": [each.delivery_id for each in claimed], "facts": list(facts)})
    statements = {row.delivery_id: row.statements for row in found}
    return [replace(each, statements=statements[each.delivery_id]) for each in claimed]


async def as_urgent(connection: AsyncConnection, claimed: Sequence[Claimed]) -> list[Claimed]:
    """Return what was claimed, in order, as urgent as it is now: since then something may have come to wait behind it.

    Their cases are held, so that nothing more comes until what follows from this stands.
    """
    found = await connection.execute(_URGENCY, {"ids": [each.delivery_id for each in claimed]})
    now = {row["delivery_id"]: row for row in found.mappings()}
    return [
        replace(
            each,
            due_by=row["due_by"],
            due_since=row["due_since"],
            person_told=row["person_told"],
            hurried=row["next_at"] != each.next_at,
        )
        if (row := now.get(each.delivery_id))
        else each
        for each in claimed
    ]


async def settle(connection: AsyncConnection, settled: Sequence[Settled], now: datetime) -> dict[tuple[UUID, int], str]:
    """Write what attempts led to; return the state of each row whose lease was still ours, by its id and the lease's epoch."""
    rows = [
        {
            "delivery_id": each.claimed.delivery_id,
            "lease_epoch": each.claimed.lease_epoch,
            "state": each.state,
            "next_at": each.next_at,
            "reason": each.reason,
            "reference": each.reference,
            "person_told": each.person_told and not each.claimed.person_told,
            "maybe_arrived": each.maybe_arrived,
        }
        for each in settled
    ]
    values = {"rows": as_json(rows), "ids": [row["delivery_id"] for row in rows], "now": now}
    found = await connection.execute(_SETTLE, values)
    return {(row.delivery_id, row.lease_epoch): row.state for row in found}


async def case_of(connection: AsyncConnection, delivery_id: UUID) -> str | None:
    """Return the case of a delivery, if there is such a one."""
    found: str | None = await connection.scalar(_CASE, {"delivery_id": delivery_id})
    return found


async def refused_for(
    connection: AsyncConnection, reason: str, recipients: Collection[str], *, most: int
) -> dict[UUID, str]:
    """Return deliveries to some recipients that were refused for a reason, each with its case, the oldest first."""
    asked = {"reason": reason, "recipients": sorted(recipients), "most": most}
    return {row.delivery_id: row.case_key for row in await connection.execute(_REFUSED_FOR, asked)}


async def redrive(connection: AsyncConnection, ids: Collection[UUID], now: datetime) -> list[UUID]:
    """Make deliveries due at once, and what goes before them; return those that waited or were refused, which alone can be."""
    due = list(await connection.scalars(_REDRIVE, {"ids": list(ids), "now": now}))
    await hurry(connection, due)
    return due


def redriven(delivery_id: UUID, now: datetime, reason: str, by: str | None = None) -> dict[str, Any]:
    """Return the row that remembers a redrive; `by`: the person who asked for it, if one did."""
    return {"delivery_id": delivery_id, "at": now, "state": "due", "reason": f"redriven: {reason}", "by": by}
