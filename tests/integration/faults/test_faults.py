"""The short fault table: faults on one installation with two copies of every service, and parts whose loss is noticed.

Its faults happen one after the other under one load and are judged together at its end, because what takes time is to
wait until all is quiet. The long table, with every row for itself and 500 kills, is `make test-faults`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.faults.rig import Rig
from tests.support.faults.rows import SHORT
from tests.support.faults.table import Row, Table
from tests.support.faults.taken_apart import MENDABLE, SNAPSHOT, Damage, noticed

SEED = 1
AT_LEAST = 2_000
PAUSE_S = 1.0  # other tests run at the same time


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    """Give the table on a rig that all rows share."""
    rig = Rig()
    yield Table(rig, SEED, pause_s=PAUSE_S)
    rig.installation.stop()


@pytest.fixture(scope="module")
def rows(table: Table) -> dict[str, Row]:
    """Give the rows of all faults by their names."""
    return {row.name: row for row in table.run_together(SHORT)}


@pytest.mark.parametrize("damage", MENDABLE, ids=lambda damage: damage.part)
def test_a_part_that_is_taken_out_turns_its_row_red(table: Table, damage: Damage) -> None:
    assert noticed(table, damage)


@pytest.mark.parametrize("name", [fault.name for fault in SHORT])
def test_whatever_fails_nothing_is_lost_and_nothing_happens_twice(rows: dict[str, Row], name: str) -> None:
    assert rows[name].problems == (), "\n".join(rows[name].problems)
    assert rows[name].events_in == rows[name].outcomes_out > AT_LEAST


def test_without_the_snapshot_bound_a_late_commit_is_lost(table: Table) -> None:
    assert noticed(table, SNAPSHOT)
