"""Timers on a real database: each fires once, never early, and only for the date that stands."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from schemas.calendar import load_england
from schemas.deadlines import Breached, DueSoon, Met
from services.deadlines.domain.guard import Tick
from services.deadlines.firing import Firing
from services.deadlines.service import DeadlinesService
from services.deadlines.store import POSTGRES, alerts
from services.deadlines.tables import FIRED, PENDING, SUPERSEDED
from services.deadlines.watch import ClockWatch, witness
from services.kit.clock import SystemClock
from services.kit.codec import Event
from services.kit.database import Database
from services.kit.reach import EVERYTHING
from tests.support.deadlines import (
    NOON,
    obligation_met,
    obligation_opened,
    obligation_redated,
    obligation_withdrawn,
    question_closed,
    question_opened,
)
from tests.support.deadlines_app import app, client
from tests.support.deadlines_database import drain, feed, move_clock_to, published, rungs_of, step_clock, worker

DUTY = UUID(int=1)
MONDAY, NEXT_MONDAY = date(2026, 11, 2), date(2026, 11, 9)  # 5 working days: Tue 3 ... Fri 6, Mon 9
END_OF_NEXT_MONDAY = datetime(2026, 11, 10, tzinfo=UTC)


async def test_an_opened_obligation_gets_its_ladder(database: Database) -> None:
    await move_clock_to(database, NOON)

    await feed(database, obligation_opened(11, DUTY, NEXT_MONDAY, from_on=MONDAY))

    assert await rungs_of(database) == [
        (1, "soon", 3, PENDING),
        (1, "soon", 1, PENDING),
        (1, "soon", 0, PENDING),
        (1, "breach", -1, PENDING),
    ]


async def test_an_obligation_without_a_date_gets_no_rung_until_it_is_dated(database: Database) -> None:
    await move_clock_to(database, NOON)
    await feed(database, obligation_opened(11, DUTY, None))
    before = await rungs_of(database)

    await feed(database, obligation_redated(12, DUTY, NEXT_MONDAY, MONDAY))

    assert before == []
    assert {(generation, state) for generation, _, _, state in await rungs_of(database)} == {(2, PENDING)}


async def test_what_was_armed_before_the_clock_was_moved_and_committed_after_it_fires_at_the_next_look(
    database: Database,
) -> None:
    await move_clock_to(database, NOON)
    firing = worker(database)
    await drain(firing)

    async with database.begin() as tx:
        opened = obligation_opened(11, DUTY, NEXT_MONDAY, from_on=MONDAY)
        await tx.lock_cases([str(opened.case_key)])
        await DeadlinesService(load_england()).follow([Event(opened, b"", "topic", 0, 0)], tx)
        await move_clock_to(database, END_OF_NEXT_MONDAY + timedelta(days=1))
        before = await drain(firing)

    assert (before, await drain(firing)) == (0, 1)
    assert len(await published(database, "deadline.breached.v1")) == 1


async def test_a_rung_fires_when_it_is_due_and_not_a_second_before(database: Database) -> None:
    await move_clock_to(database, NOON)
    await feed(database, obligation_opened(11, DUTY, NEXT_MONDAY, from_on=MONDAY))
    firing = worker(database)

    await move_clock_to(database, datetime(2026, 11, 4, 8, 58, tzinfo=UTC))  # Wednesday, two minutes before
    early = await drain(firing)
    await move_clock_to(database, datetime(2026, 11, 4, 9, 0, 1, tzinfo=UTC))
    due = await drain(firing)

    assert (early, due) == (0, 1)
    (soon,) = await published(database, "deadline.due-soon.v1")
    assert isinstance(soon, DueSoon)
    assert soon.data.working_days_left == 3  # Thu 5, Fri 6, Mon 9
    assert soon.time >= datetime(2026, 11, 4, 9, tzinfo=UTC)


async def test_a_clock_that_leaps_between_trust_and_claim_fires_nothing_until_it_is_right_again(
    database: Database,
) -> None:
    await move_clock_to(database, NOON)
    await feed(
        database,
        obligation_opened(11, DUTY, NEXT_MONDAY, from_on=MONDAY),
        obligation_opened(12, UUID(int=2), date(2026, 11, 30), from_on=MONDAY, working_days=20),
    )
    await move_clock_to(database, END_OF_NEXT_MONDAY + timedelta(minutes=1))  # it is moved by whole seconds, rounded

    class LeapsOnceTrusted(ClockWatch):
        async def trusted_tick(self) -> Tick | None:
            tick = await super().trusted_tick()
            await step_clock(database, 40 * 24 * 3600)  # to Sunday 20 December: both are over
            return tick

    watch = LeapsOnceTrusted(database, witness(SystemClock()))
    assert await Firing(database, load_england(), watch).one_pass() == 0
    assert await published(database, "deadline.breached.v1") == []

    await step_clock(database, -40 * 24 * 3600)
    assert await drain(worker(database)) == 1
    (breach,) = await published(database, "deadline.breached.v1")
    assert isinstance(breach, Breached)
    assert breach.data.duty_id == DUTY
    assert breach.time < END_OF_NEXT_MONDAY + timedelta(hours=1)


async def test_a_moved_clock_breaches_once_with_two_workers(database: Database) -> None:
    await move_clock_to(database, NOON)
    await feed(
        database,
        *(
            obligation_opened(100 + number, UUID(int=number), NEXT_MONDAY, from_on=MONDAY, case_key=f"{number:032x}")
            for number in range(1, 41)
        ),
    )
    await move_clock_to(database, END_OF_NEXT_MONDAY + timedelta(minutes=1))

    fired = await asyncio.gather(drain(worker(database)), drain(worker(database)))

    breaches = await published(database, "deadline.breached.v1")
    raised = await published(database, "alert.raised.v1")
    assert sum(fired) == 40
    assert sorted(message.data.duty_id for message in breaches if isinstance(message, Breached)) == [
        UUID(int=number) for number in range(1, 41)
    ]
    assert len(raised) == 40
    assert not await published(database, "deadline.due-soon.v1")


async def test_after_an_outage_only_the_highest_rung_fires_and_the_lower_are_marked(database: Database) -> None:
    await move_clock_to(database, NOON)
    await feed(database, obligation_opened(11, DUTY, NEXT_MONDAY, from_on=MONDAY))
    await move_clock_to(database, datetime(2026, 11, 9, 12, tzinfo=UTC))  # the due day, after 09:00

    fired = await drain(worker(database))

    assert fired == 1
    assert await rungs_of(database) == [
        (1, "soon", 3, SUPERSEDED),
        (1, "soon", 1, SUPERSEDED),
        (1, "soon", 0, FIRED),
        (1, "breach", -1, PENDING),
    ]
    async with database.connect() as connection:
        (alert,) = await alerts.find(connection, EVERYTHING)
    assert alert.says == "Tell the Panel (Leeds City Council): due Monday 9 November 2026, due today."


async def test_a_warning_by_the_strictest_reading_is_not_told_as_the_due_date(database: Database) -> None:
    await move_clock_to(database, NOON)
    await feed(
        database,
        obligation_opened(11, DUTY, NEXT_MONDAY, from_on=MONDAY),
        obligation_redated(12, DUTY, NEXT_MONDAY, MONDAY, warn_on=date(2026, 11, 5)),
    )
    await move_clock_to(database, datetime(2026, 11, 5, 12, tzinfo=UTC))

    await drain(worker(database))

    async with database.connect() as connection:
        (alert,) = await alerts.find(connection, EVERYTHING)
    assert alert.says == (
        "Tell the Panel (Leeds City Council): the strictest reading gives Thursday 5 November 2026; "
        "the date that counts is Monday 9 November 2026, 2 working days left."
    )


async def test_a_redated_duty_cannot_be_breached_on_its_old_date(database: Database) -> None:
    await move_clock_to(database, NOON)
    await feed(database, obligation_opened(11, DUTY, NEXT_MONDAY, from_on=MONDAY))
    later = date(2026, 11, 30)  # 15 working days after Mon 9 November

    await feed(database, obligation_redated(12, DUTY, later, NEXT_MONDAY, working_days=15))
    await move_clock_to(database, END_OF_NEXT_MONDAY + timedelta(minutes=1))
    fired = await drain(worker(database))

    assert fired == 0
    assert [(generation, state) for generation, _, _, state in await rungs_of(database)] == [
        *[(1, SUPERSEDED)] * 4,
        *[(2, PENDING)] * 5,
    ]


async def test_a_duty_met_late_says_by_how_many_working_days(database: Database) -> None:
    """Due Mon 9 November, met on Fri 13: Tue 10, Wed 11, Thu 12, Fri 13 are 4 working days."""
    await move_clock_to(database, NOON)
    await feed(database, obligation_opened(11, DUTY, NEXT_MONDAY, from_on=MONDAY))
    await move_clock_to(database, END_OF_NEXT_MONDAY + timedelta(hours=1))
    await drain(worker(database))

    await feed(database, obligation_met(12, DUTY, datetime(2026, 11, 13, 10, tzinfo=UTC)))

    (met,) = await published(database, "deadline.met.v1")
    assert isinstance(met, Met)
    assert (met.data.working_days_late, met.data.met_on, met.causation_id) == (4, date(2026, 11, 13), UUID(int=12))
    async with database.connect() as connection:
        (breach,) = await alerts.find(connection, EVERYTHING)  # a person must still take note of the breach
    assert breach.kind == "deadline.breached"


async def test_a_duty_met_in_time_is_told_once_and_never_fires(database: Database) -> None:
    await move_clock_to(database, NOON)
    await feed(
        database,
        obligation_opened(11, DUTY, NEXT_MONDAY, from_on=MONDAY),
        obligation_met(12, DUTY, datetime(2026, 11, 3, 10, tzinfo=UTC)),
        obligation_met(13, DUTY, datetime(2026, 11, 3, 11, tzinfo=UTC)),
    )
    await move_clock_to(database, END_OF_NEXT_MONDAY + timedelta(days=1))

    fired = await drain(worker(database))

    assert fired == 0
    (met,) = await published(database)
    assert isinstance(met, Met)
    assert met.data.working_days_late == 0


async def test_a_duty_that_turns_out_to_have_been_met_late_says_so_once_and_alerts_nobody(database: Database) -> None:
    """Met on Tue 3 November, due Mon 9; the day of awareness is corrected, so that it was due on Fri 30 October."""
    await move_clock_to(database, NOON)
    tuesday = datetime(2026, 11, 3, 10, tzinfo=UTC)
    await feed(database, obligation_opened(11, DUTY, NEXT_MONDAY, from_on=MONDAY), obligation_met(12, DUTY, tuesday))
    await move_clock_to(database, END_OF_NEXT_MONDAY + timedelta(days=1))

    friday = date(2026, 10, 30)
    await feed(database, obligation_redated(13, DUTY, friday, date(2026, 10, 23)), obligation_met(14, DUTY, tuesday))
    await feed(database, obligation_met(15, DUTY, datetime(2026, 11, 5, 10, tzinfo=UTC)))
    fired = await drain(worker(database))

    found = [message for message in await published(database) if isinstance(message, Met)]
    async with database.connect() as connection:
        raised = await alerts.find(connection, EVERYTHING)
    assert (fired, len(await published(database)), raised) == (0, 3, [])
    assert [(one.data.due_on, one.data.met_on.day, one.data.working_days_late) for one in found] == [
        (NEXT_MONDAY, 3, 0),
        (friday, 3, 2),  # Mon 2, Tue 3
        (friday, 5, 4),  # Wed 4, Thu 5
    ]
    assert len({one.id for one in found}) == 3


async def test_a_duty_that_is_met_after_it_was_withdrawn_says_how_late_each_time(database: Database) -> None:
    """Due Mon 9 November, met on Fri 13: Tue 10, Wed 11, Thu 12, Fri 13 are 4 working days; Mon 16 is a fifth."""
    await move_clock_to(database, NOON)
    await feed(database, obligation_opened(11, DUTY, NEXT_MONDAY, from_on=MONDAY), obligation_withdrawn(12, DUTY))
    await move_clock_to(database, END_OF_NEXT_MONDAY + timedelta(days=7))

    await feed(database, obligation_met(13, DUTY, datetime(2026, 11, 13, 10, tzinfo=UTC)))
    await feed(
        database, obligation_withdrawn(14, DUTY), obligation_met(15, DUTY, datetime(2026, 11, 16, 10, tzinfo=UTC))
    )
    fired = await drain(worker(database))

    found = [message for message in await published(database) if isinstance(message, Met)]
    async with database.connect() as connection:
        duties = await POSTGRES.duties.load(connection, [DUTY])
    assert fired == 0
    assert [(one.data.met_on.day, one.data.working_days_late, one.data.generation) for one in found] == [
        (13, 4, 1),
        (16, 5, 1),
    ]
    assert len({one.id for one in found}) == 2
    assert (duties[DUTY].state, duties[DUTY].met_on) == ("met", date(2026, 11, 16))


async def test_a_withdrawn_duty_and_a_closed_question_fall_silent(database: Database) -> None:
    await move_clock_to(database, NOON)
    await feed(
        database,
        obligation_opened(11, DUTY, NEXT_MONDAY, from_on=MONDAY),
        question_opened(12, UUID(int=2), date(2026, 11, 3), MONDAY),
        obligation_withdrawn(13, DUTY),
        question_closed(14, UUID(int=2)),
    )
    await move_clock_to(database, END_OF_NEXT_MONDAY + timedelta(days=1))

    fired = await drain(worker(database))

    assert fired == 0
    assert await published(database) == []


async def test_a_question_is_breached_like_a_duty(database: Database) -> None:
    await move_clock_to(database, NOON)
    await feed(database, question_opened(12, UUID(int=2), date(2026, 11, 3), MONDAY))
    await move_clock_to(database, datetime(2026, 11, 4, 0, 1, tzinfo=UTC))

    await drain(worker(database))

    (breach,) = await published(database, "deadline.breached.v1")
    assert isinstance(breach, Breached)
    assert (breach.data.kind, breach.data.rule) == ("question", "N-01, N-03")
    assert breach.data.breached_at == datetime(2026, 11, 4, tzinfo=UTC)


async def test_a_flood_of_warnings_becomes_one_digest_of_each_holder_which_its_officers_see(
    database: Database, database_url: str
) -> None:
    await move_clock_to(database, NOON)
    opened = [
        obligation_opened(100 + number, UUID(int=number), NEXT_MONDAY, from_on=MONDAY, case_key=f"{number:032x}")
        for number in range(1, 13)  # 12 are more than 10
    ]
    other = obligation_opened(200, UUID(int=99), NEXT_MONDAY, from_on=MONDAY, case_key=f"{99:032x}")
    other = other.model_copy(update={"data": other.data.model_copy(update={"duty_holder": "la:E06000006"})})
    await feed(database, *opened, other)
    await move_clock_to(database, datetime(2026, 11, 4, 9, 1, tzinfo=UTC))

    await drain(worker(database))

    assert len(await published(database, "deadline.due-soon.v1")) == 13  # every duty's message is kept
    async with database.connect() as connection:
        raised = await alerts.find(connection, EVERYTHING)
    assert sorted((alert.kind, alert.reference) for alert in raised) == [
        ("deadline.digest", "la:E08000035"),
        ("deadline.due-soon", str(UUID(int=99))),
    ]
    said = "12 due dates of Leeds City Council came near at the same time. The desk lists them all."
    assert next(alert.says for alert in raised if alert.kind == "deadline.digest") == said
    for body, seen in (("la:E08000035", True), ("la:E06000006", False)):
        async with client(app(database_url), "review_officer", client="council", body=body) as http:
            assert (said in (await http.get("/desk")).text) is seen


async def test_a_digest_goes_with_the_last_of_its_duties(database: Database) -> None:
    await move_clock_to(database, NOON)
    numbers = range(1, 12)
    for number in numbers:
        await feed(
            database,
            obligation_opened(100 + number, UUID(int=number), NEXT_MONDAY, from_on=MONDAY, case_key=f"{number:032x}"),
        )
    await move_clock_to(database, datetime(2026, 11, 4, 9, 1, tzinfo=UTC))
    await drain(worker(database))

    open_then = []
    for number in numbers:
        await feed(database, obligation_met(200 + number, UUID(int=number), NOON, case_key=f"{number:032x}"))
        async with database.connect() as connection:
            open_then.append([alert.kind for alert in await alerts.find(connection, EVERYTHING)])

    assert open_then == [["deadline.digest"]] * 10 + [[]]


async def broken(database: Database, *cases: str) -> None:
    """Let the duties of these cases have rungs and no date, as no message can leave them."""
    async with database.begin() as tx:
        await tx.connection.execute(
            text("UPDATE deadlines.duty SET due_on = NULL WHERE case_key = ANY(:cases)"), {"cases": list(cases)}
        )


async def overdue(database: Database, number: int) -> list[str]:
    """Let a duty of each of so many cases be overdue; return the cases in the order of their rungs."""
    await move_clock_to(database, NOON)
    cases = [f"{each:032x}" for each in range(1, number + 1)]
    for each, key in enumerate(cases, start=1):
        await feed(database, obligation_opened(10 + each, UUID(int=each), NEXT_MONDAY, from_on=MONDAY, case_key=key))
    await move_clock_to(database, END_OF_NEXT_MONDAY + timedelta(minutes=1))
    return cases


async def test_a_case_with_which_something_is_wrong_holds_up_no_other_and_is_not_given_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = await overdue(database, 3)
    await broken(database, cases[1])
    firing = worker(database)

    fired, said = await firing.one_pass(), firing.failing()
    left_alone = await firing.one_pass()
    async with database.begin() as tx:
        await tx.connection.execute(text("UPDATE deadlines.duty SET due_on = :day"), {"day": NEXT_MONDAY})
    monkeypatch.setattr("services.deadlines.firing.LEFT_FOR", timedelta(0))
    mended = await firing.one_pass()

    assert (fired, left_alone, mended) == (2, 0, 1)
    assert said == "cases whose timers cannot be fired: 1; see firing.failed in the log"
    assert firing.failing() is None
    assert {each.case_key for each in await published(database, "deadline.breached.v1")} == set(cases)


async def test_however_many_cases_fail_what_is_due_behind_them_is_fired(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.deadlines.firing.BATCH", 12)  # a case has four rungs
    monkeypatch.setattr("services.deadlines.firing.MOST_FAILURES", 2)
    cases = await overdue(database, 5)
    await broken(database, *cases[:3])
    firing = worker(database)

    passes = [await firing.one_pass() for _ in range(3)]

    assert passes == [0, 2, 0]
    assert {each.case_key for each in await published(database, "deadline.breached.v1")} == set(cases[3:])
