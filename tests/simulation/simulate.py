"""Plays the run of one seed and says what did not hold."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

import structlog

from services.kit.errors import HandrailError
from tests.simulation import invariants, logged, timers
from tests.simulation.loop import run
from tests.simulation.process import register_tasks
from tests.simulation.road import SHIPPED, Build, Road, Unsettled


@dataclass(frozen=True)
class Run:
    """What came of a seed. `trace` has every step of note; its hash tells whether two runs were the same."""

    seed: int
    violations: tuple[str, ...]
    faults: int
    trace: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Return the hash of the trace."""
        return sha256("\n".join(self.trace).encode()).hexdigest()


def simulate(seed: int, build: Build = SHIPPED) -> Run:
    """Play one seed."""
    state = random.getstate()
    random.seed(seed)  # the kit's jitter and its trace ids
    try:
        with silent_logs():
            return run(_play(seed, build))
    finally:
        random.setstate(state)


async def _play(seed: int, build: Build) -> Run:
    register_tasks(asyncio.get_running_loop())
    road = Road(seed, build)
    violations: list[str] = []
    try:
        await road.storm()
        violations += _broken(road, invariants.AFTER_THE_STORM, timers.AT_REST)
        await road.let_out()
        violations += _broken(road, timers.WHEN_ALL_IS_LET_OUT)
        for days in (15, 400):
            await road.pass_days(days)
            violations += _broken(road, timers.WHEN_ALL_IS_LET_OUT, timers.AT_REST)
    except (Unsettled, HandrailError) as error:
        violations.append(f"{type(error).__name__}: {error}")
    violations += _broken(road, invariants.AT_THE_END, logged.AT_THE_END)
    return Run(seed, tuple(dict.fromkeys(violations)), road.world.faults, tuple(road.world.lines))


def _broken(road: Road, *groups: Sequence[Callable[[Road], Iterable[str]]]) -> list[str]:
    """Return what does not hold, each with the name of its invariant."""
    return [f"{invariant.__name__}: {each}" for group in groups for invariant in group for each in invariant(road)]


@contextmanager
def silent_logs() -> Iterator[None]:
    """Let nothing be logged: it would cost more than the run itself."""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        processors=[],
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)
