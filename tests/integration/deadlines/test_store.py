"""What the tables of deadlines promise the desk, on PostgreSQL; what timers rely on is in tests/contract/deadlines."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deadlines.domain.alert import Alert
from services.deadlines.domain.ladder import Rung
from services.deadlines.store import alerts, duties, rungs
from services.deadlines.store.alerts import AlertPlace
from services.deadlines.store.duties import Place, Wanted
from services.kit.database import Database
from services.kit.reach import EVERYTHING
from tests.support.deadlines import CASE, NOON, duty
from tests.support.reads import keep_first_plans, rows_read

LATE = NOON + timedelta(hours=1)
RUNG = Rung("soon", 3, NOON)
MANY_DUTIES = text("""
    INSERT INTO deadlines.duty SELECT (jsonb_populate_record(d, jsonb_build_object('duty_id', gen_random_uuid(),
        'case_key', md5(n::text)))).* FROM deadlines.duty AS d, generate_series(1, 1000) AS n
""")
MANY_RUNGS = text("""
    INSERT INTO deadlines.rung (duty_id, case_key, generation, kind, days_left, due_at, wake_at, state)
    SELECT d.duty_id, d.case_key, d.generation, 'soon', 3, r.due_at, r.wake_at, 0
    FROM deadlines.duty AS d CROSS JOIN (SELECT * FROM deadlines.rung LIMIT 1) AS r WHERE d.duty_id <> r.duty_id
""")


def _alert(number: int, severity: str = "warning", *, reference: str = "duty", minutes: int = 0) -> Alert:
    return Alert(
        UUID(int=number),
        "deadline.due-soon",
        "breach" if severity == "breach" else "warning",
        reference,
        "Tell the Panel: due today.",
        NOON + timedelta(minutes=minutes),
        case_key=CASE,
    )


async def test_duties_are_found_by_date_and_page_by_page_with_undated_ones_last(database: Database) -> None:
    kept = [duty(1, None), duty(2, date(2026, 11, 9)), duty(3, date(2026, 11, 5)), duty(4, date(2026, 11, 9))]
    async with database.begin() as tx:
        await duties.save(tx.connection, kept)

    async with database.connect() as connection:
        first = await duties.find(connection, EVERYTHING, Wanted(), limit=2)
        last = first[-1]
        rest = await duties.find(
            connection, EVERYTHING, Wanted(), after=Place(last.dating.due_on or date.max, last.duty_id)
        )
        early = await duties.find(connection, EVERYTHING, Wanted(due_before=date(2026, 11, 9)))

    assert [item.duty_id.int for item in (*first, *rest)] == [3, 2, 4, 1]
    assert [item.duty_id.int for item in early] == [3]


async def test_duties_are_narrowed_by_state_holder_rule_case_and_kind(database: Database) -> None:
    other = replace(
        duty(2),
        duty_holder="la:E06000006",
        holder_name="Halton Borough Council",
        rules=("N-03", "N-04"),
        case_key="d" * 32,
        kind="question",
    )
    done = replace(duty(3), state="withdrawn", closed_at=LATE)
    async with database.begin() as tx:
        await duties.save(tx.connection, [duty(1), other, done])

    async with database.connect() as connection:
        for wanted, expected in (
            (Wanted(state="open"), [1, 2]),
            (Wanted(duty_holder="la:E06000006"), [2]),
            (Wanted(rule="N-04"), [2]),
            (Wanted(case_key="d" * 32), [2]),
            (Wanted(kind="obligation"), [1, 3]),
        ):
            assert [item.duty_id.int for item in await duties.find(connection, EVERYTHING, wanted)] == expected
        assert await duties.choices(connection, EVERYTHING) == (
            {"la:E06000006": "Halton Borough Council", "la:E08000035": "Leeds City Council"},
            ["N-01", "N-03", "N-04"],
        )
        assert [item.duty_id.int for item in await duties.open_questions(connection, ["d" * 32, CASE])] == [2]


async def test_the_due_index_is_partial_and_pages_leave_room(database: Database) -> None:
    async with database.connect() as connection:
        index = await connection.scalar(text("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_rung_pending'"))
        options = await connection.scalar(
            text("SELECT reloptions FROM pg_class WHERE oid = 'deadlines.rung'::regclass")
        )

    assert "WHERE (state = 0)" in str(index)
    assert "fillfactor=80" in (options or [])


async def test_breaches_come_first_and_stay_open_when_warnings_are_closed(database: Database) -> None:
    async with database.begin() as tx:
        raised = [_alert(1), _alert(2, minutes=5), _alert(3, "breach"), _alert(4, reference="another")]
        await alerts.add(tx.connection, raised)
        before = [alert.alert_id.int for alert in await alerts.find(tx.connection, EVERYTHING)]
        await alerts.close(tx.connection, ["duty"], "the duty was closed", LATE)
        after = [alert.alert_id.int for alert in await alerts.find(tx.connection, EVERYTHING)]

    assert before == [3, 2, 1, 4]
    assert after == [3, 4]


async def test_every_alert_stands_on_one_page_also_of_those_raised_at_one_instant(database: Database) -> None:
    same = [_alert(number, severity) for number, severity in enumerate(["warning", "breach"] * 4, start=1)]
    pages = []
    async with database.begin() as tx:
        await alerts.add(tx.connection, [*same, _alert(9, minutes=5), _alert(10, "breach", minutes=5)])
        whole = await alerts.find(tx.connection, EVERYTHING)
        place = None
        while page := await alerts.find(tx.connection, EVERYTHING, limit=3, after=place):
            pages.append(page)
            place = AlertPlace(page[-1].severity == "warning", page[-1].raised_at, page[-1].alert_id)
        counted = await alerts.count(tx.connection, EVERYTHING)

    assert [alert.alert_id.int for alert in whole] == [10, 2, 4, 6, 8, 9, 1, 3, 5, 7]
    assert [len(page) for page in pages] == [3, 3, 3, 1]
    assert [alert for page in pages for alert in page] == whole
    assert counted == 10


async def test_what_was_acknowledged_is_found_by_when_it_was(database: Database) -> None:
    async with database.begin() as tx:
        await alerts.add(tx.connection, [_alert(1)])
        await alerts.acknowledge(tx.connection, UUID(int=1), by="account-1", name="Ada Example", now=NOON)
        found = [
            await alerts.find(tx.connection, EVERYTHING, acknowledged_since=since)
            for since in (NOON - timedelta(days=1), LATE)
        ]

    assert [[alert.alert_id.int for alert in some] for some in found] == [[1], []]


async def test_the_timers_of_a_few_cases_are_found_without_reading_the_open_duties_and_timers_of_all_others(
    database: Database,
) -> None:
    async with database.begin() as tx:
        await keep_first_plans(tx.connection)
        await duties.save(tx.connection, [duty(1)])
        await rungs.arm(tx.connection, [(duty(1), [RUNG])], NOON)
        await rungs.claim(tx.connection, [CASE], LATE)
        await rungs.supersede(tx.connection, [UUID(int=99)], LATE)
        for each in (MANY_DUTIES, MANY_RUNGS):
            await tx.connection.execute(each)

    async with database.begin() as tx:
        before = await rows_read(tx.connection, "duty", "rung")
        claimed = await rungs.claim(tx.connection, [CASE], LATE)
        await rungs.supersede(tx.connection, [each.duty_id for each in claimed], LATE)
        read = await rows_read(tx.connection, "duty", "rung") - before

    assert [each.duty_id for each in claimed] == [duty(1).duty_id]
    assert read < 50


async def test_what_is_due_is_found_without_reading_the_timers_that_are_not(database: Database) -> None:
    ahead = Rung("soon", 3, NOON + timedelta(days=30))
    async with database.begin() as tx:
        await keep_first_plans(tx.connection)
        await duties.save(tx.connection, [duty(1)])
        await rungs.arm(tx.connection, [(duty(1), [ahead])], NOON)
        await _look_for_what_is_due(tx.connection)
        for each in (MANY_DUTIES, MANY_RUNGS):
            await tx.connection.execute(each)

    async with database.begin() as tx:
        before = await rows_read(tx.connection, "rung")
        found = await _look_for_what_is_due(tx.connection)
        read = await rows_read(tx.connection, "rung") - before

    assert found == ((), ahead.due_at)
    assert read < 50


async def _look_for_what_is_due(connection: AsyncConnection) -> tuple[tuple[str, ...], datetime | None]:
    due = await rungs.due_cases(connection, LATE, low=NOON, limit=1000)
    return due, await rungs.next_wake(connection, low=NOON)
