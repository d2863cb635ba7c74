"""Named points at which a test can stop, kill or fail a process: `HANDRAIL_FAULT=consume.committed:kill:3`.

A point does nothing unless the environment arms it. `kill` sends SIGKILL to this process, `stop` SIGSTOP, `raise`
raises `InjectedFault`; the optional number says at which pass (from 1, default 1) it acts. All names stand here, so
that a test can count that each was hit.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import Final

POINTS: Final = frozenset(
    {
        "consume.received",  # a batch was read from Kafka, nothing is written
        "transaction.before_commit",  # everything is written, nothing is durable
        "transaction.committed",  # durable; not acknowledged, not answered
        "relay.sent",  # Kafka has the records; the cursor does not know yet
    }
)
"""Registered by the kit; a service adds its own with `register`."""

_registered: set[str] = set(POINTS)
_passes: Counter[str] = Counter()


class InjectedFault(RuntimeError):
    """A test asked for this failure."""


def register(*names: str) -> None:
    """Add the fault points of a service, so that a misspelt name is an error."""
    _registered.update(names)


def registered() -> frozenset[str]:
    """Return every known fault point."""
    return frozenset(_registered)


def faultpoint(name: str) -> None:
    """Do nothing, unless `HANDRAIL_FAULT` arms this point.

    Raises:
        InjectedFault: The armed action is `raise`.
        LookupError: The point is not registered.
    """
    if name not in _registered:
        raise LookupError(f"fault point {name!r} is not registered; add it with faults.register")
    armed = os.environ.get("HANDRAIL_FAULT")
    if not armed:
        return
    point, action, *when = armed.split(":")
    if point != name:
        return
    _passes[name] += 1
    if _passes[name] != (int(when[0]) if when else 1):
        return
    if action == "raise":
        raise InjectedFault(f"fault point {name}")
    os.kill(os.getpid(), {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}[action])
