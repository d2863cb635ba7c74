"""Pins that a service which refuses to be ready keeps no other from working, and that one which ends is an error."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from handrail.embedded import process
from handrail.embedded.errors import StartFailed
from handrail.embedded.kafka import BrokerAddress
from handrail.embedded.places import private_folder
from handrail.embedded.postgres import DatabaseAddress
from handrail.embedded.process import LOOPBACK, Child
from handrail.installation import waiting
from handrail.installation.installation import Installation, Options
from handrail.installation.running import Running, status_file
from schemas.topics import SERVICES

REFUSAL = "the database went back; say: handrail relay catch-up audit"
SERVER = """
import json, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer

_, port, does, says = sys.argv

class Service(BaseHTTPRequestHandler):
    def do_GET(self):
        refuses = does == "refuse" and self.path == "/health/ready"
        self.send_response(503 if refuses else 200)
        self.end_headers()
        self.wfile.write(json.dumps({"ready": not refuses, "wrong": {"relay": says} if refuses else {}}).encode())

if does == "end":
    sys.exit("no such setting")
if does == "hang":
    threading.Event().wait()
HTTPServer(("127.0.0.1", int(port)), Service).serve_forever()
"""


@dataclass
class Pretended(Installation):
    """An installation whose services are small programs, without broker and database."""

    does: dict[str, str] = field(default_factory=dict)

    def _start_servers(self) -> None:
        self._choose_ports()
        kafka, database = BrokerAddress("127.0.0.1:1", "admin", "x"), DatabaseAddress(LOOPBACK, 1, "admin", "x")
        stack = SimpleNamespace(kafka=kafka, database=database, embedded_postgres=None, stop=lambda: None)
        self._stack = cast(Any, stack)

    def _prepare(self) -> None:
        private_folder(self.keys)

    def start_service(self, name: str) -> None:
        self.processes[name] = Child(
            name,
            [sys.executable, "-c", SERVER, str(self.ports[name]), self.does.get(name, "work"), REFUSAL],
            log_path=self.folder / f"{name}.log",
            folder=private_folder(self.folder / name),
            stop_signal=signal.SIGTERM,
        )


Make = Callable[..., Pretended]


@pytest.fixture
def said() -> list[str]:
    return []


class Patience:
    """The time of those who wait: it leaps past the end once nothing is to be waited for but what never comes."""

    def __init__(self) -> None:
        self.is_over = False
        self.sleep = time.sleep

    def monotonic(self) -> float:
        return time.monotonic() + (waiting.READY_S + 1 if self.is_over else 0)


@pytest.fixture
def make(tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    made: list[Pretended] = []
    patience, ask = Patience(), waiting._ask
    monkeypatch.setattr(waiting, "time", patience)
    monkeypatch.setattr(process, "time", patience)

    def one(*, demo: bool = False, **does: str) -> Pretended:
        def asked(url: str) -> str | None:
            answer = ask(url)
            hangs = tuple(made[-1].url(name) for name, what in does.items() if what == "hang")
            patience.is_over |= bool(answer) or (answer is None and url.startswith(hangs))
            return answer

        monkeypatch.setattr(waiting, "_ask", asked)
        made.append(Pretended(tmp_path / "data", Options(demo=demo, base_port=None), said.append, does=does))
        return made[-1]

    yield one
    for each in made:
        each.stop()


def test_a_service_that_refuses_is_named_with_its_reason_and_the_others_stay(make: Make, said: list[str]) -> None:
    started = make(audit="refuse").start()

    assert said[-1] == f"audit is not ready: relay: {REFUSAL}"
    assert [line for line in said if "is not ready" in line] == said[-1:]
    assert all(process.running for process in started.processes.values())
    assert set(started.processes) == {"front", *SERVICES}


def test_what_a_person_needs_to_mend_a_refusal_is_there_before_the_wait_ends(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation, found = make(audit="refuse"), []

    def look(*_given: object) -> dict[str, str]:
        found.append(Running.read(installation.folder))
        return {}

    monkeypatch.setattr("handrail.installation.installation.wait_while_it_helps", look)
    installation.start()

    assert found == [installation.running]
    assert found[0].broker.password == "x"


def test_when_every_service_is_ready_nothing_is_named(make: Make, said: list[str]) -> None:
    make().start()

    assert said == ["Starting the services"]


@pytest.mark.parametrize(
    ("does", "says"), [("end", "ended while it was starting: no such setting"), ("hang", "did not answer")]
)
def test_a_service_that_ends_or_never_answers_is_an_error_and_nothing_is_left(make: Make, does: str, says: str) -> None:
    installation = make(deadlines=does)

    with pytest.raises(StartFailed, match=f"^deadlines {says}"):
        installation.start()

    assert not installation.processes
    assert not status_file(installation.folder).exists()


def test_a_demo_needs_every_service_to_be_ready(make: Make) -> None:
    with pytest.raises(StartFailed, match=r"^audit did not answer"):
        make(demo=True, audit="refuse").start()
