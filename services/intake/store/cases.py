"""Cases, children and links: what a batch needs to know, and what it adds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.bodies import Bodies
from schemas.calendar.london import london_date
from schemas.identity import link_id
from services.intake import tables
from services.intake.domain.casebook import CaseBook, Claim, Known
from services.intake.store.inserting import Rows
from services.kit.database import legal_now
from services.kit.transaction import Transaction

Told = tuple[str, str]
"""Case key and recipient of a notice."""

# The cases of these references, and those of these keys that exist.
_CASES: Final = text("""
    SELECT digest, case_key FROM case_ref
    WHERE digest = ANY(CAST(:digests AS bytea[])) OR case_key = ANY(CAST(:keys AS text[]))
""")

_REACH: Final = """
    WITH RECURSIVE reach(key) AS (
        SELECT unnest(CAST(:keys AS text[]))
        UNION
        SELECT CASE WHEN l.case_key = r.key THEN l.linked_case_key ELSE l.case_key END
        FROM reach AS r JOIN case_link AS l ON l.case_key = r.key OR l.linked_case_key = r.key
    )
"""

_REACHED: Final = text(f"{_REACH} SELECT key FROM reach")  # noqa: S608 - only our own text

# Every link within reach of these cases, each once.
_LINKS: Final = text(f"""
    {_REACH} SELECT l.case_key, l.linked_case_key FROM case_link AS l JOIN reach AS r ON l.case_key = r.key
""")  # noqa: S608 - only our own text

# Whether any claim waits on a case within reach of these.
_AWAITED: Final = text(f"""
    {_REACH} SELECT EXISTS (
        SELECT FROM reach AS r JOIN case_ref AS c ON c.case_key = r.key JOIN pending_link AS p USING (digest)
    )
""")  # noqa: S608

# To whom a notice went. One that awaits release has told nobody yet, and one that was withdrawn lets nobody in.
_TOLD: Final = text("""
    SELECT DISTINCT case_key, recipient FROM notice
    WHERE case_key = ANY(CAST(:keys AS text[])) AND state NOT IN ('awaiting_release', 'withdrawn')
""")

# Claims on these cases that may be fulfilled: of somebody who was told of one of them, or of a case that is named back.
_CLAIMS: Final = text("""
    SELECT p.digest, p.case_key, target.case_key AS target, a.recipients
    FROM pending_link AS p
        JOIN case_ref AS own ON own.case_key = p.case_key
        JOIN client AS c ON c.name = own.client AND c.revoked_at IS NULL
        CROSS JOIN LATERAL (
            SELECT array_remove(ARRAY[c.recipient, CASE WHEN c.body = 'local_authority' THEN 'la:' || c.area END], NULL)
        ) AS a(recipients)
        LEFT JOIN case_ref AS target ON target.digest = p.digest
    WHERE p.digest IN (
            SELECT unnest(CAST(:own AS bytea[]))
            UNION SELECT digest FROM case_ref WHERE case_key = ANY(CAST(:keys AS text[]))
        )
        AND (a.recipients && CAST(:told AS text[]) OR p.case_key = ANY(CAST(:named AS text[])))
    ORDER BY p.since, p.case_key
""")
_CLAIMED: Final = text("SELECT digest, case_key FROM pending_link WHERE case_key = ANY(CAST(:keys AS text[]))")
_CHILDREN: Final = text("SELECT case_key, digest, child_key FROM child_ref WHERE case_key = ANY(CAST(:keys AS text[]))")
_SETTLE: Final = text("""
    DELETE FROM pending_link AS p USING unnest(CAST(:digests AS bytea[]), CAST(:keys AS text[])) AS s(digest, case_key)
    WHERE p.digest = s.digest AND p.case_key = s.case_key
""")


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


async def reach(connection: AsyncConnection, names: Names, bodies: Bodies, heard: Collection[Told] = ()) -> set[str]:
    """Return everything that a batch must hold: the names of its cases, and the key of every case within reach.

    Args:
        connection: Inside the transaction that will hold them.
        names: What the batch calls its cases.
        bodies: Who stands in whose place.
        heard: Notices that the batch is about to store.
    """
    return names.locks | (await _find(connection, names, bodies, None, heard)).keys


async def awaited(connection: AsyncConnection, case_keys: Iterable[str]) -> bool:
    """Return whether any claim waits on one of these cases, or on one within reach of them."""
    found: bool = (await connection.execute(_AWAITED, {"keys": list(case_keys)})).scalar_one()
    return found


async def load(tx: Transaction, names: Names, bodies: Bodies) -> Known:
    """Return what is known of the cases of a batch, and hold them.

    On the consume path they are held already (see `reach`); a request has written nothing yet and takes the locks here.
    What was read before the cases were held is read again: a notice may have come, or a link, in between.
    """
    await tx.lock_cases(names.locks)
    held: frozenset[str] = frozenset()
    on = london_date(tx.now)
    while not (known := await _find(tx.connection, names, bodies, on)).keys <= held:
        held |= known.keys
        await tx.lock_cases(held)
    return replace(known, children=await children(tx.connection, held)) if held else known


async def linked(connection: AsyncConnection, case_keys: Iterable[str]) -> set[str]:
    """Return these cases and all that are linked with them by now."""
    return set(await connection.scalars(_REACHED, {"keys": list(case_keys)}))


async def children(connection: AsyncConnection, case_keys: Iterable[str]) -> dict[tuple[str, bytes], str]:
    """Return the child keys of these cases, by case key and digest of the child's reference."""
    rows = await connection.execute(_CHILDREN, {"keys": list(case_keys)})
    return {(row.case_key, bytes(row.digest)): row.child_key for row in rows}


async def _find(
    connection: AsyncConnection, names: Names, bodies: Bodies, on: date | None, heard: Collection[Told] = ()
) -> Known:
    """Return what is known within reach; `on` the present day of England, None where nobody knows it yet."""
    digests = [*names.own, *names.named]
    rows = (await connection.execute(_CASES, {"digests": digests, "keys": list(names.keys)})).all()
    cases = {bytes(row.digest): row.case_key for row in rows}
    if not cases:
        return Known()
    own = [cases[digest] for digest in names.own if digest in cases]
    named = [cases[digest] for digest in names.named if digest in cases]
    claimed = (await connection.execute(_CLAIMED, {"keys": own})).all() if own and names.named else []
    on = on or london_date(await legal_now(connection))
    keys, more = set[str](), set(cases.values())
    while more:  # a claim that is fulfilled brings in the cases linked with its own, and the claims on those
        links = [
            (row.case_key, row.linked_case_key) for row in await connection.execute(_LINKS, {"keys": [*keys, *more]})
        ]
        keys = keys.union(more, *links)
        told = {(row.case_key, row.recipient) for row in await connection.execute(_TOLD, {"keys": list(keys)})}
        told |= {one for one in heard if one[0] in keys}
        told = {(case_key, bodies.in_place_of(who, on)) for case_key, who in told}
        whoever = {each for _, who in told for each in bodies.stands_for(who, on)}
        values = {"own": list(names.own), "keys": list(keys), "named": named, "told": list(whoever)}
        claims = (await connection.execute(_CLAIMS, values)).all() if told or named else []
        more = {row.case_key for row in claims} - keys
    return Known(
        cases={**cases, **{bytes(row.digest): row.target for row in claims if row.target}},
        keys=frozenset(keys),
        links=links,
        waiting=[
            Claim(bytes(row.digest), row.case_key, frozenset(bodies.in_place_of(each, on) for each in row.recipients))
            for row in claims
        ],
        claimed=frozenset((bytes(row.digest), row.case_key) for row in claimed),
        told=frozenset(told),
    )


def added(book: CaseBook, clients: Mapping[bytes, str], now: datetime) -> tuple[Rows, ...]:
    """Return the rows that a batch adds. `clients`: whose each reference is, by digest."""
    minted = [{"case_key": c, "digest": d, "child_key": k} for (c, d), k in book.new_children.items()]
    return (
        Rows(tables.case_ref, list(_case_rows(book, clients, now))),
        Rows(tables.child_ref, minted),
        Rows(tables.case_link, list(_link_rows(book, now))),
        Rows(tables.pending_link, [{"digest": d, "case_key": key, "since": now} for d, key in book.new_waiting]),
    )


async def forget_settled(connection: AsyncConnection, book: CaseBook) -> None:
    """Delete the claims that took effect."""
    if book.settled:
        digests, keys = zip(*book.settled, strict=True)
        await connection.execute(_SETTLE, {"digests": [*digests], "keys": [*keys]})


def _case_rows(book: CaseBook, clients: Mapping[bytes, str], now: datetime) -> Iterable[dict[str, object]]:
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
