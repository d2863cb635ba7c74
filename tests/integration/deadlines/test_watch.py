"""The clock guard on a real database: a step that nobody logged stops the timers, and a person is told."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from services.deadlines.alerting import acknowledge
from services.deadlines.store import alerts
from services.kit.auth import Principal
from services.kit.database import Database
from services.kit.reach import EVERYTHING
from tests.support.deadlines import NOON, obligation_opened
from tests.support.deadlines_database import drain, feed, move_clock_to, published, step_clock, worker

WEEK = 7 * 24 * 3600
OPERATOR = Principal("account-7", "Olu Example", "operations")


async def _due_in_a_week(database: Database) -> None:
    await move_clock_to(database, NOON)
    await feed(database, obligation_opened(11, UUID(int=1), date(2026, 11, 9), from_on=date(2026, 11, 2)))


@pytest.mark.parametrize(("seconds", "words"), [(2 * WEEK, "went ahead"), (-60, "went back")])
async def test_an_unlogged_step_stops_firing_and_is_told_once(database: Database, seconds: int, words: str) -> None:
    await _due_in_a_week(database)
    firing, other = worker(database), worker(database)
    await firing.one_pass()

    await step_clock(database, seconds)
    fired = [await drain(firing), await drain(firing), await drain(other)]

    assert fired == [0, 0, 0]
    async with database.connect() as connection:
        (alert,) = await alerts.find(connection, EVERYTHING)
    assert (alert.kind, alert.severity) == ("clock.distrusted", "fault")
    assert words in alert.says
    assert [message.type for message in await published(database)] == ["alert.raised.v1"]


async def test_a_step_that_happened_while_nothing_ran_is_noticed_by_the_next_copy(database: Database) -> None:
    await _due_in_a_week(database)
    await worker(database).one_pass()

    await step_clock(database, 2 * WEEK)

    assert await drain(worker(database)) == 0


async def test_the_clock_counts_again_once_a_person_acknowledged_it(database: Database) -> None:
    await _due_in_a_week(database)
    firing, other = worker(database), worker(database)
    await firing.one_pass()
    await other.one_pass()
    await step_clock(database, 2 * WEEK)
    await drain(firing)
    async with database.connect() as connection:
        (alert,) = await alerts.find(connection, EVERYTHING)

    await acknowledge(database, alert.alert_id, OPERATOR)
    fired = await drain(firing) + await drain(other)

    assert fired == 1
    async with database.connect() as connection:
        open_alerts = await alerts.find(connection, EVERYTHING)
    assert [alert.kind for alert in open_alerts] == ["deadline.breached"]


async def test_the_clock_counts_again_once_it_is_right_again(database: Database) -> None:
    await _due_in_a_week(database)
    firing = worker(database)
    await firing.one_pass()
    await step_clock(database, -60)
    await firing.one_pass()

    await step_clock(database, 60)
    await move_clock_to(database, datetime(2026, 11, 10, 0, 1, tzinfo=UTC))

    assert await drain(firing) == 1
