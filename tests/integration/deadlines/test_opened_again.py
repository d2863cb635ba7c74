"""What is told of a duty that is published again: nothing twice while its date stands, everything once it is another."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from schemas import decisions
from schemas.calendar import load_england
from schemas.deadlines import Breached
from services.deadlines.reading import Reader
from services.deadlines.store import alerts
from services.deadlines.store.duties import Wanted
from services.deadlines.tables import FIRED, PENDING
from services.deadlines.views import ObligationView
from services.kit.database import Database
from services.kit.reach import EVERYTHING
from tests.support.deadlines import NOON, obligation_opened, obligation_redated, obligation_withdrawn
from tests.support.deadlines_app import app, client
from tests.support.deadlines_database import drain, feed, move_clock_to, published, rungs_of, worker

DUTY = UUID(int=1)
MONDAY, NEXT_MONDAY = date(2026, 11, 2), date(2026, 11, 9)  # 5 working days: Tue 3 ... Fri 6, Mon 9
OVERDUE = datetime(2026, 11, 10, 0, 1, tzinfo=UTC)
APRIL = datetime(2027, 4, 1, 9, tzinfo=UTC)


async def _the_duty(database: Database) -> ObligationView:
    reading = await Reader(database, load_england()).duties(EVERYTHING, Wanted(), limit=10, after=None)
    (found,) = reading.page.obligations
    return found


@pytest.mark.parametrize(
    "again",
    [
        obligation_opened(12, DUTY, NEXT_MONDAY, from_on=MONDAY, recipients=("panel", "icb:qwo"), at=APRIL),
        obligation_redated(12, DUTY, NEXT_MONDAY, MONDAY, warn_on=date(2026, 11, 5)),
    ],
    ids=["told to others", "with a stricter reading"],
)
async def test_an_overdue_duty_whose_date_stands_is_not_breached_again(
    database: Database, again: decisions.ObligationOpened | decisions.ObligationRedated
) -> None:
    await move_clock_to(database, NOON)
    await feed(database, obligation_opened(11, DUTY, NEXT_MONDAY, from_on=MONDAY))
    await move_clock_to(database, OVERDUE)
    await drain(worker(database))
    before = await _the_duty(database)

    await move_clock_to(database, APRIL)
    await feed(database, again)
    fired = await drain(worker(database))

    after = await _the_duty(database)
    assert fired == 0
    assert len(await published(database, "deadline.breached.v1")) == 1
    assert after.breach_raised_at == before.breach_raised_at is not None
    assert (after.generation, after.opened_at) == (1, NOON)
    assert (after.recipients, after.warn_on) == (
        again.data.recipients if isinstance(again, decisions.ObligationOpened) else ("panel",),
        again.data.warn_on,
    )


async def test_an_overdue_duty_that_is_opened_again_with_another_date_is_breached_on_that_too(
    database: Database,
) -> None:
    await move_clock_to(database, NOON)
    await feed(database, obligation_opened(11, DUTY, NEXT_MONDAY, from_on=MONDAY))
    await move_clock_to(database, OVERDUE)
    await drain(worker(database))

    await feed(database, obligation_opened(12, DUTY, date(2026, 11, 16), from_on=NEXT_MONDAY))
    await move_clock_to(database, OVERDUE + timedelta(days=7))
    await drain(worker(database))

    breaches = await published(database, "deadline.breached.v1")
    assert [(one.data.generation, one.data.due_on) for one in breaches if isinstance(one, Breached)] == [
        (1, NEXT_MONDAY),
        (2, date(2026, 11, 16)),
    ]


async def test_a_breach_says_what_has_become_of_its_duty_since(database: Database, database_url: str) -> None:
    await move_clock_to(database, NOON)
    await feed(database, obligation_opened(11, DUTY, NEXT_MONDAY, from_on=MONDAY))
    await move_clock_to(database, OVERDUE)
    await drain(worker(database))

    said = []
    async with client(app(database_url), "operations") as http:
        for change in (
            obligation_redated(12, DUTY, NEXT_MONDAY, MONDAY),  # its date stands
            obligation_redated(13, DUTY, date(2026, 11, 16), NEXT_MONDAY),
            obligation_withdrawn(14, DUTY),
        ):
            await feed(database, change)
            (alert,) = (await http.get("/v1/alerts")).json()["alerts"]
            said.append((alert["says"], alert["since_then"]))
        desk = " ".join((await http.get("/desk")).text.split())

    told = "Tell the Panel (Leeds City Council): was due Monday 9 November 2026 and is not met."
    assert said == [
        (told, ""),
        (told, "It is due Monday 16 November 2026 now."),
        (told, "The duty is withdrawn: a named person decided not to notify."),
    ]
    assert "<strong>Since then:</strong> The duty is withdrawn" in desk


async def test_a_duty_that_is_opened_again_before_its_date_keeps_its_alert_and_the_timers_that_wait(
    database: Database,
) -> None:
    await move_clock_to(database, NOON)
    await feed(database, obligation_opened(11, DUTY, NEXT_MONDAY, from_on=MONDAY))
    await move_clock_to(database, datetime(2026, 11, 4, 9, 1, tzinfo=UTC))
    await drain(worker(database))

    await feed(database, obligation_opened(12, DUTY, NEXT_MONDAY, from_on=MONDAY, recipients=("panel", "icb:qwo")))
    fired = await drain(worker(database))

    assert fired == 0
    async with database.connect() as connection:
        (alert,) = await alerts.find(connection, EVERYTHING)
    assert alert.kind == "deadline.due-soon"
    assert await rungs_of(database) == [
        (1, "soon", 3, FIRED),
        (1, "soon", 1, PENDING),
        (1, "soon", 0, PENDING),
        (1, "breach", -1, PENDING),
    ]
