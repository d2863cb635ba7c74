"""The queries of readers: entries by number, entries by what they are about, and the records kept beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.reach import Reach, readable

COLUMNS = "e.seq, e.leaf_hash, e.entry, r.salt, r.payload"

# Entries of a range of numbers, in order.
RANGE = text(f"""
SELECT {COLUMNS} FROM audit.entry e LEFT JOIN audit.record r USING (seq)
WHERE e.seq >= :start AND e.seq < :end ORDER BY e.seq
""")  # noqa: S608 - a constant

# An entry may be read with its case; one that names another case, only where that one may be read, too.
READABLE = f"{readable('i.case_key')} AND (i.linked_case_key IS NULL OR {readable('i.linked_case_key')})"

# One entry, whether it is in the index yet or not; who may not read every case does not see it before it is.
ENTRY = text(f"""
SELECT {COLUMNS} FROM audit.entry e LEFT JOIN audit.record r USING (seq) LEFT JOIN audit.entry_index i USING (seq)
WHERE e.seq = :index AND {READABLE}
""")  # noqa: S608 - constants

# Entries that the index finds, in the order of the log.
SEARCH = text(f"""
SELECT {COLUMNS}, i.rules, i.recipients FROM audit.entry_index i JOIN audit.entry e USING (seq) LEFT JOIN audit.record r USING (seq)
WHERE i.seq > :after AND i.seq < :size
  AND (CAST(:case_key AS text) IS NULL OR i.case_key = :case_key OR i.linked_case_key = :case_key)
  AND (CAST(:rule AS text) IS NULL OR i.rules @> ARRAY[CAST(:rule AS text)])
  AND (CAST(:recipient AS text) IS NULL OR i.recipients @> ARRAY[CAST(:recipient AS text)])
  AND (CAST(:recorded_from AS timestamptz) IS NULL OR i.recorded_at >= :recorded_from)
  AND (CAST(:recorded_before AS timestamptz) IS NULL OR i.recorded_at < :recorded_before)
  AND {READABLE}
ORDER BY i.seq LIMIT :limit
""")  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as it is stored. `salt` and `payload` are None where no record is kept.

    `rules` and `recipients`: what a search found it by, of its duty too; empty of an entry that was not searched for.
    """

    index: int
    leaf_hash: bytes
    entry: bytes
    salt: bytes | None
    payload: bytes | None
    rules: Sequence[str] = ()
    recipients: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; None asks for everything. Dates are instants, the second excluded. `after` is an index.

    `case_key`: what is about that case, and what linked another case with it.
    """

    case_key: str | None = None
    rule: str | None = None
    recipient: str | None = None
    recorded_from: datetime | None = None
    recorded_before: datetime | None = None
    after: int = -1
    limit: int = 50


async def entries(connection: AsyncConnection, start: int, end: int) -> list[Row]:
    """Return the entries from `start` to `end`, excluded, that exist."""
    rows = await connection.execute(RANGE, {"start": start, "end": end})
    return [Row(*row) for row in rows]


async def entry(connection: AsyncConnection, reach: Reach, index: int) -> Row | None:
    """Return one entry; none if there is none, or if its case may not be read."""
    row = (await connection.execute(ENTRY, {"index": index, **reach.values})).one_or_none()
    return None if row is None else Row(*row)


async def search(connection: AsyncConnection, reach: Reach, wanted: Search, size: int) -> Sequence[Row]:
    """Return the first entries below `size` that match and may be read, in the order of the log."""
    values = {
        **reach.values,
        "case_key": wanted.case_key,
        "rule": wanted.rule,
        "recipient": wanted.recipient,
        "recorded_from": wanted.recorded_from,
        "recorded_before": wanted.recorded_before,
        "after": wanted.after,
        "limit": wanted.limit,
        "size": size,
    }
    return [Row(*row) for row in await connection.execute(SEARCH, values)]
