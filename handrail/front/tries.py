"""How long whoever gave wrong passwords for an account has to wait before the next try.

Counted by the name and the address that it is tried from, so that nobody keeps the owner of an account out from elsewhere,
and of every name, so that nobody learns which accounts there are. Kept in the memory of one process alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Final

FREE: Final = 5
"""Wrong tries in a row before the first wait, which is of one second; each further one doubles it."""
LONGEST_S: Final = 60.0
MOST: Final = 10_000
"""Of how many the wrong tries are kept; beyond, those are forgotten whose last one is the longest ago."""


class Tries:
    """Wrong tries in a row, by whoever makes them. For use by several threads."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._wrong: dict[Hashable, tuple[int, float]] = {}  # how many, and when the next may be
        self._lock = Lock()

    def wait_s(self, who: Hashable) -> float:
        """Return for how many seconds the next try has to wait; 0 if it may be made now."""
        with self._lock:
            _, not_before = self._wrong.get(who, (0, 0.0))
        return max(0.0, not_before - self._monotonic())

    def was_wrong(self, who: Hashable) -> None:
        """Count a try with a wrong password."""
        with self._lock:
            count = self._wrong.pop(who, (0, 0.0))[0] + 1
            wait_s = min(2.0 ** (count - FREE), LONGEST_S) if count >= FREE else 0.0
            self._wrong[who] = count, self._monotonic() + wait_s
            if len(self._wrong) > MOST:
                del self._wrong[next(iter(self._wrong))]

    def was_right(self, who: Hashable) -> None:
        """Forget the wrong tries."""
        with self._lock:
            self._wrong.pop(who, None)
