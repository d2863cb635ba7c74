"""Wait for a condition with a deadline, instead of sleeping and hoping."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any


def until(
    condition: Callable[[], Any],
    what: str,
    *,
    within_s: float,
    every_s: float = 0.05,
    failure: type[AssertionError] = AssertionError,
) -> Any:
    """Return the condition's value as soon as it is true, as `eventually` does. Blocking.

    Raises:
        AssertionError: It was not true in time, as the `failure` that is given.
    """
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise failure(f"not within {within_s:.0f} s: {what} (last value {value!r})")
        time.sleep(every_s)
    return value


async def eventually(
    condition: Callable[[], Any | Awaitable[Any]], what: str, *, within_s: float = 120.0, every_s: float = 0.02
) -> Any:
    """Return the condition's value as soon as it is true; asked again after `every_s`.

    Raises:
        AssertionError: It was not true in time; says what was waited for.
    """
    deadline = time.monotonic() + within_s
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:.0f} s: {what} (last value {value!r})")
        await asyncio.sleep(every_s)
