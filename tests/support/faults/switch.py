"""The kill switch, which only test builds have: `HANDRAIL_FAULT=consume.committed:kill:3` in a process's environment.

`kill` sends SIGKILL to the process itself, `stop` SIGSTOP, `raise` raises `InjectedFault`; the optional number says at
which pass (from 1, default 1) it acts. Before it acts it writes the point's name to `HANDRAIL_FAULT_MARK`, if that names
a file: a process that died anywhere else leaves no mark.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from services.kit import faults

ACTIONS: Final = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


class InjectedFault(RuntimeError):
    """What an armed point raises."""


class Switch:
    """One armed point."""

    def __init__(self, armed: str, mark: Path | None) -> None:
        self._point, self._action, *when = armed.split(":")
        self._left = int(when[0]) if when else 1
        self._mark = mark

    def __call__(self, name: str) -> None:
        """Act, if this is the armed point and the asked-for pass."""
        if name != self._point:
            return
        self._left -= 1
        if self._left != 0:
            return
        if self._mark:
            self._mark.write_text(name)
        if self._action == "raise":
            raise InjectedFault(f"fault point {name}")
        os.kill(os.getpid(), ACTIONS[self._action])


@contextmanager
def armed(what: str) -> Iterator[None]:
    """Arm a point of this process while the block runs."""
    faults.arm(Switch(what, None))
    try:
        yield
    finally:
        faults.arm(None)


def arm_from_environment() -> None:
    """Arm what the environment names."""
    mark = os.environ.get("HANDRAIL_FAULT_MARK")
    if armed := os.environ.get("HANDRAIL_FAULT"):
        faults.arm(Switch(armed, Path(mark) if mark else None))
