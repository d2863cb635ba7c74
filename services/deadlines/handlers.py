"""What deadlines reads from Kafka."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from faststream.kafka import KafkaRouter

from schemas import topics
from services.deadlines.service import DeadlinesService
from services.kit.codec import Event
from services.kit.consume import UNHURRIED_REST_S, Consume
from services.kit.transaction import Transaction

GROUP: Final = "deadlines"


def build_router(service: DeadlinesService, consume: Consume) -> KafkaRouter:
    """Subscribe deadlines to what routing decides and delivers, and to what any service puts aside."""
    router = KafkaRouter()

    @consume.batches(router, topics.DECISIONS, topics.DELIVERIES, group_id=GROUP, rest_s=UNHURRIED_REST_S)
    async def on_routing(events: Sequence[Event], tx: Transaction) -> None:
        await service.follow(events, tx)

    # A group of its own: where a case is parked in the group above, the alert that says so must not wait behind it.
    @consume.batches(router, *topics.QUARANTINES, group_id="deadlines.quarantine")
    async def on_quarantine(events: Sequence[Event], tx: Transaction) -> None:
        await service.follow_quarantines(events, tx)

    return router
