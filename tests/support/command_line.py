"""The command line as a person and a partner system use it, by default on the played demo."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from handrail.client import encrypt_personal
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
    producer = Producer(config)
    producer.produce(topic, value, key=key)
    assert producer.flush(READY_S) == 0


def receipts(intake: Web) -> set[str]:
    return {each["receipt_id"] for each in intake.get("/v1/receipts?limit=200")["receipts"]}
