"""The commands of an operator on the running demo: quarantine, topics, databases, publishing and reading again."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import asyncpg
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource

from handrail.cli.quarantine import held_by
from handrail.embedded.topics import add_client_topic
from handrail.installation.keys import read_password
from handrail.installation.web import Web
from schemas import topics
from schemas.topics import SERVICES, submissions
from tests.support.command_line import READY_S, command, produce, receipts, report, run, until, write
from tests.support.installation import journal, played_demo


def test_what_is_in_quarantine_is_listed_and_discarded_with_a_reason() -> None:
    installation = played_demo().installation
    client = installation.running.clients.credentials("halton-council")
    config = installation.running.broker.client_config(user=client.kafka_user, password=client.kafka_password)
    write(config, client.kafka_topic, b"no event")  # of its own: the guide to the quarantine shows the story's
    quarantine_id = until(lambda: held(client.kafka_topic), "put aside")
    listed = run("quarantine", "list")

    discarded = run("quarantine", "discard", quarantine_id, "--service", "intake", "--reason", "an invented message")

    assert quarantine_id in listed.stdout
    assert discarded.returncode == 0, discarded.stderr
    assert quarantine_id not in run("quarantine", "list").stdout


def test_what_is_tried_again_from_quarantine_has_its_effect_once_its_cause_is_gone() -> None:
    installation = played_demo().installation
    name, broker = "not-yet-known", installation.running.broker
    add_client_topic(broker, name, "a password for the test")
    produce(
        broker.client_config(user=f"client-{name}", password="a password for the test"),
        submissions(name),
        report("before-the-client", name),
    )
    quarantine_id = until(lambda: held(submissions(name)), "put aside")
    tried_in_vain = run("quarantine", "retry", quarantine_id, "--service", "intake", "--reason", "too early")
    still_held = held(submissions(name))

    added = run("client", "add", name, "--body", "police", "--area", "E08000035")
    tried = run("quarantine", "retry", quarantine_id, "--service", "intake", "--reason", "the client is known now")

    assert (tried_in_vain.returncode, tried.returncode) == (0, 0), tried_in_vain.stderr + tried.stderr
    assert still_held == quarantine_id
    assert held(submissions(name)) is None
    assert quarantine_id not in run("quarantine", "list").stdout
    assert len(receipts(Web(installation.url("intake"), json.loads(added.stdout)["token"]))) == 1


def held(topic: str) -> str | None:
    """Return the id of what intake holds in quarantine from a topic."""
    found = held_by(played_demo().installation.web("intake"))
    return next((item["quarantine_id"] for item in found if item["topic"] == topic), None)


def servers(database: str = "") -> dict[str, str]:
    """Return the environment that names the demo's own broker and a database on its server."""
    stack = played_demo().installation.stack
    return {
        "HANDRAIL_KAFKA_BOOTSTRAP": stack.kafka.bootstrap,
        "HANDRAIL_KAFKA_SECURITY": stack.kafka.security_protocol,
        "HANDRAIL_KAFKA_CA_FILE": stack.kafka.ca_file or "",
        "HANDRAIL_KAFKA_ADMIN_USER": stack.kafka.user,
        "HANDRAIL_KAFKA_ADMIN_PASSWORD": stack.kafka.password,
        "HANDRAIL_DATABASE_URL": stack.database.url(database=database or None),
    }


def query(address: str, statement: str) -> Any:
    """Return the first value that a statement gives."""

    async def ask() -> Any:
        connection = await asyncpg.connect(address)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_a_topic_that_differs_from_the_page_is_put_right_and_named() -> None:
    installation = played_demo().installation
    admin = installation.running.broker.admin()
    topic = ConfigResource(ConfigResource.Type.TOPIC, topics.DEADLINES)
    shorter = ConfigEntry("retention.ms", "2592000000", incremental_operation=AlterConfigOpType.SET)
    wrong = ConfigResource(ConfigResource.Type.TOPIC, topics.DEADLINES, incremental_configs=[shorter])
    admin.incremental_alter_configs([wrong])[wrong].result(READY_S)

    applied, again = (command("topics", "apply", "--secrets", str(installation.keys), **servers()) for _ in range(2))

    assert (applied.returncode, again.returncode) == (0, 0), applied.stderr + again.stderr
    assert applied.stdout == f"made setting {topics.DEADLINES}: retention.ms=-1\nmade 0 access rules\n"
    assert again.stdout == "made 0 access rules\n"
    assert admin.describe_configs([topic])[topic].result(READY_S)["retention.ms"].value == "-1"


def test_an_empty_database_is_provisioned_and_the_keys_that_are_there_stay(tmp_path: Path) -> None:
    installation, name = played_demo().installation, f"provisioned_{os.getpid()}"
    query(installation.database_url(), f"CREATE DATABASE {name}")
    keys = Path(shutil.copytree(installation.keys, tmp_path / "keys"))
    before = {path.name: path.read_bytes() for path in keys.iterdir()}
    (keys / "log.key").unlink()

    provisioned = command("provision", "--secrets", str(keys), **servers(name))

    after = {path.name: path.read_bytes() for path in keys.iterdir()}
    assert provisioned.returncode == 0, provisioned.stderr
    assert provisioned.stdout == "made 0 access rules\nTables and roles are up to date.\n"
    assert {each for each in before | after if before.get(each) != after.get(each)} == {
        "log.key",
        "log.pub",
        "status.json",
    }
    for service in SERVICES:
        own = installation.stack.database.url(
            database=name, user=f"handrail_{service}", password=read_password(keys, f"database-{service}")
        )
        assert query(own, "SELECT count(*) FROM outbox") == 0  # its own schema, found by its own role


def effects() -> tuple[int, int, int]:
    """Return what a case at rest must not get twice: notices at the recipients, duties, entries of the log."""
    demo = played_demo()
    case = demo.played.cases["west-yorkshire-police", "WYP-2026-0001"]
    ours = f"WHERE case_key = '{case}'"
    return (
        sum(entry["body"].get("case_key") == case for entry in journal(demo.installation)),
        query(demo.installation.database_url("deadlines"), f"SELECT count(*) FROM duty {ours}"),  # noqa: S608
        query(
            demo.installation.database_url("audit"),
            f"SELECT count(*) FROM entry_index {ours} AND producer = 'routing'",  # noqa: S608 - a key of ours
        ),
    )


def read_in_vain(service: str) -> float:
    """Return how many records a running service has met again and left alone."""
    text = played_demo().installation.web(service).call("GET", "/metrics").text
    found = re.findall(r'^handrail_consumed_records_total\{.*outcome="duplicates"\} (\S+)', text, re.MULTILINE)
    return sum(map(float, found))


def everything_is_published() -> bool:
    """Return whether nothing waits in routing's outbox: a message that comes only now comes for the first time."""
    waiting = "SELECT count(*) FROM outbox o, relay_cursor c WHERE (o.xid, o.id) > (c.xid, c.id)"
    return not query(played_demo().installation.database_url("routing"), waiting)


def test_a_service_publishes_its_outbox_again_and_nothing_has_a_second_effect() -> None:
    outbox = query(
        played_demo().installation.database_url("routing"),
        f"SELECT count(*) FROM outbox WHERE topic IN ('{topics.DECISIONS}', '{topics.DELIVERIES}')",  # noqa: S608
    )
    until(everything_is_published, "routing has published what it decided")
    before, known = effects(), read_in_vain("deadlines")

    rewound = run("relay", "rewind", "routing")

    assert rewound.returncode == 0, rewound.stderr
    assert min(before) > 0
    until(lambda: read_in_vain("deadlines") >= known + outbox, "everything came again")
    assert effects() == before


def test_a_service_reads_every_topic_again_and_nothing_has_a_second_effect() -> None:
    installation = played_demo().installation
    inbox = query(installation.database_url("deadlines"), "SELECT count(*) FROM inbox")
    before = effects()
    installation.processes["deadlines"].stop()

    rewound = run("consumer", "rewind", "deadlines")
    installation.start_service("deadlines")
    installation.wait_ready("deadlines")

    assert rewound.returncode == 0, rewound.stderr
    assert min(before) > 0
    until(lambda: read_in_vain("deadlines") >= inbox, "everything is read again")
    assert effects() == before
