"""A bank holiday is proclaimed that moves no due date: reminders go to the last working days before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from schemas.calendar import load_england
from schemas.calendar.holiday import Holiday
from services.deadlines.rearming import Rearming
from services.kit.database import Database
from tests.support.deadlines import NOON, obligation_met, obligation_opened
from tests.support.deadlines_database import drain, feed, move_clock_to, published, worker

MONDAY, WEDNESDAY = date(2026, 11, 2), date(2026, 11, 4)
PROCLAIMED = Holiday("Invented holiday", "proclamation", "An invented proclamation", MONDAY)
ENGLAND = load_england()
NEWER = replace(ENGLAND, version="2026.11.1", holidays={**ENGLAND.holidays, WEDNESDAY: PROCLAIMED})


def in_calendar_days(number: int, duty_id: UUID, days: int = 7, **dated: Any) -> Any:
    """Open a duty that is due some calendar days after Monday 2 November, whatever days are worked."""
    due_on = MONDAY + timedelta(days=days)
    opened = obligation_opened(number, duty_id, due_on, from_on=MONDAY, case_key=f"{duty_id.int:032x}")
    period = opened.data.period.model_copy(update={"amount": days, "unit": "calendar days"})  # type: ignore[union-attr]
    return opened.model_copy(update={"data": opened.data.model_copy(update={"period": period} | dated)})


async def due(database: Database) -> list[tuple[str, int, str]]:
    """Return (kind, days left, day) of every timer, by when it fires."""
    async with database.connect() as connection:
        rows = await connection.execute(
            text("SELECT kind, days_left, due_at FROM deadlines.rung ORDER BY due_at, duty_id")
        )
    return [(row.kind, row.days_left, f"{row.due_at.astimezone(UTC):%a %d %H:%M}") for row in rows]


async def rearm(database: Database) -> None:
    rearming = Rearming(database, NEWER)
    while await rearming.step():
        pass


async def test_reminders_that_have_not_fired_move_to_the_last_working_days_before(database: Database) -> None:
    """Three working days are left before Monday 9 November after Wednesday 4, and after Tuesday 3 if Wednesday is none."""
    await move_clock_to(database, NOON)
    await feed(database, in_calendar_days(11, UUID(int=1)))
    before = await due(database)

    await rearm(database)

    after = await due(database)
    assert before == [
        ("soon", 3, "Wed 04 09:00"),
        ("soon", 1, "Fri 06 09:00"),
        ("soon", 0, "Mon 09 09:00"),
        ("breach", -1, "Tue 10 00:00"),
    ]
    assert after == [("soon", 3, "Tue 03 09:00"), *before[1:]]


async def test_a_warning_by_the_strictest_reading_moves_too(database: Database) -> None:
    await move_clock_to(database, NOON)
    await feed(database, in_calendar_days(11, UUID(int=1), days=18, warn_on=WEDNESDAY))
    before = await due(database)

    await rearm(database)

    assert before[0] == ("warn", 12, "Wed 04 09:00")  # Thu 5, Fri 6, ten in the two weeks to Fri 20
    assert (await due(database))[0] == ("warn", 12, "Tue 03 09:00")


async def test_what_has_fired_is_told_once_and_what_is_met_stays_silent(database: Database) -> None:
    await move_clock_to(database, NOON)
    await feed(database, in_calendar_days(11, UUID(int=1)), in_calendar_days(12, UUID(int=2)))
    await feed(database, obligation_met(13, UUID(int=2), NOON, case_key=f"{2:032x}"))
    await move_clock_to(database, datetime(2026, 11, 4, 9, 1, tzinfo=UTC))
    await drain(worker(database))

    await rearm(database)
    fired = await drain(worker(database))

    assert fired == 0
    assert len(await published(database, "deadline.due-soon.v1")) == 1


@pytest.mark.parametrize("many", [2, 3])
async def test_all_open_duties_are_looked_at_page_by_page(
    database: Database, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr("services.deadlines.rearming.AT_A_STEP", 2)
    await move_clock_to(database, NOON)
    await feed(database, *(in_calendar_days(10 + number, UUID(int=number)) for number in range(1, many + 1)))

    await rearm(database)

    assert (await due(database))[:many] == [("soon", 3, "Tue 03 09:00")] * many
