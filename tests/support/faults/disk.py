"""Faults of the disk: it is full, and then there is room again.

Where this account may mount, the services' tables stand on a small file system of their own, which is filled: the
server's log of changes is elsewhere, so it refuses statements and does not end. Where it may not, every statement that
needs room fails with the error that PostgreSQL would give.

For all that is not a table, a process is forbidden to write to any file (`RLIMIT_FSIZE`): a program that writes gets an error
in the place of its last byte, as it does where there is no room.
"""

from __future__ import annotations

import asyncio
import errno
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import asyncpg
import psutil

from schemas.topics import SERVICES
from tests.support.faults.builds import COPIES, service_of
from tests.support.faults.rig import DidNotLand, Rig, wait_for
from tests.support.faults.servers import calm, kafka_of, postgres_of, refused_in_a_row, started
from tests.support.faults.table import Fault, Landed, Scene

SPARE_BYTES: Final = 32 << 20
_PIECES: Final = (1 << 20, 1 << 12)
_NAME: Final = "small_disk"
_PATIENCE: Final = "2s"  # for the lock on a table that moves; nobody waits behind us for longer

_TABLES: Final = """SELECT array_agg('TABLE ' || schemaname || '.' || tablename) FROM pg_tables
    WHERE schemaname = ANY($1)"""
_INDEXES: Final = """SELECT array_agg('INDEX ' || schemaname || '.' || indexname) FROM pg_indexes
    WHERE schemaname = ANY($1)"""
_LOST_LINES: Final = "handrail_lost_log_lines_total"
_SIZE: Final = "SELECT pg_database_size(current_database())"
_ERROR: Final = f"""CREATE FUNCTION public.{_NAME}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$"""


def full(scene: Scene) -> Landed:
    """Let the disk run full until a partner gets nothing but refusals; then make room."""
    with _small_disk(scene.rig) as disk:
        how = "a small file system filled" if disk else "no account that may mount: its error at each statement"
        with _filled(disk) if disk else _without_room(scene.rig):
            seen = wait_for(lambda: refused_in_a_row(scene), "refusals and no receipt between them")
    return Landed(how, f"{seen} answers 503 in a row")


def kafka_cannot_write(scene: Scene) -> Landed:
    """Let the broker write nothing until it gives up; start it again once it may."""
    kafka = kafka_of(scene.rig)
    assert kafka.pid
    with _nothing_written([kafka.pid]):
        wait_for(lambda: kafka.pid is None, "the broker gives up")
    kafka.stop()
    kafka.start()
    return Landed("each write of the broker to a file refused, started again", "the broker, which gave up")


def postgres_cannot_write(scene: Scene) -> Landed:
    """Let the database server write nothing, its log of changes included, until it gives up; start it again once it may."""
    postgres = postgres_of(scene.rig)
    server = psutil.Process(postgres.pid)
    with _nothing_written([server.pid, *(each.pid for each in server.children())]):
        wait_for(lambda: postgres.pid is None, "the database server gives up")
    postgres.stop()
    wait_for(lambda: started(postgres), "PostgreSQL starts again")
    return Landed("each write of the database server to a file refused, started again", "the server, which gave up")


def services_cannot_write(scene: Scene) -> Landed:
    """Let no service write to a file until each has lost a line of its log, and audit could not keep a checkpoint."""
    rig = scene.rig
    calm(rig)
    before, failures = {copy: rig.metric(_LOST_LINES, copy) for copy in COPIES}, _audit_failures(rig)
    with _nothing_written([rig.process(copy).pid for copy in COPIES]):
        wait_for(lambda: all(rig.metric(_LOST_LINES, copy) > before[copy] for copy in COPIES), "lines that are lost")
        seen = wait_for(lambda: _audit_failures(rig) - failures, "a checkpoint that cannot be kept")
    return Landed(
        "each write of a service to a file refused",
        f"lost lines of every log, {seen:.0f} failures of audit to sign",
    )


def _audit_failures(rig: Rig) -> float:
    return rig.metric("handrail_loop_failures_total", *(copy for copy in COPIES if service_of(copy) == "audit"))


@contextmanager
def _nothing_written(pids: Iterable[int]) -> Iterator[None]:
    """Refuse each write of these processes to a file while the block runs."""
    chosen = list(pids)
    try:
        for pid in chosen:
            if not _limit(pid, "0") and psutil.pid_exists(pid):
                raise DidNotLand(f"`prlimit` could not forbid process {pid} to write")
        yield
    finally:
        for pid in chosen:
            _limit(pid, "unlimited")  # unless it has given up


def _limit(pid: int, file_size: str) -> bool:
    """Set the size beyond which a process writes to no file, by the account that it runs under: no other may."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        account = (process.uids().real, process.gids().real)
        return _run("prlimit", f"--pid={pid}", f"--fsize={file_size}:", account=account)
    return False


@contextmanager
def _small_disk(rig: Rig) -> Iterator[Path | None]:
    """Let the services' tables stand on a small file system while the block runs; gives nothing where none may be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="handrail-small-disk-"))
    server = psutil.Process(postgres_of(rig).pid)
    owner = f"uid={server.uids().effective},gid={server.gids().effective},mode=700"
    size = int(rig.ask(_SIZE)) + SPARE_BYTES
    mounted = _run("mount", "-t", "tmpfs", "-o", f"size={size},{owner}", _NAME, str(folder))
    try:
        if not mounted:
            yield None
            return
        rig.ask(f"CREATE TABLESPACE {_NAME} LOCATION '{folder}'")
        _move(rig, _NAME)
        try:
            yield folder
        finally:
            _move(rig, "pg_default")
            rig.ask(f"DROP TABLESPACE {_NAME}")
    finally:
        if mounted:
            _run("umount", "--lazy", str(folder))  # a server process may still have a file open that is gone
        folder.rmdir()


@contextmanager
def _filled(disk: Path) -> Iterator[None]:
    """Leave no room on a file system while the block runs."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for piece in _PIECES:
            try:
                while True:
                    file.write(bytes(piece))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
        try:
            yield
        finally:
            filler.unlink()


@contextmanager
def _without_room(rig: Rig) -> Iterator[None]:
    """Have each statement that needs room fail as on a full disk while the block runs."""
    tables = [name.removeprefix("TABLE ") for name in rig.ask(_TABLES, list(SERVICES))]
    rig.ask(_ERROR)
    try:
        for table in tables:
            rig.ask(f"CREATE TRIGGER {_NAME} BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION public.{_NAME}()")
        yield
    finally:
        wait_for(lambda: _dropped(rig), "there is room again")


def _dropped(rig: Rig) -> bool:
    try:
        rig.ask(f"DROP FUNCTION public.{_NAME} CASCADE")
    except asyncpg.DeadlockDetectedError:  # it needs every table at the same time; ask again
        return False
    return True


def _move(rig: Rig, to: str) -> None:
    """Move every table and index of the services, one after the other, while they are at work."""
    waiting = [*rig.ask(_TABLES, list(SERVICES)), *rig.ask(_INDEXES, list(SERVICES))]

    async def move() -> bool:
        connection = await asyncpg.connect(rig.database_url, server_settings={"lock_timeout": _PATIENCE})
        try:
            while waiting:
                await connection.execute(f"ALTER {waiting[0]} SET TABLESPACE {to}")
                del waiting[0]
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):  # somebody works on it; ask again
            return False
        finally:
            await connection.close()
        return True

    wait_for(lambda: asyncio.run(move()), f"tables and indexes move to {to}")


def _run(program: str, *arguments: str, account: tuple[int, int] | None = None) -> bool:
    """Run a system program, perhaps by another account and group; say whether it was there and could."""
    found, (user, group) = shutil.which(program), account or (None, None)
    if found is None:
        return False
    done = subprocess.run([found, *arguments], capture_output=True, check=False, user=user, group=group)
    return done.returncode == 0


FULL: Final = Fault("PostgreSQL: disk full", full)
FAULTS: Final = (
    FULL,
    Fault("PostgreSQL: nothing can be written", postgres_cannot_write),
    Fault("Kafka: nothing can be written", kafka_cannot_write),
    Fault("Services: no log and no checkpoint can be written", services_cannot_write),
)
