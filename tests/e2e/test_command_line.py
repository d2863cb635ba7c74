"""The command line on a running installation, and the installation that keeps its data."""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import psutil
from confluent_kafka import Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource

from deploy.stubs.journal import FILE_NAME
from handrail.client import encrypt_personal
from handrail.embedded.topics import add_client_topic
from handrail.installation.keys import read_password
from handrail.installation.web import Web
from schemas import topics
from schemas.topics import SERVICES, submissions
from tests.support.eventually import eventually
from tests.support.installation import EVENTS, played_demo

HANDRAIL = Path(sys.executable).parent / "handrail"
READY_S = 240.0  # a busy machine is no finding


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(HANDRAIL), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=READY_S,
        env={**os.environ, "COLUMNS": "240", **environment},
    )


def run(*arguments: str, data: Path | None = None) -> subprocess.CompletedProcess[str]:
    return command(*arguments, "--data", str(data or played_demo().installation.folder))


def until(condition: Callable[[], Any], what: str) -> Any:
    return asyncio.run(eventually(condition, what, within_s=READY_S))


def report(name: str, client: str = "west-yorkshire-police") -> dict[str, Any]:
    """Return the story's first report, as a new event about a case of its own."""
    event: dict[str, Any] = json.loads((EVENTS / "01-police-report.json").read_text())
    event |= {"id": name, "source": f"urn:example:{client}"}
    event["data"] |= {"case_reference": name}
    return event


def produce(config: dict[str, str], topic: str, event: dict[str, Any]) -> None:
    """Write one event to a topic as a partner system does: what is personal is encrypted to intake's key."""
    keys = Web(played_demo().installation.url("intake")).get("/v1/keys")
    event["data"]["personal"] = encrypt_personal(event["data"]["personal"], keys)
    write(config, topic, json.dumps(event).encode(), event["data"]["case_reference"])


def write(config: dict[str, str], topic: str, value: bytes, key: str | None = None) -> None:
    producer = Producer(config)
    producer.produce(topic, value, key=key)
    assert producer.flush(READY_S) == 0


def receipts(intake: Web) -> set[str]:
    return {each["receipt_id"] for each in intake.get("/v1/receipts?limit=200")["receipts"]}


def is_decided(intake: Web, receipt_id: str) -> dict[str, Any] | None:
    """Return a receipt's progress once routing has decided."""
    progress: dict[str, Any] = intake.get(f"/v1/receipts/{receipt_id}")
    return progress if progress["status"] == "decided" else None


def test_status_gives_another_program_all_that_it_needs_to_join_in() -> None:
    status = json.loads(run("status", "--json").stdout)

    client = status["clients"]["leeds-city-council"]
    assert set(status["urls"]) == {"front", "intake", "routing", "deadlines", "audit", "stubs"}
    assert Web(status["urls"]["intake"], client["token"]).get("/v1/receipts")
    assert client["kafka_topic"] == "safeguarding.submissions.leeds-city-council.v1"
    assert status["kafka_bootstrap"].startswith("127.0.0.1:")


def test_with_what_status_gives_another_program_reports_by_kafka_and_gets_a_receipt() -> None:
    status = json.loads(run("status", "--json").stdout)
    client = status["clients"]["west-yorkshire-police"]
    intake = Web(status["urls"]["intake"], client["token"])
    before = receipts(intake)

    produce(
        {
            "bootstrap.servers": status["kafka_bootstrap"],
            "security.protocol": status["kafka_security"],
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": client["kafka_user"],
            "sasl.password": client["kafka_password"],
        },
        client["kafka_topic"],
        report("by-kafka"),
    )

    until(lambda: receipts(intake) - before, "a receipt")
    [made] = receipts(intake) - before
    decided = until(lambda: is_decided(intake, made), "decided")
    assert decided["type"] == "incident.reported.v1"
    assert {told["recipient"] for told in decided["told"]} >= {"la:E08000035"}


def test_an_event_file_is_sent_and_sent_again_gives_the_same_receipt() -> None:
    first, again = (run("send", str(EVENTS / "01-police-report.json")) for _ in range(2))

    assert first.returncode == again.returncode == 0, first.stderr
    assert json.loads(first.stdout)["receipt_id"] == json.loads(again.stdout)["receipt_id"]


def test_a_file_with_placeholders_is_not_sent_and_says_what_to_do() -> None:
    refused = run("send", str(EVENTS / "19-correction.json"))

    assert refused.returncode == 1
    assert "put in the ids from a notice or a receipt first" in refused.stderr


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
    found = played_demo().installation.web("intake").get("/v1/quarantine")
    return next((item["quarantine_id"] for item in found if item["topic"] == topic), None)


def test_a_client_that_is_revoked_is_refused_from_then_on() -> None:
    added = run("client", "add", "short-lived", "--body", "school", "--area", "E08000035")
    token = json.loads(added.stdout)["token"]
    intake = Web(played_demo().installation.url("intake"), token)
    assert intake.call("GET", "/v1/receipts").status == 200

    revoked = run("client", "revoke", "short-lived")

    assert revoked.returncode == 0, revoked.stderr
    assert intake.call("GET", "/v1/receipts").status == 401
    assert "short-lived" in run("client", "list").stdout


def test_the_clock_moves_and_says_where_it_stands() -> None:
    before, after = run("clock"), run("clock", "+1d")

    assert after.returncode == 0, after.stderr
    assert after.stdout.split()[-1][:10] > before.stdout.split()[-1][:10]


def test_six_days_later_a_duty_that_was_not_met_stands_as_breached_in_the_api_and_on_the_desk(
    tmp_path: Path,
) -> None:
    deadlines = played_demo().installation.web("deadlines")
    event, now = report("left-to-lie"), deadlines.get("/v1/clock")["legal_now"]
    event |= {"time": now}
    event["data"] |= {"reported_on": now[:10]}
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event))
    case = json.loads(run("send", str(file)).stdout)["case_key"]

    def referral() -> dict[str, Any] | None:
        found = deadlines.get(f"/v1/obligations?state=open&case={case}")["obligations"]
        return next((each for each in found if each["rule"] == "N-11"), None)

    def breach() -> dict[str, Any] | None:
        alerts = deadlines.get("/v1/alerts?limit=200")["alerts"]
        found = (each for each in alerts if each["kind"] == "deadline.breached")
        return next((each for each in found if each["reference"] == owed["obligation_id"]), None)

    owed = until(referral, "the duty")
    before = breach()
    moved = run("clock", "+6d")
    raised = until(breach, "the breach")
    late = referral()
    desk = html.unescape(deadlines.call("GET", "/desk").text)
    back = run("clock", "-6d")

    assert (moved.returncode, back.returncode) == (0, 0), moved.stderr + back.stderr
    assert (before, owed["group"]) == (None, "soon")
    assert late is not None
    assert late["group"] == "overdue"
    assert raised["case_key"] == case
    assert f"{raised['says']}</p>" in desk
    assert f"case {case[:8]}</a>" in desk


def test_the_log_verifies_from_outside() -> None:
    verified = run("verify")

    assert verified.returncode == 0, verified.stdout + verified.stderr


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
    assert {each for each in before | after if before.get(each) != after.get(each)} == {"log.key", "log.pub"}
    for service in SERVICES:
        own = installation.stack.database.url(
            database=name, user=f"handrail_{service}", password=read_password(keys, f"database-{service}")
        )
        assert query(own, "SELECT count(*) FROM outbox") == 0  # its own schema, found by its own role


def effects() -> tuple[int, int, int]:
    """Return what a case at rest must not get twice: notices at the recipients, duties, entries of the log."""
    demo = played_demo()
    case = demo.played.cases["west-yorkshire-police", "WYP-2026-0001"]
    journal = (demo.installation.folder / "stubs" / FILE_NAME).read_text().splitlines()
    ours = f"WHERE case_key = '{case}'"
    return (
        sum(json.loads(line)["body"].get("case_key") == case for line in journal),
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


def test_a_service_publishes_its_outbox_again_and_nothing_has_a_second_effect() -> None:
    outbox = query(
        played_demo().installation.database_url("routing"),
        f"SELECT count(*) FROM outbox WHERE topic IN ('{topics.DECISIONS}', '{topics.DELIVERIES}')",  # noqa: S608
    )
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


def test_without_an_installation_each_command_says_how_to_start_one(tmp_path: Path) -> None:
    refused = run("status", data=tmp_path)

    assert refused.returncode == 1
    assert "Start one with `handrail demo` or `handrail up`" in refused.stderr


@contextmanager
def staying(log: Path, *arguments: str, stop: signal.Signals, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command that stays up; give it once it says how to stop it, and stop it so at the end."""
    with log.open("wb") as output:
        started = subprocess.Popen(
            [str(HANDRAIL), *arguments, "--port", "0"],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "COLUMNS": "240", **environment},
        )
    try:
        end = time.monotonic() + READY_S
        while "Ctrl-C stops it" not in log.read_text():
            assert started.poll() is None, log.read_text()
            assert time.monotonic() < end, f"not ready in time: {log.read_text()}"
            time.sleep(0.1)
        yield started
    finally:
        started.send_signal(stop)
        started.wait(READY_S)


@contextmanager
def up(data: Path) -> Iterator[subprocess.Popen[bytes]]:
    with staying(data.parent / "up.log", "up", "--data", str(data), stop=signal.SIGTERM) as started:
        yield started


def reachable(folder: Path) -> None:
    """Let the account that runs PostgreSQL, where root runs the tests, pass through the folder."""
    for each in (folder, *folder.parents[:2]):
        each.chmod(0o711)


def test_the_demo_tells_its_story_stays_up_until_a_ctrl_c_and_leaves_nothing_behind(tmp_path: Path) -> None:
    reachable(tmp_path)
    log, home = tmp_path / "demo.log", tmp_path / "home"
    with staying(log, "demo", stop=signal.SIGINT, HANDRAIL_DATA=str(home / "handrail")) as demo:
        told = log.read_text()
        links = set(re.findall(r"http://127\.0\.0\.1:\d+/\S*", told))
        answers = {Web(link).call("GET", "").status for link in links}
        children = psutil.Process(demo.pid).children(recursive=True)

    assert "The police report that a child was seriously harmed in Leeds" in told
    assert re.search(r"→ la:E08000035 +N-11 +by 2026-06-02 ", told), "who is told, why, and by when"
    assert re.search(r"→ panel +N-01 +by 2026-06-08 ", told)
    assert re.search(r"\? la:E08000035 +\S", told), "what is asked, and of whom"
    assert told.index("Eight days go by") < told.index("Everything stays up")
    assert len({link for link in links if re.search(r"/case/[0-9a-f]{32}$", link)}) >= 5
    assert {urlsplit(link).path for link in links} >= {"/", "/desk", "/case", "/log"}
    assert answers == {200}
    assert demo.returncode == 0, log.read_text()
    assert len(children) > 7
    assert not psutil.wait_procs(children, timeout=30)[1]
    assert list(home.rglob("status.json")) == []


def test_an_installation_keeps_its_data_over_a_restart_and_leaves_nothing_running(tmp_path: Path) -> None:
    reachable(tmp_path)
    data = tmp_path / "data"
    with up(data) as first:
        added = run("client", "add", "example-school", "--body", "school", "--area", "E08000035", data=data)
        assert added.returncode == 0, added.stderr
        moved = run("clock", "+1d", data=data)
        assert moved.returncode == 1, "the clock of a real installation cannot be moved"
        children = psutil.Process(first.pid).children(recursive=True)

    assert first.returncode == 0
    assert len(children) > 6
    assert not psutil.wait_procs(children, timeout=30)[1]
    with up(data):
        assert "example-school" in run("client", "list", data=data).stdout
