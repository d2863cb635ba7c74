"""The command line as a person and a partner system use it, by default on the played demo."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from handrail.client import encrypt_personal
from handrail.demo import player
from handrail.installation.web import Web
from tests.support import eventually
from tests.support.installation import EVENTS, played_demo

HANDRAIL = Path(sys.executable).parent / "handrail"
READY_S = 240.0  # a busy machine is no finding
until = partial(eventually.until, within_s=READY_S)


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
    player.write(config, topic, value, key, within_s=READY_S)


def receipts(intake: Web) -> set[str]:
    return {each["receipt_id"] for each in intake.get("/v1/receipts?limit=200")["receipts"]}


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
    """Run `handrail up`; what it says is in `up.log` beside the data."""
    with staying(data.parent / "up.log", "up", "--data", str(data), stop=signal.SIGTERM) as started:
        yield started


def reachable(folder: Path) -> None:
    """Let the account that runs PostgreSQL, where root runs the tests, pass through the folder."""
    for each in (folder, *folder.parents[:2]):
        each.chmod(0o711)
