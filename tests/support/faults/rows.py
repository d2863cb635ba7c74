"""Which rows the fault table has, and which of them every test run goes through."""

from __future__ import annotations

from typing import Final

from tests.support.faults import clocks, messages, processes, recipients, records, servers
from tests.support.faults.killing import kill_at_each_point
from tests.support.faults.table import Fault

EVERY_ROW: Final[tuple[Fault, ...]] = (
    kill_at_each_point(),
    *processes.FAULTS,
    *servers.FAULTS,
    *records.FAULTS,
    *recipients.FAULTS,
    *clocks.FAULTS,
    *messages.FAULTS,
)

SHORT: Final[tuple[Fault, ...]] = (
    kill_at_each_point(),
    processes.killed_at_work(1_600),
    Fault("Zombies of every service", processes.zombies),
    Fault("Kafka: killed and restarted", servers.kafka_killed),
    Fault("PostgreSQL: killed and restarted", servers.postgres_killed),
    Fault("PostgreSQL: connections cut", servers.connections_cut),
    Fault("PostgreSQL: a transaction that commits late", servers.late_commit),
    recipients.MISBEHAVING,
    recipients.KILLED,
    *clocks.FAULTS,
    *messages.FAULTS,
)
"""A run of all tests goes through these, and through the rows of `tests.support.faults.taken_apart`."""
