"""The queries of the index: filled from the log, never the other way, and of the gaps in what producers numbered.

Topics are not ordered against each other, so a producer's numbers arrive mixed; `producer_head` holds how far they are
without a gap and `producer_ahead` those that came early. A gap is a number still missing below one that came.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.audit.domain.entry import Indexed

# Take the turn to fill the index; another process that has it does not wait for us, nor we for it.
TAKE_TURN = text("SELECT size, has FROM audit.projection FOR UPDATE SKIP LOCKED")
# What the index has of an entry: raise it with whatever is added. Not the migration empties it, as a process of the release
# before may run on after that, and fill it with less.
HAS = 1
EMPTY = text("DELETE FROM audit.entry_index")
BEGIN = text("UPDATE audit.projection SET size = 0, has = :has")
TAIL = text("""
SELECT e.seq, e.entry, r.payload FROM audit.entry e LEFT JOIN audit.record r ON r.seq = e.seq AND r.seq >= :size
WHERE e.seq >= :size ORDER BY e.seq LIMIT :limit
""")
INDEXED_TO = text("SELECT size FROM audit.projection")

# What a duty's messages say of it together: that it was met or withdrawn is said by its id alone. Topics are not ordered
# against each other, so what is new of a duty is said of its entries that are indexed already, too.
ADD_DUTIES = text("""
WITH said AS (
  INSERT INTO audit.duty AS known (duty_id, rules, recipients)
  SELECT duty_id, rules, recipients FROM jsonb_populate_recordset(NULL::audit.duty, CAST(:rows AS jsonb))
  ON CONFLICT (duty_id) DO UPDATE SET
    rules = ARRAY(SELECT unnest(known.rules) UNION SELECT unnest(excluded.rules)),
    recipients = ARRAY(SELECT unnest(known.recipients) UNION SELECT unnest(excluded.recipients))
  WHERE NOT (known.rules @> excluded.rules AND known.recipients @> excluded.recipients)
  RETURNING duty_id, rules, recipients
)
UPDATE audit.entry_index AS indexed SET
  rules = ARRAY(SELECT unnest(indexed.rules) UNION SELECT unnest(said.rules)),
  recipients = ARRAY(SELECT unnest(indexed.recipients) UNION SELECT unnest(said.recipients))
FROM said WHERE indexed.duty_id = said.duty_id
""")
ADD = text("""
INSERT INTO audit.entry_index
  (seq, kind, type, case_key, linked_case_key, duty_id, producer, producer_seq, rules, recipients, occurred_at, recorded_at)
SELECT come.seq, come.kind, come.type, come.case_key, come.linked_case_key, duty_id, come.producer, come.producer_seq,
       ARRAY(SELECT unnest(come.rules) UNION SELECT unnest(duty.rules)),
       ARRAY(SELECT unnest(come.recipients) UNION SELECT unnest(duty.recipients)),
       come.occurred_at, come.recorded_at
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS come (
  seq bigint, kind text, type text, case_key text, linked_case_key text, duty_id uuid, producer text,
  producer_seq bigint, rules text[], recipients text[], occurred_at timestamptz, recorded_at timestamptz
) LEFT JOIN audit.duty USING (duty_id)
""")
MOVE = text("UPDATE audit.projection SET size = :size")

# Move each head over the numbers that came and follow it without a gap; note the others, then move each head over those
# that were noted and now follow it. Most numbers follow at once and are never noted.
COME = (
    "SELECT DISTINCT * FROM unnest(CAST(:producers AS text[]), CAST(:seqs AS bigint[])) AS t (producer, producer_seq)"
)
FOLLOW_ON = text(f"""
INSERT INTO audit.producer_head (producer, contiguous)
SELECT producer, coalesce(max(producer_seq) FILTER (WHERE producer_seq = contiguous + place), contiguous) FROM (
  SELECT producer, producer_seq, coalesce(contiguous, 0) AS contiguous,
         row_number() OVER (PARTITION BY producer ORDER BY producer_seq) AS place
  FROM ({COME}) come LEFT JOIN audit.producer_head USING (producer) WHERE producer_seq > coalesce(contiguous, 0)
) numbered GROUP BY producer, contiguous
ON CONFLICT (producer) DO UPDATE SET contiguous = excluded.contiguous
""")  # noqa: S608 - a constant
NOTE_NUMBERS = text(f"""
INSERT INTO audit.producer_ahead (producer, producer_seq, seen_at)
SELECT producer, producer_seq, CAST(:seen_at AS timestamptz)
FROM ({COME}) come JOIN audit.producer_head USING (producer) WHERE producer_seq > contiguous
ON CONFLICT DO NOTHING
""")  # noqa: S608
MOVE_HEADS = text("""
UPDATE audit.producer_head h SET contiguous = run.last
FROM (
  SELECT producer, max(producer_seq) AS last FROM (
    SELECT a.producer, a.producer_seq, h.contiguous,
           row_number() OVER (PARTITION BY a.producer ORDER BY a.producer_seq) AS place
    FROM audit.producer_ahead a JOIN audit.producer_head h USING (producer)
    WHERE a.producer_seq > h.contiguous
  ) numbered WHERE producer_seq = contiguous + place GROUP BY producer
) run WHERE h.producer = run.producer
""")
FORGET_NUMBERS = text("""
DELETE FROM audit.producer_ahead a USING audit.producer_head h
WHERE a.producer = h.producer AND a.producer_seq <= h.contiguous
""")

# Every run of missing numbers, and since when a number behind it has been waiting.
GAPS = text("""
SELECT producer, before + 1 AS first_missing, producer_seq - 1 AS last_missing, seen_at AS since FROM (
  SELECT a.producer, a.producer_seq, a.seen_at,
         coalesce(lag(a.producer_seq) OVER (PARTITION BY a.producer ORDER BY a.producer_seq), h.contiguous) AS before
  FROM audit.producer_ahead a JOIN audit.producer_head h USING (producer)
) waiting WHERE producer_seq > before + 1 ORDER BY producer, first_missing
""")


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers of a producer, both included, that have not come although a later one has, `since` then."""

    producer: str
    first_missing: int
    last_missing: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Unindexed:
    """An entry that is not in the index yet, and the record kept beside it, if any."""

    seq: int
    entry: bytes
    payload: bytes | None


async def tail(connection: AsyncConnection, limit: int) -> list[Unindexed]:
    """Return the entries of the log that follow on the index; none if another process is filling it."""
    turn = (await connection.execute(TAKE_TURN)).one_or_none()
    if turn is None:
        return []
    size = turn.size
    if turn.has < HAS:
        await connection.execute(EMPTY)
        await connection.execute(BEGIN, {"has": HAS})
        size = 0
    return [Unindexed(*row) for row in await connection.execute(TAIL, {"size": size, "limit": limit})]


async def add(connection: AsyncConnection, rows: Sequence[tuple[int, Indexed]], seen_at: datetime) -> None:
    """Index entries, move the end of the index behind them, and note their producers' numbers."""
    if duties := _duties(indexed for _, indexed in rows):
        await connection.execute(ADD_DUTIES, {"rows": orjson.dumps(duties).decode()})
    await connection.execute(ADD, {"rows": orjson.dumps([_values(*row) for row in rows]).decode()})
    await connection.execute(MOVE, {"size": rows[-1][0] + 1})
    numbered = [(row.producer, row.producer_seq) for _, row in rows if row.producer and row.producer_seq]
    come = {"producers": [name for name, _ in numbered], "seqs": [seq for _, seq in numbered]}
    await connection.execute(FOLLOW_ON, come)
    await connection.execute(NOTE_NUMBERS, {**come, "seen_at": seen_at})
    await connection.execute(MOVE_HEADS)
    await connection.execute(FORGET_NUMBERS)


async def indexed_to(connection: AsyncConnection) -> int:
    """Return how many entries of the log are indexed."""
    return int((await connection.execute(INDEXED_TO)).scalar_one())


async def gaps(connection: AsyncConnection) -> list[Gap]:
    """Return every gap there is now, by producer and number."""
    return [Gap(*row) for row in await connection.execute(GAPS)]


def _duties(rows: Iterable[Indexed]) -> list[dict[str, object]]:
    """Return what these entries say of duties, one row for each: a statement cannot change a row twice."""
    rules: dict[UUID, set[str]] = {}
    recipients: dict[UUID, set[str]] = {}
    for row in rows:
        if row.duty_id and (row.rules or row.recipients):
            rules.setdefault(row.duty_id, set()).update(row.rules)
            recipients.setdefault(row.duty_id, set()).update(row.recipients)
    return [{"duty_id": each, "rules": [*rules[each]], "recipients": [*recipients[each]]} for each in rules]


def _values(seq: int, indexed: Indexed) -> dict[str, object]:
    return {
        "seq": seq,
        "kind": indexed.kind,
        "type": indexed.type,
        "case_key": indexed.case_key,
        "linked_case_key": indexed.linked_case_key,
        "duty_id": indexed.duty_id,
        "producer": indexed.producer,
        "producer_seq": indexed.producer_seq,
        "rules": list(indexed.rules),
        "recipients": list(indexed.recipients),
        "occurred_at": indexed.occurred_at,
        "recorded_at": indexed.recorded_at,
    }
