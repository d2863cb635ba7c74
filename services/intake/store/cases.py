"""Cases, children and links: what a batch needs to know, and what it adds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Table, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.identity import link_id
from services.intake import tables
from services.intake.domain.casebook import CaseBook, Known
from services.kit.transaction import Transaction

# The cases of these references, and those of these keys that exist.
_CASES: Final = text("""
    SELECT digest, case_key FROM case_ref
    WHERE digest = ANY(CAST(:digests AS bytea[])) OR case_key = ANY(CAST(:keys AS text[]))
""")

# Every link within reach of these cases, each once.
_LINKS: Final = text("""
    WITH RECURSIVE reach(key) AS (
        SELECT unnest(CAST(:keys AS text[]))
        UNION
        SELECT CASE WHEN l.case_key = r.key THEN l.linked_case_key ELSE l.case_key END
        FROM reach AS r JOIN case_link AS l ON l.case_key = r.key OR l.linked_case_key = r.key
    )
    SELECT l.case_key, l.linked_case_key FROM case_link AS l JOIN reach AS r ON l.case_key = r.key
""")

# Who waits for these references to be reported under, in the order in which they asked.
_WAITING: Final = text("""
    SELECT digest, case_key FROM pending_link WHERE digest = ANY(CAST(:digests AS bytea[])) ORDER BY since, case_key
""")
_CHILDREN: Final = text("SELECT case_key, digest, child_key FROM child_ref WHERE case_key = ANY(CAST(:keys AS text[]))")
_SETTLE: Final = text("DELETE FROM pending_link WHERE digest = ANY(CAST(:digests AS bytea[]))")


async def load(tx: Transaction, own: Collection[bytes], named: Collection[bytes], keys: Collection[str]) -> Known:
    """Lock the cases of a batch and return what is known of them.

    Args:
        tx: Has not written yet.
        own: Digests of the references that the batch reports under.
        named: Digests of the references that it names as linked.
        keys: Case keys that it names as linked.
    """
    # By reference first: a case that is not minted yet has no other name, and two events may mint it at once.
    await tx.lock_cases(digest.hex() for digest in {*own, *named})
    connection = tx.connection
    rows = (await connection.execute(_CASES, {"digests": [*own, *named], "keys": list(keys)})).all()
    cases = {bytes(row.digest): row.case_key for row in rows}
    unknown = [digest for digest in own if digest not in cases]
    waiting = (await connection.execute(_WAITING, {"digests": unknown})).all() if unknown else []
    found = {*cases.values(), *(row.case_key for row in waiting)}
    if not found:
        return Known()
    links = [(row.case_key, row.linked_case_key) for row in await connection.execute(_LINKS, {"keys": list(found)})]
    reach = found.union(*links)
    await tx.lock_cases(reach)
    children = await connection.execute(_CHILDREN, {"keys": list(reach)})
    return Known(
        cases={digest: key for digest, key in cases.items() if digest in {*own, *named}},
        keys=frozenset(cases.values()),
        children={(row.case_key, bytes(row.digest)): row.child_key for row in children},
        links=links,
        waiting=[(bytes(row.digest), row.case_key) for row in waiting],
    )


async def save(connection: AsyncConnection, book: CaseBook, clients: dict[bytes, str], now: datetime) -> None:
    """Store what a batch added. `clients`: whose each reference is, by digest."""
    children = [{"case_key": c, "digest": d, "child_key": k} for (c, d), k in book.new_children.items()]
    waiting = [{"digest": d, "case_key": c, "since": now} for d, c in book.new_waiting]
    added: tuple[tuple[Table, Sequence[Mapping[str, object]]], ...] = (
        (tables.case_ref, list(_case_rows(book, clients, now))),
        (tables.child_ref, children),
        (tables.case_link, list(_link_rows(book, now))),
        (tables.pending_link, waiting),
    )
    for table, rows in added:
        if rows:
            await connection.execute(insert(table), rows)
    if book.settled:
        await connection.execute(_SETTLE, {"digests": book.settled})


def _case_rows(book: CaseBook, clients: dict[bytes, str], now: datetime) -> Iterable[dict[str, object]]:
    for digest, key in book.new_cases.items():
        yield {"case_key": key, "client": clients[digest], "digest": digest, "created_at": now}


def _link_rows(book: CaseBook, now: datetime) -> Iterable[dict[str, object]]:
    for link in book.new_links:
        yield {
            "link_id": link_id(link.case_key, link.linked_case_key),
            "case_key": link.case_key,
            "linked_case_key": link.linked_case_key,
            "linked_at": now,
        }
