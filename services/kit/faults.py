"""Named points at which a test can stop, kill or fail a process.

A point does nothing in a service as shipped: only a test build arms it (`tests/support/faults/switch.py`), and nothing in
the environment of a process can. All names stand here, so that a test can count that each was hit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

POINTS: Final = frozenset(
    {
        "consume.received",  # a batch was read from Kafka, nothing is written
        "consume.before_commit",  # all that a batch does is written, nothing is durable
        "consume.committed",  # what a batch did is durable; Kafka does not know how far its group came
        "transaction.before_commit",  # of any transaction, also of a request and of a look that finds nothing
        "transaction.committed",
        "relay.sent",  # Kafka has the records; the cursor does not know yet
    }
)
"""Registered by the kit; a service adds its own with `register`."""

_registered: set[str] = set(POINTS)
_act: Callable[[str], None] | None = None


def register(*names: str) -> None:
    """Add the fault points of a service, so that a misspelt name is an error."""
    _registered.update(names)


def registered() -> frozenset[str]:
    """Return every known fault point."""
    return frozenset(_registered)


def arm(act: Callable[[str], None] | None) -> None:
    """Have `act` called with the name of each point that is passed; None disarms."""
    global _act  # noqa: PLW0603 - one switch for the whole process, and the hot path looks at nothing else
    _act = act


def faultpoint(name: str) -> None:
    """Do nothing, unless a test armed the points.

    Raises:
        LookupError: The point is not registered.
    """
    if name not in _registered:
        raise LookupError(f"fault point {name!r} is not registered; add it with faults.register")
    if _act is not None:
        _act(name)
