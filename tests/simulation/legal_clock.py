"""The legal clock of a run: moved by people, who log it, and by faults, which do not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from tests.simulation.process import World
from tests.support.kit import NOON

HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S


class MovedClock:
    """Runs with the simulated time, and by some seconds ahead of it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._offset_s = 0
        self._logged_s = 0
        self.faulty = world.chance.random() < 1 / 3

    def now(self) -> datetime:
        """Return what it shows."""
        return self.machine_now() + timedelta(seconds=self._offset_s)

    def right_now(self) -> datetime:
        """Return what it should show: the time that passed, and the moves that were logged."""
        return self.machine_now() + timedelta(seconds=self._logged_s)

    def machine_now(self) -> datetime:
        """Return the time that machines have seen pass."""
        return NOON + timedelta(seconds=self._world.now())

    def read(self) -> tuple[datetime, int]:
        """Return what it shows, and the offset that the log accounts for."""
        return self.now(), self._logged_s

    def move(self, seconds: int) -> None:
        """Move it, and log that."""
        self._offset_s += seconds
        self._logged_s += seconds
        self._world.note("clock", f"moved by {seconds} s, logged")

    async def wander(self, *, watched: Callable[[], bool], done: Callable[[], bool]) -> None:
        """Move now and then; a fault is put right after a while. Before anybody has looked, nothing can tell a fault."""
        chance = self._world.chance
        while not done():
            await asyncio.sleep(chance.uniform(0.2, 1.5))
            if not (self.faulty and watched()):
                self.move(chance.choice((0, DAY_S, 5 * DAY_S, -2 * HOUR_S)))
                continue
            leap = chance.choice((2 * DAY_S, 40 * DAY_S, -HOUR_S))
            self._offset_s += leap
            self._world.fault("clock", f"leaps by {leap} s, not logged")
            await asyncio.sleep(chance.uniform(0.1, 1.0))
            self._offset_s -= leap
            self._world.note("clock", "right again")
