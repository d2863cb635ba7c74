"""A child process with an owner: started under a guard, stopped in order, never left behind."""

import contextlib
import fcntl
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from handrail.embedded import guard
from handrail.embedded.errors import FolderInUse, PortTaken, StartFailed
from handrail.embedded.nursery import Nursery, Order

LOOPBACK = "127.0.0.1"
LOCK_WAIT_S = 15.0  # the guard of an owner that was just killed is still stopping its server
_POLL_S = 0.03
_END_OF_LOG_BYTES = 65_536
_RECOVERY_S = 3600.0  # far more than a disk needs to read what a server keeps unwritten; a log can also go on for ever
_TRIES = 1_000
_NEVER_GIVEN = range(12_000, 32_000)  # below what Linux, macOS and Windows give to connections
_drawn: set[int] = set()
_LOCK = ".in-use"


@dataclass(frozen=True)
class Account:
    """A system account to run a server under, where the present one may not."""

    name: str
    uid: int
    gid: int


class Child:
    """One running program and its guard.

    Args:
        what: Its name in messages, for example `PostgreSQL`.
        command: Absolute program and arguments; no secret belongs here, every account can read it.
        log_path: Where its output is appended.
        folder: Locked for as long as the guard lives, so that two servers never share one data folder.
        stop_signal: What asks the program to end in good order.
        grace_s: Seconds until it is killed instead.
        niceness: How far it lets others have the processor first, as for `nice`: 0 not at all, 19 as far as can be.
        account: Run under this account, None for the present one.
        env: The whole environment, None for the present one.
        nursery: Forks the program, whose command is then `python -m module`; without one, or if it has ended, it is
            started as a program.
    """

    def __init__(
        self,
        what: str,
        command: Sequence[str],
        *,
        log_path: Path,
        folder: Path,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace_s: float = 20.0,
        niceness: int = 0,
        account: Account | None = None,
        env: Mapping[str, str] | None = None,
        nursery: Nursery | None = None,
    ) -> None:
        self.what = what
        self._stdin: int | None
        self._stdout: int | None
        self.log_path = log_path
        self._grace_s = grace_s
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            lock = lock_folder(folder, what)
            theirs.callback(os.close, lock)
            guards_stdin, self._stdin = _pipe(theirs, ours)
            self._stdout, guards_stdout = pipe = _pipe(ours, theirs)
            if nursery and nursery.alive:
                order = Order(
                    command[-1], dict(env or os.environ), str(folder), str(log_path), stop_signal, grace_s, niceness
                )
                nursery.start(order, guards_stdin, guards_stdout, lock)
                self._guard = None
            else:
                uid, gid = (str(account.uid), str(account.gid)) if account else ("-", "-")
                arguments = [str(int(stop_signal)), str(grace_s), str(niceness), uid, gid, str(log_path), *command]
                self._guard = subprocess.Popen(  # noqa: S603 - our own interpreter and our own guard
                    [sys.executable, "-I", "-S", guard.__file__, *arguments],
                    stdin=guards_stdin,
                    stdout=guards_stdout,
                    pass_fds=[lock],
                    env=dict(env) if env is not None else None,
                    cwd=folder,
                    start_new_session=True,  # a Ctrl-C at the terminal reaches the owner alone
                )
            ours.pop_all()
        self.pid = self._read_pid(pipe[0], nursery)

    def _read_pid(self, stdout: int, nursery: Nursery | None) -> int:
        line = b""
        while not line.endswith(b"\n") and (more := os.read(stdout, 64)):
            line += more
        if not line:
            self._ended()
            said = _last_line(nursery.log_path) if nursery and self._guard is None else self.last_line()
            msg = f"{self.what} could not be started: {said}"
            raise StartFailed(msg)
        return int(line)

    @property
    def running(self) -> bool:
        """Whether the program is still there: its guard keeps a pipe open until then."""
        return not self._ended(0)

    def _ended(self, within_s: float | None = None) -> bool:
        """Wait for the guard's end, by default without a limit; say whether it has ended."""
        if self._stdout is not None and select.select([self._stdout], [], [], within_s)[0]:
            os.close(self._stdout)
            self._stdout = None
            if self._guard:
                self._guard.wait()
            self.ask_to_stop()  # nobody hears it any more; the pipe is closed
        return self._stdout is None

    def ask_to_stop(self) -> None:
        """Ask the program to end, and do not wait for it. Twice does no harm."""
        if self._stdin is not None:
            os.close(self._stdin)
            self._stdin = None

    def stop(self) -> None:
        """Ask the program to end, wait for it, and kill it after its grace. Twice does no harm."""
        self.ask_to_stop()
        self._ended(self._grace_s + 10)

    def last_line(self) -> str:
        """Return the last line of the log that says anything, for a one-line message."""
        return _last_line(self.log_path)

    def wait_until(self, ready: Callable[[], bool], *, timeout_s: float, log: Path | None = None) -> None:
        """Poll `ready` until it is true.

        Args:
            ready: Whether the program answers.
            timeout_s: How long it may take; with `log`, since that file last grew. A server that was stopped while it
                recovers from a power cut would begin again at each start, and never come to the end.
            log: Where the program says that it gets on.

        Raises:
            StartFailed: The program ended first, or the time is up; it is stopped then.
        """
        try:
            self._poll(ready, timeout_s, log)
        except BaseException:  # a Ctrl-C as well: nobody else knows about this program yet
            self.stop()
            raise

    def _poll(self, ready: Callable[[], bool], timeout_s: float, log: Path | None) -> None:
        began = heard = time.monotonic()
        size = _size(log)
        while self.running:
            if ready():
                return
            now, before, size = time.monotonic(), size, _size(log)
            if size != before and now < began + _RECOVERY_S:
                heard = now
            elif now > heard + timeout_s:
                msg = f"{self.what} did not answer within {now - began:.0f} seconds: {self.last_line()}"
                raise StartFailed(msg)
            time.sleep(_POLL_S)
        msg = f"{self.what} ended while it was starting: {self.last_line()}"
        raise StartFailed(msg)


def _pipe(reads: contextlib.ExitStack, writes: contextlib.ExitStack) -> tuple[int, int]:
    """Return a pipe's two ends; each is closed with its stack."""
    ends = os.pipe()
    for stack, end in zip((reads, writes), ends, strict=True):
        stack.callback(os.close, end)
    return ends


def _last_line(log_path: Path) -> str:
    with contextlib.suppress(OSError), log_path.open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - _END_OF_LOG_BYTES))
        lines = [line for line in log.read().decode(errors="replace").splitlines() if line.strip()]
        if lines:
            return f"{lines[-1].strip()} (log: {log_path})"
    return f"no output (log: {log_path})"


def _size(log: Path | None) -> int:
    try:
        return log.stat().st_size if log else 0
    except FileNotFoundError:  # not begun yet, or just rolled
        return 0


def lock_folder(folder: Path, what: str, *, wait_s: float | None = None) -> int:
    """Lock the folder and return the open file; whoever holds a copy of it holds the lock.

    Raises:
        FolderInUse: Somebody else still holds it after `wait_s`, by default as long as a guard may need.
    """
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + (LOCK_WAIT_S if wait_s is None else wait_s)
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(_POLL_S)
                continue
            os.close(handle)
            msg = f"{what} is already running on {folder}. Stop the other one first, or choose another folder."
            raise FolderInUse(msg) from None
        return handle


def was_locked(folder: Path) -> bool:
    """Whether the folder was ever locked: a lock stays behind when its owner has ended."""
    return (folder / _LOCK).exists()


def abandoned(folder: Path) -> bool:
    """Whether the folder was locked once and nobody holds the lock now: its owner has ended, if only by a crash."""
    try:
        handle = os.open(folder / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def empty_folder(folder: Path) -> None:
    """Delete what a locked folder holds, but not its lock, once the last program on a folder inside it has ended."""
    for lock in folder.glob(f"*/**/{_LOCK}"):
        os.close(lock_folder(lock.parent, lock.parent.name))
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != _LOCK:
            entry.unlink()


def listens(port: int) -> bool:
    """Whether something accepts connections on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((LOOPBACK, port)) == 0


def choose_port(what: str, wanted: int | None) -> int:
    """Return the wanted port, or one that is free.

    It is bound only later, so it is not one of those that the system gives to connections meanwhile, and no other
    draw of this account gets it as long as this process lives.

    Raises:
        PortTaken: The wanted one is in use.
    """
    if wanted is None:
        tried = (random.choice(_NEVER_GIVEN) for _ in range(_TRIES))  # noqa: S311 - nothing secret
        return next(port for port in tried if _is_free(port) and _draw(port))
    if not _is_free(wanted):
        raise PortTaken(what, wanted)
    return wanted


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _draw(port: int) -> bool:
    """Lock the port's byte of a file that the processes of this account share; no byte is ever written.

    Such a lock keeps out other processes only, and ends with this one.
    """
    if port in _drawn:
        return False
    draws = _draws()
    if draws is not None:
        try:
            fcntl.lockf(draws, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        except (BlockingIOError, PermissionError):  # whichever of the two the system says
            return False
    _drawn.add(port)
    return True


@cache
def _draws() -> int | None:
    """Open that file; where that fails, processes may draw alike, and one of them is told that a port is taken."""
    path = Path(tempfile.gettempdir()) / f"handrail-ports-{os.getuid()}"
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError:
        return None
