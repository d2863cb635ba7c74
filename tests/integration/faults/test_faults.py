"""The short fault table: rows on one installation with two copies of every service, and parts whose loss is noticed.

The long one, with every row and 500 kills, is `make test-faults`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.faults.rig import Rig
from tests.support.faults.rows import SHORT
from tests.support.faults.table import Fault, Table
from tests.support.faults.taken_apart import DAMAGES, Damage, noticed

SEED = 1


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    """Give the table on a rig that all rows share."""
    rig = Rig()
    yield Table(rig, SEED)
    rig.installation.stop()


@pytest.mark.parametrize("fault", SHORT, ids=lambda fault: fault.name)
def test_whatever_fails_nothing_is_lost_and_nothing_happens_twice(table: Table, fault: Fault) -> None:
    row = table.run(fault)

    assert row.problems == ()
    assert row.events_in == row.outcomes_out > 0


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.part)
def test_a_part_that_is_taken_out_turns_its_row_red(table: Table, damage: Damage) -> None:
    assert noticed(table, damage)
