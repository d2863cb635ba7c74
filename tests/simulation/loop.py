"""An event loop on simulated time: it never waits, it moves its clock to the next thing that is due.

Everything that runs on it is asyncio as it is; two runs that do the same in the same order see the same instants.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from functools import partial
from heapq import heappop, heappush
from typing import Any, TypeVar

from tests.simulation.process import in_thread

T = TypeVar("T")


class StandsStill(RuntimeError):
    """Nothing can ever happen again: everybody waits for somebody else."""


class SimulatedLoop(asyncio.BaseEventLoop):
    """asyncio's own loop, without a network and with a clock of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._made = 0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []  # what is due at once comes as it was made

    def time(self) -> float:
        """Return the simulated seconds since the start."""
        return self._now

    def call_at(  # type: ignore[override] # the types of the arguments are of no interest here
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call something at an instant."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._made += 1
        heappush(self._timers, (when, self._made, timer))
        return timer

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override] # as above
        """Call what a thread would do, without one: nothing runs beside this loop."""
        del executor
        return self.create_task(in_thread(partial(func, *args)))

    def _run_once(self) -> None:
        """Run what is ready; before, if nothing is, let time pass up to the next timer.

        Raises:
            StandsStill: There is none, and nothing is ready.
        """
        ready, timers = self._ready, self._timers  # type: ignore[attr-defined] # asyncio's queue of what is ready
        while timers and timers[0][2].cancelled():
            heappop(timers)
        if not ready:
            if not timers:
                raise StandsStill(StandsStill.__doc__)
            self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            ready.append(heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle.cancelled():
                handle._run()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A timer that was cancelled is passed over once it is due."""

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
