"""How long whoever gave wrong passwords for an account has to wait before the next try.

Counted by the name and the address that it is tried from, so that nobody keeps the owner of an account out from elsewhere,
and of every name, so that nobody learns which accounts there are. Behind a proxy the address is what that one puts into
`X-Forwarded-For` (docs/how-to/give-people-access.md). Kept in the memory of one process alone.
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
        # How many, and when the next may be; by the hash alone, as a name may be as long as a form.
        self._wrong: dict[int, tuple[int, float]] = {}
        self._lock = Lock()

    def begin(self, who: Hashable) -> float:
        """Count a try as wrong before it is made, and return 0; if it must not be made yet, for how many seconds it has to wait.

        Before, as of many that come at once each would else find that it need not wait.
        """
        with self._lock:
            now = self._monotonic()
            count, not_before = self._wrong.pop(hash(who), (0, 0.0))
            wait_s = max(0.0, not_before - now)
            if not wait_s:
                count += 1
                doubled_s = 2.0 ** min(count - FREE, 6)  # further would be no number any more within a day
                not_before = now + min(doubled_s, LONGEST_S) if count >= FREE else now
            self._wrong[hash(who)] = count, not_before
            if len(self._wrong) > MOST:
                del self._wrong[next(iter(self._wrong))]
        return wait_s

    def was_right(self, who: Hashable) -> None:
        """Forget the wrong tries."""
        with self._lock:
            self._wrong.pop(hash(who), None)
