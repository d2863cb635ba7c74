"""Pins how long a server that starts is waited for: as long as its log goes on, as that of one that recovers does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from handrail.embedded import process
from handrail.embedded.errors import StartFailed
from handrail.embedded.process import Child

LOOKS = 5


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Child]:
    """A program that lives, answers nothing and writes nothing."""
    program = [sys.executable, "-c", "import signal; signal.pause()"]
    child = Child("PostgreSQL", program, log_path=tmp_path / "server.log", folder=tmp_path)
    yield child
    child.stop()


class Recovering:
    """A server's log that grows at each look; after some looks it answers."""

    def __init__(self, log: Path, answers_after: int) -> None:
        self._log = log
        self._left = answers_after

    def ready(self) -> bool:
        with self._log.open("a") as file:
            file.write("redo in progress\n")
        self._left -= 1
        return self._left < 0


def test_a_server_whose_log_goes_on_is_not_stopped_however_long_it_recovers(server: Child) -> None:
    server.wait_until(Recovering(server.log_path, LOOKS).ready, timeout_s=0.0, log=server.log_path)

    assert server.running


def test_a_server_that_falls_silent_is_stopped_with_its_last_line(server: Child, tmp_path: Path) -> None:
    server.log_path.write_text("redo starts\n")

    with pytest.raises(StartFailed, match=r"PostgreSQL did not answer within 0 seconds: redo starts"):
        server.wait_until(lambda: False, timeout_s=0.0, log=tmp_path / "not-written")

    assert not server.running


def test_a_server_that_says_for_ever_that_it_recovers_is_stopped_in_the_end(
    server: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_RECOVERY_S", 0.0)

    with pytest.raises(StartFailed):
        server.wait_until(Recovering(server.log_path, LOOKS).ready, timeout_s=0.0, log=server.log_path)
