"""Nothing personal leaves intake: marked values are searched for in every place that something could leak to.

The marks stand in names, dates of birth, identifiers and narrative, in events that are accepted, refused (422), in
conflict (409) and unreadable, by HTTP and by Kafka, and in the text of an exception. Each place is first shown to be
searched: a mark that was planted there is found.
"""

from __future__ import annotations

import asyncio
import base64
import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import asyncpg
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from deploy.stubs.journal import FILE_NAME
from handrail.cli.quarantine import held_by
from handrail.client import encrypt_personal
from handrail.installation.clients import Credentials
from handrail.installation.installation import Installation
from handrail.installation.web import Answer, Web
from schemas.topics import SERVICES
from tests.support.eventually import until
from tests.support.installation import add_police, played_demo

MARKS = ("CANARY-Name", "1911-11-11", "9434765919", "CANARY-narrative", "CANARY-street", "CANARY-exception")
PLANTED = f"PLANTED-{uuid4().hex}"
PLANTED_CLIENT = f"planted-{uuid4().hex[:12]}"  # the only thing in a metric that somebody outside can name
TOLD = ("la:E08000035", "lscp:E08000035")  # N-11, of the marked events that are accepted
PLANTED_IN = {
    "topics": {
        "safeguarding.case-events.v1",
        "safeguarding.decisions.v1",
        "safeguarding.deliveries.v1",
        "safeguarding.deadlines.v1",
        "safeguarding.intake.quarantine.v1",
        "safeguarding.routing.quarantine.v1",
        "safeguarding.deadlines.quarantine.v1",
        "safeguarding.audit.quarantine.v1",
    },
    "logs": {
        "logs/front.log",
        "logs/intake.log",
        "logs/routing.log",
        "logs/deadlines.log",
        "logs/audit.log",
        "logs/stubs.log",
        "logs/nursery.log",
        "kafka/console.log",
        "kafka/kafka.log",
        "postgres/postgres.log",
    },
    "metrics": {"intake"},
    "tables": {"intake.planted", "routing.planted", "deadlines.planted", "audit.planted"},
    "journals": set(TOLD),
}
REASONS = (  # why what came by Kafka is put aside: the 409 and the 422 of HTTP, plain personal data, and poison
    "An event with this source and id was accepted before",
    "The event was not accepted",
    "Personal data must be encrypted",
    "The body is not JSON",
)
CLOUD_EVENT = {"Content-Type": "application/cloudevents+json"}
WAIT_S = 120.0


def event(number: str, keys: Any = None, **changes: Any) -> bytes:
    """Return a marked event; with `keys`, its personal block is encrypted, as it has to be by Kafka."""
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
        "harm": "serious_harm",
        "area": "E08000035",
        "country": "england",
    }
    data |= {"children": [{"ref": "child-1"}], "personal": encrypt_personal(personal, keys) if keys else personal}
    data |= changes
    page: dict[str, Any] = {"specversion": "1.0", "id": f"canary-{number}", "source": "urn:example:canary"}
    page |= {"type": "incident.reported.v1", "time": "2026-06-01T08:00:00Z", "data": data}
    return json.dumps(page).encode()


def wait_until(ready: Callable[[], bool]) -> None:
    until(ready, "it is seen", within_s=WAIT_S)


class Places:
    """Everywhere that a value could have got to: each yields where it looked, and what it found there as text."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    def topics(self) -> Iterator[tuple[str, str]]:
        """Yield key, headers and value of every record of every topic but what partners submitted."""
        broker = self._installation.stack.kafka
        config = {**broker.client_config(), "group.id": uuid4().hex, "enable.auto.commit": False}
        consumer = Consumer(config)
        metadata = consumer.list_topics(timeout=60)
        partitions = [
            TopicPartition(name, p, 0) for name in self.topic_names() for p in metadata.topics[name].partitions
        ]
        ends = {(p.topic, p.partition): consumer.get_watermark_offsets(p, timeout=60)[1] for p in partitions}
        consumer.assign([p for p in partitions if ends[p.topic, p.partition]])
        left = {place for place, end in ends.items() if end}
        while left:  # what comes after these ends is not waited for
            message = consumer.poll(60)
            assert message is not None
            assert message.error() is None
            at = TopicPartition(str(message.topic()), int(message.partition() or 0), int(message.offset() or 0))
            if at.offset + 1 >= ends[at.topic, at.partition]:
                left.discard((at.topic, at.partition))
            yield str(message.topic()), repr((message.key(), message.headers(), message.value()))
        consumer.close()

    def topic_names(self) -> list[str]:
        """Return every topic but Kafka's own and those that partners write to."""
        names = self._installation.stack.kafka.admin().list_topics(timeout=60).topics
        return [name for name in names if ".submissions." not in name and name[0] != "_"]

    def logs(self) -> Iterator[tuple[str, str]]:
        """Yield every log file, broker and database included."""
        for path in self.log_files():
            yield str(path.relative_to(self._installation.folder)), path.read_text(errors="replace")

    def log_files(self) -> list[Path]:
        """Return every log file.

        Kafka calls its segments `.log` too; what stands in them is searched as topics, where those that partners
        wrote themselves are left out.
        """
        folder = self._installation.folder
        return [path for path in folder.rglob("*.log") if not path.is_relative_to(folder / "kafka" / "data")]

    def metrics(self) -> Iterator[tuple[str, str]]:
        """Yield the metrics of every service."""
        for service in SERVICES:
            with urllib.request.urlopen(f"{self._installation.url(service)}/metrics") as response:  # noqa: S310 - our own services
                yield service, response.read().decode()

    def journals(self) -> Iterator[tuple[str, str]]:
        """Yield everything that reached a recipient: the body with its addresses, and what its grant says.

        Read from the stubs' own file, because what they show hides the grants.
        """
        whole, _, _ = (self._installation.folder / "stubs" / FILE_NAME).read_text().rpartition("\n")
        for line in whole.splitlines():
            entry = json.loads(line)
            yield entry["recipient"], line + grant_of(entry["body"])

    def tables(self) -> Iterator[tuple[str, str]]:
        """Yield every row of every table of every service as text; bytes are shown both as text and as hex."""
        yield from asyncio.run(self._rows())

    async def _rows(self) -> list[tuple[str, str]]:
        connection = await asyncpg.connect(self._installation.database_url())
        try:
            tables = await connection.fetch(
                "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            )
            found = []
            for schema, name in tables:
                rows = await connection.fetch(f'SELECT * FROM "{schema}"."{name}"')  # noqa: S608 - names from the catalogue
                found += [(f"{schema}.{name}", repr(list(row.values()))) for row in rows]
            return found
        finally:
            await connection.close()


def journal_path(recipient: str) -> str:
    return f"/recipients/{quote(recipient, safe='')}/journal"


def grant_of(body: Any) -> str:
    """Return the claims of a notice's grant (a JWT, whose base64 would hide a mark), or nothing if there is none."""
    if not isinstance(body, dict) or "content" not in body:
        return ""
    claims = body["content"]["grant"].split(".")[1]
    return base64.urlsafe_b64decode(claims + "==").decode()


@pytest.fixture(scope="module")
def installation() -> Installation:
    """Give the running demo, after the marked events went through it."""
    demo = played_demo().installation
    police = add_police(demo, "canary-police")
    intake = Web(demo.url("intake"), police.token)
    accepted = [_send_by_http(intake), _send_by_kafka(demo, intake, police)]
    wait_until(lambda: all(_is_told(demo, recipient, case_key) for recipient in TOLD for case_key in accepted))
    asyncio.run(_raise_an_exception(demo, intake))
    _plant(demo)
    return demo


def _send_by_http(intake: Web) -> str:
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
    return str(accepted.body["case_key"])


def _send_by_kafka(demo: Installation, intake: Web, police: Credentials) -> str:
    operator, keys = demo.web("intake"), intake.get("/v1/keys")
    before = {item["quarantine_id"] for item in held_by(operator)}
    known = {receipt["receipt_id"] for receipt in intake.get("/v1/receipts")["receipts"]}

    def accepted() -> list[str]:
        receipts = intake.get("/v1/receipts")["receipts"]
        return [receipt["case_key"] for receipt in receipts if receipt["receipt_id"] not in known]

    def reasons() -> list[str]:
        return [item["reason"] for item in held_by(operator) if item["quarantine_id"] not in before]

    config = demo.stack.kafka.client_config(user=police.kafka_user, password=police.kafka_password)
    producer, topic = Producer(config), police.kafka_topic
    producer.produce(topic, event("4", keys), key=b"CANARY-Name", headers={"CANARY-Name": "CANARY-Name"})
    producer.produce(topic, event("4", keys, harm="death"), key=b"CANARY-Name")
    producer.produce(topic, event("5", keys, harm="CANARY-Name"))
    producer.produce(topic, event("6"))
    producer.produce(topic, b"CANARY-narrative\xff", key=b"CANARY-Name")
    assert producer.flush(30) == 0
    wait_until(lambda: len(accepted()) >= 1 and len(reasons()) >= 4)
    assert len(accepted()) == 1
    for expected in REASONS:
        assert any(reason.startswith(expected) for reason in reasons()), reasons()
    return accepted()[0]


def _is_told(demo: Installation, recipient: str, case_key: str) -> bool:
    entries = Web(demo.url("stubs")).get(journal_path(recipient))["entries"]
    return any(entry["outcome"] == "taken" and entry["body"]["case_key"] == case_key for entry in entries)


async def _raise_an_exception(demo: Installation, intake: Web) -> None:
    """Let intake's database refuse an event with an error whose text holds a mark, as a violated constraint's does."""
    connection = await asyncpg.connect(demo.database_url())
    try:
        await connection.execute(
            """CREATE FUNCTION intake.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                   RAISE EXCEPTION 'refused' USING DETAIL = 'Failing row contains (CANARY-exception).'; END $$;
               CREATE TRIGGER refuse BEFORE INSERT ON intake.submission FOR EACH ROW EXECUTE FUNCTION intake.refuse()"""
        )
        with pytest.raises(asyncpg.RaiseError, match="CANARY-exception"):
            await connection.execute("INSERT INTO intake.submission SELECT * FROM intake.submission LIMIT 1")
        answer = await asyncio.to_thread(intake.call, "POST", "/v1/events", event("7"), CLOUD_EVENT)
    finally:
        await connection.execute("DROP FUNCTION intake.refuse CASCADE")
        await connection.close()
    assert answer.status == 500
    assert "CANARY" not in answer.text


def _plant(demo: Installation) -> None:
    """Put the planted mark where a leak would be: each topic, log file and service's tables, a journal, a metric."""
    places = Places(demo)
    for path in places.log_files():
        with path.open("a") as log:
            log.write(f"{PLANTED}\n")
    producer = Producer(demo.stack.kafka.client_config())
    for topic in places.topic_names():
        producer.produce(topic, b"not an event", headers={"planted": PLANTED})
    assert producer.flush(30) == 0
    for recipient in TOLD:
        unsigned = json.dumps({"planted": PLANTED}).encode()
        answer = Web(demo.url("stubs")).call("POST", f"/recipients/{quote(recipient, safe='')}/webhook", unsigned)
        assert answer.status == 401
    asyncio.run(_plant_tables(demo.database_url()))
    add_police(demo, PLANTED_CLIENT)
    wait_until(lambda: any(PLANTED_CLIENT in text for _, text in places.metrics()))


async def _plant_tables(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for service in SERVICES:
            await connection.execute(f"CREATE TABLE {service}.planted AS SELECT $${PLANTED}$$::bytea AS mark")
    finally:
        await connection.close()


def found_in(installation: Installation, place: str, mark: str) -> set[str]:
    return {where for where, text in getattr(Places(installation), place)() if mark in text}


@pytest.mark.parametrize("place", PLANTED_IN)
def test_a_planted_mark_is_found(installation: Installation, place: str) -> None:
    mark = PLANTED_CLIENT if place == "metrics" else PLANTED

    assert found_in(installation, place, mark) == PLANTED_IN[place]


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("place", PLANTED_IN)
def test_no_mark_is_anywhere(installation: Installation, place: str, mark: str) -> None:
    assert found_in(installation, place, mark) == set()


def test_the_metrics_that_are_searched_are_those_of_every_service(installation: Installation) -> None:
    assert [service for service, text in Places(installation).metrics() if "handrail_" in text] == list(SERVICES)
