"""The wall clock of a process. The legal clock, which rules duties and can be moved in a demo, lives in the database.

The wall clock rules signatures, tokens, TLS, sessions and checkpoints; nothing else may read the time of the machine.
The legal clock is `clock.legal_now()` in SQL and `Transaction.now` in code (see `services.kit.migrate`).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final, Protocol

_SINCE_BOOT: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def since_boot_s() -> float:
    """Return seconds of a clock that nobody can set and that goes on while the machine sleeps, where the system has one."""
    return time.clock_gettime(_SINCE_BOOT)


class Clock(Protocol):
    """Tells the wall time."""

    def wall_now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...


class SystemClock:
    """The clock of the machine."""

    def wall_now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved; for tests."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def wall_now(self) -> datetime:
        """Return the instant that was set."""
        return self.at
