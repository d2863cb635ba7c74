"""Background loops, heartbeats and fault points."""

from __future__ import annotations

import asyncio
import errno
import io
import socket
import ssl

import pytest
from sqlalchemy.exc import DBAPIError

from services.kit import faults
from services.kit.errors import is_infrastructure, summary
from services.kit.health import Heartbeat
from services.kit.runtime import Loop
from tests.simulation.loop import run as simulated
from tests.support.eventually import eventually
from tests.support.faults.switch import InjectedFault, armed


async def test_a_loop_goes_on_at_once_while_there_is_work_and_then_waits() -> None:
    work = [True, True, False]
    steps: list[bool] = []

    async def step() -> bool:
        steps.append(work.pop(0))
        return steps[-1]

    loop = Loop("test", step, every_s=60)
    task = asyncio.create_task(loop.run())
    await eventually(lambda: not work, "three steps")
    loop.stop()
    await asyncio.wait_for(task, 5)

    assert steps == [True, True, False]


async def test_a_waiting_loop_can_be_woken() -> None:
    steps: list[int] = []

    async def step() -> None:
        steps.append(1)

    loop = Loop("test", step, every_s=60)
    task = asyncio.create_task(loop.run())
    await eventually(lambda: len(steps) == 1, "the first step")
    loop.wake()
    await eventually(lambda: len(steps) == 2, "the second step")
    loop.stop()
    await asyncio.wait_for(task, 5)


def test_what_wakes_a_loop_in_one_moment_is_the_work_of_one_step() -> None:
    async def stepped_at() -> list[float]:
        clock = asyncio.get_running_loop().time
        steps: list[float] = []

        async def step() -> bool:
            steps.append(round(clock(), 2))
            if len(steps) == 3:
                loop.stop()
            loop.wake()
            return len(steps) == 1

        loop = Loop("test", step, every_s=60, rest_s=0.5)
        await loop.run()
        return steps

    assert simulated(stepped_at()) == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("error", [ZeroDivisionError, asyncio.CancelledError])
async def test_a_loop_survives_a_failing_step(error: type[BaseException]) -> None:
    """A library can let out the cancellation of a task of its own; nobody asked the loop to end."""
    outcomes: list[str] = []

    async def step() -> None:
        outcomes.append("step")
        if len(outcomes) < 3:
            raise error

    loop = Loop("test", step, every_s=60)
    task = asyncio.create_task(loop.run())
    await eventually(lambda: len(outcomes) == 3, "the third step")

    assert loop.wrong() is None
    loop.stop()
    await asyncio.wait_for(task, 5)


async def test_a_loop_that_is_cancelled_ends() -> None:
    stepped = asyncio.Event()

    async def step() -> None:
        stepped.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(Loop("test", step, every_s=60).run())
    await asyncio.wait_for(stepped.wait(), 5)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)


def test_a_heartbeat_that_is_too_old_says_so() -> None:
    assert Heartbeat(60).wrong() is None
    assert "expected at most" in str(Heartbeat(-1).wrong())


def test_a_fault_point_acts_at_the_pass_that_was_asked_for() -> None:
    faults.register("test.point")

    with armed("test.point:raise:2"):
        faults.faultpoint("test.point")
        with pytest.raises(InjectedFault):
            faults.faultpoint("test.point")
        faults.faultpoint("test.point")


def test_nothing_in_the_environment_of_a_shipped_process_arms_a_fault_point(monkeypatch: pytest.MonkeyPatch) -> None:
    faults.register("test.point")
    monkeypatch.setenv("HANDRAIL_FAULT", "test.point:raise")

    faults.faultpoint("test.point")


def test_a_fault_point_that_nobody_registered_is_an_error() -> None:
    with pytest.raises(LookupError, match=r"faults\.register"):
        faults.faultpoint("no.such.point")


class DriverError(Exception):
    """What the database's driver raises, with the server's state."""

    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


def from_server(sqlstate: str) -> DBAPIError:
    return DBAPIError("SELECT 1", {}, DriverError(sqlstate))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (OSError(errno.EMFILE, "Too many open files"), True),
        (OSError(errno.EHOSTUNREACH, "No route to host"), True),
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError("Multiple exceptions: ..."), True),  # uvloop: each address of the host fails for a reason of its own
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), True),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), False),
        (PermissionError(errno.EACCES, "Permission denied"), False),
        (io.UnsupportedOperation("not writable"), False),
        (ValueError(), False),
        (from_server("57P01"), True),  # the server is being shut down
        (from_server("25006"), True),  # after a failover it may only be read
        (from_server("25P03"), True),  # the transaction stood idle for too long, such as on a machine that was frozen
        (from_server("25P02"), False),  # a statement after one that failed is a bug of ours
        (from_server("23505"), False),
    ],
    ids=lambda value: getattr(getattr(value, "orig", None), "sqlstate", None),
)
def test_only_an_absent_part_is_worth_waiting_for(error: Exception, expected: bool) -> None:  # noqa: FBT001
    assert is_infrastructure(error) is expected


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (from_server("53100"), "DBAPIError 53100"),  # the disk is full
        (OSError(errno.EMFILE, "Too many open files"), "OSError EMFILE"),
        (OSError("Multiple exceptions: ..."), "OSError"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/invented/name"), "FileNotFoundError ENOENT"),
        (ssl.SSLEOFError(8, "invented words"), "SSLEOFError"),
        (ValueError("invented name"), "ValueError"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_told_of_an_error_says_what_ran_out_and_none_of_its_words(error: Exception, told: str) -> None:
    assert summary(error) == told
