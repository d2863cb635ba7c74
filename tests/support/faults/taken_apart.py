"""The checks can fail: each part that holds the promise, taken out of one service, must turn a named row red."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from tests.support.faults.builds import SECOND
from tests.support.faults.quiet import wait_until_quiet
from tests.support.faults.records import offsets_moved_on, one_case_at_once, publish_again, published_again
from tests.support.faults.servers import late_commit
from tests.support.faults.table import Fault, Table

LOST_S: Final = 10.0  # what nobody has read by then was skipped: nobody will


@dataclass(frozen=True)
class Damage:
    """A part that both copies of a service lack, the row that must notice, and the invariant that must say so."""

    part: str
    service: str
    row: Fault
    invariant: str

    @property
    def name(self) -> str:
        """Name of the row that is to turn red."""
        return f"{self.row.name}, without the {self.part} of {self.service}"


DAMAGES: Final = (
    Damage("inbox", "routing", Fault("Kafka: everything published again", published_again), "effects_once"),
    Damage("locks", "intake", Fault("One case from many sides at once", one_case_at_once), "cases_in_order"),
    Damage("fence", "routing", Fault("Kafka: offsets moved past unread records", offsets_moved_on), "nothing_lost"),
    Damage("snapshot", "intake", Fault("PostgreSQL: a transaction that commits late", late_commit), "nothing_lost"),
)


def noticed(table: Table, damage: Damage) -> bool:
    """Run the row on a service without the part; say whether the invariant noticed.

    The service is whole again then, and what it lost or passed over is published again, as an operator would do it.
    """
    table.rig.without[damage.service] = damage.part
    try:
        _start_again(table, damage.service)
        row = table.run(replace(damage.row, name=damage.name), stuck_s=LOST_S)
    finally:
        del table.rig.without[damage.service]
        _start_again(table, damage.service)
        publish_again(table.rig, ("intake",))
        wait_until_quiet(table.rig)
    return any(problem.startswith(f"{damage.invariant}:") for problem in row.problems)


def _start_again(table: Table, service: str) -> None:
    for copy in (service, service + SECOND):
        table.rig.restart(copy)
    for copy in (service, service + SECOND):
        table.rig.wait_ready(copy)
