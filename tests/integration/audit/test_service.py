"""The whole audit service on real Kafka and PostgreSQL: records in, signed log, API and pages out."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
import uvicorn
from aiokafka import AIOKafkaProducer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from handrail.installation.tokens import Account, Role, TokenIssuer
from handrail.verify import over_http, read_key, verify
from schemas import topics
from services.audit.domain.entry import commitment
from services.audit.domain.merkle import leaf_hash, verify_consistency, verify_inclusion
from services.audit.domain.note import open_checkpoint
from services.audit.main import create_app
from services.audit.settings import AuditSettings
from services.kit.auth import unguarded
from services.kit.migrate import migrate_all
from tests.support.audit import KEY, NOTE_KEY, ORIGIN, event
from tests.support.eventually import eventually
from tests.support.stack import SERVICE_PASSWORDS, fresh_database, stack
from tests.support.web import address_of, free_listener

PUBLIC_PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Running:
    """The service behind HTTP, with people who may and may not ask it, and what was published to it."""

    def __init__(self, url: str, issuer: TokenIssuer, producer: AIOKafkaProducer) -> None:
        self.url, self._issuer, self._producer = url, issuer, producer

    def token(self, role: Role = "auditor") -> str:
        return self._issuer.issue(Account(role, "Audrey Audit", role))

    async def get(self, path: str, role: Role | None = "auditor", accept: str = "application/json") -> httpx.Response:
        headers = {"Accept": accept} | ({"Authorization": f"Bearer {self.token(role)}"} if role else {})
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60) as client:
            return await client.get(path)

    async def page(self, path: str, role: Role | None = "auditor") -> httpx.Response:
        return await self.get(path, role, accept="text/html")

    async def publish(self, topic: str, value: dict[str, Any] | bytes) -> None:
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        key = b"" if isinstance(value, bytes) else value["casekey"].encode()
        await self._producer.send_and_wait(topic, content, key=key)

    async def entries(self, query: str, count: int) -> list[dict[str, Any]]:
        """Wait until `count` entries are found, and return them."""

        async def shown() -> list[dict[str, Any]]:
            answer = await self.get(f"/v1/entries?{query}")
            found: list[dict[str, Any]] = answer.json()["entries"] if answer.status_code == 200 else []
            return found if len(found) >= count else []

        found: list[dict[str, Any]] = await eventually(shown, f"{count} entries about {query}", every_s=0.05)
        return found

    async def signed(self, size: int) -> None:
        """Wait until a checkpoint of at least so many entries is signed."""

        async def reached() -> bool:
            answer = await self.get("/v1/checkpoint")
            return answer.status_code == 200 and open_checkpoint(answer.text, [NOTE_KEY]).size >= size

        await eventually(reached, f"{size} entries are signed", every_s=0.05)


@pytest.fixture
def case() -> str:
    """A case that no other test writes about: the topics live as long as the run."""
    return uuid4().hex


@pytest_asyncio.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    kafka, address = stack().kafka, fresh_database("audit")
    migrate_all(address.url(), {"audit": SERVICE_PASSWORDS["audit"]})
    tokens = Ed25519PrivateKey.generate()
    (tmp_path / "token.key").write_bytes(private_pem(tokens))
    public = tokens.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "token.pub").write_bytes(public)
    settings = AuditSettings.model_validate(
        {
            "kafka_bootstrap": kafka.bootstrap,
            "kafka_user": "audit",
            "kafka_password": SERVICE_PASSWORDS["audit"],
            "kafka_security": kafka.security_protocol,
            "kafka_ca_file": kafka.ca_file,
            "database_url": address.url(user="handrail_audit", password=SERVICE_PASSWORDS["audit"]),
            "token_public_key_file": tmp_path / "token.pub",
            "log_key": private_pem(KEY).decode(),
            "log_origin": ORIGIN,
            "checkpoint_dir": tmp_path / "checkpoints",
            "front_url": "http://front.example",
        }
    )
    app = create_app(settings)
    assert unguarded(app) == []
    listener = free_listener()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap,
        security_protocol=kafka.security_protocol,
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=kafka.user,
        sasl_plain_password=kafka.password,
    )
    await producer.start()
    try:
        yield Running(address_of(listener), TokenIssuer(tmp_path / "token.key"), producer)
    finally:
        await producer.stop()
        server.should_exit = True
        await serving


async def test_every_record_is_logged_found_and_proved_to_a_stranger(running: Running, case: str) -> None:
    other = uuid4().hex
    opened = event(1, case, type="obligation.opened.v1", data={"rule": "N-01", "recipients": ["panel", "ofsted"]})
    await running.publish(topics.DECISIONS, opened)
    await running.publish(topics.DELIVERIES, event(2, case, data={"rule": "N-01", "recipient": "panel"}))
    await running.publish(topics.CASE_EVENTS, event(3, case))
    await running.publish(topics.DEADLINES, event(4, other))
    await running.publish(topics.quarantine("routing"), b"\xff poison")

    found = await running.entries(f"case={case}", 3)
    answer = (await running.get(f"/v1/entries?case={case}")).json()
    checkpoint = open_checkpoint(answer["checkpoint"], [NOTE_KEY])
    assert {one["entry"]["event"]["type"] for one in found} == {"obligation.opened.v1", "notice.owed.v1"}
    for one in answer["entries"]:
        assert json.loads(one["entry_text"]) == one["entry"]
        verify_inclusion(
            leaf=leaf_hash(one["entry_text"].encode()),
            index=one["index"],
            size=checkpoint.size,
            proof=[bytes.fromhex(part) for part in one["proof"]],
            root=checkpoint.root,
        )
        commit = commitment(bytes.fromhex(one["salt"]), json.dumps(one["record"]).encode())
        assert commit.hex() == one["entry"]["payload"]["commit"]
    to_ofsted = await running.entries(f"case={case}&recipient=ofsted", 1)
    assert [one["entry"]["event"]["type"] for one in to_ofsted] == ["obligation.opened.v1"]
    await running.entries(f"case={other}&rule=N-01", 1)

    await running.signed(5)
    # The run's topics hold what other tests published too, numbered as they liked.
    fetch = over_http(running.url, running.token())
    report = await asyncio.to_thread(verify, fetch, read_key(PUBLIC_PEM), settle_s=0)
    assert report.head is not None
    assert [one for one in report.problems if "missing" not in one and "both are number" not in one] == []


async def test_search_by_day_and_page_by_page(running: Running, case: str) -> None:
    await running.publish(topics.DECISIONS, event(1, case, recordedat="2026-03-29T22:59:59Z"))
    await running.publish(topics.DECISIONS, event(2, case, recordedat="2026-03-29T23:00:00Z"))  # 30 March in England
    await running.entries(f"case={case}", 2)

    on_the_29th = await running.entries(f"case={case}&from=2026-03-29&to=2026-03-29", 1)
    assert [one["entry"]["event"]["caseseq"] for one in on_the_29th] == [1]
    first = (await running.get(f"/v1/entries?case={case}&limit=1")).json()
    second = (
        await running.get(f"/v1/entries?case={case}&limit=1&after={first['next_after']}&size={first['size']}")
    ).json()
    assert [one["entry"]["event"]["caseseq"] for one in first["entries"] + second["entries"]] == [1, 2]
    assert (await running.get("/v1/entries?from=yesterday")).status_code == 422
    assert (await running.get("/v1/entries?from=0001-01-01")).status_code == 422


async def test_one_checkpoint_is_proved_to_go_on_from_another(running: Running, case: str) -> None:
    await running.publish(topics.DECISIONS, event(1, case))
    await running.entries(f"case={case}", 1)
    old = open_checkpoint((await running.get("/v1/checkpoint")).text, [NOTE_KEY])
    await running.publish(topics.DECISIONS, event(2, case))
    await running.entries(f"case={case}", 2)
    new = open_checkpoint((await running.get("/v1/checkpoint")).text, [NOTE_KEY])

    answer = (await running.get(f"/v1/proofs/consistency?from={old.size}&to={new.size}")).json()
    assert open_checkpoint(answer["from"], [NOTE_KEY]) == old
    proof = [bytes.fromhex(part) for part in answer["proof"]]
    verify_consistency(old=old.size, new=new.size, proof=proof, old_root=old.root, new_root=new.root)
    assert (await running.get(f"/v1/proofs/consistency?from=0&to={new.size}")).status_code == 422
    assert (await running.get(f"/v1/proofs/consistency?from=1&to={new.size + 1000}")).status_code == 404
    assert (await running.get(f"/v1/entries/{new.size + 1000}/proof")).status_code == 404
    assert (await running.get(f"/v1/entries/raw?start=0&end={new.size + 1000}")).status_code == 422


async def test_only_those_who_may_read_cases_read_the_log(running: Running) -> None:
    for path in ("/v1/entries", "/v1/entries/0/proof", "/v1/entries/raw?start=0&end=1", "/v1/gaps", "/v1/checkpoint"):
        assert (await running.get(path, role=None)).status_code == 401
    for path in ("/v1/entries", "/v1/entries/0/proof", "/v1/entries/raw?start=0&end=1", "/v1/gaps", "/log", "/log/0"):
        assert (await running.get(path, role="partner")).status_code == 403
    away = await running.page("/log?case=x", role=None)
    assert (away.status_code, away.headers["location"].partition("?")[0]) == (303, "http://front.example/sign-in")


async def test_the_page_shows_each_entry_with_its_place_and_a_proof_to_follow(running: Running, case: str) -> None:
    opened = {"rule": "N-01", "title": "Tell the Panel", "recipients": ["panel"], "due_on": "2026-11-09"}
    await running.publish(topics.DECISIONS, event(1, case, type="obligation.opened.v1", data=opened))
    found = (await running.entries(f"case={case}", 1))[0]

    page = (await running.page(f"/log?case={case}&rule=N-01")).text
    for text in (
        "Duty opened",
        "Tell the Panel",
        "Monday 9 November 2026",
        "panel",
        "Checked",
        f"Entry {found['index']} of",
    ):
        assert text in page
    assert "Does not check" not in page
    link = re.search(r'href="(/log/\d+\?size=\d+)"', page)
    assert link is not None
    proof = (await running.page(link[1])).text
    assert found["leaf_hash"] in proof
    assert NOTE_KEY.encode().replace("+", "&#43;") in proof or NOTE_KEY.encode() in proof
    assert "Checked" in proof


async def test_the_page_says_what_is_wrong_with_a_question(running: Running, case: str) -> None:
    await running.publish(topics.DECISIONS, event(1, case))
    await running.entries(f"case={case}", 1)

    wrong = await running.page("/log?from=soon")
    assert wrong.status_code == 422
    assert "Error: Log" in wrong.text
    assert 'href="#from"' in wrong.text
    assert "No entry fits the search" in (await running.page("/log?case=nobody")).text
    assert (await running.page("/log/999999999")).status_code == 404
