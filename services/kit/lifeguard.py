"""Ends a process that is dead, so that whoever supervises it starts it again.

What `/health/live` says is of use only where somebody asks: a relay that is gone would publish nothing, in silence, for
as long as the process stays. To be killed at any moment loses nothing (tests/integration/faults), so a process does it
itself. A thread of its own looks, because an event loop that no longer turns can do nothing about it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import structlog

from services.kit.errors import summary
from services.kit.health import Health

_log = structlog.get_logger("services.kit.lifeguard")

LOOK_EVERY_S: Final = 2.0
LOOKS: Final = 5  # in a row: a process that was frozen looks dead for a moment, until its loops have run
SAYING_S: Final = 5.0
DEAD: Final = 70  # EX_SOFTWARE, <sysexits.h>


class Lifeguard(threading.Thread):
    """Looks at the health of its process until that is stopping. `end` is called once it is dead."""

    def __init__(self, health: Health, *, end: Callable[[int], object] = os._exit) -> None:
        super().__init__(name="lifeguard", daemon=True)
        self._health = health
        self._end = end
        self._seen_dead = 0

    def run(self) -> None:
        """Look again and again."""
        while not self._health.stopping.wait(LOOK_EVERY_S):
            self.look()

    def look(self) -> None:
        """Look once, and end the process if it was dead each time lately."""
        dead = self._dead()
        self._seen_dead = self._seen_dead + 1 if dead else 0
        if self._seen_dead == LOOKS:
            # What hangs may be who takes our log lines: then this one is not said either.
            unsaid = threading.Timer(SAYING_S, self._end, (DEAD,))
            unsaid.daemon = True
            with suppress(RuntimeError):  # no memory for another thread: this one ends the process
                unsaid.start()
            for name, wrong in dead.items():
                _log.critical("runtime.dead", kind=name, reason=wrong)
            unsaid.cancel()
            self._end(DEAD)

    def _dead(self) -> Mapping[str, str]:
        try:
            return self._health.dead()
        except Exception as error:  # noqa: BLE001 - what cannot be asked is not well, and this thread must go on
            return {"health": summary(error)}
