"""What intake reads from Kafka: submissions of all clients, and what routing says about them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import structlog
from faststream.kafka import KafkaRouter
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas import topics
from services.intake.domain import progress
from services.intake.domain.cloudevent import STRUCTURED, RawEvent
from services.intake.domain.problems import Refusal
from services.intake.reading import Incoming
from services.intake.service import IntakeService
from services.intake.store import clients
from services.intake.store import progress as progress_store
from services.kit import metrics
from services.kit.codec import Event
from services.kit.consume import UNHURRIED_REST_S, Consume
from services.kit.errors import Refused
from services.kit.kafka_compat import RawRecord
from services.kit.path import kept
from services.kit.transaction import Transaction

SUBMISSIONS_GROUP: Final = "intake.submissions"
_SUBMISSIONS: Final = re.escape(topics.SUBMISSIONS_PREFIX) + r"[a-z0-9-]{3,40}\.v1$"
_log = structlog.get_logger("services.intake.handlers")


class NotAccepted(Refused):
    """The submission cannot be accepted."""


_UNKNOWN_CLIENT: Final = Refusal(
    "not_allowed", "This topic belongs to no registered client, or to one that was revoked."
)


def build_router(service: IntakeService, consume: Consume) -> KafkaRouter:
    """Subscribe intake to every client's topic, also to those made later, and to what routing says."""
    router = KafkaRouter()

    async def cases_of(records: Sequence[RawRecord], connection: AsyncConnection) -> Iterable[str]:
        return await service.cases_of(((client_of(one.topic), raw_event(one)) for one in records), connection)

    @consume.batches(router, pattern=_SUBMISSIONS, group_id=SUBMISSIONS_GROUP, raw=True, keys=cases_of)
    async def on_submissions(records: Sequence[RawRecord], tx: Transaction) -> None:
        known = await clients.by_name(tx.connection, {client_of(one.topic) for one in records})
        mine = [one for one in records if client_of(one.topic) in known]
        incoming = [Incoming(known[client_of(one.topic)], raw_event(one), "kafka") for one in mine]
        outcomes = await service.accept(incoming, tx)
        refused = [(one, outcome) for one, outcome in zip(mine, outcomes, strict=True) if isinstance(outcome, Refusal)]
        refused += [(one, _UNKNOWN_CLIENT) for one in records if client_of(one.topic) not in known]
        if refused and len(records) == 1:
            # Alone in its batch, as in a retry from quarantine: the consume path holds it and knows that it failed.
            raise NotAccepted(_reason(*refused[0]))
        for record, refusal in refused:
            metrics.QUARANTINED.labels(SUBMISSIONS_GROUP, "refused").inc()
            await tx.quarantine(kept(SUBMISSIONS_GROUP, record), reason=_reason(record, refusal))

    async def cases_told(events: Sequence[Event], connection: AsyncConnection) -> Iterable[str]:
        return await service.cases_told([event.message for event in events], connection)

    @consume.batches(
        router, topics.DECISIONS, topics.DELIVERIES, group_id="intake", keys=cases_told, rest_s=UNHURRIED_REST_S
    )
    async def on_routing(events: Sequence[Event], tx: Transaction) -> None:
        messages = [event.message for event in events]
        await progress_store.apply(tx.connection, progress.fold(messages))
        await service.settle(messages, tx)

    return router


def _reason(record: RawRecord, refusal: Refusal) -> str:
    """Return why a record is put aside, and raise the alarm if personal data stood open on a topic."""
    if refusal.cause == "plain_personal":
        _log.error(
            "intake.personal_data_in_plain_text", topic=record.topic, partition=record.partition, offset=record.offset
        )
    return refusal.reason


def client_of(topic: str) -> str:
    """Return the client that a submissions topic belongs to: the topic says who, never the record."""
    return topic.removeprefix(topics.SUBMISSIONS_PREFIX).removesuffix(".v1")


def raw_event(record: RawRecord) -> RawEvent:
    """Return a record as a submitted event: binary if it has a CloudEvents header, else structured. Its headers are plain UTF-8.

    Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md, 3.2.3
    """
    headers = {name.lower(): (value or b"").decode("utf-8", "replace") for name, value in record.headers}
    attributes = {name.removeprefix("ce_"): value for name, value in headers.items() if name.startswith("ce_")}
    content_type = headers.get("content-type", "") if attributes else STRUCTURED
    return RawEvent(record.value, content_type, attributes)
