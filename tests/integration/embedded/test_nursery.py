"""Pins that a process which the nursery forks is like one that was started as a program, in life and in death."""

from __future__ import annotations

import errno
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from handrail.embedded.errors import StartFailed
from handrail.embedded.nursery import Nursery
from handrail.embedded.process import Child, lock_folder
from handrail.installation.installation import _MODULES
from tests.support.eventually import until
from tests.support.repository import ROOT

GRACE_S = 60.0  # then it would be killed
MODULE = "tests.support.nursling"
OWNER = f"""
import os, sys, threading
from pathlib import Path
from handrail.embedded.nursery import Nursery
from handrail.embedded.process import Child

folder = Path(sys.argv[1])
nursery = Nursery(["{MODULE}"], log_path=folder / "nursery.log")
child = Child("it", ["{MODULE}"], log_path=folder / "it.log", folder=folder, env={{"WHO": "orphan"}}, nursery=nursery)
print(child.pid, flush=True)
threading.Event().wait()
"""
STARTS_NO_THREAD = """
import importlib, os, sys
for module in sys.argv[1:]:
    importlib.import_module(f"{module}.__main__")
print(len(os.listdir("/proc/self/task")))
"""


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    opened = Nursery([MODULE], log_path=tmp_path / "nursery.log")
    yield opened
    opened.close()


def child(nursery: Nursery, folder: Path, **env: str) -> Child:
    folder.mkdir()
    command = [sys.executable, "-m", MODULE]
    env["PYTHONPATH"] = str(ROOT)
    return Child("it", command, log_path=folder / "it.log", folder=folder, env=env, nursery=nursery)


def said(started: Child) -> str:
    started.wait_until(lambda: bool(started.log_path.read_text()), timeout_s=GRACE_S)
    return started.log_path.read_text()


def test_each_process_has_its_own_environment_folder_and_log(nursery: Nursery, tmp_path: Path) -> None:
    one, two = child(nursery, tmp_path / "a", WHO="one"), child(nursery, tmp_path / "b", WHO="two")

    assert (said(one), said(two)) == ("one a\n", "two b\n")
    one.stop()
    assert (one.running, two.running) == (False, True)
    assert not psutil.pid_exists(one.pid)
    two.stop()
    assert two.running is False


def test_a_process_that_cannot_have_a_log_says_why_it_was_not_started(nursery: Nursery, tmp_path: Path) -> None:
    log = tmp_path / "it.log"
    log.mkdir()

    with pytest.raises(StartFailed, match=r"it could not be started: IsADirectoryError: .*nursery\.log"):
        Child("it", ["-m", MODULE], log_path=log, folder=tmp_path, nursery=nursery)


def test_a_process_for_which_no_file_is_left_can_be_started_once_there_are_some(
    nursery: Nursery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> tuple[int, int]:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pipe", refused)
        with pytest.raises(OSError, match="Too many open files"):
            Child("it", ["-m", MODULE], log_path=tmp_path / "it.log", folder=tmp_path, nursery=nursery)

    child(nursery, tmp_path / "a", WHO="one").stop()
    lock_folder(tmp_path, "it", wait_s=0)


def test_a_process_that_ends_by_itself_is_missed(nursery: Nursery, tmp_path: Path) -> None:
    ended = child(nursery, tmp_path / "a", WHO="one", CODE="3")

    with pytest.raises(StartFailed, match="it ended while it was starting: one a"):
        ended.wait_until(lambda: False, timeout_s=GRACE_S)


def test_a_process_that_is_killed_is_missed_and_leaves_its_folder_free(nursery: Nursery, tmp_path: Path) -> None:
    killed = child(nursery, tmp_path / "a", WHO="one")
    os.kill(killed.pid, signal.SIGKILL)
    killed.stop()

    again = Child(
        "it",
        [MODULE],
        log_path=killed.log_path,
        folder=tmp_path / "a",
        grace_s=GRACE_S,
        env={"WHO": "again"},
        nursery=nursery,
    )

    assert again.running
    asked = time.monotonic()
    again.stop()
    assert time.monotonic() - asked < GRACE_S, "it did not hear what it was asked the moment it had started"


def test_a_process_that_was_missed_leaves_no_pipe_open(nursery: Nursery, tmp_path: Path) -> None:
    gc.collect()  # what an earlier test left open
    before = psutil.Process().num_fds()
    killed = child(nursery, tmp_path / "a", WHO="one")
    os.kill(killed.pid, signal.SIGKILL)

    until(lambda: not killed.running, "it is missed", within_s=GRACE_S)

    assert psutil.Process().num_fds() <= before


def test_once_the_nursery_is_gone_a_process_is_started_as_a_program(nursery: Nursery, tmp_path: Path) -> None:
    nursery.close()

    started = child(nursery, tmp_path / "a", WHO="one")

    assert said(started) == "one a\n"
    started.stop()
    assert started.running is False


@pytest.mark.parametrize("way", ["forked", "as a program"])
def test_a_process_that_shall_let_others_go_first_does_in_its_session_and_among_sessions(
    way: str, nursery: Nursery, tmp_path: Path
) -> None:
    command, env = [sys.executable, "-m", MODULE], {"WHO": "nice", "PYTHONPATH": str(ROOT)}
    started = Child(
        "it",
        command,
        log_path=tmp_path / "it.log",
        folder=tmp_path,
        env=env,
        niceness=5,
        nursery=nursery if way == "forked" else None,
    )

    assert said(started)
    assert os.getpriority(os.PRIO_PROCESS, started.pid) == 5
    group = Path(f"/proc/{started.pid}/autogroup")
    if group.exists():
        until(lambda: group.read_text().endswith(" nice 5\n"), "its session gives way, too", within_s=GRACE_S)
    assert os.getpriority(os.PRIO_PROCESS, 0) == 0
    started.stop()


def has_ended(process: psutil.Process) -> bool:
    """Say whether a process does nothing any more; who started it may not have looked yet how it ended."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("victim", ["owner", "guard", "nursery"])
def test_no_process_is_left_behind_and_none_dies_with_the_nursery(victim: str, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, tmp_path], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as owner:
        assert owner.stdout is not None
        service = psutil.Process(int(owner.stdout.readline()))
        guard = service.parent()
        assert guard is not None
        nursery = guard.parent()
        assert nursery is not None
        assert [each.pid for each in psutil.Process(owner.pid).children()] == [nursery.pid]

        try:
            if victim == "guard":
                guard.kill()
                assert not psutil.wait_procs([service], timeout=GRACE_S)[1]
            if victim == "nursery":
                nursery.kill()
                until(lambda: has_ended(nursery), "the nursery ends", within_s=GRACE_S)
                assert service.is_running()
        finally:
            owner.kill()

    assert not psutil.wait_procs([service, guard, nursery], timeout=GRACE_S)[1]


def test_what_the_nursery_imports_starts_no_thread() -> None:
    counted = subprocess.run(
        [sys.executable, "-c", STARTS_NO_THREAD, *_MODULES.values()],
        capture_output=True,
        check=True,
        text=True,
        cwd=ROOT,
    )

    assert counted.stdout == "1\n"
