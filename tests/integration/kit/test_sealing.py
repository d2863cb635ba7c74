"""What is put aside is unreadable in the database, whatever part of the record a partner wrote it into."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest

from services.kit.errors import Conflict
from services.kit.path import Consumer
from services.kit.quarantine import Record
from services.kit.release import release
from tests.support.kit import NOON, SERVICE, case, database, migrated

KEY = base64.b64encode(bytes(range(32))).decode()
MARK = b"Zebedee Testcase"
RECORD = Record("group", "topic", 0, 7, b"key of " + MARK, b"about " + MARK, case(1), (("name", MARK), ("none", None)))
BEHIND = Record("group", "topic", 0, 8, b"key of " + MARK, b"more about " + MARK, case(1))
KEYLESS = Record("group", "topic", 0, 9, None, b"no key", case(1))


async def test_what_another_key_sealed_is_held_as_it_stands_until_that_key_is_back() -> None:
    url = migrated()
    got: list[Any] = []

    async def handle(records: Sequence[Any], _tx: Any) -> None:
        got.extend(records)

    consumer = Consumer("group", handle, None)
    store = database(url, quarantine_key=KEY)
    async with store.begin() as tx:
        await tx.lock_cases([case(1)])
        await tx.held.hold(RECORD, reason="a test", parks=True, now=NOON)
        await tx.held.park([BEHIND], now=NOON)

    for other in (None, base64.b64encode(bytes(32)).decode()):
        lost = database(url, quarantine_key=other)
        with pytest.raises(Conflict, match="does not open"):
            await release(lost, consumer, RECORD.quarantine_id(), resolution="retried", by="a", reason="a try")
        await lost.close()
    lost = database(url, quarantine_key=other)
    await release(lost, consumer, RECORD.quarantine_id(), resolution="discarded", by="a", reason="the key is lost")
    async with lost.begin() as tx:
        held = await tx.held.first_parking("group", case(1))
    await lost.close()
    assert held is not None
    await release(store, consumer, held.quarantine_id, resolution="retried", by="a", reason="the key is back")
    await store.close()

    assert held.reason == "What was put aside does not open with the quarantine key of this service."
    assert [(one.offset, one.key, one.value) for one in got] == [(8, BEHIND.key, BEHIND.payload)]


async def test_key_payload_and_headers_are_sealed_and_come_back_as_they_were() -> None:
    url = migrated()
    store = database(url, quarantine_key=KEY)
    async with store.begin() as tx:
        await tx.lock_cases([case(1)])
        await tx.held.hold(RECORD, reason="a test", parks=True, now=NOON)
        await tx.held.park([BEHIND, KEYLESS], now=NOON)
    async with store.begin() as tx:
        found = await tx.held.find(RECORD.quarantine_id())
        waiting = await tx.held.waiting("group", case(1))
    await store.close()
    connection = await asyncpg.connect(url)
    rows = [
        repr(list(row.values()))
        for t in ("quarantine", "parked_event")
        for row in await connection.fetch(f"SELECT * FROM {SERVICE}.{t}")  # noqa: S608 - names of ours
    ]
    await connection.close()

    assert found is not None
    assert found.record == RECORD
    assert [one.record for one in waiting] == [BEHIND, KEYLESS]
    assert len(rows) == 3
    assert [row for row in rows if MARK.decode() in row] == []
