"""The clock guard: whether the legal clock may be trusted to fire timers.

A clock that steps back could fire a timer twice in words, one that leaps could breach duties that are not due. The legal
clock is compared with a witness, the time that the service itself saw pass. A move that was logged is expected; an outage
is no leap, because the witness saw it too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

MAX_BACK: Final = timedelta(seconds=2)
MAX_AHEAD: Final = timedelta(hours=1)
MAX_BEHIND: Final = timedelta(minutes=5)  # what a time server puts right by a step is less


@dataclass(frozen=True, slots=True)
class Tick:
    """The clocks at one moment. `logged_offset_s` is the offset of the legal clock that the log of moves accounts for."""

    legal_at: datetime
    witness_at: datetime
    logged_offset_s: int


def distrust(previous: Tick, current: Tick) -> str | None:
    """Return why the legal clock may not be trusted, in words; None when it may.

    The ticks may be of two machines, whose witnesses differ; but no time passed backwards between them.
    """
    own_step = _own_step(previous, current)
    ahead = own_step - max(current.witness_at - previous.witness_at, timedelta())
    if own_step < -MAX_BACK:
        return f"The legal clock went back by {_seconds(-own_step)} and no move was logged."
    if ahead > MAX_AHEAD:
        return f"The legal clock went ahead by {_seconds(ahead)} and no move was logged."
    return None


def behind(previous: Tick, current: Tick) -> str | None:
    """Return why a clock that went back may not be trusted yet, in words: it is not where the witness says it would be by now.

    Without this it would be trusted as soon as it passed its last trusted time once more, and tell everything late.
    Both ticks must be of one process.
    """
    lag = current.witness_at - previous.witness_at - _own_step(previous, current)
    return f"The legal clock is {_seconds(lag)} behind and no move was logged." if lag > MAX_BEHIND else None


def _own_step(previous: Tick, current: Tick) -> timedelta:
    """Return how far the legal clock went by itself, without the moves that were logged."""
    logged = timedelta(seconds=current.logged_offset_s - previous.logged_offset_s)
    return current.legal_at - previous.legal_at - logged


def _seconds(step: timedelta) -> str:
    return f"{round(step.total_seconds())} seconds"
