"""Looks after a running installation: what has ended though nobody stopped it is started again, and said.

A service that is dead ends itself (`services.kit.lifeguard`), so an end is all there is to see from here. Broker and
database come first: nothing else can work without them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from handrail.embedded.process import Child
from handrail.installation.installation import Installation

LOOK_EVERY_S: Final = 1.0
SOON_S: Final = 60.0
"""What ends so soon after it was started again has to wait before the next time: a second, then twice as long each time."""
WAIT_CAP_S: Final = 60.0


class _Part(NamedTuple):
    """One program of the installation, a server or a process, and what starts it again."""

    name: str
    child: Child
    start: Callable[[], object]


@dataclass
class _Times:
    """What is known of one part, in seconds of the clock."""

    started: float | None = None
    due: float | None = None
    wait: float = 0.0


@dataclass
class Watch:
    """Call `look` again and again, from the thread that started the installation."""

    installation: Installation
    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    _times: dict[str, _Times] = field(default_factory=dict, init=False)

    def look(self) -> None:
        """Start again what has ended, unless it has to wait."""
        for part in self._parts():
            if not part.child.running:
                self._see_to(part)

    def _see_to(self, part: _Part) -> None:
        times, now = self._times.setdefault(part.name, _Times()), self.clock()
        if times.due is None:
            soon = times.started is not None and now - times.started < SOON_S
            times.wait = min(WAIT_CAP_S, 2 * times.wait or 1.0) if soon else 0.0
            times.due = now + times.wait
            when = f"in {times.wait:.0f} s" if times.wait else "now"
            self.say(f"{part.name} has ended: {part.child.last_line()}. It is started again {when}.")
        if now < times.due:
            return
        try:
            part.start()
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end what still runs
            self.say(f"{part.name} could not be started again: {error}")
        times.due, times.started = None, self.clock()

    def _parts(self) -> Iterator[_Part]:
        stack = self.installation.stack
        for name, server in (("Kafka", stack.embedded_kafka), ("PostgreSQL", stack.embedded_postgres)):
            if server and server.child:
                yield _Part(name, server.child, server.start)
        for name, child in list(self.installation.processes.items()):
            yield _Part(name, child, partial(self.installation.start_service, name))
