"""When timers fire after a start: once what stood unread is read, and after two minutes whatever is."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from services.deadlines.waiting import LOOK_EVERY_S, MOST_WAIT_S, IsRead, Waiting
from services.kit.errors import Unavailable
from tests.simulation.loop import run as simulated


class Backlogs:
    """Backlogs that are read in so many seconds, each from when it began to count."""

    def __init__(self, read_in_s: float) -> None:
        self.read_in_s = read_in_s
        self.begun = 0

    def new(self) -> Backlog:
        self.begun += 1
        return Backlog(self.read_in_s)


class Backlog:
    def __init__(self, read_in_s: float) -> None:
        self._until = asyncio.get_running_loop().time() + read_in_s

    async def __call__(self) -> bool:
        return asyncio.get_running_loop().time() >= self._until


class Firing:
    """A loop's step that notes when it was made, and fails so often at first."""

    def __init__(self, failures: int = 0, error: Exception | None = None) -> None:
        self.failures = failures
        self.error = error or ConnectionError()
        self.made_at: list[float] = []

    async def step(self) -> bool:
        self.made_at.append(asyncio.get_running_loop().time())
        if len(self.made_at) <= self.failures:
            raise self.error
        return True


async def _until_made(waiting: Waiting) -> None:
    while not await waiting.step():
        pass


def test_timers_fire_once_what_stood_unread_is_read_and_then_wait_no_more() -> None:
    async def found() -> tuple[list[float], int]:
        firing, backlogs = Firing(), Backlogs(3)
        waiting = Waiting(firing.step, backlogs.new)
        await _until_made(waiting)
        await waiting.step()
        return firing.made_at, backlogs.begun

    (first, second), begun = simulated(found())

    assert first == second == pytest.approx(3, abs=LOOK_EVERY_S)
    assert begun == 1


def test_where_all_is_read_timers_fire_at_once() -> None:
    async def found() -> list[float]:
        firing = Firing()
        await Waiting(firing.step, Backlogs(0).new).step()
        return firing.made_at

    assert simulated(found()) == [0]


def test_timers_fire_after_two_minutes_although_not_all_is_read_and_say_so() -> None:
    async def found() -> list[float]:
        firing = Firing()
        await _until_made(Waiting(firing.step, Backlogs(3600).new))
        return firing.made_at

    with capture_logs() as logs:
        made_at = simulated(found())

    assert made_at == [pytest.approx(MOST_WAIT_S, abs=2 * LOOK_EVERY_S)]
    assert [line["event"] for line in logs] == ["firing.unread"]


def test_after_the_database_was_away_timers_wait_for_what_came_meanwhile() -> None:
    async def found() -> tuple[list[float], int]:
        firing, backlogs = Firing(failures=2), Backlogs(3)
        waiting = Waiting(firing.step, backlogs.new)
        for _ in range(2):
            with pytest.raises(ConnectionError):
                await _until_made(waiting)
        await _until_made(waiting)
        return firing.made_at, backlogs.begun

    made_at, begun = simulated(found())

    assert made_at == [pytest.approx(3 * number, abs=number * LOOK_EVERY_S) for number in (1, 2, 3)]
    assert begun == 3


def test_the_wait_begins_once_the_database_may_be_written_to_for_nobody_reads_before() -> None:
    async def found() -> tuple[list[float], int]:
        loop, firing = asyncio.get_running_loop(), Firing()
        may_write_at = loop.time() + 300

        def backlog() -> IsRead:
            read_at: list[float] = []

            async def is_read() -> bool:
                if loop.time() < may_write_at:
                    raise Unavailable
                read_at.append(loop.time() + 100)
                return loop.time() >= read_at[0]

            return is_read

        waiting = Waiting(firing.step, backlog)
        refused = 0
        while not firing.made_at:
            try:
                await waiting.step()
            except Unavailable:
                refused += 1
                await asyncio.sleep(7)
        return firing.made_at, refused

    with capture_logs() as logs:
        made_at, refused = simulated(found())

    assert made_at == [pytest.approx(300 + 100, abs=10)]
    assert refused > 1
    assert logs == []


def test_a_wait_that_ran_out_does_not_begin_anew_with_each_error_while_the_same_is_unread() -> None:
    async def found() -> list[float]:
        firing = Firing(failures=3)
        waiting = Waiting(firing.step, Backlogs(3600).new)
        for _ in range(3):
            with pytest.raises(ConnectionError):
                await _until_made(waiting)
        await _until_made(waiting)
        return firing.made_at

    with capture_logs() as logs:
        made_at = simulated(found())

    assert made_at == [pytest.approx(MOST_WAIT_S, abs=2 * LOOK_EVERY_S)] * 4
    assert [line["event"] for line in logs] == ["firing.unread"]


def test_an_error_of_another_kind_makes_nobody_wait() -> None:
    async def found() -> int:
        firing, backlogs = Firing(failures=1, error=KeyError()), Backlogs(0)
        waiting = Waiting(firing.step, backlogs.new)
        with pytest.raises(KeyError):
            await waiting.step()
        await waiting.step()
        return backlogs.begun

    assert simulated(found()) == 1
