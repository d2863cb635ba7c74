"""When what has ended is started again, on a clock that the test moves."""

from __future__ import annotations

import errno
import io
import os
import sys
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from rich.console import Console

from handrail.cli.up import stay
from handrail.embedded.errors import StartFailed
from handrail.installation.installation import Installation
from handrail.installation.watch import SOON_S, WAIT_CAP_S, Watch


@dataclass
class Part:
    """A server or a process: runs, or has ended."""

    name: str
    begun: list[str]
    ended: bool = False
    broken: BaseException | None = None

    @property
    def child(self) -> Part:
        return self

    @property
    def running(self) -> bool:
        return not self.ended

    def last_line(self) -> str:
        return "out of memory (log: x.log)"

    def start(self) -> None:
        self.begun.append(self.name)
        if self.broken:
            raise self.broken
        self.ended = False


@dataclass
class Parts:
    """What a `Watch` sees of an installation."""

    begun: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.processes = {name: Part(name, self.begun) for name in ("routing", "audit")}
        self.embedded_kafka = Part("Kafka", self.begun)
        self.embedded_postgres = None
        self.stack = self

    def start_service(self, name: str) -> None:
        self.processes[name].start()


@pytest.fixture
def parts() -> Parts:
    return Parts()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def now() -> list[float]:
    return [1_000.0]


@pytest.fixture
def watch(parts: Parts, said: list[str], now: list[float]) -> Watch:
    return Watch(cast(Installation, cast(Any, parts)), said.append, lambda: now[0])


def test_what_runs_is_left_alone(watch: Watch, parts: Parts, said: list[str]) -> None:
    watch.look()

    assert (parts.begun, said) == ([], [])


def test_what_has_ended_is_started_again_at_once_and_said(watch: Watch, parts: Parts, said: list[str]) -> None:
    parts.processes["routing"].ended = True

    watch.look()
    watch.look()

    assert parts.begun == ["routing"]
    assert said == ["routing has ended: out of memory (log: x.log). It is started again now."]


def test_a_server_is_started_before_what_needs_it(watch: Watch, parts: Parts) -> None:
    parts.processes["audit"].ended = parts.embedded_kafka.ended = True

    watch.look()

    assert parts.begun == ["Kafka", "audit"]


def test_what_ends_again_soon_waits_ever_longer_and_the_others_do_not(
    watch: Watch, parts: Parts, said: list[str], now: list[float]
) -> None:
    waited = []
    for _ in range(9):
        parts.processes["routing"].ended = True
        ended = now[0]
        while parts.processes["routing"].ended:
            watch.look()
            now[0] += 0.5
        waited.append(round(now[0] - 0.5 - ended))
    parts.processes["audit"].ended = True
    watch.look()

    assert waited == [0, 1, 2, 4, 8, 16, 32, WAIT_CAP_S, WAIT_CAP_S]
    assert "It is started again in 32 s." in said[6]
    assert parts.begun[-1] == "audit"


def test_what_has_worked_for_a_while_is_started_again_at_once(watch: Watch, parts: Parts, now: list[float]) -> None:
    for _ in range(3):
        parts.processes["routing"].ended = True
        watch.look()
        now[0] += SOON_S

    assert parts.begun == ["routing"] * 3


@pytest.mark.parametrize("error", [StartFailed("its folder is in use"), OSError("no space left")])
def test_what_cannot_be_started_is_tried_again_and_what_it_said_is_passed_on(
    watch: Watch, parts: Parts, said: list[str], now: list[float], error: Exception
) -> None:
    parts.embedded_kafka.ended, parts.embedded_kafka.broken = True, error
    watch.look()
    parts.embedded_kafka.broken = None
    watch.look()
    now[0] += 1

    watch.look()

    assert parts.begun == ["Kafka", "Kafka"]
    assert f"Kafka could not be started again: {error}" in said
    assert parts.embedded_kafka.ended is False


class HungUp(io.StringIO):
    """A terminal whose window was closed."""

    def write(self, _text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")


def test_an_end_that_nobody_can_be_told_of_ends_nothing_else(parts: Parts) -> None:
    parts.processes["routing"].ended, parts.processes["routing"].broken = True, KeyboardInterrupt()

    stay(cast(Installation, cast(Any, parts)), Console(file=HungUp()))

    assert parts.begun == ["routing"]


def test_a_reader_of_what_is_said_that_has_gone_ends_nothing(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    parts.processes["routing"].ended, parts.processes["routing"].broken = True, KeyboardInterrupt()
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)  # Rich turns it to nowhere, then raises SystemExit

        stay(cast(Installation, cast(Any, parts)), Console())
        monkeypatch.undo()

    assert parts.begun == ["routing"]
