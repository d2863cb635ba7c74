"""The whole service on real Kafka: an event comes in, the notice reaches its recipient, and all of it is published."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.stubs.app import create_app as create_stubs
from handrail.embedded.postgres import DatabaseAddress
from schemas import topics
from schemas.messages import parse
from tests.support.eventually import eventually
from tests.support.kit_kafka import begin_after_others, read_all
from tests.support.kit_kafka import settings as admin_settings
from tests.support.publishing import publish
from tests.support.routing import LEEDS, aware, reported
from tests.support.routing_app import app, client, pem
from tests.support.stack import SERVICE_PASSWORDS, stack

LSCP_ID = f"lscp:{LEEDS}"


@pytest.fixture
def case_key(tmp_path: Path) -> str:
    """Return a case that no other test writes to: the run's topics are shared."""
    return sha256(str(tmp_path).encode()).hexdigest()[:32]


async def _published(topic: str, case_key: str) -> list[str]:
    records = await read_all(admin_settings("postgresql://unused@127.0.0.1/unused"), topic)
    messages = [parse(record.value) for record in records if record.key == case_key.encode()]
    assert all(message.producer == "routing" and message.producer_seq for message in messages)
    assert [message.case_seq for message in messages] == sorted(message.case_seq or 0 for message in messages)
    return [message.type for message in messages]


@pytest.mark.usefixtures("road")
async def test_a_report_becomes_signed_notices_and_the_same_report_again_changes_nothing(
    address: DatabaseAddress, tmp_path: Path, case_key: str
) -> None:
    key, kafka = Ed25519PrivateKey.generate(), stack().kafka
    report = reported(case_key=case_key)
    async with TestServer(create_stubs(tmp_path, [key.public_key()])) as stubs:
        endpoints = tmp_path / "endpoints.yaml"
        recipients = (f"la:{LEEDS}", LSCP_ID)
        endpoints.write_text(
            "".join(f"{each}: {stubs.make_url(f'/recipients/{each}/webhook')}\n" for each in recipients)
        )
        application = app(
            address,
            kafka_bootstrap=kafka.bootstrap,
            kafka_security=kafka.security_protocol,
            kafka_ca_file=kafka.ca_file,
            webhook_key=pem(key),
            endpoints_file=endpoints,
        )
        own = address.url(user="handrail_routing", password=SERVICE_PASSWORDS["routing"])
        await begin_after_others(own, "routing")
        async with client(application, "auditor") as http, application.router.lifespan_context(application):
            await publish(report, report)

            async def delivered() -> bool:
                answer = await http.get(f"/v1/cases/{case_key}/decisions")
                states = [n["state"] for each in answer.json().get("obligations", ()) for n in each["notices"]]
                return states == ["delivered", "delivered"]

            await eventually(delivered, "both notices are delivered")
            await publish(report, aware(case_key=case_key))

            async def decided_again() -> bool:
                return bool((await http.get(f"/v1/cases/{case_key}/decisions")).json()["revision"] == 2)

            await eventually(decided_again, "the second event is decided")

            async def all_published() -> bool:
                return (await _published(topics.DECISIONS, case_key)).count("case.decided.v1") == 2

            await eventually(all_published, "both decisions are published")

    # The topics are shared with the other tests of this run: only what is about this case counts.
    entries = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    journal = [entry for entry in entries if entry["body"]["case_key"] == case_key]
    decisions = await _published(topics.DECISIONS, case_key)
    deliveries = await _published(topics.DELIVERIES, case_key)
    assert len(journal) == 2
    assert [(entry["outcome"], entry["verified"]) for entry in journal] == [("taken", True)] * 2
    assert decisions.count("obligation.opened.v1") == 2
    assert decisions.count("obligation.met.v1") == 1
    assert deliveries == ["notice.owed.v1", "notice.owed.v1", "notice.delivered.v1", "notice.delivered.v1"]
