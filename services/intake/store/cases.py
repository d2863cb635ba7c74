"""Cases, children and links: what a batch needs to know, and what it adds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class Names:
    """What a batch calls its cases: digests of the references that it reports under or links to, and keys it links to."""

    own: frozenset[bytes]
    named: frozenset[bytes]
    keys: frozenset[str]

    @property
    def locks(self) -> set[str]:
        """Names to lock: a case that is not minted yet has no other, and two events may mint it at once."""
        return {digest.hex() for digest in self.own | self.named}


async def reach(connection: AsyncConnection, names: Names) -> set[str]:
    """Return everything that a batch must hold: the names of its cases, and the key of every case within reach."""
    return names.locks | _reach(await _find(connection, names))


async def load(tx: Transaction, names: Names) -> Known:
    """Return what is known of the cases of a batch, and hold them.

    On the consume path they are held already (see `reach`); a request has written nothing yet and takes the locks here.
    """
    await tx.lock_cases(names.locks)
    known = await _find(tx.connection, names)
    keys = _reach(known)
    if not keys:
        return known
    await tx.lock_cases(keys)
    return replace(known, children=await children(tx.connection, keys))


async def children(connection: AsyncConnection, case_keys: Iterable[str]) -> dict[tuple[str, bytes], str]:
    """Return the child keys of these cases, by case key and digest of the child's reference."""
    rows = await connection.execute(_CHILDREN, {"keys": list(case_keys)})
    return {(row.case_key, bytes(row.digest)): row.child_key for row in rows}


async def _find(connection: AsyncConnection, names: Names) -> Known:
    digests = [*names.own, *names.named]
    rows = (await connection.execute(_CASES, {"digests": digests, "keys": list(names.keys)})).all()
    cases = {bytes(row.digest): row.case_key for row in rows}
    unknown = [digest for digest in names.own if digest not in cases]
    waiting = (await connection.execute(_WAITING, {"digests": unknown})).all() if unknown else []
    found = {*cases.values(), *(row.case_key for row in waiting)}
    links = (await connection.execute(_LINKS, {"keys": list(found)})).all() if found else []
    return Known(
        cases={digest: key for digest, key in cases.items() if digest in names.own | names.named},
        keys=frozenset(cases.values()),
        links=[(row.case_key, row.linked_case_key) for row in links],
        waiting=[(bytes(row.digest), row.case_key) for row in waiting],
    )


def _reach(known: Known) -> set[str]:
    return {*known.keys, *(key for _, key in known.waiting)}.union(*known.links)


async def save(connection: AsyncConnection, book: CaseBook, clients: dict[bytes, str], now: datetime) -> None:
    """Store what a batch added. `clients`: whose each reference is, by digest."""
    minted = [{"case_key": c, "digest": d, "child_key": k} for (c, d), k in book.new_children.items()]
    waiting = [{"digest": d, "case_key": c, "since": now} for d, c in book.new_waiting]
    added: tuple[tuple[Table, Sequence[Mapping[str, object]]], ...] = (
        (tables.case_ref, list(_case_rows(book, clients, now))),
        (tables.child_ref, minted),
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
