"""Which rows the fault table has, and which of them every test run goes through."""

from __future__ import annotations

from typing import Final

from tests.support.faults import (
    clocks,
    disk,
    messages,
    network,
    partners,
    power,
    processes,
    rebalance,
    recipients,
    records,
    restored,
    servers,
    topics,
)
from tests.support.faults.killing import kill_at_each_point
from tests.support.faults.table import Fault

LOCK_HELD_S: Final = 65.0  # longer than a command may take

ROWS: Final[tuple[Fault, ...]] = (
    *processes.FAULTS,
    *servers.FAULTS,
    *restored.FAULTS,
    *records.FAULTS,
    topics.MADE_AGAIN,
    rebalance.REBALANCE,
    *disk.FAULTS,
    *network.FAULTS,
    power.CUT,
    *recipients.FAULTS,
    *clocks.FAULTS,
    partners.SAME_IDS,
)
"""The rows of the long table but for those of `heavy_rows`."""


def heavy_rows(*, kills: int, generated: int) -> tuple[Fault, ...]:
    """Return the rows of the long table that bring thousands of events.

    Args:
        kills: How many processes die at named points, at least.
        generated: How many generated bodies are sent.
    """
    return (servers.lock_held(LOCK_HELD_S), messages.traps(generated), kill_at_each_point(kills))


SHORT: Final[tuple[Fault, ...]] = (
    kill_at_each_point(),
    processes.killed_at_work(1_600),
    processes.ZOMBIES,
    servers.KAFKA_KILLED,
    servers.POSTGRES_KILLED,
    servers.CUT,
    servers.LATE_COMMIT,
    recipients.MISBEHAVING,
    recipients.KILLED,
    *clocks.FAULTS,
    messages.traps(200),
    partners.SAME_IDS,
)
"""A run of all tests goes through these, and through the rows of `tests.support.faults.taken_apart`."""
