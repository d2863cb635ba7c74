"""Which rows the fault table has, and which of them every test run goes through."""

from __future__ import annotations

from typing import Final

from tests.support.faults import (
    clocks,
    disk,
    messages,
    partners,
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

EVERY_ROW: Final[tuple[Fault, ...]] = (
    kill_at_each_point(),
    *processes.FAULTS,
    *servers.FAULTS,
    *restored.FAULTS,
    *records.FAULTS,
    topics.MADE_AGAIN,
    rebalance.REBALANCE,
    disk.FULL,
    *recipients.FAULTS,
    *clocks.FAULTS,
    *messages.FAULTS,
    partners.SAME_IDS,
)

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
    *messages.FAULTS,
    partners.SAME_IDS,
)
"""A run of all tests goes through these, and through the rows of `tests.support.faults.taken_apart`."""
