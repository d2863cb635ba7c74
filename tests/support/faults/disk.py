"""Faults of the disk: it is full, and then there is room again.

Where this account may mount, the services' tables stand on a small file system of their own, which is filled: the
server's log of changes is elsewhere, so it refuses statements and does not end. Where it may not, every statement that
needs room fails with the error that PostgreSQL would give.
"""

from __future__ import annotations

import asyncio
import errno
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import asyncpg
import psutil

from schemas.topics import SERVICES
from tests.support.faults.rig import Rig, wait_for
from tests.support.faults.servers import postgres_of
from tests.support.faults.table import Fault, Landed, Scene

REFUSALS: Final = 20
SPARE_BYTES: Final = 32 << 20
_PIECES: Final = (1 << 20, 1 << 12)
_NAME: Final = "small_disk"
_PATIENCE: Final = "2s"  # for the lock on a table that moves; nobody waits behind us for longer

_TABLES: Final = """SELECT array_agg('TABLE ' || schemaname || '.' || tablename) FROM pg_tables
    WHERE schemaname = ANY($1)"""
_INDEXES: Final = """SELECT array_agg('INDEX ' || schemaname || '.' || indexname) FROM pg_indexes
    WHERE schemaname = ANY($1)"""
_SIZE: Final = "SELECT pg_database_size(current_database())"
_ERROR: Final = f"""CREATE FUNCTION public.{_NAME}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$"""


def full(scene: Scene) -> Landed:
    """Let the disk run full until a partner gets nothing but refusals; then make room."""
    with _small_disk(scene.rig) as disk:
        how = "a small file system filled" if disk else "no account that may mount: its error at each statement"
        with _filled(disk) if disk else _without_room(scene.rig):
            seen = wait_for(lambda: _refused_in_a_row(scene), "refusals and no receipt between them")
    return Landed(how, f"{seen} answers 503 in a row")


def _refused_in_a_row(scene: Scene) -> int:
    """Return how many refusals there were without a receipt, once there are enough of them."""
    sent = scene.load.sent
    receipts, before = len(sent.accepted), sent.answers[503]
    wait_for(lambda: sent.answers[503] - before >= REFUSALS or len(sent.accepted) > receipts, "an answer")
    return sent.answers[503] - before if len(sent.accepted) == receipts else 0


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


def _run(program: str, *arguments: str) -> bool:
    """Run a system program; say whether it was there and could."""
    found = shutil.which(program)
    return found is not None and not subprocess.run([found, *arguments], capture_output=True, check=False).returncode


FULL: Final = Fault("PostgreSQL: disk full", full)
