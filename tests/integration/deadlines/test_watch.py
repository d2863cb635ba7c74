"""The clock guard on a real database: a step that nobody logged stops the timers, and a person is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deadlines.alerting import acknowledge
from services.deadlines.domain.alert import Alert
from services.deadlines.domain.guard import Tick
from services.deadlines.store import POSTGRES, alerts, clock
from services.deadlines.watch import ClockWatch
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


class Host:
    """A copy of the service on a machine whose wall clock is ahead of the legal clock by `skew`."""

    def __init__(self, database: Database, skew: timedelta) -> None:
        self.seen = NOON + skew
        self.watch = ClockWatch(database, lambda: self.seen)

    async def trusts(self) -> bool:
        return await self.watch.trusted_tick() is not None


async def _look_for_a_while(database: Database, *hosts: Host) -> list[bool]:
    """Let copies look at the clock in turn for 24 seconds, which all of them see pass."""
    found = []
    for _ in range(4):
        found += [await host.trusts() for host in hosts]
        await step_clock(database, 6)
        for host in hosts:
            host.seen += timedelta(seconds=6)
    return found


async def _alerts(database: Database) -> list[Alert]:
    async with database.connect() as connection:
        return await alerts.find(connection, EVERYTHING)


async def test_a_clock_that_went_back_is_trusted_again_once_it_is_right_and_not_once_it_has_gone_as_far_again(
    database: Database,
) -> None:
    await move_clock_to(database, NOON)
    host = Host(database, timedelta())
    assert await host.trusts()

    await step_clock(database, -7200)
    found = []
    for hours in (1, 1, 1):
        await step_clock(database, hours * 3600)
        host.seen += timedelta(hours=hours)
        found.append(await host.trusts())
    await step_clock(database, 7200)

    assert found == [False, False, False]
    assert await host.trusts()
    assert len(await _alerts(database)) == 1


@pytest.mark.parametrize("hours", [2, -2])
async def test_two_machines_whose_wall_clocks_differ_both_trust_the_legal_clock(database: Database, hours: int) -> None:
    await move_clock_to(database, NOON)
    first, second = Host(database, timedelta()), Host(database, timedelta(hours=hours))

    assert all(await _look_for_a_while(database, first, second))
    assert await _alerts(database) == []


async def test_one_leap_is_one_alert_also_where_wall_clocks_differ_and_one_person_s_word_is_enough(
    database: Database,
) -> None:
    await move_clock_to(database, NOON)
    hosts = Host(database, timedelta(hours=2)), Host(database, timedelta())
    await _look_for_a_while(database, *hosts)

    await step_clock(database, WEEK)
    before = await _look_for_a_while(database, *hosts)
    (alert,) = await _alerts(database)
    await acknowledge(database, alert.alert_id, OPERATOR)
    after = await _look_for_a_while(database, *reversed(hosts))

    assert not any(before)
    assert all(after)
    assert await _alerts(database) == []
    assert len(await published(database, "alert.raised.v1")) == 1


async def test_a_tick_that_another_copy_saves_during_a_slow_look_is_no_step_back(database: Database) -> None:
    await move_clock_to(database, NOON)

    class Slow:
        """Takes three seconds for each question; meanwhile another copy looks."""

        async def read(self, connection: AsyncConnection, witness_at: datetime) -> Tick:
            answer = await clock.read(connection, witness_at)
            await self._pass()
            return answer

        async def last_tick(self, connection: AsyncConnection) -> Tick | None:
            answer = await clock.last_tick(connection)
            await self._pass()
            return answer

        async def save_tick(self, connection: AsyncConnection, current: Tick) -> None:
            await clock.save_tick(connection, current)

        async def _pass(self) -> None:
            await step_clock(database, 3)
            assert await Host(database, timedelta(seconds=3)).trusts()

    watch = ClockWatch(database, lambda: NOON, replace(POSTGRES, clock=Slow()))

    assert await watch.trusted_tick() is not None


async def test_a_second_fault_of_the_clock_is_told_although_the_first_was_over_within_seconds(
    database: Database,
) -> None:
    await move_clock_to(database, NOON)
    host = Host(database, timedelta())

    trusted = []
    for step in (0, -60, 60, WEEK):
        await step_clock(database, step)
        trusted.append(await host.trusts())

    assert trusted == [True, False, True, False]
    assert sorted(alert.says.split(" by ")[0] for alert in await _alerts(database)) == [
        "The legal clock went ahead",
        "The legal clock went back",
    ]


async def test_the_clock_counts_again_once_it_is_right_again(database: Database) -> None:
    await _due_in_a_week(database)
    firing = worker(database)
    await firing.one_pass()
    await step_clock(database, -60)
    await firing.one_pass()

    await step_clock(database, 60)
    await move_clock_to(database, datetime(2026, 11, 10, 0, 1, tzinfo=UTC))

    assert await drain(firing) == 1
