"""Services forked from one process that has imported them: an import takes seconds of processor, and a row kills twenty.

The process is Python's own fork server, one for a test run. What it forks runs what `python -m services.NAME` runs, with
an environment and a log of its own; it ends when the test run does, even if that is killed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping
from multiprocessing import forkserver
from pathlib import Path
from typing import Final

from handrail.embedded.process import Child
from schemas.topics import SERVICES

GRACE_S: Final = 20.0
_FORKSERVER: Final = multiprocessing.get_context("forkserver")


def import_services() -> None:
    """Have the fork server import what the services need; returns at once."""
    _FORKSERVER.set_forkserver_preload([f"services.{service}.main" for service in SERVICES])
    forkserver.ensure_running()


class Forked(Child):
    """A child process that was forked, used like any other.

    Args:
        what: Its name in messages.
        run: What it does: a function at the top of a module.
        arguments: For `run`.
        log_path: Where its output is appended.
        env: Its whole environment.
    """

    def __init__(
        self, what: str, run: Callable[..., None], *arguments: str, log_path: Path, env: Mapping[str, str]
    ) -> None:
        self.what = what
        self.log_path = log_path
        self._process = _FORKSERVER.Process(target=_begin, args=(run, arguments, log_path, dict(env)), daemon=True)
        self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended, minus the signal's number if by one; None while it runs."""
        return self._process.exitcode

    @property
    def running(self) -> bool:
        """Whether it is still there."""
        return self.exit_code is None

    def wait(self) -> None:
        """Return when it has ended, at most its grace later."""
        self._process.join(GRACE_S)

    def ask_to_stop(self) -> None:
        """Ask it to end, and do not wait for it; one that is frozen must be awake to hear."""
        if self.running:
            self._process.terminate()
            os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        """Ask it to end, wait for it, and kill it after its grace. Twice does no harm."""
        self.ask_to_stop()
        self.wait()
        if self.running:
            self._process.kill()
            self._process.join()


def _begin(run: Callable[..., None], arguments: tuple[str, ...], log_path: Path, env: dict[str, str]) -> None:
    """Become a process like one that was started as a program, and run."""
    threading.Thread(target=_end_with_owner, daemon=True).start()
    os.umask(0o077)
    log = os.open(log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.environ.clear()
    os.environ.update(env)
    run(*arguments)


def _end_with_owner() -> None:
    owner = multiprocessing.parent_process()
    assert owner
    owner.join()
    os._exit(1)
