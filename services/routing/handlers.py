"""What routing reads from Kafka."""

from __future__ import annotations

from collections.abc import Sequence

from faststream.kafka import KafkaRouter

from schemas import topics
from services.kit.codec import Event
from services.kit.consume import Consume
from services.kit.transaction import Transaction
from services.routing.service import RoutingService


def build_router(service: RoutingService, consume: Consume) -> KafkaRouter:
    """Subscribe routing to case events; linked cases are locked together."""
    router = KafkaRouter()

    @consume.batches(router, topics.CASE_EVENTS, group_id="routing", keys=service.linked_keys)
    async def on_case_events(events: Sequence[Event], tx: Transaction) -> None:
        await service.route(events, tx)

    return router
