"""Nothing personal leaves intake: marked values are searched for in every place that something could leak to.

The marks stand in names, dates of birth, identifiers and narrative, in events that are accepted, refused (422), in
conflict (409) and unreadable, by HTTP and by Kafka. Each place is first shown to be searched: a planted mark is found.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from handrail.installation.installation import Installation
from handrail.installation.web import Answer, Web
from schemas.topics import SERVICES
from tests.support.installation import add_police, played_demo

MARKS = ("CANARY-Name", "1911-11-11", "9434765919", "CANARY-narrative", "CANARY-street")
PLANTED = f"PLANTED-{uuid4().hex}"
CLOUD_EVENT = {"Content-Type": "application/cloudevents+json"}
WAIT_S = 30.0


def event(number: str, **changes: Any) -> bytes:
    personal: dict[str, Any] = {
        "incident_date": "2026-05-31",
        "summary": "CANARY-narrative of what happened",
        "children": [
            {
                "ref": "child-1",
                "name": "CANARY-Name Testchild",
                "date_of_birth": "1911-11-11",
                "nhs_number": "9434765919",
                "address": "1 CANARY-street",
            }
        ],
    }
    data: dict[str, Any] = {
        "case_reference": f"CAN-{number}",
        "harm": "other",
        "area": "E08000035",
        "country": "england",
    }
    data |= {"children": [{"ref": "child-1"}], "personal": personal, **changes}
    page: dict[str, Any] = {"specversion": "1.0", "id": f"canary-{number}", "source": "urn:example:canary"}
    page |= {"type": "incident.reported.v1", "time": "2026-06-01T08:00:00Z", "data": data}
    return json.dumps(page).encode()


def wait_until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not ready():
        assert time.monotonic() < end, "not seen in time"
        time.sleep(0.05)


class Places:
    """Everywhere that a value could have got to, as text."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    def topics(self) -> Iterator[str]:
        """Yield key, headers and value of every record of every topic but what partners submitted."""
        broker = self._installation.stack.kafka
        config = {**broker.client_config(), "group.id": uuid4().hex, "enable.auto.commit": False}
        consumer = Consumer(config)
        names = [n for n in broker.admin().list_topics(timeout=10).topics if ".submissions." not in n and n[0] != "_"]
        metadata = consumer.list_topics(timeout=10)
        partitions = [TopicPartition(name, p, 0) for name in names for p in metadata.topics[name].partitions]
        ends = {(p.topic, p.partition): consumer.get_watermark_offsets(p, timeout=10)[1] for p in partitions}
        consumer.assign([p for p in partitions if ends[p.topic, p.partition]])
        left = sum(ends.values())
        while left:
            message = consumer.poll(10)
            assert message is not None
            assert message.error() is None
            left = left - 1
            yield repr((message.topic(), message.key(), message.headers(), message.value()))
        consumer.close()

    def logs(self) -> Iterator[str]:
        """Yield every log file, broker and database included.

        Kafka calls its segments `.log` too; what stands in them is searched as topics, where those that partners
        wrote themselves are left out.
        """
        folder = self._installation.folder
        for path in folder.rglob("*.log"):
            if not path.is_relative_to(folder / "kafka" / "data"):
                yield path.read_text(errors="replace")

    def metrics(self) -> Iterator[str]:
        """Yield the metrics of every service."""
        for service in SERVICES:
            with urllib.request.urlopen(f"{self._installation.url(service)}/metrics") as response:  # noqa: S310 - our own services
                yield response.read().decode()

    def tables(self) -> Iterator[str]:
        """Yield every row of every table of every service as text; bytes are shown both as text and as hex."""
        yield from asyncio.run(self._rows())

    async def _rows(self) -> list[str]:
        connection = await asyncpg.connect(self._installation.database_url())
        try:
            tables = await connection.fetch(
                "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            )
            found = []
            for schema, name in tables:
                rows = await connection.fetch(f'SELECT * FROM "{schema}"."{name}"')  # noqa: S608 - names from the catalogue
                found += [f"{schema}.{name}: {list(row.values())!r}" for row in rows]
            return found
        finally:
            await connection.close()


@pytest.fixture(scope="module")
def installation() -> Installation:
    """Give the running demo, after the marked events went through it."""
    demo = played_demo().installation
    police = add_police(demo, "canary-police")
    intake = Web(demo.url("intake"), police.token)
    _send_by_http(intake)
    _send_by_kafka(demo, police.kafka_user, police.kafka_password, police.kafka_topic)
    _plant(demo)
    return demo


def _send_by_http(intake: Web) -> None:
    def post(body: bytes) -> Answer:
        return intake.call("POST", "/v1/events", body, CLOUD_EVENT)

    accepted = post(event("1"))
    assert accepted.status == 202
    assert post(event("1", harm="death")).status == 409
    refused = post(event("2", harm="CANARY-Name", **{"CANARY-Name": "x"}))
    assert refused.status == 422
    assert post(event("3", case_reference="CANARY-Name Testchild")).status == 422
    assert post(b'{"CANARY-narrative": ').status == 400
    assert intake.call("GET", "/v1/receipts/CANARY-Name").status in {404, 422}
    wait_until(lambda: intake.get(f"/v1/receipts/{accepted.body['receipt_id']}")["status"] == "decided")


def _send_by_kafka(demo: Installation, user: str, password: str, topic: str) -> None:
    operator = demo.web("intake")
    before = len(operator.get("/v1/quarantine"))
    producer = Producer(demo.stack.kafka.client_config(user=user, password=password))
    producer.produce(
        topic, event("4"), headers={"CANARY-Name": "CANARY-Name"}
    )  # plain personal data is not allowed here
    producer.produce(topic, b"CANARY-narrative\xff", key=b"CANARY-Name")
    producer.produce(topic, event("5", harm="CANARY-Name"))
    assert producer.flush(10) == 0
    wait_until(lambda: len(operator.get("/v1/quarantine")) >= before + 3)


def _plant(demo: Installation) -> None:
    """Put the planted mark where a leak would be: a topic, a log file, a table of each service."""
    (demo.folder / "logs" / "planted.log").write_text(PLANTED)
    producer = Producer(demo.stack.kafka.client_config())
    producer.produce("safeguarding.audit.quarantine.v1", b"not an event", headers={"planted": PLANTED})
    assert producer.flush(10) == 0
    asyncio.run(_plant_tables(demo.database_url()))


async def _plant_tables(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for service in SERVICES:
            await connection.execute(f"CREATE TABLE {service}.planted AS SELECT $${PLANTED}$$::bytea AS mark")
    finally:
        await connection.close()


@pytest.mark.parametrize("place", ["topics", "logs", "tables"])
def test_a_planted_mark_is_found(installation: Installation, place: str) -> None:
    found = [text for text in getattr(Places(installation), place)() if PLANTED in text]

    assert len(found) >= (len(SERVICES) if place == "tables" else 1)


def test_the_metrics_that_are_searched_are_those_of_the_marked_events(installation: Installation) -> None:
    assert all("handrail_" in text for text in Places(installation).metrics())


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("place", ["topics", "logs", "metrics", "tables"])
def test_no_mark_is_anywhere(installation: Installation, place: str, mark: str) -> None:
    leaked = [text[:300] for text in getattr(Places(installation), place)() if mark in text]

    assert leaked == []
