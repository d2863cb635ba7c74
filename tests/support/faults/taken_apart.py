"""The checks can fail: each part that holds the promise, taken out of one service, must turn a named row red."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from tests.support.faults import records, servers
from tests.support.faults.quiet import wait_until_quiet
from tests.support.faults.table import Fault, Table

LOST_S: Final = 10.0  # what nobody has read by then was skipped: nobody will


@dataclass(frozen=True)
class Damage:
    """A part that both copies of a service lack, the row that must notice, and the invariant that must say so.

    `tries`: how often the row may run until it does, where two transactions must meet by chance.
    """

    part: str
    service: str
    row: Fault
    invariant: str
    tries: int = 1

    @property
    def name(self) -> str:
        """Name of the row that is to turn red."""
        return f"{self.row.name}, without the {self.part} of {self.service}"


MENDABLE: Final = (
    Damage("inbox", "routing", records.PUBLISHED_AGAIN, "effects_once"),
    Damage("locks", "intake", records.AT_ONCE, "cases_in_order", tries=5),
    Damage("fence", "routing", records.MOVED_ON, "nothing_lost"),
)
SNAPSHOT: Final = Damage("snapshot", "intake", servers.LATE_COMMIT, "nothing_lost")
"""To be tried last: what the relay passed over comes too late, and the log says so for ever."""


def noticed(table: Table, damage: Damage) -> bool:
    """Run the row on a service without the part; say whether the invariant noticed.

    The service is whole again then, and what it lost or passed over is published again, as an operator would do it.
    """
    table.rig.without[damage.service] = damage.part
    try:
        table.rig.restart_all(damage.service)
        red = any(_is_red(table, damage) for _ in range(damage.tries))
    finally:
        del table.rig.without[damage.service]
        table.rig.restart_all(damage.service)
        records.publish_again(table.rig, ("intake",))
        wait_until_quiet(table.rig)
    return red


def _is_red(table: Table, damage: Damage) -> bool:
    row = table.run(replace(damage.row, name=damage.name), stuck_s=LOST_S)
    return any(problem.startswith(f"{damage.invariant}:") for problem in row.problems)
