"""A decision about the quarantine that a restore undid, and that a person then made again: on real PostgreSQL."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid4

import orjson
from sqlalchemy import text

from services.kit.quarantine import Record
from services.kit.settings import KitSettings
from tests.support import kit
from tests.support.kit import case

_PUBLISHED_BEFORE: Final = text("""
    INSERT INTO published_before
        (event_id, topic, partition, "offset", key, producer_seq, payload, in_outbox, after_xid, after_id)
    VALUES (:event_id, 'topic', 0, 0, '', 1, :payload, false, '0', 0)
""")
_LACKING: Final = text("SELECT event_id FROM published_before WHERE NOT in_outbox")


def said(message_type: str, quarantine_id: UUID) -> dict[str, object]:
    event_id = uuid4()
    body = {"id": event_id, "type": message_type, "data": {"quarantine_id": quarantine_id, "by": "anna"}}
    return {"event_id": event_id, "payload": orjson.dumps(body)}


async def test_a_decision_that_was_made_again_is_not_lacking_any_more(settings: KitSettings) -> None:
    held, other = (Record("reader", "topic", 0, offset, None, b"?", case(1)) for offset in range(2))
    redone = said("record.resolved.v1", held.quarantine_id())
    lacking = [said("record.resolved.v1", other.quarantine_id()), said("record.quarantined.v1", held.quarantine_id())]
    database = kit.database(settings.database_url.get_secret_value())

    async with database.begin() as tx:
        await tx.held.hold(held, reason="it failed", parks=True, now=tx.now)
        for each in (redone, *lacking):
            await tx.connection.execute(_PUBLISHED_BEFORE, each)
        await tx.held.resolve(held.quarantine_id(), outcome="retried", by="bob", reason="put right", now=tx.now)
    async with database.connect() as connection:
        left = set((await connection.execute(_LACKING)).scalars())
    await database.close()

    assert left == {each["event_id"] for each in lacking}
