"""The HTTP API: who may ask, what they see, and moving the legal clock."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from schemas.deadlines import ClockMoved
from services.kit.auth import unguarded
from services.kit.database import Database
from tests.support.deadlines import (
    CASE,
    NOON,
    notice_refused,
    obligation_met,
    obligation_opened,
    obligation_redated,
    question_opened,
)
from tests.support.deadlines_app import app, client
from tests.support.deadlines_database import drain, feed, move_clock_to, published, worker

WEDNESDAY = datetime(2026, 12, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("method", "path", "role", "status"),
    [
        ("GET", "/v1/obligations", None, 401),
        ("GET", "/v1/obligations", "partner", 403),
        ("GET", "/v1/alerts", "partner", 403),
        ("POST", f"/v1/alerts/{UUID(int=1)}/acknowledge", "auditor", 403),
        ("POST", "/v1/clock", "review_officer", 403),
        ("GET", "/v1/quarantine", "auditor", 403),
        ("GET", "/v1/clock", "auditor", 200),
        ("GET", "/health/live", None, 200),
    ],
)
async def test_a_role_sees_what_it_may(
    database_url: str, method: str, path: str, role: str | None, status: int
) -> None:
    async with client(app(database_url), role) as http:
        assert (await http.request(method, path, json={"seconds": 1, "reason": "test"})).status_code == status


def test_no_route_is_open_by_accident(database_url: str) -> None:
    assert unguarded(app(database_url)) == []


async def test_an_obligation_shows_its_date_in_words_and_how_it_was_counted(
    database: Database, database_url: str
) -> None:
    """5 working days after Wed 23 December 2026: 24, 29, 30, 31 December, Mon 4 January 2027."""
    await move_clock_to(database, WEDNESDAY)
    await feed(database, obligation_opened(11, UUID(int=1), date(2027, 1, 4), from_on=date(2026, 12, 23)))

    async with client(app(database_url), "auditor") as http:
        (shown,) = (await http.get("/v1/obligations", params={"case": CASE, "state": "open"})).json()["obligations"]

    assert (shown["due_on"], shown["days_left"], shown["left"]) == ("2027-01-04", 2, "2 working days left")
    assert (shown["group"], shown["duty"], shown["duty_words"]) == ("soon", "must", "must (law)")
    assert shown["citation"]["verified"] is False
    assert shown["stops_when"] == "the Panel's reference is recorded"
    assert [day["on"] for day in shown["count"]["days"] if day["number"] is None] == [
        *("2026-12-25", "2026-12-26", "2026-12-27", "2026-12-28"),
        *("2027-01-01", "2027-01-02", "2027-01-03"),
    ]


async def test_a_duty_says_when_its_breach_was_raised_whoever_took_the_alert_on_until_it_has_another_date(
    database: Database, database_url: str
) -> None:
    await move_clock_to(database, NOON)
    await feed(database, obligation_opened(11, UUID(int=1), date(2026, 11, 9), from_on=date(2026, 11, 2)))
    shown = []

    async with client(app(database_url), "operations") as http:

        async def look() -> None:
            (duty,) = (await http.get("/v1/obligations")).json()["obligations"]
            shown.append((duty["group"], duty["breach_raised_at"] is not None))

        await look()
        await move_clock_to(database, datetime(2026, 11, 10, 1, tzinfo=UTC))
        await look()  # overdue from the first instant, raised at the next look of the timers
        await drain(worker(database))
        (alert,) = (await http.get("/v1/alerts")).json()["alerts"]
        await http.post(f"/v1/alerts/{alert['alert_id']}/acknowledge")
        await look()
        await feed(database, obligation_redated(12, UUID(int=1), date(2026, 11, 16), date(2026, 11, 9)))
        await look()

    assert shown == [("later", False), ("overdue", False), ("overdue", True), ("later", False)]


async def test_an_obligation_without_a_date_says_what_is_missing(database: Database, database_url: str) -> None:
    await move_clock_to(database, NOON)
    await feed(
        database,
        obligation_opened(11, UUID(int=1), None),
        question_opened(12, UUID(int=2), date(2026, 11, 3), date(2026, 11, 2)),
    )

    async with client(app(database_url), "operations") as http:
        (shown,) = (await http.get("/v1/obligations")).json()["obligations"]
        (question,) = (await http.get("/v1/obligations", params={"kind": "question"})).json()["obligations"]

    assert (shown["group"], shown["left"], shown["count"]) == ("undated", "no date yet", None)
    assert shown["missing"] == "When did your authority become aware of the incident?"
    assert question["obligation_id"] == str(UUID(int=2))


async def test_a_duty_that_was_met_late_says_so(database: Database, database_url: str) -> None:
    await feed(
        database,
        obligation_opened(11, UUID(int=1), date(2026, 11, 9), from_on=date(2026, 11, 2)),
        obligation_met(12, UUID(int=1), datetime(2026, 11, 11, 9, tzinfo=UTC)),  # Tue 10, Wed 11
    )

    async with client(app(database_url), "operations") as http:
        (shown,) = (await http.get("/v1/obligations", params={"state": "met"})).json()["obligations"]

    assert (shown["working_days_late"], shown["days_left"], shown["group"]) == (2, None, None)


async def test_obligations_come_page_by_page(database: Database, database_url: str) -> None:
    days = (9, 10, 11)
    opened = [
        obligation_opened(100 + day, UUID(int=day), date(2026, 11, day), from_on=date(2026, 11, 2)) for day in days
    ]
    await feed(database, *opened)

    async with client(app(database_url), "operations") as http:
        first = (await http.get("/v1/obligations", params={"limit": 2})).json()
        last = (await http.get("/v1/obligations", params={"limit": 2, "after": first["next"]})).json()
        before = (await http.get("/v1/obligations", params={"due_before": "2026-11-10"})).json()
        wrong = await http.get("/v1/obligations", params={"after": "nonsense"})

    assert [item["due_on"] for page in (first, last) for item in page["obligations"]] == [
        f"2026-11-{day:02}" for day in days
    ]
    assert last["next"] is None
    assert [item["due_on"] for item in before["obligations"]] == ["2026-11-09"]
    assert wrong.status_code == 422


async def test_alerts_come_page_by_page_and_say_how_many_there_are(database: Database, database_url: str) -> None:
    await feed(database, *(notice_refused(number, notice=UUID(int=number)) for number in (2, 3, 4)))

    async with client(app(database_url), "operations") as http:
        whole = (await http.get("/v1/alerts")).json()
        first = (await http.get("/v1/alerts", params={"limit": 2})).json()
        last = (await http.get("/v1/alerts", params={"limit": 2, "after": first["next"]})).json()
        wrong = [
            (await http.get("/v1/alerts", params={"after": after})).status_code for after in ("nonsense", "1~2026~3")
        ]

    assert (whole["total"], whole["next"], len(whole["alerts"])) == (3, None, 3)
    assert first["alerts"] + last["alerts"] == whole["alerts"]
    assert (len(first["alerts"]), first["total"], last["total"], last["next"]) == (2, 3, 3, None)
    assert wrong == [422, 422]


async def test_an_alert_is_acknowledged_in_the_name_of_who_is_signed_in(database: Database, database_url: str) -> None:
    await feed(database, notice_refused(2))
    application = app(database_url)

    async with client(application, "operations", name="Ada Example", subject="account-1") as http:
        (alert,) = (await http.get("/v1/alerts")).json()["alerts"]
        answer = await http.post(f"/v1/alerts/{alert['alert_id']}/acknowledge")
        left = (await http.get("/v1/alerts")).json()["alerts"]

    assert (answer.json()["acknowledged_name"], answer.json()["acknowledged_by"]) == ("Ada Example", "account-1")
    assert left == []


async def test_the_legal_clock_is_moved_with_a_reason_and_the_move_is_published(
    database: Database, database_url: str
) -> None:
    async with client(app(database_url), "operations") as http:
        before = (await http.get("/v1/clock")).json()
        after = (await http.post("/v1/clock", json={"seconds": 6 * 86_400, "reason": "to watch a breach"})).json()

    assert (before["offset_seconds"], after["offset_seconds"]) == (0, 518_400)
    moved = datetime.fromisoformat(after["legal_now"]) - datetime.fromisoformat(before["legal_now"])
    assert moved.days == 6
    (message,) = await published(database)
    assert isinstance(message, ClockMoved)
    assert (message.data.seconds, message.data.by, message.data.reason) == (518_400, "account-7", "to watch a breach")


async def test_a_clock_that_is_not_movable_stays(database: Database, database_url: str) -> None:
    async with client(app(database_url, clock_movable=False), "operations") as http:
        refused = await http.post("/v1/clock", json={"seconds": 60, "reason": "test"})
        clock = (await http.get("/v1/clock")).json()

    assert refused.status_code == 403
    assert (clock["offset_seconds"], clock["movable"]) == (0, False)
    assert await published(database) == []
