"""What a person decides about the quarantine is a message of its own, however often a restore has it decided again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import orjson

from services.kit.codec import decode
from services.kit.kafka_compat import RawRecord
from services.kit.memory import MemoryCursor, MemoryStore
from services.kit.outbox import Pending, number
from services.kit.path import Consumer, handle_batch
from services.kit.release import release
from tests.support.kit import NOON


async def ignore(_records: Sequence[Any], _tx: Any) -> None:
    return None


async def fail(_records: Sequence[Any], _tx: Any) -> None:
    raise ZeroDivisionError


async def outbox(store: MemoryStore) -> list[Any]:
    cursor = MemoryCursor(store)
    position = await cursor.acquire()
    assert position is not None
    rows: list[Any] = await cursor.read(position, 100)
    await cursor.release()
    return rows


async def decided(by: str, resolution: Literal["retried", "discarded"], minutes: int) -> Pending:
    """Put the same record aside in a database of its own, and return what is said once it is dealt with."""
    store = MemoryStore("kit", NOON + timedelta(minutes=minutes))
    record = decode(RawRecord("topic", 0, 0, None, b"?", (), 0), None)
    await handle_batch(store, Consumer("reader", fail, None), [record])
    (aside,) = await outbox(store)
    quarantine_id = UUID(orjson.loads(aside.payload)["data"]["quarantine_id"])

    consumer = Consumer("reader", ignore, None)
    await release(store, consumer, quarantine_id, resolution=resolution, by=by, reason="put right")

    said = (await outbox(store))[-1]
    return Pending(said.topic, said.key, UUID(orjson.loads(said.payload)["id"]), None, said.payload)


async def test_a_decision_after_a_restore_is_said_and_not_the_one_that_was_undone() -> None:
    anna = await decided("anna", "discarded", minutes=0)
    bob = await decided("bob", "retried", minutes=1)

    (said,) = number([bob], {}, "kit", {anna.event_id: anna.payload})

    before, after = orjson.loads(anna.payload)["data"], orjson.loads(said)["data"]
    assert before["quarantine_id"] == after["quarantine_id"]
    assert (after["by"], after["outcome"]) == ("bob", "retried")
