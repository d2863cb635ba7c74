"""The outbox: messages are written in the transaction that decided them, and published later by the relay.

Append-only. A row's `xid` is its transaction's id, so the relay can read in an order that agrees with the order in
which writers held a case (`services.kit.relay`). `case_seq` is given here, under the case lock; `producer_seq` later.
Attributes that the kit adds are spliced into the JSON as bytes: a message is serialised once in its life.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.envelope import Envelope
from services.kit.tracing import traceparent_for

MAX_MESSAGE_BYTES: Final = 900_000
"""Below Kafka's `message.max.bytes` (1,048,588) with room for the batch: what is larger could never be published."""


class Pending(NamedTuple):
    """One message that waits for the end of its transaction."""

    topic: str
    key: str
    event_id: UUID
    case_key: str | None
    payload: bytes


class Outbox(Protocol):
    """Where a transaction's messages go just before it commits."""

    async def append(self, pending: Sequence[Pending], producer: str) -> None:
        """Number the messages of each case and keep all of them, in the order given."""
        ...


def prepare(topic: str, message: Envelope, key: str | None, traces: dict[UUID, str]) -> Pending:
    """Serialise a message for its topic.

    Args:
        topic: Where it goes.
        message: Without `producer`, `case_seq` and `producer_seq`; those are the kit's to give.
        key: Kafka key; by default the case key, and without a case the message's own id.
        traces: `traceparent` of the messages in hand, by id: a message continues the trace of its cause.

    Raises:
        ValueError: The message carries what the kit gives, or is too large ever to be published.
    """
    if message.producer or message.case_seq or message.producer_seq:
        raise ValueError("producer, case_seq and producer_seq are given by the kit; leave them unset")
    wire = message.wire()
    if len(wire) > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message of {len(wire)} bytes cannot be published; at most {MAX_MESSAGE_BYTES}")
    if message.traceparent is None:
        trace = traceparent_for(traces.get(message.causation_id) if message.causation_id else None)
        if trace:
            wire = b'{"traceparent":"%b",' % trace.encode() + wire[1:]
    return Pending(topic, key or message.case_key or str(message.id), message.id, message.case_key, wire)


def number(
    pending: Sequence[Pending], last_seqs: dict[str, int], producer: str, published: Mapping[UUID, bytes] | None = None
) -> list[bytes]:
    """Return the payloads with producer and `case_seq`, given the last number of each case *after* this transaction.

    Args:
        pending: The messages, in their order.
        last_seqs: By case key.
        producer: The service.
        published: Messages that were said before a restore, by id: they stay as they were, and take no number.
    """
    published = published or {}
    counts = Counter(one.case_key for one in pending if one.case_key and one.event_id not in published)
    following = {case_key: last - counts[case_key] + 1 for case_key, last in last_seqs.items()}
    head = b'{"producer":"%b",' % producer.encode()
    payloads = []
    for one in pending:
        if one.event_id in published:
            payloads.append(b"{" + published[one.event_id].partition(b",")[2])  # without its `producerseq`
        elif one.case_key:
            payloads.append(b'%b"caseseq":%d,%b' % (head, following[one.case_key], one.payload[1:]))
            following[one.case_key] += 1
        else:
            payloads.append(head + one.payload[1:])
    return payloads


# The last number of each case with these messages, and those of them that were said before the database was restored.
_NUMBER: Final = text("""
    WITH said AS MATERIALIZED (
        SELECT event_id, payload FROM published_before WHERE event_id = ANY(CAST(:ids AS uuid[]))
    ), head AS (
        INSERT INTO case_head (case_key, last_seq)
        SELECT case_key, count(*) FROM unnest(CAST(:cases AS text[]), CAST(:ids AS uuid[])) AS c(case_key, id)
        WHERE case_key IS NOT NULL AND NOT EXISTS (SELECT FROM said WHERE event_id = id)
        GROUP BY case_key ORDER BY case_key
        ON CONFLICT (case_key) DO UPDATE SET last_seq = case_head.last_seq + EXCLUDED.last_seq
        RETURNING case_key, last_seq
    )
    SELECT case_key, last_seq, CAST(NULL AS uuid) AS event_id, CAST(NULL AS bytea) AS payload FROM head
    UNION ALL SELECT NULL, NULL, event_id, payload FROM said
""")

_APPEND: Final = text("""
    INSERT INTO outbox (topic, key, event_id, payload)
    SELECT topic, key, event_id, payload
    FROM unnest(CAST(:topics AS text[]), CAST(:keys AS text[]), CAST(:ids AS uuid[]), CAST(:payloads AS bytea[]))
        WITH ORDINALITY AS p(topic, key, event_id, payload, place)
    ORDER BY place
""")


class PostgresOutbox:
    """The outbox in PostgreSQL: two statements, however many messages."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, pending: Sequence[Pending], producer: str) -> None:
        """Number the messages of each case and keep all of them, in the order given."""
        values = {"cases": [one.case_key for one in pending], "ids": [one.event_id for one in pending]}
        rows = (await self._connection.execute(_NUMBER, values)).all()
        last_seqs = {row.case_key: row.last_seq for row in rows if row.case_key}
        published = {row.event_id: bytes(row.payload) for row in rows if row.event_id}
        await self._connection.execute(
            _APPEND,
            {
                "topics": [one.topic for one in pending],
                "keys": [one.key for one in pending],
                "ids": [one.event_id for one in pending],
                "payloads": number(pending, last_seqs, producer, published),
            },
        )


_DECIDED_AGAIN: Final = text("""
    UPDATE published_before SET in_outbox = true
    WHERE NOT in_outbox AND convert_from(payload, 'UTF8')::jsonb @> CAST(:said AS jsonb)
""")


async def decided_again(connection: AsyncConnection, message_type: str, **data: UUID) -> None:
    """Count a decision that a restore undid as lacking no longer: a person has decided the same thing anew.

    Its message keeps its own id and what it says. The new one has an id of its own, so the relay never passes the old one.

    Args:
        connection: Inside the transaction that decides.
        message_type: Of the messages that announce such a decision.
        data: What in their data says that it is about this thing.
    """
    said = {"type": message_type, "data": {name: str(value) for name, value in data.items()}}
    await connection.execute(_DECIDED_AGAIN, {"said": orjson.dumps(said).decode()})
