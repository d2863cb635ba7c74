"""Publishes case events on the run's broker, as intake would; for integration tests."""

from __future__ import annotations

from aiokafka import AIOKafkaProducer

from schemas import topics
from schemas.case_events import CaseEvent
from services.kit.runtime import kafka_connection
from tests.support.kit_kafka import settings


async def publish(*messages: CaseEvent) -> None:
    """Publish messages in order, each under its case."""
    producer = AIOKafkaProducer(acks="all", **kafka_connection(settings("postgresql://unused@127.0.0.1/unused")))
    await producer.start()
    for message in messages:
        await producer.send_and_wait(topics.CASE_EVENTS, message.wire(), key=(message.case_key or "").encode())
    await producer.stop()
