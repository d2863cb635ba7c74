"""A circuit breaker per recipient: after several failures in a row, stop knocking, then probe with one request.

Pure state over a monotonic clock given by the caller; held in memory, because losing it costs only a few attempts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

FAILURES_TO_OPEN: Final = 5
OPEN_S: Final = 20.0


@dataclass
class Breakers:
    """Who may be sent to now. `cap` is how many requests one recipient gets at once."""

    cap: int = 24
    failures_to_open: int = FAILURES_TO_OPEN
    open_s: float = OPEN_S

    def __post_init__(self) -> None:
        self._failures: Counter[str] = Counter()
        self._open_until: dict[str, float] = {}
        self._in_flight: Counter[str] = Counter()

    def rooms(self, now_s: float) -> dict[str, int]:
        """Return the room of each recipient that is open or has requests under way; all others have `cap`."""
        return {name: self.room(name, now_s) for name in sorted({*self._open_until, *self._in_flight})}

    def room(self, recipient: str, now_s: float) -> int:
        """Return how many requests may be started to a recipient now; 1 when half open, as a probe."""
        in_flight = self._in_flight[recipient]
        until = self._open_until.get(recipient)
        if until is None:
            return max(self.cap - in_flight, 0)
        return 1 if until <= now_s and in_flight == 0 else 0

    def started(self, recipient: str) -> None:
        """Count a request that begins."""
        self._in_flight[recipient] += 1

    def finished(self, recipient: str, now_s: float, *, reached: bool | None) -> None:
        """Count a request that ended.

        `reached`: whether the recipient's system answered as one that works; None if nothing was sent.
        """
        self._in_flight[recipient] -= 1
        if not self._in_flight[recipient]:
            del self._in_flight[recipient]
        if reached is None:
            return
        if reached:
            del self._failures[recipient]
            self._open_until.pop(recipient, None)
            return
        self._failures[recipient] += 1
        if self._failures[recipient] >= self.failures_to_open:
            self._open_until[recipient] = now_s + self.open_s
