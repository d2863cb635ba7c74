"""The whole service on real Kafka: a decision comes in, the clock is moved, the breach comes out; and what was met meanwhile is none."""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer

from schemas import topics
from schemas.calendar import end_of_day
from schemas.deadlines import Met
from schemas.messages import parse
from services.kit.database import Database
from services.kit.runtime import kafka_connection
from tests.support.deadlines import NOON, obligation_met, obligation_opened
from tests.support.deadlines_app import app, client
from tests.support.deadlines_database import feed, move_clock_to, published
from tests.support.eventually import eventually
from tests.support.kit_kafka import begin_after_others, read_all
from tests.support.kit_kafka import settings as admin_settings
from tests.support.stack import stack

DUE_ON = date(2026, 11, 9)  # 5 working days after Mon 2: Tue 3 ... Fri 6, Mon 9


@pytest.fixture
def case_key(database_url: str) -> str:
    """Return a case that no other test writes to: the run's topics are shared."""
    return sha256(database_url.encode()).hexdigest()[:32]


async def test_a_decision_becomes_a_duty_and_its_breach_is_published(
    database_url: str, database: Database, case_key: str
) -> None:
    await move_clock_to(database, NOON)
    application = app(database_url, **_broker())
    await begin_after_others(database_url, "deadlines")
    opening = obligation_opened(1, UUID(case_key), DUE_ON, from_on=NOON.date(), case_key=case_key)

    async with client(application, "operations") as http, application.router.lifespan_context(application):
        await _publish(opening.wire(), case_key)

        async def shown() -> list[dict[str, object]]:
            answer = await http.get("/v1/obligations", params={"case": case_key})
            return list(answer.json()["obligations"])

        (opened,) = await eventually(shown, "the duty is kept")
        to_tuesday = 7 * 86_400 + 12 * 3_600 + 60  # at 00:01, a minute late
        await http.post("/v1/clock", json={"seconds": to_tuesday, "reason": "to watch it breach"})
        published = await eventually(lambda: _published(database_url, case_key), "the breach is published")

    assert opened["due_on"] == "2026-11-09"
    assert published == ["deadline.breached.v1", "alert.raised.v1"]


async def test_what_was_met_while_deadlines_was_down_is_not_breached_when_it_starts(
    database_url: str, database: Database, case_key: str
) -> None:
    duty_id = UUID(case_key)
    await move_clock_to(database, NOON)
    await feed(database, obligation_opened(1, duty_id, DUE_ON, from_on=NOON.date(), case_key=case_key))
    await move_clock_to(database, end_of_day(DUE_ON) + timedelta(hours=8))
    in_time = end_of_day(DUE_ON) - timedelta(hours=3)
    await _publish(obligation_met(duty_id.int + 1, duty_id, in_time, case_key=case_key).wire(), case_key)
    await begin_after_others(database_url, "deadlines")
    application = app(database_url, **_broker())

    async with client(application, "operations"), application.router.lifespan_context(application):
        (met,) = await eventually(lambda: published(database, "deadline.met.v1"), "the backlog is read")

    assert isinstance(met, Met)
    assert met.data.working_days_late == 0
    assert [one.type for one in await published(database) if one.case_key == case_key] == ["deadline.met.v1"]


def _broker() -> dict[str, Any]:
    kafka = stack().kafka
    return {
        "kafka_bootstrap": kafka.bootstrap,
        "kafka_security": kafka.security_protocol,
        "kafka_ca_file": kafka.ca_file,
    }


async def _publish(raw: bytes, case_key: str) -> None:
    producer = AIOKafkaProducer(acks="all", **kafka_connection(admin_settings("postgresql://unused@127.0.0.1/unused")))
    await producer.start()
    await producer.send_and_wait(topics.DECISIONS, raw, key=case_key.encode())
    await producer.stop()


async def _published(database_url: str, case_key: str) -> list[str]:
    """Return the types of the case's messages on the topic `deadlines`, once there are two of them, else nothing."""
    records = await read_all(admin_settings(database_url), topics.DEADLINES)
    messages = [parse(record.value) for record in records if record.key == case_key.encode()]
    assert all(message.producer == "deadlines" and message.producer_seq for message in messages)
    return [message.type for message in messages] if len(messages) >= 2 else []
