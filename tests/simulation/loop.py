"""An event loop on simulated time: it never waits, it moves its clock to the next thing that is due.

Everything that runs on it is asyncio as it is; two runs that do the same in the same order see the same instants.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class StandsStill(RuntimeError):
    """Nothing can ever happen again: everybody waits for somebody else."""


class _Clock:
    """Stands where a loop has its selector: instead of waiting for the network, it lets time pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def select(self, timeout: float | None) -> list[Any]:
        """Let time pass up to the next timer.

        Raises:
            StandsStill: There is none, and nothing is ready.
        """
        if timeout is None:
            raise StandsStill(StandsStill.__doc__)
        self.now += timeout
        return []


class SimulatedLoop(asyncio.BaseEventLoop):
    """asyncio's own loop, without a network and with a clock of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._clock = _Clock()
        self._selector = self._clock  # BaseEventLoop asks it for events, and gives it the time to the next timer

    def time(self) -> float:
        """Return the simulated seconds since the start."""
        return self._clock.now

    def _process_events(self, event_list: list[Any]) -> None:
        del event_list

    def _write_to_self(self) -> None:
        """Nothing outside wakes this loop."""


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop of its own, and leave nothing of it behind."""
    loop = SimulatedLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        for task in (left := asyncio.all_tasks(loop)):
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
        loop.close()
