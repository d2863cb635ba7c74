"""Liveness and readiness of a process, judged by what it does and not by whether somebody answers a ping.

Alive: no task has ended and each has passed its mark lately; else the process has to be started again. Well: besides,
no consumer has stopped for a reason that a person has to put right. Ready: the database and Kafka answer,
partitions are assigned, the relay does not refuse. A broker or database that is away makes a process unready, never
dead: starting it again would not help.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

T = TypeVar("T")

Check = Callable[[], str | None]
"""Returns what is wrong, in our own words, or nothing."""
SILENT_S: Final = 30.0
"""So long somebody who is asked may be silent: a broker that is started again takes less."""


@dataclass
class Health:
    """The checks of one process, by name. `stopping` is set once it ends as it was asked to."""

    live: dict[str, Check] = field(default_factory=dict)
    going: dict[str, Check] = field(default_factory=dict)
    ready: dict[str, Callable[[], Awaitable[str | None]]] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    def dead(self) -> dict[str, str]:
        """Return what only starting the process again can mend, with what is wrong; any thread may ask."""
        return {name: wrong for name, check in list(self.live.items()) if (wrong := check())}

    def unwell(self) -> dict[str, str]:
        """Return what is dead or has stopped, with what is wrong."""
        return self.dead() | {name: wrong for name, check in list(self.going.items()) if (wrong := check())}

    async def unready(self) -> dict[str, str]:
        """Return the readiness checks that fail, with what is wrong."""
        return {name: wrong for name, check in self.ready.items() if (wrong := await check())}


class Heartbeat:
    """A mark that a loop passes; too old, and the loop is stuck."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._at = time.monotonic()

    def beat(self) -> None:
        """Pass the mark."""
        self._at = time.monotonic()

    def wrong(self) -> str | None:
        """Return what is wrong if the mark is too old."""
        age = time.monotonic() - self._at
        return f"no progress for {age:.0f} s, expected at most {self._limit_s:.0f} s" if age > self._limit_s else None


class Answering:
    """Whether somebody who is asked from time to time answers. Nobody is silent who was not asked."""

    def __init__(self, whom: str) -> None:
        self._whom = whom
        self._asked_at: float | None = None  # by the loop's clock: the first question that has no answer

    async def answer(self, question: Awaitable[T]) -> T:
        """Return the answer.

        Raises:
            TimeoutError: There was none within `SILENT_S`.
        """
        if self._asked_at is None:
            self._asked_at = asyncio.get_running_loop().time()
        async with asyncio.timeout(SILENT_S):
            answer = await question
        self._asked_at = None
        return answer

    def wrong(self) -> str | None:
        """Return what is wrong if nothing has been answered for too long."""
        if self._asked_at is None:
            return None
        silent_s = asyncio.get_running_loop().time() - self._asked_at
        return f"{self._whom} has not answered for {silent_s:.0f} s" if silent_s >= SILENT_S else None
