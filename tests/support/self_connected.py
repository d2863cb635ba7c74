"""A transaction in memory that is its own connection, for the memory twins of what services keep for themselves."""

from __future__ import annotations

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

    def opened(self) -> MemoryTransaction:
        """Return a new transaction."""
        return SelfConnected(self)
