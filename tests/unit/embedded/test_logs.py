"""Pins that the log of a child process stays of a size that can be kept and read."""

from __future__ import annotations

import sys
import tracemalloc
from pathlib import Path

import pytest

from handrail.embedded import guard
from handrail.embedded.process import Child


def ended(folder: Path) -> Child:
    """Return a child that has said one line and ended."""
    command = [sys.executable, "-c", "print('the last word')"]
    child = Child("a part", command, log_path=folder / "part.log", folder=folder)
    child._ended()
    return child


def test_of_a_long_log_the_end_alone_is_read(tmp_path: Path) -> None:
    (tmp_path / "part.log").write_text("a line\n" * 2_000_000)
    child = ended(tmp_path)
    tracemalloc.start()

    said = child.last_line()

    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert said == f"the last word (log: {tmp_path / 'part.log'})"
    assert most < 2_000_000


@pytest.mark.parametrize(("size", "kept"), [(guard.MAX_LOG_BYTES, []), (guard.MAX_LOG_BYTES + 1, ["part.log.1"])])
def test_a_log_that_has_grown_too_large_is_put_aside_at_the_next_start(
    size: int, kept: list[str], tmp_path: Path
) -> None:
    log = tmp_path / "part.log"
    with log.open("wb") as grown:
        grown.truncate(size)  # takes no room on the disk

    ended(tmp_path)

    assert [path.name for path in tmp_path.glob("part.log.*")] == kept
    assert log.read_bytes().endswith(b"the last word\n") if not kept else log.read_text() == "the last word\n"
