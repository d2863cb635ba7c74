"""The log twice: in memory, and on a real database with a real folder of checkpoints."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.audit.domain.entry import Record
from services.audit.publisher import Publisher
from services.audit.service import Sequencer
from services.audit.sink import CheckpointFolder
from services.audit.store import POSTGRES, Log, reading
from tests.support.audit import KEY, NOON, NOTE_KEY, ORIGIN, open_log
from tests.support.audit_memory import MemoryFolder, MemoryLog, entries_of
from tests.support.self_connected import SelfConnectedStore


@dataclass
class Backend:
    """A store of transactions, the log that lives on it, its folder of checkpoints, and the texts of its entries."""

    store: Any
    log: Log
    folder: CheckpointFolder
    texts: Callable[[], Awaitable[list[bytes]]]

    def sequencer(self, origin: str = ORIGIN) -> Sequencer:
        """Return what appends to the log of a name."""
        return Sequencer(origin, lambda: bytes(32), self.log)

    def publisher(self) -> Publisher:
        """Return what signs the log."""
        return Publisher(ORIGIN, KEY, self.folder, self.log)

    async def append(self, batch: Sequence[Record]) -> int:
        """Append a batch in a transaction of its own; return how many entries it became."""
        async with self.store.begin() as tx:
            return len(await self.sequencer().append(batch, tx.connection, NOON))


def memory_backend() -> Backend:
    """Return the memory twins."""
    store = SelfConnectedStore("audit", NOON)

    async def texts() -> list[bytes]:
        return [entry.text for _, entry in sorted(entries_of(store.opened()).items())]

    return Backend(store, MemoryLog(), MemoryFolder(), texts)


@asynccontextmanager
async def postgres_backend(folder: Path) -> AsyncIterator[Backend]:
    """Open the real ones, empty."""
    async with open_log(folder) as opened:

        async def texts() -> list[bytes]:
            async with opened.database.connect() as connection:
                return [row.entry for row in await reading.entries(connection, 0, 1_000_000)]

        yield Backend(opened.database, POSTGRES, CheckpointFolder(folder, NOTE_KEY), texts)
