"""The command line on a running installation, and the installation that keeps its data."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from handrail.installation.web import Web
from tests.support.installation import EVENTS, played_demo

HANDRAIL = Path(sys.executable).parent / "handrail"
READY_S = 120.0


def run(*arguments: str, data: Path | None = None) -> subprocess.CompletedProcess[str]:
    folder = data or played_demo().installation.folder
    environment = {**os.environ, "COLUMNS": "240"}
    command = [str(HANDRAIL), *arguments, "--data", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)


def test_status_gives_another_program_all_that_it_needs_to_join_in() -> None:
    status = json.loads(run("status", "--json").stdout)

    client = status["clients"]["leeds-city-council"]
    assert set(status["urls"]) == {"front", "intake", "routing", "deadlines", "audit", "stubs"}
    assert Web(status["urls"]["intake"], client["token"]).get("/v1/receipts")
    assert client["kafka_topic"] == "safeguarding.submissions.leeds-city-council.v1"
    assert status["kafka_bootstrap"].startswith("127.0.0.1:")


def test_an_event_file_is_sent_and_sent_again_gives_the_same_receipt() -> None:
    first, again = (run("send", str(EVENTS / "01-police-report.json")) for _ in range(2))

    assert first.returncode == again.returncode == 0, first.stderr
    assert json.loads(first.stdout)["receipt_id"] == json.loads(again.stdout)["receipt_id"]


def test_a_file_with_placeholders_is_not_sent_and_says_what_to_do() -> None:
    refused = run("send", str(EVENTS / "19-correction.json"))

    assert refused.returncode == 1
    assert "put in the ids from a notice or a receipt first" in refused.stderr


def test_what_is_in_quarantine_is_listed_and_discarded_with_a_reason() -> None:
    listed = run("quarantine", "list")
    quarantine_id = next(
        item["quarantine_id"] for item in played_demo().installation.web("intake").get("/v1/quarantine")
    )

    discarded = run("quarantine", "discard", quarantine_id, "--service", "intake", "--reason", "an invented message")

    assert quarantine_id in listed.stdout
    assert discarded.returncode == 0, discarded.stderr
    assert quarantine_id not in run("quarantine", "list").stdout


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


def test_the_log_verifies_from_outside() -> None:
    verified = run("verify")

    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_without_an_installation_each_command_says_how_to_start_one(tmp_path: Path) -> None:
    refused = run("status", data=tmp_path)

    assert refused.returncode == 1
    assert "Start one with `handrail demo` or `handrail up`" in refused.stderr


@contextmanager
def up(data: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(HANDRAIL), "up", "--data", str(data), "--port", "0"]
    with (data.parent / "up.log").open("wb") as log:
        started = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + READY_S
        while not (data / "status.json").exists():
            assert started.poll() is None, (data.parent / "up.log").read_text()
            assert time.monotonic() < end, "not ready in time"
            time.sleep(0.1)
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        started.wait(READY_S)


def test_an_installation_keeps_its_data_over_a_restart_and_leaves_nothing_running(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)  # where root runs the tests, another account runs PostgreSQL
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o711)
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
