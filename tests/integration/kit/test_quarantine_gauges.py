"""What an operator is warned by: how much is in quarantine, overdue, parked and lacking, as Prometheus reads it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from prometheus_client import REGISTRY
from sqlalchemy import text

from services.kit.quarantine import Record
from services.kit.runtime import Runtime
from services.kit.settings import KitSettings
from tests.support.kit import SERVICE, case

HELD_SINCE_MIN: Final = (59, 61, 61)  # within the hour a person is to look
GAUGES: Final = {"quarantine_held": 3.0, "quarantine_overdue": 2.0, "parked_events": 4.0, "published_and_lacking": 1.0}
_PUBLISHED_BEFORE: Final = text("""
    INSERT INTO published_before
        (event_id, topic, partition, "offset", key, producer_seq, payload, in_outbox, after_xid, after_id)
    VALUES (gen_random_uuid(), 'topic', 0, 0, '', 1, '', false, '0', 0),
        (gen_random_uuid(), 'topic', 0, 1, '', 2, '', true, '0', 0)
""")


def record(offset: int) -> Record:
    return Record("reader", "topic", 0, offset, None, b"?", case(1))


async def test_what_is_held_overdue_parked_and_lacking_is_counted(settings: KitSettings) -> None:
    runtime = Runtime(settings, SERVICE)
    async with runtime.database.begin() as tx:
        for offset, minutes in enumerate(HELD_SINCE_MIN):
            await tx.held.hold(record(offset), reason="it failed", parks=True, now=tx.now - timedelta(minutes=minutes))
        dealt_with = record(3)
        await tx.held.hold(dealt_with, reason="it failed", parks=True, now=tx.now - timedelta(days=1))
        await tx.held.resolve(dealt_with.quarantine_id(), outcome="discarded", by="ada", reason="a test", now=tx.now)
        await tx.held.park([record(offset) for offset in range(4, 8)], now=tx.now)
        await tx.connection.execute(_PUBLISHED_BEFORE)

    await runtime._watch()
    await runtime.database.close()

    shown = {name: REGISTRY.get_sample_value(f"handrail_{name}") for name in GAUGES}
    assert shown == GAUGES
