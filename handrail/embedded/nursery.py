"""Imports what our services share once, and starts each of them as a fork of itself: seconds sooner than one by one.

The owner keeps a socket; each message on it is one process to start, with the pipes and the lock of its guard. The guard
(`handrail.embedded.guard`) is the first fork, the service the second, so that nothing differs from a service that was
started as a program: its own environment, log, signals and death. When the socket closes, this process ends; what it
started stays with its guards. What a module reads from the environment while it is imported is that of the owner.

Forking is safe because nothing here starts a thread: a process that has more than one refuses to fork.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, NoReturn

from handrail.embedded import guard
from handrail.embedded.errors import StartFailed
from handrail.embedded.places import REPOSITORY

_MESSAGE_BYTES = 1 << 17  # below the system's limit for one message
_POLL_S = 0.02


@dataclass(frozen=True)
class Order:
    """What to start: `python -m module` with this environment, in this folder."""

    module: str
    env: dict[str, str]
    folder: str
    log_path: str
    stop_signal: int
    grace_s: float
    niceness: int


class Nursery:
    """The owner's side.

    Args:
        modules: What will be started: the top of each one's `__main__` imports what it needs and does nothing else.
        log_path: Where it says what went wrong with that.
        env: Its environment, None for the present one.
    """

    def __init__(self, modules: Sequence[str], *, log_path: Path, env: Mapping[str, str] | None = None) -> None:
        self.log_path = log_path
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, log_path.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and this file
                [sys.executable, "-m", "handrail.embedded.nursery", *modules],
                stdin=theirs.fileno(),
                stdout=log,
                stderr=log,
                env=dict(env) if env is not None else None,
                cwd=REPOSITORY,
                start_new_session=True,  # a Ctrl-C at the terminal reaches the owner alone
            )

    @property
    def alive(self) -> bool:
        """Whether it still forks."""
        return self._process.poll() is None

    def start(self, order: Order, stdin: int, stdout: int, lock: int) -> None:
        """Start a process under a guard that has these two pipes and holds this lock; returns at once.

        Raises:
            StartFailed: There is no nursery any more.
        """
        try:
            socket.send_fds(self._socket, [json.dumps(asdict(order)).encode()], [stdin, stdout, lock])
        except OSError as error:
            raise StartFailed(f"{order.module} could not be started: nothing forks it ({error.strerror}).") from error

    def close(self) -> None:
        """Start nothing more; what was started stays. Twice does no harm."""
        self._socket.close()
        self._process.kill()  # it may be importing still
        self._process.wait()


class _Fork:
    """A service, as its guard sees it."""

    def __init__(self, module: str, log: BinaryIO) -> None:
        begin = guard.own_life(os.getpid())
        self._exit_code: int | None = None
        begun, says = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            begin()
            os.close(says)
            _be(module, log)
        os.close(says)
        os.read(begun, 1)  # until it has begun: it would not hear an earlier signal to stop
        os.close(begun)

    def poll(self) -> int | None:
        if self._exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._exit_code = os.waitstatus_to_exitcode(status)
        return self._exit_code

    def wait(self, timeout: float | None = None) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(_POLL_S)
        return code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)


def _be(module: str, log: BinaryIO) -> NoReturn:
    """Become `python -m module`; never returns."""
    code: object = 1
    try:
        _put(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # the guard's lock, and whatever it had open
        with contextlib.suppress(OSError):  # Linux only: what `top` shows
            Path("/proc/self/comm").write_text(module)
        sys.argv = [module]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001 - the top of a process: said, and over
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def _put(opened: int, place: int) -> None:
    os.dup2(opened, place)
    os.close(opened)


def _guard(order: Order, files: Sequence[int]) -> NoReturn:
    """Become the guard of one service; never returns."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        _put(files[0], 0)  # which also closes our copy of the owner's socket
        _put(files[1], 1)
        os.environ.clear()
        os.environ.update(order.env)
        os.chdir(order.folder)
        start = partial(_Fork, order.module)
        code = guard.keep(start, order.log_path, order.stop_signal, order.grace_s, order.niceness)
    except BaseException:  # noqa: BLE001 - the top of a process: said, and over
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code & 0xFF)


def main(modules: Sequence[str]) -> None:
    """Import, then fork one guard for each order until the owner closes the socket."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for a guard; its owner sees its pipe close
    gc.disable()
    for module in modules:
        importlib.import_module(f"{module}.__main__")
        del sys.modules[f"{module}.__main__"]  # it runs in a fork, and was not run yet
    gc.freeze()  # a collection in a fork must not copy what all of them share
    gc.enable()
    orders = socket.socket(fileno=0)
    while True:
        message, files, _, _ = socket.recv_fds(orders, _MESSAGE_BYTES, 3)
        if not message:
            return
        if threading.active_count() > 1:
            raise RuntimeError("a module that was imported started a thread; it must not be imported here")
        if os.fork() == 0:
            _guard(Order(**json.loads(message)), files)
        for file in files:
            os.close(file)


if __name__ == "__main__":
    main(sys.argv[1:])
