"""The Kafka way: the same validator, one client per topic, new clients without a restart, and nothing lost when Kafka is away."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer

from handrail.client import encrypt_personal
from handrail.embedded.topics import add_client_topic
from schemas.case_events import BecameAware, IncidentReported
from schemas.topics import submissions
from tests.support.eventually import eventually
from tests.support.intake import LEEDS, event, incident
from tests.support.intake_app import Intake, access_token, intake, register, submission_key
from tests.support.kit_kafka import begin_after_others
from tests.support.stack import stack

_numbers = itertools.count(1)


def client_name() -> str:
    """Return a name that no other test of the run uses: topics and groups outlive a test's database."""
    return f"partner-{os.getpid()}-{next(_numbers)}"


@asynccontextmanager
async def started(**changed: Any) -> AsyncIterator[Intake]:
    """Run intake with its consumers and relay."""
    kafka = stack().kafka
    given = {
        "kafka_bootstrap": kafka.bootstrap,
        "kafka_security": kafka.security_protocol,
        "kafka_ca_file": kafka.ca_file,
    }
    async with intake(**given | changed) as opened:
        await begin_after_others(opened.database_url, "intake")
        async with opened.app.router.lifespan_context(opened.app):
            yield opened


async def new_client(opened: Intake, body: str = "police") -> str:
    """Register a client by HTTP and make its topic, as `handrail client add` does."""
    name = client_name()
    opened.tokens[name] = await register(opened, {"name": name, "body": body, "area": LEEDS})
    await asyncio.to_thread(add_client_topic, stack().kafka, name, "client-test-password")
    return name


async def send(name: str, *values: bytes, headers: list[tuple[str, bytes]] | None = None, key: bytes = b"case") -> None:
    """Write records to a client's topic with that client's own user."""
    kafka = stack().kafka
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap,
        security_protocol=kafka.security_protocol,
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=f"client-{name}",
        sasl_plain_password="client-test-password",
    )
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(submissions(name), value, key=key, headers=headers)
    finally:
        await producer.stop()


def sealed(document: dict[str, Any]) -> bytes:
    """Return an event as it may travel by Kafka: its personal block encrypted."""
    key = submission_key().as_dict(private=False)
    document["data"]["personal"] = encrypt_personal(document["data"]["personal"], {"keys": [key]})
    return orjson.dumps(document)


async def reports(opened: Intake) -> list[IncidentReported]:
    """Return the incident reports in the outbox, in order."""
    return [message for message in await opened.published() if isinstance(message, IncidentReported)]


async def known(opened: Intake) -> list[BecameAware]:
    """Return the awareness events in the outbox, in order."""
    return [message for message in await opened.published() if isinstance(message, BecameAware)]


async def reasons(opened: Intake, name: str) -> list[str]:
    """Return why records of a client are in quarantine. Topics of other tests, whose clients are unknown here, are there too."""
    held = await opened.column("SELECT topic || ' ' || reason FROM quarantine ORDER BY arrival")
    return [one.partition(" ")[2] for one in held if one.startswith(submissions(name))]


async def test_a_client_that_is_registered_later_is_heard_without_a_restart() -> None:
    async with started() as opened:
        first = await new_client(opened)
        await send(first, sealed(incident()))
        await eventually(lambda: reports(opened), "the first client's event")
        second = await new_client(opened)
        await send(second, sealed(incident()))

        async def both() -> bool:
            return {m.data.reporter.client for m in await reports(opened)} == {first, second}

        await eventually(both, "the second client's event")


async def test_an_event_by_kafka_and_the_same_by_http_are_one() -> None:
    async with started() as opened:
        name = await new_client(opened)
        await send(name, sealed(incident()))
        await eventually(lambda: reports(opened), "the event")

        again = await opened.post(incident(), by=name)

        assert again.status_code == 200
        assert again.json()["missing"][0]["fact"] == "child.care_leaver"


async def test_what_cannot_be_accepted_goes_to_quarantine_and_its_neighbours_go_on() -> None:
    async with started() as opened:
        name = await new_client(opened)
        plain = orjson.dumps(incident(id="plain"))
        broken = orjson.dumps(incident(id="broken", data__harm="Zebedee", data__personal="no jwe"))
        await send(name, sealed(incident(id="a")), plain, b"\x00poison", broken, sealed(incident(id="b")))

        async def settled() -> bool:
            return len(await reasons(opened, name)) == 3 and len(await reports(opened)) >= 2

        await eventually(settled, "two accepted, three in quarantine")
        found = sorted(await reasons(opened, name))
        assert found[0].startswith("Personal data must be encrypted on the Kafka way.")
        assert found[1].startswith("The body is not JSON that can be read")
        assert found[2].startswith("The personal block cannot be decrypted")
        assert len(await reports(opened)) == 2
        announced = [
            m
            for m in await opened.published()
            if m.type == "record.quarantined.v1" and m.data.topic == submissions(name)
        ]
        assert len(announced) == 3
        assert b"Zebedee" not in b"".join(await opened.column("SELECT payload FROM quarantine"))


async def test_the_topic_says_who_reports_and_a_revoked_client_is_not_heard() -> None:
    async with started() as opened:
        name = await new_client(opened)
        operator = {"Authorization": f"Bearer {access_token('operations')}"}
        await opened.http.delete(f"/v1/clients/{name}", headers=operator)
        await send(name, sealed(incident()))

        await eventually(lambda: reasons(opened, name), "the record in quarantine")
        [reason] = await reasons(opened, name)
        assert "no registered client" in reason
        listed = (await opened.http.get("/v1/quarantine", headers=operator)).json()["records"]
        [held] = [one["quarantine_id"] for one in listed if one["topic"] == submissions(name)]

        failed = await opened.http.post(
            f"/v1/quarantine/{held}/retry", json={"reason": "perhaps it is back"}, headers=operator
        )
        assert (failed.status_code, failed.json()["state"]) == (200, "held")
        await register(opened, {"name": name, "body": "police", "area": LEEDS})
        retried = await opened.http.post(
            f"/v1/quarantine/{held}/retry", json={"reason": "it is registered again"}, headers=operator
        )

        assert retried.json()["state"] == "retried"
        assert len(await reports(opened)) == 1


async def test_a_binary_event_by_kafka_is_taken_too() -> None:
    async with started() as opened:
        name = await new_client(opened)
        document = incident()
        value = orjson.dumps(orjson.loads(sealed(incident()))["data"])
        names = ("specversion", "id", "source", "type", "time")
        headers = [(f"ce_{attribute}", document[attribute].encode()) for attribute in names]
        await send(name, value, headers=[*headers, ("content-type", b"application/json"), ("odd", b"\xff\xfe")])

        await eventually(lambda: reports(opened), "the event")


async def test_a_large_batch_keeps_the_order_of_each_case() -> None:
    async with started() as opened:
        name = await new_client(opened, "local_authority")
        aware = [
            event(
                "la.became_aware.v1",
                {"aware_at": f"2026-05-{day:02d}T09:00:00Z", "case_reference": f"LCC-{case}"},
                id_=f"{case}-{day}",
            )
            for day in range(1, 21)
            for case in range(10)
        ]
        await send(name, *map(orjson.dumps, aware))

        async def all_there() -> bool:
            return len(await known(opened)) == 200

        await eventually(all_there, "all events")
        days: dict[str, list[int]] = {}
        for message in await known(opened):
            days.setdefault(str(message.case_key), []).append(message.data.aware_on.day)
        assert len(days) == 10
        assert all(found == sorted(found) for found in days.values())


async def test_while_kafka_is_away_events_are_accepted_and_published_later() -> None:
    async with started(kafka_bootstrap="127.0.0.1:1") as opened:
        await register(opened, {"name": client_name(), "body": "police", "area": LEEDS})
        answer = await opened.post(incident())
        url = opened.database_url
        assert answer.status_code == 202

    kafka = stack().kafka
    async with (
        intake(url, kafka_bootstrap=kafka.bootstrap, kafka_security=kafka.security_protocol) as back,
        back.app.router.lifespan_context(back.app),
    ):

        async def published() -> bool:
            return bool((await back.column("SELECT producer_seq FROM relay_cursor"))[0])

        await eventually(published, "the event on its topic")
