"""A simulated process: its tasks, and what can happen to it wherever it talks to the world outside.

Each call over a process's edge (database, broker) is a `step`: it takes simulated time, and there the process may die,
sleep through its session, or find the other end away. Between steps code runs as it is; it could not be seen to stop
there anyway, for what nobody outside has seen has not happened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from services.kit.memory import MemoryTransaction

RUNNING: Final[ContextVar[Process | None]] = ContextVar("RUNNING", default=None)
SESSION_S: Final = 1.0  # after so long without a sign of life, broker and database take a process for gone
LATENCY_S: Final = 0.003


@dataclass
class Weather:
    """How likely each fault is at one step. A seed draws which kinds it has at all, so that some come often and alone."""

    kill: float = 0.0
    freeze: float = 0.0
    away: float = 0.0
    slow: float = 0.0
    skip: float = 0.0

    @classmethod
    def drawn(cls, chance: Random) -> Weather:
        """Draw the weather of a seed."""
        rates = {"kill": 0.006, "freeze": 0.004, "away": 0.02, "slow": 0.03, "skip": 0.08}
        return cls(**{kind: rate * chance.choice((0, 0, 1, 3)) for kind, rate in rates.items()})


CALM: Final = Weather()


class World:
    """What all processes of a run share: the seed's chance, the weather, and the trace of what happened."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)  # noqa: S311 - a simulation
        self.weather = Weather.drawn(self.chance)
        self.lines: list[str] = []
        self.faults = 0
        self.when_committed: list[Callable[[MemoryTransaction], None]] = []

    def now(self) -> float:
        """Return the simulated seconds since the start."""
        return asyncio.get_running_loop().time()

    def note(self, who: str, what: str) -> None:
        """Add a line to the trace."""
        self.lines.append(f"{self.now():.6f} {who} {what}")

    def struck(self, rate: float) -> bool:
        """Say whether a fault of this rate happens now."""
        return rate > 0 and self.chance.random() < rate

    def fault(self, who: str, what: str) -> None:
        """Note a fault."""
        self.faults += 1
        self.note(who, f"FAULT {what}")


def register_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Have the loop give each new task to the process that made it, so that it dies with it."""

    def make(of: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **options: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=of, **options)
        process = RUNNING.get()
        if process is not None:
            process.own(task)
        return task

    loop.set_task_factory(make)  # type: ignore[arg-type] # the stub forgets that options are passed on


async def in_thread(call: Callable[[], Any]) -> Any:
    """Do what a process does in a thread, the file system's work: it takes a moment, and nobody can cut it off."""
    if process := RUNNING.get():
        await process.step("thread", may_fail=False)
    return call()


class Process:
    """One process of a service."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.dead = False
        self.ended = asyncio.Event()
        self.when_cut_off: list[Callable[[], None]] = []  # what the database does when a connection of it breaks
        self.when_silent: list[Callable[[], None]] = []  # what the broker does when it has not been heard of
        self._tasks: dict[asyncio.Task[Any], None] = {}  # in the order of their making, so that a run can be repeated
        self._thawed = asyncio.Event()
        self._thawed.set()

    @property
    def silent(self) -> bool:
        """Whether nothing is heard of it."""
        return self.dead or not self._thawed.is_set()

    def own(self, task: asyncio.Task[Any]) -> None:
        """Let a task die with this process."""
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)

    def spawn(self, coro: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something in this process."""
        token = RUNNING.set(self)
        try:
            return asyncio.get_running_loop().create_task(coro)
        finally:
            RUNNING.reset(token)

    async def step(self, at: str, *, may_fail: bool = True) -> None:
        """Talk to the world outside; it takes a moment, and anything may happen.

        Raises:
            ConnectionError: The other end is away.
        """
        world = self.world
        if slow := world.struck(world.weather.slow):
            world.fault(self.name, f"slow at {at}")
        await asyncio.sleep(world.chance.random() * (0.5 if slow else LATENCY_S))
        await self._thawed.wait()
        if world.struck(world.weather.kill):
            world.fault(self.name, f"killed at {at}")
            self.kill()
        if self.dead:
            raise asyncio.CancelledError
        if world.struck(world.weather.freeze):
            await self._freeze(at)
        if may_fail and world.struck(world.weather.away):
            world.fault(self.name, f"away at {at}")
            raise ConnectionError(at)

    async def _freeze(self, at: str) -> None:
        seconds = self.world.chance.uniform(0.2, 2.5) * SESSION_S
        self.world.fault(self.name, f"sleeps {seconds:.3f} s at {at}")
        self._thawed.clear()
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, self._thawed.set)
        loop.call_later(SESSION_S, self._be_missed)
        if self.world.chance.random() < 1 / 2:
            loop.call_later(seconds / 2, self._be_cut_off)
        await self._thawed.wait()

    def kill(self) -> None:
        """End it as SIGKILL does: no code of it has an effect any more, and its connections break."""
        if self.dead:
            return
        self.dead = True
        self.ended.set()
        for task in list(self._tasks):
            task.cancel()
        self._be_cut_off()
        asyncio.get_running_loop().call_later(SESSION_S, self._be_missed)

    def _be_missed(self) -> None:
        if self.silent:
            for notice in self.when_silent:
                notice()

    def _be_cut_off(self) -> None:
        for cut in self.when_cut_off:
            cut()
