"""Simulated time: it passes without waiting, in order, and a run in which nobody can go on ends with an error."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.simulation.loop import StandsStill, run


def test_a_day_passes_at_once_and_in_order() -> None:
    happened: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        happened.append((name, asyncio.get_running_loop().time()))

    async def main() -> None:
        await asyncio.gather(sleeper("late", 86_400), sleeper("early", 60))

    started = time.monotonic()
    run(main())

    assert happened == [("early", 60), ("late", 86_400)]
    assert time.monotonic() - started < 60


def test_waiting_for_what_nobody_does_is_an_error() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(StandsStill, match="everybody waits"):
        run(main())
