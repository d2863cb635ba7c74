"""What a service had published before its database was restored, written down as `handrail relay catch-up` does."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid4

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_WRITE_DOWN: Final = text("""
    INSERT INTO published_before
        (event_id, topic, partition, "offset", key, producer_seq, payload, in_outbox, after_xid, after_id)
    VALUES (:event_id, 'topic', 0, 0, '', 1, :payload, false, '0', 0)
""")
_LACKING: Final = text("SELECT event_id FROM published_before WHERE NOT in_outbox")


async def lose(connection: AsyncConnection, message_type: str, **about: str) -> UUID:
    """Write down a message that the database lacks; `about` is in its data, beside who decided it. Return its id."""
    event_id = uuid4()
    body = {"id": event_id, "type": message_type, "data": {**about, "by": "account-1"}}
    await connection.execute(_WRITE_DOWN, {"event_id": event_id, "payload": orjson.dumps(body)})
    return event_id


async def lacking(connection: AsyncConnection) -> list[UUID]:
    """Return the ids of the messages that the database lacks, in no order."""
    return list((await connection.execute(_LACKING)).scalars())
