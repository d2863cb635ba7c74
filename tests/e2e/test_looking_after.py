"""`handrail up` looks after what it has started: whatever is killed comes back, and the road goes on."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import psutil

from handrail.installation.web import CallFailed, Web
from schemas.topics import SERVICES
from tests.support.command_line import reachable, report, run, until, up


def test_whatever_is_killed_is_started_again_and_the_road_goes_on(tmp_path: Path) -> None:
    reachable(tmp_path)
    data, log = tmp_path / "data", tmp_path / "up.log"
    with up(data) as started:
        urls: dict[str, str] = json.loads(run("status", "--json", data=data).stdout)["urls"]
        client = json.loads(
            run("client", "add", "example-police", "--body", "police", "--area", "E08000035", data=data).stdout
        )
        before = programs(started.pid)

        for name in ("routing", "Kafka", "PostgreSQL"):
            os.kill(before[name], signal.SIGKILL)
            until(lambda name=name: f"{name} has ended: " in log.read_text(), f"{name} is missed")  # type: ignore[misc]
            until(lambda: set(programs(started.pid)) == set(before), "everything runs again")
        until(lambda: all(ready(urls[service]) for service in SERVICES), "every service is ready")

        after = programs(started.pid)
        intake = Web(urls["intake"], client["token"])
        event = json.dumps(report("after-it", "example-police")).encode()
        kept = until(lambda: accepted(intake, event), "it is accepted")
        until(lambda: intake.get(f"/v1/receipts/{kept['receipt_id']}")["status"] == "decided", "it is decided")

    assert {name for name in before if before[name] != after[name]} == {"routing", "Kafka", "PostgreSQL"}
    assert set(re.findall(r"^(\w+) has ended: ", log.read_text(), re.MULTILINE)) == {"routing", "Kafka", "PostgreSQL"}
    assert started.returncode == 0


def programs(owner: int) -> dict[str, int]:
    """Return the process ids of the servers and services that an installation runs, by name."""
    found: dict[str, int] = {}
    for process in psutil.Process(owner).children(recursive=True):
        name = _name(process)
        if name and name not in found:  # parents come first, and PostgreSQL's own children have its name
            found[name] = process.pid
    return found


def _name(process: psutil.Process) -> str | None:
    try:
        command, comm = process.cmdline(), Path(f"/proc/{process.pid}/comm").read_text().strip()
    except (psutil.NoSuchProcess, OSError):
        return None
    if "kafka.Kafka" in command and "guard.py" not in " ".join(command):
        return "Kafka"
    if comm == "postgres":
        return "PostgreSQL"
    return next((service for service in SERVICES if comm == f"services.{service}"[:15]), None)


def accepted(intake: Web, event: bytes) -> Any:
    """Report an event; return its receipt, or nothing while intake is not back, which a partner is told with 503."""
    answer = intake.call("POST", "/v1/events", event, {"Content-Type": "application/cloudevents+json"})
    assert answer.status in {200, 202, 503}, answer.text
    return answer.body if answer.status != 503 else None


def ready(url: str) -> Any:
    """Say whether a service answers that it is ready."""
    try:
        return Web(url).call("GET", "/health/ready").status == 200
    except (CallFailed, OSError):
        return False
