"""Reads for the API and the pages: a case as it stood at any time, the list of cases, deliveries.

What begins with a reach reads only the cases within it, and `put` only what was asked of whoever it is; what takes case keys
trusts them, so they come from `linked`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.reach import Reach, read_for, readable

# A case that may not be read is as one that is not there: nothing is reached through it either.
_LINKED: Final = text(f"""
    WITH RECURSIVE reached(case_key) AS (
        SELECT CAST(:case_key AS text)
        UNION
        SELECT l.linked_case_key FROM reached r JOIN routing.case_link l USING (case_key)
        WHERE l.recorded_at <= :as_of AND {readable("l.linked_case_key")}
    )
    SELECT case_key FROM reached ORDER BY case_key
""")  # noqa: S608 (the condition is a constant; here and below)
_DECISION: Final = text(f"""
    SELECT * FROM routing.decision
    WHERE case_key = :case_key AND decided_at <= :as_of AND {readable("decision.case_key")}
    ORDER BY revision DESC LIMIT 1
""")  # noqa: S608
_OBLIGATIONS: Final = text("""
    SELECT o.*, h.state AS state_then, h.reason AS reason_then
    FROM routing.obligation o
    JOIN LATERAL (
        SELECT state, reason FROM routing.obligation_history
        WHERE obligation_id = o.obligation_id AND changed_at <= :as_of ORDER BY seq DESC LIMIT 1
    ) h ON true
    WHERE o.case_key = ANY(:keys)
    ORDER BY o.rule, o.position, o.subject, o.duty_holder
""")
# The dates and the release that an obligation had then; a state that was only closed keeps the last ones.
_TERMS: Final = text("""
    SELECT DISTINCT ON (obligation_id) obligation_id, due_on, released FROM routing.obligation_history
    WHERE obligation_id = ANY(:ids) AND changed_at <= :as_of AND state = 'open' ORDER BY obligation_id, seq DESC
""")
# (What an attempt came to that had begun before a notice was held, withdrawn, superseded or accepted is not why it is so.)
_NOTICES: Final = text("""
    SELECT d.*, h.state AS state_then, h.reason AS reason_then, h.at AS at_then, tries.attempts AS attempts_then,
        tries.reference AS reference_then
    FROM routing.delivery d
    JOIN LATERAL (
        SELECT state, reason, at FROM routing.delivery_history
        WHERE delivery_id = d.delivery_id AND at <= :as_of
            AND (attempt IS NULL OR state NOT IN ('awaiting_release', 'withdrawn', 'superseded', 'accepted'))
        ORDER BY seq DESC LIMIT 1
    ) h ON true
    JOIN LATERAL (
        SELECT count(attempt) AS attempts, max(reference) AS reference FROM routing.delivery_history
        WHERE delivery_id = d.delivery_id AND at <= :as_of
    ) tries ON true
    WHERE d.case_key = ANY(:keys) AND d.kind = 'notice' ORDER BY d.seq
""")
_MIGRATIONS: Final = text("""
    SELECT * FROM routing.rulebook_migration WHERE case_key = ANY(:keys) AND migrated_at <= :as_of
    ORDER BY migrated_at, case_key
""")
_QUESTIONS: Final = text("""
    SELECT * FROM routing.question
    WHERE case_key = ANY(:keys) AND opened_at <= :as_of AND (closed_at IS NULL OR closed_at > :as_of)
    ORDER BY opened_at, question_id
""")
# Whoever is asked reads the question, also where it is no party to the case (docs/decisions/0005).
_PUT: Final = text(f"""
    SELECT * FROM routing.question
    WHERE case_key = :case_key AND opened_at <= :as_of AND {read_for("opened ->> 'of_whom'")}
    ORDER BY opened_at, question_id
""")  # noqa: S608
_ASKED: Final = text("""
    SELECT case_key, opened ->> 'of_whom' AS of_whom FROM routing.question
    WHERE case_key = ANY(:keys) AND state = 'open' AND opened ->> 'fact' = :fact
""")
_FACTS: Final = text("SELECT * FROM routing.fact WHERE case_key = ANY(:keys) AND recorded_at <= :as_of")
_HAPPENINGS: Final = text("SELECT * FROM routing.happening WHERE case_key = ANY(:keys) AND recorded_at <= :as_of")
_CASES: Final = text(f"""
    SELECT latest.case_key, latest.decided_at, latest.revision,
        (SELECT count(*) FROM routing.obligation o WHERE o.case_key = latest.case_key AND o.state = 'open')
            AS open_obligations,
        (SELECT count(*) FROM routing.question q WHERE q.case_key = latest.case_key AND q.state = 'open')
            AS open_questions
    FROM (
        SELECT DISTINCT ON (case_key) case_key, decided_at, revision FROM routing.decision
        WHERE case_key LIKE :prefix AND {readable("decision.case_key")} ORDER BY case_key, revision DESC
    ) latest
    WHERE CAST(:decided_at AS timestamptz) IS NULL
        OR latest.decided_at < :decided_at OR (latest.decided_at = :decided_at AND latest.case_key > :case_key)
    ORDER BY latest.decided_at DESC, latest.case_key LIMIT :most
""")  # noqa: S608
# Each case in which one of some facts was stated, with those that are linked to it: a set comes once for each such case.
_STATED_IN: Final = text(f"""
    WITH RECURSIVE reached(root, case_key) AS (
        SELECT DISTINCT case_key, case_key FROM routing.fact
        WHERE name = ANY(:names) AND {readable("fact.case_key")}
        UNION
        SELECT r.root, l.linked_case_key FROM reached r JOIN routing.case_link l ON l.case_key = r.case_key
        WHERE {readable("l.linked_case_key")}
    )
    SELECT DISTINCT members FROM (
        SELECT array_agg(case_key ORDER BY case_key) AS members FROM reached GROUP BY root
    ) each_set ORDER BY members
""")  # noqa: S608
# Each case in which anything was recorded since a time, with those that are linked to it, each set once; and how many there are.
_RECORDED_SINCE: Final = text(f"""
    WITH RECURSIVE reached(root, case_key) AS (
        SELECT case_key, case_key FROM (
            SELECT case_key FROM routing.fact WHERE recorded_at >= :since
            UNION SELECT case_key FROM routing.happening WHERE recorded_at >= :since
        ) recorded WHERE {readable("recorded.case_key")}
        UNION
        SELECT r.root, l.linked_case_key FROM reached r JOIN routing.case_link l ON l.case_key = r.case_key
        WHERE {readable("l.linked_case_key")}
    ), sets AS (
        SELECT DISTINCT members FROM (
            SELECT array_agg(case_key ORDER BY case_key) AS members FROM reached GROUP BY root
        ) each_set
    )
    SELECT members, (SELECT count(*) FROM sets) AS total FROM sets
    WHERE members[1] > :after ORDER BY members LIMIT :most
""")  # noqa: S608
_FACTS_NAMED: Final = text("SELECT * FROM routing.fact WHERE case_key = ANY(:keys) AND name = ANY(:names)")
_RULEBOOKS: Final = text("""
    SELECT DISTINCT ON (case_key) case_key, rulebook ->> 'version' AS version FROM routing.decision
    WHERE case_key = ANY(:keys) ORDER BY case_key, revision DESC
""")
_DELIVERIES: Final = text(f"""
    SELECT * FROM routing.delivery
    WHERE seq > :after AND (CAST(:state AS text) IS NULL OR state = :state)
        AND (CAST(:recipient AS text) IS NULL OR recipient = :recipient) AND {readable("delivery.case_key")}
    ORDER BY seq LIMIT :most
""")  # noqa: S608


async def linked(connection: AsyncConnection, reach: Reach, case_key: str, as_of: datetime) -> list[str]:
    """Return a case and those linked to it at a time that may be read, sorted."""
    return list(await connection.scalars(_LINKED, {"case_key": case_key, "as_of": as_of, **reach.values}))


async def latest_decision(
    connection: AsyncConnection, reach: Reach, case_key: str, as_of: datetime
) -> RowMapping | None:
    """Return the last decision on a case at a time, none if the case may not be read."""
    asked = {"case_key": case_key, "as_of": as_of, **reach.values}
    return (await connection.execute(_DECISION, asked)).mappings().first()


async def obligations(connection: AsyncConnection, keys: Sequence[str], as_of: datetime) -> list[dict[str, Any]]:
    """Return the obligations of some cases as they stood at a time, in the order of rules."""
    found = [dict(row) for row in (await connection.execute(_OBLIGATIONS, {"keys": keys, "as_of": as_of})).mappings()]
    ids = [row["obligation_id"] for row in found]
    terms = {row.obligation_id: row for row in await connection.execute(_TERMS, {"ids": ids, "as_of": as_of})}
    for row in found:
        then = terms.get(row["obligation_id"])
        if then is not None:
            row["opened"] = {**row["opened"], "due_on": then.due_on, "released": then.released}
    return found


async def notices(connection: AsyncConnection, keys: Sequence[str], as_of: datetime) -> list[RowMapping]:
    """Return the notices of some cases as they stood at a time, the oldest first."""
    return list((await connection.execute(_NOTICES, {"keys": keys, "as_of": as_of})).mappings())


async def questions(connection: AsyncConnection, keys: Sequence[str], as_of: datetime) -> list[RowMapping]:
    """Return the questions that were open at a time, the oldest first."""
    return list((await connection.execute(_QUESTIONS, {"keys": keys, "as_of": as_of})).mappings())


async def put(connection: AsyncConnection, reach: Reach, case_key: str, as_of: datetime) -> list[RowMapping]:
    """Return what those for whom a person reads were asked in a case by a time, whether or not the case may be read."""
    values = {"case_key": case_key, "as_of": as_of, **reach.values}
    return list((await connection.execute(_PUT, values)).mappings())


async def asked(connection: AsyncConnection, keys: Sequence[str], fact: str) -> set[tuple[str, str]]:
    """Return the case and of whom it is asked, of every open question about a fact."""
    return {(row.case_key, row.of_whom) for row in await connection.execute(_ASKED, {"keys": keys, "fact": fact})}


async def migrations(connection: AsyncConnection, keys: Sequence[str], as_of: datetime) -> list[RowMapping]:
    """Return how some cases had been moved to other versions of the rulebook by a time, the oldest first."""
    return list((await connection.execute(_MIGRATIONS, {"keys": keys, "as_of": as_of})).mappings())


async def facts(connection: AsyncConnection, keys: Sequence[str], as_of: datetime) -> list[RowMapping]:
    """Return what had been stated by a time."""
    return list((await connection.execute(_FACTS, {"keys": keys, "as_of": as_of})).mappings())


async def happened(connection: AsyncConnection, keys: Sequence[str], as_of: datetime) -> list[RowMapping]:
    """Return what had been told by a time that may end duties."""
    return list((await connection.execute(_HAPPENINGS, {"keys": keys, "as_of": as_of})).mappings())


@dataclass(frozen=True, slots=True)
class CasePlace:
    """Where a page of cases ended: when its last case was decided last, and its key."""

    decided_at: datetime
    case_key: str


async def cases(
    connection: AsyncConnection, reach: Reach, *, prefix: str = "", after: CasePlace | None = None, most: int
) -> list[RowMapping]:
    """Return the cases that may be read and whose key begins with `prefix` (hexadecimal digits), those decided last first.

    Those up to the place `after` are passed over.
    """
    place = {"decided_at": after and after.decided_at, "case_key": after and after.case_key}
    asked = {"prefix": f"{prefix}%", "most": most, **place, **reach.values}
    return list((await connection.execute(_CASES, asked)).mappings())


async def stated_in(connection: AsyncConnection, reach: Reach, names: Sequence[str]) -> list[list[str]]:
    """Return the sets of linked cases that may be read and in which one of some facts was ever stated, sorted, each once."""
    return list(await connection.scalars(_STATED_IN, {"names": names, **reach.values}))


async def recorded_since(
    connection: AsyncConnection, reach: Reach, since: datetime, *, after: str, most: int
) -> tuple[list[list[str]], int]:
    """Return the next sets of linked cases that may be read and in which anything was recorded since a time, and how many there are.

    Sets are sorted by their keys; those up to the first key `after` are passed over.
    """
    asked = {"since": since, "after": after, "most": most, **reach.values}
    rows = (await connection.execute(_RECORDED_SINCE, asked)).all()
    return [row.members for row in rows], rows[0].total if rows else 0


async def facts_named(connection: AsyncConnection, keys: Sequence[str], names: Sequence[str]) -> list[RowMapping]:
    """Return the statements of some facts in some cases."""
    return list((await connection.execute(_FACTS_NAMED, {"keys": keys, "names": names})).mappings())


async def rulebooks(connection: AsyncConnection, keys: Sequence[str]) -> dict[str, str]:
    """Return the version of the rulebook by which each case was last decided, by case; of an undecided one, nothing."""
    return {row.case_key: row.version for row in await connection.execute(_RULEBOOKS, {"keys": keys})}


async def deliveries(
    connection: AsyncConnection, reach: Reach, state: str | None, recipient: str | None, *, after: int, most: int
) -> list[RowMapping]:
    """Return deliveries of cases that may be read, in a state and to a recipient (None: any), the oldest first.

    Those up to the number `after` are passed over.
    """
    asked = {"state": state, "recipient": recipient, "after": after, "most": most, **reach.values}
    return list((await connection.execute(_DELIVERIES, asked)).mappings())
