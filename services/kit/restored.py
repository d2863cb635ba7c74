"""A database that was restored: what Kafka has of this service and the database does not, and how to go on from there.

A backup knows nothing of what was published after it was taken. Whoever went on from it would give numbers twice, mint
keys that are taken, and say things that were said before. So the relay compares the two whenever it begins and refuses
while Kafka has a message of this service that the outbox lacks; nothing is written meanwhile. `catch_up` takes over
what Kafka has: such a message is never published again, its numbers are never given again, and a service can ask for it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.identity import derived_event_id
from schemas.quarantines import DatabaseRestored, DatabaseRestoredData
from schemas.topics import quarantine as quarantine_topic
from schemas.topics import written_by
from services.kit.cursor import Position, PostgresCursor, pack
from services.kit.database import Database
from services.kit.fence import Place
from services.kit.publisher import Published, Publisher


class Said(NamedTuple):
    """A message of ours, as Kafka has it."""

    event_id: UUID
    type: str
    place: Place
    offset: int
    key: str
    producer_seq: int
    case_key: str | None
    case_seq: int | None
    payload: bytes


def said_by(service: str, records: Sequence[Published]) -> list[Said]:
    """Return the messages of a service among records; what anybody else wrote there is none of its business."""
    found = (_said(service, record) for record in records)
    return [one for one in found if one]


def _said(service: str, record: Published) -> Said | None:
    try:
        body = orjson.loads(record.value)
        if body["producer"] != service:
            return None
        return Said(
            UUID(body["id"]),
            body["type"],
            record.place,
            record.offset,
            record.key.decode(),
            body["producerseq"],
            body.get("casekey"),
            body.get("caseseq"),
            record.value,
        )
    except (ValueError, KeyError, TypeError):
        return None


class Behind(RuntimeError):
    """Kafka has messages of a service that its database lacks."""

    def __init__(self, service: str, message: Said) -> None:
        super().__init__(
            f"Kafka has messages of {service} that this database does not have, beginning with its number "
            f"{message.producer_seq} at {message.place.topic}/{message.place.partition}, offset {message.offset}: the "
            f"database was restored from an older backup. To take them over and go on: handrail relay catch-up {service}"
        )


class Outbox(Protocol):
    """The part of a relay's cursor that is asked here."""

    async def unknown(self, position: Position, ids: Sequence[UUID]) -> set[UUID]:
        """Return those ids that are neither in the outbox after a position nor known to be on Kafka."""
        ...


async def compare(
    service: str, position: Position, outbox: Outbox, publisher: Publisher, *, alive: Callable[[], None]
) -> None:
    """Look whether the outbox has what Kafka has beyond the position.

    A relay that died between sending and saving, or that slept and was replaced, leaves such messages too: of the first
    the outbox has the rows, and the second gave no number that is new. `alive` is called while it goes on.

    Raises:
        Behind: It has not.
    """
    async with aclosing(_beyond(service, position, publisher)) as portions:
        async for said, _ in portions:
            alive()
            ids = [one.event_id for one in said]
            unknown = await outbox.unknown(position, ids)  # of none, too: it is a relay's sign of life
            if unknown:
                raise Behind(service, min((one for one in said if one.event_id in unknown), key=_number))


def _number(said: Said) -> int:
    return said.producer_seq


async def _beyond(
    service: str, position: Position, publisher: Publisher
) -> AsyncGenerator[tuple[list[Said], dict[Place, int]]]:
    """Yield what was said under new numbers since a position, with the last offset of each partition so far."""
    acknowledged = dict(position.acknowledged or {})
    topics = {*written_by(service), *(place.topic for place in acknowledged)}
    async with aclosing(publisher.after(topics, acknowledged)) as portions:
        async for records in portions:
            acknowledged |= {one.place: one.offset for one in records}
            yield [one for one in said_by(service, records) if one.producer_seq > position.producer_seq], acknowledged


_PUBLISHED: Final = text("""
    SELECT event_id, payload FROM published_before WHERE event_id = ANY(CAST(:ids AS uuid[]))
    ORDER BY event_id FOR UPDATE
""")


async def published_before(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, bytes]:
    """Return, and hold, the messages with these ids that Kafka has from before the database was restored.

    Whoever makes one anew and whoever hears of it meanwhile wait for each other here.
    """
    rows = await connection.execute(_PUBLISHED, {"ids": list(ids)})
    return {row.event_id: bytes(row.payload) for row in rows}


_PUBLISHED_ON: Final = text("SELECT payload FROM published_before WHERE topic = :topic ORDER BY producer_seq")
_PUBLISHED_OF: Final = text("""
    SELECT payload FROM published_before WHERE case_key = ANY(CAST(:case_keys AS text[])) ORDER BY producer_seq
""")


async def published_of(connection: AsyncConnection, case_keys: Collection[str]) -> list[bytes]:
    """Return, in order, the messages about these cases that Kafka has from before the database was restored."""
    rows = await connection.execute(_PUBLISHED_OF, {"case_keys": list(case_keys)})
    return [bytes(payload) for payload in rows.scalars()]


async def published_on(connection: AsyncConnection, topic: str) -> list[bytes]:
    """Return, in order, the messages on one topic that Kafka has from before the database was restored."""
    return [bytes(payload) for payload in (await connection.execute(_PUBLISHED_ON, {"topic": topic})).scalars()]


class RelayAtWork(RuntimeError):
    """A relay is publishing from this database: it has nothing to catch up."""


class NotSettled(RuntimeError):
    """The outbox came from another cluster and was not written again for this one: run `handrail provision` first."""


@dataclass(frozen=True)
class Found:
    """What a restored database was found to lack: event id and type of each message, in the order of their numbers."""

    lacking: Sequence[tuple[UUID, str]]
    published: int
    """Messages that it has in its outbox, unsent, and that Kafka has already."""
    moved: bool
    """The database is another one than the one that published before."""


_LOCK: Final = text("""
    SELECT pg_try_advisory_lock(hashtextextended(:name, 1)),
        set_config('application_name', current_setting('application_name') || '-catch-up', false)
""")  # under another name, or a relay that stands by would take it for one that hangs
_UNLOCK: Final = text("SELECT pg_advisory_unlock_all()")
_KEEP: Final = text("""
    INSERT INTO published_before (event_id, topic, partition, "offset", key, producer_seq, case_key, case_seq, payload,
        in_outbox, after_xid, after_id)
    SELECT p.*, NOT p.event_id = ANY(CAST(:unknown AS uuid[])), c.xid, c.id
    FROM unnest(CAST(:ids AS uuid[]), CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:offsets AS bigint[]),
            CAST(:keys AS text[]), CAST(:numbers AS bigint[]), CAST(:cases AS text[]), CAST(:case_seqs AS bigint[]),
            CAST(:payloads AS bytea[]))
        AS p(event_id, topic, partition, "offset", key, producer_seq, case_key, case_seq, payload), relay_cursor AS c
    ON CONFLICT DO NOTHING
""")
_RAISE_HEADS: Final = text("""
    INSERT INTO case_head (case_key, last_seq)
    SELECT case_key, max(case_seq) FROM published_before WHERE case_key IS NOT NULL GROUP BY case_key
    ON CONFLICT (case_key) DO UPDATE SET last_seq = greatest(case_head.last_seq, EXCLUDED.last_seq)
""")
_RAISE_CURSOR: Final = text("""
    UPDATE relay_cursor SET acknowledged = CAST(CAST(:acknowledged AS text) AS jsonb), epoch = epoch + 1,
        producer_seq = greatest(producer_seq, (SELECT max(producer_seq) FROM published_before)),
        database_identity = clock.database_identity(), saved_at = clock_timestamp()
""")
_FOUND: Final = text("""
    SELECT event_id, convert_from(payload, 'UTF8')::jsonb->>'type' AS type, in_outbox FROM published_before
    WHERE producer_seq > :producer_seq ORDER BY producer_seq
""")
_UNSETTLED: Final = text("SELECT coalesce(max(xid) >= pg_snapshot_xmax(pg_current_snapshot()), false) FROM outbox")


Settle = Callable[[AsyncConnection], Awaitable[None]]


async def catch_up(database: Database, publisher: Publisher, settle: Settle | None = None) -> Found:
    """Take over from Kafka what a restored database lacks, so that its relay can go on; done twice, it changes nothing more.

    Args:
        database: The service's, after `services.kit.migrate`.
        publisher: Signed in as an account that may read what the service writes.
        settle: What the service has to put right before it goes on, in the same transaction.

    Raises:
        NotSettled: The migration has not seen this database since it came from another cluster.
        RelayAtWork: Nothing is to be mended.
        Unavailable: Kafka cannot be asked; what was taken over so far stays.
    """
    async with database.connect() as holder:
        if not (await holder.execute(_LOCK, {"name": f"{database.service}:relay"})).scalar_one():
            raise RelayAtWork(RelayAtWork.__doc__)
        try:
            if (await holder.execute(_UNSETTLED)).scalar_one():
                raise NotSettled(NotSettled.__doc__)
            return await _catch_up(database, publisher, settle)
        finally:
            await holder.execute(_UNLOCK)


async def _catch_up(database: Database, publisher: Publisher, settle: Settle | None) -> Found:
    service = database.service
    cursor = PostgresCursor(database.engine, service)
    position, moved = await cursor.stand()
    acknowledged = dict(position.acknowledged or {})
    async with aclosing(_beyond(service, position, publisher)) as portions:
        async for said, reached in portions:
            acknowledged = reached
            if said:
                await _keep(database, said, await cursor.unknown(position, [one.event_id for one in said]))
    async with database.begin() as tx:
        if settle:
            await settle(tx.connection)
        await tx.connection.execute(_RAISE_HEADS)
        await tx.connection.execute(_RAISE_CURSOR, {"acknowledged": pack(acknowledged)})
        rows = (await tx.connection.execute(_FOUND, {"producer_seq": position.producer_seq})).all()
        lacking = [(row.event_id, row.type) for row in rows if not row.in_outbox]
        tx.emit(
            quarantine_topic(service),
            DatabaseRestored(
                id=derived_event_id("database restored", service, tx.now.isoformat()),
                source=f"/handrail/{service}",
                time=tx.now,
                recorded_at=tx.now,
                data=DatabaseRestoredData(
                    service=service, after_producer_seq=position.producer_seq, lacking=len(lacking), moved=moved
                ),
            ),
        )
    return Found(lacking, len(rows) - len(lacking), moved)


async def _keep(database: Database, said: Sequence[Said], unknown: Collection[UUID]) -> None:
    async with database.begin() as tx:
        await tx.connection.execute(
            _KEEP,
            {
                "ids": [one.event_id for one in said],
                "topics": [one.place.topic for one in said],
                "partitions": [one.place.partition for one in said],
                "offsets": [one.offset for one in said],
                "keys": [one.key for one in said],
                "numbers": [one.producer_seq for one in said],
                "cases": [one.case_key for one in said],
                "case_seqs": [one.case_seq for one in said],
                "payloads": [one.payload for one in said],
                "unknown": list(unknown),
            },
        )
