"""Runs one server and makes sure that it never outlives the process that wanted it.

Started as `python -I guard.py STOP_SIGNAL GRACE_S NICENESS UID GID LOG COMMAND...`. Its standard input is a pipe from
the owner. When that closes, because the owner asked for a stop or was killed, the server gets its own stop
signal, so that even a SIGKILL of the owner ends in a clean shutdown. If the guard itself is killed, Linux
kills the server (`PR_SET_PDEATHSIG`; it follows a thread's death, not a process's, which is why the owner, with
its threads, cannot set it for itself). Uses the standard library alone, so that it starts in milliseconds.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import BinaryIO, Protocol

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_SAME_USER = "-"
_TRIES = 20
_TICK_S = 0.1
MAX_LOG_BYTES = 50_000_000  # a log beyond it is put aside at the next start


class Server(Protocol):
    """What is guarded; a `subprocess.Popen` is one."""

    pid: int

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code once it has ended.

        Raises:
            subprocess.TimeoutExpired: It still runs.
        """
        ...

    def send_signal(self, sig: int) -> None:
        """Send a signal."""
        ...


def main(arguments: list[str]) -> int:
    """Run the command until it ends or the owner's pipe closes, and return its exit code."""
    stop_signal, grace_s, niceness, uid, gid, log_path, *command = arguments
    same_user = uid == _SAME_USER

    def start(log: BinaryIO) -> Server:
        return subprocess.Popen(  # noqa: S603 - the command comes from our own code
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=None if same_user else int(uid),
            group=None if same_user else int(gid),
            extra_groups=None if same_user else [],
            restore_signals=True,
            preexec_fn=own_life(os.getpid()),  # noqa: PLW1509 - there are no threads here
        )

    return keep(start, log_path, int(stop_signal), float(grace_s), int(niceness))


def keep(
    start: Callable[[BinaryIO], Server], log_path: str, stop_signal: int, grace_s: float, niceness: int = 0
) -> int:
    """Run what `start` starts until it ends or the owner's pipe (standard input) closes; return its exit code.

    The guard leads a session of its own. With `niceness` above 0 the session lets others have the processor first.
    """
    os.nice(niceness)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # only the owner decides; a Ctrl-C meant for it must not come here
    os.umask(0o077)  # logs and data are nobody else's business
    _put_aside(log_path)
    with open(log_path, "ab", buffering=0) as log:  # noqa: PTH123 - pathlib doubles the start-up time
        server = start(log)
    print(server.pid, flush=True)  # noqa: T201 - the owner reads the process id from here
    if niceness:
        _be_nice_as_session(niceness)
    _wait_for_end(server)
    if server.poll() is None:
        server.send_signal(stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(grace_s)
        if server.poll() is None:
            server.send_signal(signal.SIGKILL)
    return server.wait()


def _put_aside(log_path: str) -> None:
    """Give a log that has grown too large another name, in place of the one that was put aside before."""
    with contextlib.suppress(OSError):  # there is none yet, or its folder takes no new name: it is written on
        if os.stat(log_path).st_size > MAX_LOG_BYTES:  # noqa: PTH116 - as below
            os.replace(log_path, f"{log_path}.1")  # noqa: PTH105


def own_life(guard_pid: int) -> Callable[[], None]:
    """Return what a server does first: it takes no part in what its guard ignores, and dies with it."""
    prctl = ctypes.CDLL(None).prctl if sys.platform.startswith("linux") else None

    def prepare() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)  # ignoring is inherited
        if prctl:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != guard_pid:  # the guard died before the line above took effect
                os._exit(1)

    return prepare


def _be_nice_as_session(niceness: int) -> None:
    """Be nice to other sessions too: where Linux groups processes by session, `nice` counts only within one.

    Source: sched(7), "The autogroup feature".
    """
    for _ in range(_TRIES):
        try:
            with open("/proc/self/autogroup", "w", encoding="ascii") as group:  # noqa: PTH123
                group.write(str(niceness))
        except BlockingIOError:  # Linux takes one a tenth of a second, of all accounts together
            time.sleep(_TICK_S)
        except OSError:  # nothing is grouped here
            return
        else:
            return


def _wait_for_end(server: Server) -> None:
    """Return when the server has ended or the owner's pipe is closed."""
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    while server.poll() is None:
        ready, _, _ = select.select([0, ended], [], [])
        if 0 in ready and not os.read(0, 1):
            return
        if ended in ready:
            os.read(ended, 64)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) & 0xFF)
