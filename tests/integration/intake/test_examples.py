"""The examples of the how-to page are run as they stand, against a served intake and a real broker."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn

from handrail.client import HandrailClient, NotAccepted
from handrail.embedded.topics import add_client_topic
from schemas.topics import submissions
from tests.support import curl
from tests.support.docs import ROOT, Block, Document
from tests.support.eventually import eventually
from tests.support.intake import LEEDS, incident
from tests.support.intake_app import Intake, intake, register
from tests.support.kit_kafka import begin_after_others
from tests.support.stack import stack

PAGE = Document(ROOT / "docs/how-to/send-an-event.md")
NAME = f"example-{os.getpid()}"
PASSWORD = "client-test-password"


def blocks(language: str) -> list[Block]:
    return [block for block in PAGE.blocks() if block.language == language]


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Intake, str]]:
    """Serve intake on a port of loopback, with its consumers."""
    kafka = stack().kafka
    given = {
        "kafka_bootstrap": kafka.bootstrap,
        "kafka_security": kafka.security_protocol,
        "kafka_ca_file": kafka.ca_file,
    }
    async with intake(**given) as opened:
        await begin_after_others(opened.database_url, "intake")
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(opened.app, log_config=None, lifespan="on"))
        task = asyncio.create_task(server.serve([listening]))
        await eventually(lambda: server.started, "the server")
        try:
            yield opened, f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


async def run_python(block: Block, folder: Path, environment: dict[str, str]) -> tuple[int | None, str]:
    """Run an example in a process of its own and return how it ended and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        block.body,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_the_examples_of_the_page_run_as_they_stand(tmp_path: Path) -> None:
    kafka = stack().kafka
    [shell], [by_http, by_kafka] = blocks("sh"), blocks("python")
    [command] = shell.commands()
    async with served() as (opened, url):
        token = await register(opened, {"name": NAME, "body": "police", "area": LEEDS})
        await asyncio.to_thread(add_client_topic, kafka, NAME, PASSWORD)
        config = kafka.client_config(user=f"client-{NAME}", password=PASSWORD)
        environment = {
            "INTAKE_URL": url,
            "TOKEN": token,
            "TOPIC": submissions(NAME),
            "KAFKA_CONFIG": json.dumps(config),
        }
        event = tmp_path / "event.json"

        event.write_text(json.dumps(incident(id="by-curl")))
        status, body = await asyncio.to_thread(curl.run, command, environment, tmp_path)
        status_again, again = await asyncio.to_thread(curl.without, command, environment, tmp_path)
        event.write_text(json.dumps(incident(id="by-client")))
        ended, printed = await run_python(by_http, tmp_path, environment)
        assert ended == 0, printed
        event.write_text(json.dumps(incident(id="by-kafka")))
        ended, said = await run_python(by_kafka, tmp_path, environment)
        assert ended == 0, said

        async def three() -> bool:
            return await opened.column(f"SELECT count(*) FROM submission WHERE client = '{NAME}'") == [3]  # noqa: S608

        await eventually(three, "all three events")
        assert (status, status_again) == (202, 200)
        assert json.loads(again)["receipt_id"] == json.loads(body)["receipt_id"]
        assert json.loads(body).keys() == json.loads(blocks("json")[0].body).keys()
        assert "child.care_leaver" in printed


async def test_the_producer_of_the_page_fails_when_the_broker_refuses_the_event(tmp_path: Path) -> None:
    """Refused, a message leaves the producer's queue as one that was delivered does."""
    kafka = stack().kafka
    [_, by_kafka] = blocks("python")
    ours, theirs = f"{NAME}-ours", f"{NAME}-theirs"
    async with served() as (opened, url):
        token = await register(opened, {"name": ours, "body": "police", "area": LEEDS})
        for name in (ours, theirs):
            await asyncio.to_thread(add_client_topic, kafka, name, PASSWORD)
        (tmp_path / "event.json").write_text(json.dumps(incident()))
        environment = {
            "INTAKE_URL": url,
            "TOKEN": token,
            "KAFKA_CONFIG": json.dumps(kafka.client_config(user=f"client-{ours}", password=PASSWORD)),
        }

        ended, said = await run_python(by_kafka, tmp_path, environment | {"TOPIC": submissions(theirs)})

    assert ended != 0, "the report is lost, and nobody knows"
    assert "TOPIC_AUTHORIZATION_FAILED" in said


async def test_the_client_says_what_to_change_and_knows_a_repeat(tmp_path: Path) -> None:
    del tmp_path
    async with served() as (opened, url):
        token = await register(opened, {"name": NAME, "body": "police", "area": LEEDS})
        client = HandrailClient(url, token)

        first = await asyncio.to_thread(client.send, incident())
        again = await asyncio.to_thread(client.send, incident())
        progress = await asyncio.to_thread(client.receipt, first.receipt_id)
        with pytest.raises(NotAccepted, match="/data/harm") as caught:
            await asyncio.to_thread(client.send, incident(id="other", data__harm="deaht"))

        shown = json.loads(blocks("json")[1].body)

    assert (first.again, again.again, again.receipt_id) == (False, True, first.receipt_id)
    assert progress["status"] == "kept"
    assert caught.value.problem["errors"] == shown["errors"]
    assert {name: caught.value.problem[name] for name in ("title", "status", "kept")} == {
        name: shown[name] for name in ("title", "status", "kept")
    }
