"""The journal: one append-only file of JSON lines, on disk before anything is answered.

It survives being killed: a last line that was cut off was never answered, so it is dropped when the file is read again.
Writers that wait at the same time share one `fsync`.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

FILE_NAME: Final = "journal.jsonl"


@dataclass(frozen=True)
class Entry:
    """One request that reached a mailbox, and what it was answered.

    `sha256`: of the body as it came, so that a repeat can be shown to be the same bytes.
    `outcome`: taken | repeat | failed | refused | hung | busy | garbage | reset | dripped | rejected (not proven to be from the sender, or not for us).
    """

    number: int
    recipient: str
    at: float
    outcome: str
    status: int | None
    webhook_id: str | None
    verified: bool
    reference: str | None
    reason: str | None
    body: Any
    sha256: str = ""


class Journal:
    """All entries in the order in which they came; kept in memory for reading, on disk for proof."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / FILE_NAME
        self.entries: list[Entry] = _read(self._path)
        self._references = _references(self.entries)
        self._waiting: list[tuple[Entry, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def reference_of(self, webhook_id: str) -> str | None:
        """Return the reference that this message was given before, if it came before."""
        return self._references.get(webhook_id)

    def of(self, recipient: str) -> list[Entry]:
        """Return one mailbox's entries, oldest first."""
        return [entry for entry in self.entries if entry.recipient == recipient]

    async def append(self, entry: Entry) -> None:
        """Keep `entry`, with the next number; returns when it is on disk.

        Raises:
            OSError: It cannot be kept, and is not.
        """
        if entry.webhook_id and entry.reference:
            self._references.setdefault(entry.webhook_id, entry.reference)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await done

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            entries = [replace(entry, number=number) for number, (entry, _) in enumerate(batch, len(self.entries) + 1)]
            try:
                await asyncio.to_thread(
                    self._sync, b"".join(json.dumps(asdict(each)).encode() + b"\n" for each in entries)
                )
            except Exception as error:  # noqa: BLE001 - told to whoever waits
                self._references = _references(self.entries)
                for done in _awaited(batch):
                    done.set_exception(error)
            else:
                self.entries += entries
                self._references |= _references(entries)  # those that an earlier batch took with it when it failed
                for done in _awaited(batch):
                    done.set_result(None)

    def _sync(self, lines: bytes) -> None:
        """Write all of it, or nothing: what follows half a line could not be read any more."""
        before, left = os.fstat(self._file).st_size, memoryview(lines)
        try:
            while left:
                left = left[os.write(self._file, left) :]
            os.fsync(self._file)
        except BaseException:
            os.ftruncate(self._file, before)
            raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            await self._writer
        os.close(self._file)


def _references(entries: list[Entry]) -> dict[str, str]:
    return {each.webhook_id: each.reference for each in entries if each.webhook_id and each.reference}


def _awaited(batch: list[tuple[Entry, asyncio.Future[None]]]) -> list[asyncio.Future[None]]:
    """Return the futures that somebody still waits for: a sender that was killed meanwhile has gone away."""
    return [done for _, done in batch if not done.done()]


def _read(path: Path) -> list[Entry]:
    """Read what was kept; cut off a last line without its end, which was never answered."""
    if not path.exists():
        return []
    raw = path.read_bytes()
    whole = raw[: raw.rfind(b"\n") + 1]
    if len(whole) < len(raw):
        os.truncate(path, len(whole))
    return [Entry(**json.loads(line)) for line in whole.splitlines()]
