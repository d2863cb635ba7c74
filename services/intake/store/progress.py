"""How far events have come: what routing says on `decisions` and `deliveries`, projected for those who reported.

A client sees what its own reports led to and the duties that are its own: in a linked case, never what another reported.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.domain.progress import LASTING, Changes
from services.kit.restored import published_before

_DECIDED: Final = text("""
    UPDATE submission AS s
    SET decided_at = u.at, revision = u.revision, rulebook = u.rulebook, answers_nothing = u.answers_nothing
    FROM unnest(CAST(:ids AS uuid[]), CAST(:at AS timestamptz[]), CAST(:revision AS int[]), CAST(:rulebook AS text[]),
        CAST(:answers_nothing AS boolean[])) AS u(id, at, revision, rulebook, answers_nothing)
    WHERE s.event_id = u.id
""")
_DECIDED_EARLY: Final = text("""
    INSERT INTO early_decision (event_id, decided_at, revision, rulebook, answers_nothing)
    SELECT u.* FROM unnest(CAST(:ids AS uuid[]), CAST(:at AS timestamptz[]), CAST(:revision AS int[]),
        CAST(:rulebook AS text[]), CAST(:answers_nothing AS boolean[])) AS u(id, at, revision, rulebook, answers_nothing)
    WHERE NOT EXISTS (SELECT FROM submission AS s WHERE s.event_id = u.id)
    ON CONFLICT (event_id) DO UPDATE SET
        decided_at = excluded.decided_at, revision = excluded.revision, rulebook = excluded.rulebook,
        answers_nothing = excluded.answers_nothing
""")
_OPENED: Final = text("""
    INSERT INTO obligation (obligation_id, case_key, cause_id, duty_holder, due_on)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:case_key AS text[]), CAST(:cause AS uuid[]),
        CAST(:duty_holder AS text[]), CAST(:due_on AS date[]))
    ON CONFLICT (obligation_id) DO UPDATE SET due_on = excluded.due_on, duty_holder = excluded.duty_holder
""")
_REDATED: Final = text("""
    UPDATE obligation AS o SET due_on = u.due_on
    FROM unnest(CAST(:ids AS uuid[]), CAST(:due_on AS date[])) AS u(id, due_on) WHERE o.obligation_id = u.id
""")
_ASKED: Final = text("""
    INSERT INTO question (question_id, case_key, cause_id, fact, of_whom, ask, due_on)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:case_key AS text[]), CAST(:cause AS uuid[]),
        CAST(:fact AS text[]), CAST(:of_whom AS text[]), CAST(:ask AS text[]), CAST(:due_on AS date[]))
    ON CONFLICT (question_id) DO UPDATE SET due_on = excluded.due_on
""")
_ANSWERED: Final = text("DELETE FROM question WHERE question_id = ANY(CAST(:ids AS uuid[]))")
# Withdrawn is final, because content is refused on it; accepted and superseded are ended only by what stands after them in
# `LASTING`: an attempt that was on its way then may be told of later.
_RANK: Final = f"array_position(ARRAY{list(LASTING)}, "
_STAYS: Final = f"{_RANK}n.state) >= coalesce({_RANK}excluded.state), 0)"
_NOTICES: Final = text(f"""
    INSERT INTO notice AS n (notice_id, obligation_id, case_key, rule, recipient, state, reference, superseded_by, at)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:obligation AS uuid[]), CAST(:case_key AS text[]),
        CAST(:rule AS text[]), CAST(:recipient AS text[]), CAST(:state AS text[]), CAST(:reference AS text[]),
        CAST(:superseded_by AS uuid[]), CAST(:at AS timestamptz[]))
    ON CONFLICT (notice_id) DO UPDATE SET
        state = CASE WHEN {_STAYS} THEN n.state ELSE excluded.state END,
        at = CASE WHEN {_STAYS} THEN n.at ELSE excluded.at END,
        reference = coalesce(excluded.reference, n.reference),
        superseded_by = coalesce(excluded.superseded_by, n.superseded_by)
""")  # noqa: S608 - only our own text


async def apply(connection: AsyncConnection, changes: Changes) -> None:
    """Store what a batch changes."""
    lost = await published_before(connection, changes.decided) if changes.decided else {}
    for statement, rows in (
        (_DECIDED, changes.decided),
        (_DECIDED_EARLY, {event_id: row for event_id, row in changes.decided.items() if event_id in lost}),
        (_OPENED, changes.opened),
        (_REDATED, {key: {"due_on": due_on} for key, due_on in changes.redated.items()}),
        (_ASKED, changes.asked),
        (_NOTICES, changes.notices),
    ):
        if rows:
            names = next(iter(rows.values()))
            values = {name: [row[name] for row in rows.values()] for name in names}
            await connection.execute(statement, {"ids": list(rows), **values})
    if changes.answered:
        await connection.execute(_ANSWERED, {"ids": list(changes.answered)})


_REACH: Final = """
    WITH RECURSIVE reach(key) AS (
        SELECT CAST(:case_key AS text)
        UNION
        SELECT CASE WHEN l.case_key = r.key THEN l.linked_case_key ELSE l.case_key END
        FROM reach AS r JOIN case_link AS l ON l.case_key = r.key OR l.linked_case_key = r.key
    )
"""

# Notices of a case: those of the client's own case, those that its own events caused, and those that are its own business.
# One that awaits a person's release has told its recipient nothing yet (docs/decisions/0005).
_TOLD: Final = text(
    _REACH  # noqa: S608 - only our own text
    + """
    SELECT n.recipient, n.rule, n.notice_id, n.obligation_id, n.state, n.reference, n.at, o.due_on
    FROM reach AS r JOIN notice AS n ON n.case_key = r.key LEFT JOIN obligation AS o USING (obligation_id)
    WHERE n.case_key = :case_key OR o.duty_holder = ANY(CAST(:own AS text[]))
        OR (n.recipient = ANY(CAST(:own AS text[])) AND n.state <> 'awaiting_release')
        OR EXISTS (SELECT 1 FROM submission AS s WHERE s.event_id = o.cause_id AND s.client = :client)
    ORDER BY o.due_on NULLS LAST, n.rule, n.recipient, n.state = 'superseded', n.at
"""
)
_QUESTIONS: Final = text(
    _REACH  # noqa: S608
    + """
    SELECT q.fact, q.of_whom, q.ask, q.due_on
    FROM reach AS r JOIN question AS q ON q.case_key = r.key
    WHERE q.case_key = :case_key OR q.of_whom = ANY(CAST(:own AS text[]))
        OR EXISTS (SELECT 1 FROM submission AS s WHERE s.event_id = q.cause_id AND s.client = :client)
    ORDER BY q.due_on, q.fact, q.of_whom
"""
)
_RECEIPT: Final = text("""
    SELECT receipt_id, event_id, case_key, type, occurred_at, recorded_at, decided_at, revision, rulebook, answers_nothing
    FROM submission WHERE receipt_id = :receipt_id AND client = :client
""")
_RECEIPTS: Final = text("""
    SELECT receipt_id, event_id, case_key, type, occurred_at, recorded_at, decided_at, revision, rulebook, answers_nothing
    FROM submission
    WHERE client = :client AND (CAST(:at AS timestamptz) IS NULL OR (recorded_at, event_id) < (:at, CAST(:id AS uuid)))
    ORDER BY recorded_at DESC, event_id DESC LIMIT :limit
""")


async def receipt(connection: AsyncConnection, receipt_id: UUID, client: str) -> RowMapping | None:
    """Return a receipt of this client, or nothing: whether another client has it cannot be told."""
    found = await connection.execute(_RECEIPT, {"receipt_id": receipt_id, "client": client})
    return found.mappings().first()


class Place(NamedTuple):
    """Where a page of receipts ends: two may be recorded at one instant."""

    recorded_at: datetime
    event_id: UUID


async def receipts(connection: AsyncConnection, client: str, before: Place | None, limit: int) -> list[RowMapping]:
    """Return a client's receipts before a place (or all), newest first."""
    at, event_id = before or (None, None)
    found = await connection.execute(_RECEIPTS, {"client": client, "at": at, "id": event_id, "limit": limit})
    return list(found.mappings())


async def told(
    connection: AsyncConnection, case_key: str, client: str, own: Collection[str]
) -> tuple[list[RowMapping], list[RowMapping]]:
    """Return the notices and the open questions of a case that this client may see.

    Args:
        connection: For reading.
        case_key: The client's own case.
        client: Its name.
        own: The bodies that it answers for, and those in whose place they stand.
    """
    values = {"case_key": case_key, "client": client, "own": list(own)}
    notices = (await connection.execute(_TOLD, values)).mappings()
    questions = (await connection.execute(_QUESTIONS, values)).mappings()
    return list(notices), list(questions)
