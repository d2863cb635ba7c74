"""The simulated database: the kit's memory twins as its server, and what a process has of it over a connection.

The server is `services.kit.memory`, unchanged. The connection adds what a network adds: each call takes a moment, the
process may die or sleep in it, and the server may take a connection for lost and roll back what hung on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from services.kit.cursor import Fenced, OutboxRow, Position
from services.kit.memory import MemoryCursor, MemoryStore, MemoryTransaction
from tests.simulation.process import Process

LegalNow = Callable[[], datetime]


class Remote:
    """A part of a transaction, at the other end of a connection."""

    def __init__(self, part: Any, call: Callable[[str], Awaitable[None]]) -> None:
        self._part = part
        self._call = call

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._part, name)

        async def called(*given: Any, **named: Any) -> Any:
            await self._call(name)
            return await method(*given, **named)

        return called


class Connections:
    """A process's connections to its service's database; what `Database` is to a real process."""

    def __init__(self, server: MemoryStore, process: Process, legal_now: LegalNow) -> None:
        self.service = server.service
        self.server = server
        self.process = process
        self.committed = asyncio.Event()
        self._legal_now = legal_now
        self._open: dict[MemoryTransaction, bool] = {}  # whether the server still knows it
        process.when_cut_off.append(self._cut)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[MemoryTransaction]:
        """Open a transaction; it commits, with its messages, when the block ends, and rolls back if it raises."""
        await self.process.step("begin")
        self.server.now = self._legal_now()
        async with self.server.begin() as tx:
            self._open[tx] = True
            self.dress(tx)
            try:
                yield tx
                await tx.flush()
                await self.call(tx, "commit")
            finally:
                del self._open[tx]
        if tx.xid:
            self.process.world.note(self.process.name, f"committed {tx.xid}")
            for look in self.process.world.when_committed:
                look(tx)
        await self.process.step("committed", may_fail=False)
        if tx.emitted:
            self.committed.set()

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[MemoryTransaction]:
        """Open a connection for reading; nothing written on it is kept."""
        await self.process.step("connect")
        yield self.server.opened()

    def dress(self, tx: MemoryTransaction) -> None:
        """Put the network between a transaction and its server."""
        for name in ("outbox", "fence", "inbox", "held"):
            setattr(tx, name, Remote(getattr(tx, name), lambda method, name=name: self.call(tx, f"{name}.{method}")))  # type: ignore[misc]
        tx.lock_cases = Remote(tx, lambda method: self.call(tx, method)).lock_cases  # type: ignore[method-assign]

    async def call(self, tx: MemoryTransaction, at: str) -> None:
        """Take a call to the server.

        Raises:
            ConnectionError: The server has given up the connection, or is away.
        """
        await self.process.step(at)
        if not self._open[tx]:
            raise ConnectionError(f"cut off before {at}")

    def _cut(self) -> None:
        for tx in self._open:
            self._open[tx] = False
            self.server.running.discard(tx.xid)
            tx.release()


class RemoteCursor:
    """The relay's cursor over a session of its own: if the session is lost, so is the lock."""

    def __init__(self, cursor: MemoryCursor, process: Process) -> None:
        self._cursor = cursor
        self._process = process
        self._connected = False
        process.when_cut_off.append(self._cut)

    async def acquire(self) -> Position | None:
        """Become the relay, unless somebody else is."""
        await self._process.step("cursor.acquire")
        position = await self._cursor.acquire()
        self._connected = position is not None
        if position:
            self._process.world.note(self._process.name, f"relays from {position.xid}/{position.id}")
        return position

    async def look(self) -> Position:
        """Return the position without becoming the relay."""
        await self._process.step("cursor.look")
        return await self._cursor.look()

    async def unknown(self, position: Position, ids: Sequence[UUID]) -> set[UUID]:
        """Return those ids that are not in the outbox after a position."""
        await self._process.step("cursor.unknown")
        return await self._cursor.unknown(position, ids)

    async def read(self, position: Position, limit: int) -> list[OutboxRow]:
        """Return the next rows after a position."""
        await self._call("cursor.read")
        return await self._cursor.read(position, limit)

    async def save(self, position: Position, passed: Sequence[UUID] = ()) -> None:
        """Keep the position; sent, it arrives even if the session is lost meanwhile."""
        await self._process.step("cursor.save")
        try:
            await self._cursor.save(position, passed)
        except Fenced:
            self._process.world.note(self._process.name, "is not the relay any more")
            raise

    async def backlog(self) -> tuple[int, float]:
        """Return what waits."""
        return await self._cursor.backlog()

    async def release(self) -> None:
        """Stop being the relay."""
        self._cut()

    async def _call(self, at: str) -> None:
        await self._process.step(at)
        if not self._connected:
            raise ConnectionError(f"cut off before {at}")

    def _cut(self) -> None:
        self._connected = False
        if self._cursor._leads:
            self._cursor._leads = False
            self._cursor._store.relay_lock.release()
