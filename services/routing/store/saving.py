"""Writes what a batch brought and what its decisions lead to: whole sets at a time, all tables in one statement.

Rows travel as one JSON document and PostgreSQL gives each value the type of its column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Identity, Table, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.routing import tables
from services.routing.domain.happenings_of import Told
from services.routing.domain.statements import Fact
from services.routing.outcome.gathered import Gathered

# (= ANY: a join that was planned while the table was empty would read all of it.)
_OBLIGATION_STATES: Final = text("""
    UPDATE routing.obligation o
    SET state = r.state, reason = r.reason, superseded_by = r.superseded_by, met_on = r.met_on
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS r(obligation_id uuid, state text, reason text, superseded_by uuid, met_on date)
    WHERE o.obligation_id = ANY(CAST(:ids AS uuid[])) AND o.obligation_id = r.obligation_id
""")
_QUESTION_STATES: Final = text("""
    UPDATE routing.question q SET state = r.state, reason = r.reason, closed_at = r.closed_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(question_id uuid, state text, reason text, closed_at timestamptz)
    WHERE q.question_id = ANY(CAST(:ids AS uuid[])) AND q.question_id = r.question_id
""")
# A person is told anew of what fails once it was held and released again: what they were told then is over.
_DELIVERY_STATES: Final = text("""
    UPDATE routing.delivery d
    SET state = r.state, reason = r.reason, due_since = coalesce(r.due_since, d.due_since), next_at = r.next_at,
        changed_at = r.changed_at, maybe_arrived = d.maybe_arrived OR d.state IN ('sending', 'delivered'),
        person_told = d.person_told AND r.state <> 'due'
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS r(delivery_id uuid, state text, reason text, due_since timestamptz, next_at timestamptz, changed_at timestamptz)
    WHERE d.delivery_id = ANY(CAST(:ids AS uuid[])) AND d.delivery_id = r.delivery_id
""")
# What has never left carries the present date. What has been attempted stays as it was sent: another notice corrects it.
_DELIVERY_DATES: Final = text("""
    UPDATE routing.delivery d
    SET due_by = r.due_by, payload = jsonb_set(d.payload, '{body,due_on}', coalesce(to_jsonb(r.due_on), 'null'))
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(obligation_id uuid, due_on date, due_by timestamptz)
    WHERE d.obligation_id = ANY(CAST(:ids AS uuid[])) AND d.obligation_id = r.obligation_id AND d.kind = 'notice'
      AND d.state IN ('awaiting_release', 'due') AND d.attempts = 0
""")
# Nor does what has never left lack a case that was linked since: a notice may wait long for the decision that releases it.
_DELIVERY_CASES: Final = text("""
    UPDATE routing.delivery d SET payload = jsonb_set(d.payload, '{grant,case_keys}', r.case_keys)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(case_key text, case_keys jsonb)
    WHERE d.case_key = ANY(CAST(:ids AS text[])) AND d.case_key = r.case_key AND d.kind = 'notice'
      AND d.state IN ('awaiting_release', 'due') AND d.attempts = 0 AND d.payload #> '{grant,case_keys}' <> r.case_keys
""")
# What can be sent now does not wait for the next try of what goes before it, of which the waiting begins anew, and of that a
# person is told anew: only its failures are seen, so what they were told then would hide that this fails, too. One that is on
# its way is given the time of what came, by which whoever settles it sees that something did. (IS TRUE and CASE: found by its
# id and by the case, not by what is due.)
_DELIVERY_HEADS: Final = text("""
    UPDATE routing.delivery d SET person_told = false, anew_after = d.attempts,
        next_at = CASE WHEN d.state = 'sending' THEN new.next_at ELSE least(d.next_at, new.next_at) END
    FROM routing.delivery new
    WHERE new.delivery_id = ANY(CAST(:ids AS uuid[])) AND (new.state = 'due') IS TRUE
      AND d.case_key = new.case_key
      AND CASE WHEN d.state IN ('due', 'sending')
            THEN d.recipient = new.recipient AND d.seq < new.seq
                AND (d.person_told OR d.state = 'sending' OR d.next_at > new.next_at OR d.attempts > d.anew_after)
            ELSE false END
""")

# What is open says with which calendar it was counted, also where that gave it the day that it had.
_COUNTED: Final = text("""
    WITH duty AS (
        UPDATE routing.obligation SET opened = jsonb_set(opened, '{calendar}', to_jsonb(CAST(:calendar AS text)))
        WHERE case_key = ANY(CAST(:keys AS text[])) AND state = 'open' AND opened ->> 'calendar' <> :calendar
    )
    UPDATE routing.question SET opened = jsonb_set(opened, '{calendar}', to_jsonb(CAST(:calendar AS text)))
    WHERE case_key = ANY(CAST(:keys AS text[])) AND state = 'open' AND opened ->> 'calendar' <> :calendar
""")


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows for a table, which all have the same keys; on a known primary key a row takes its place, or is left out."""

    table: Table
    rows: Sequence[Mapping[str, Any]]
    replace: bool = False


async def keep(
    connection: AsyncConnection,
    *,
    facts: Iterable[Fact],
    told: Iterable[tuple[str, Told]],
    links: Sequence[Mapping[str, Any]],
    parties: Sequence[Mapping[str, Any]],
) -> None:
    """Append what events say; what is there already stays as it is.

    Args:
        connection: Inside the transaction that decides.
        facts: What was stated.
        told: What may end duties, each under its case.
        links: Links between cases, each in one direction.
        parties: Parties to the cases.
    """
    back = [{**link, "case_key": link["linked_case_key"], "linked_case_key": link["case_key"]} for link in links]
    await _insert(
        connection,
        Rows(tables.fact, [{**_members(fact), "value": _as_text(fact.value)} for fact in facts]),
        Rows(tables.happening, [{**_members(each), "case_key": key} for key, each in told]),
        Rows(tables.case_link, [*links, *back]),
        Rows(tables.case_party, parties),
    )


async def save(connection: AsyncConnection, found: Gathered, parties: Sequence[Mapping[str, Any]]) -> None:
    """Write everything that a batch's decisions lead to, and the parties to the cases."""
    await _update(connection, _DELIVERY_STATES, found.delivery_states, "delivery_id")
    await _update(connection, _DELIVERY_DATES, found.delivery_dates, "obligation_id")
    await _update(connection, _DELIVERY_CASES, found.delivery_cases, "case_key")
    await _insert(
        connection,
        Rows(tables.obligation, found.obligations, replace=True),
        Rows(tables.obligation_history, found.obligation_history),
        Rows(tables.question, found.questions, replace=True),
        Rows(tables.delivery, found.deliveries),
        Rows(tables.delivery_history, found.delivery_history),
        Rows(tables.decision, found.decisions),
        Rows(tables.rulebook_migration, found.migrations),
        Rows(tables.case_party, parties),
    )
    await _update(connection, _OBLIGATION_STATES, found.obligation_states, "obligation_id")
    await _update(connection, _QUESTION_STATES, found.question_states, "question_id")
    followers = [row for row in found.deliveries if row["case_key"] in found.told_before]
    await hurry(connection, [row["delivery_id"] for row in (*followers, *found.delivery_states)])


async def counted(connection: AsyncConnection, keys: Sequence[str], calendar: str) -> None:
    """Keep that what is open in some cases was counted with a calendar."""
    await connection.execute(_COUNTED, {"keys": keys, "calendar": calendar})


async def insert_history(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append to the history of deliveries."""
    await _insert(connection, Rows(tables.delivery_history, rows))


async def hurry(connection: AsyncConnection, ids: Sequence[UUID]) -> None:
    """Let what goes before those of some deliveries that are due be tried as soon as they may be."""
    if ids:
        await connection.execute(_DELIVERY_HEADS, {"ids": ids})


async def _update(connection: AsyncConnection, statement: Any, rows: Sequence[Mapping[str, Any]], key: str) -> None:
    """Write rows; of several for one key the last, where PostgreSQL would take any."""
    if rows:
        last = {row[key]: row for row in rows}
        await connection.execute(statement, {"rows": as_json([*last.values()]), "ids": [*last]})


async def _insert(connection: AsyncConnection, *wanted: Rows) -> None:
    """Insert rows into several tables, which do not refer to each other, with one statement."""
    given = [each for each in wanted if each.rows]
    if not given:
        return
    kinds = tuple(
        (each.table, tuple(sorted({name for row in each.rows for name in row})), each.replace) for each in given
    )
    values = {f"rows_{place}": as_json(each.rows) for place, each in enumerate(given)}
    await connection.execute(_insertion(kinds), values)


@cache
def _insertion(kinds: tuple[tuple[Table, tuple[str, ...], bool], ...]) -> TextClause:
    parts = [_one_insertion(f"rows_{place}", *kind) for place, kind in enumerate(kinds)]
    before = ", ".join(f"part_{place} AS ({part})" for place, part in enumerate(parts[:-1]))
    return text(f"WITH {before} {parts[-1]}" if before else parts[-1])


def _one_insertion(rows: str, table: Table, given: tuple[str, ...], replace: bool) -> str:  # noqa: FBT001 (a part of a key)
    names = ", ".join(f'"{name}"' for name in given)
    keys = [column.name for column in table.primary_key if not isinstance(column.server_default, Identity)]
    conflict = "DO NOTHING"
    if replace:
        changed = ", ".join(f'"{name}" = excluded."{name}"' for name in given if name not in keys)
        conflict = f"({', '.join(keys)}) DO UPDATE SET {changed}"
    return f"""
        INSERT INTO {table.fullname} ({names})
        SELECT {names} FROM jsonb_populate_recordset(NULL::{table.fullname}, CAST(:{rows} AS jsonb))
        ON CONFLICT {conflict}
    """  # noqa: S608 (names of our own tables and columns)


def as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as one JSON document for `jsonb_to_recordset` and its like."""
    return orjson.dumps(rows, default=_uuid).decode()


def _uuid(value: object) -> str:
    """The driver's UUIDs are of a class of their own, which orjson does not know."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"expected a value that JSON can hold, got {type(value).__name__}")


def _members(row: Fact | Told) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}  # asdict would copy deeply


def _as_text(value: str | int | date | None) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, date) else str(value)
