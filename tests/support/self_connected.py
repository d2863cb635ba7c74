"""A transaction in memory that is its own connection, for the memory twins of what services keep for themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from services.kit.memory import MemoryStore, MemoryTransaction


class SelfConnected(MemoryTransaction):
    """A transaction in memory that is its own connection."""

    @property
    def connection(self) -> Any:
        """Return itself."""
        return self


class SelfConnectedStore(MemoryStore):
    """A store of such transactions."""

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Any]:
        """Give a transaction to read in."""
        async with self.begin() as tx:
            yield tx

    def opened(self) -> MemoryTransaction:
        """Return a new transaction."""
        return SelfConnected(self)
