"""Who sees which duties and alerts: those of their agency's cases; every other case is as one that there is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from importlib import import_module
from uuid import UUID

import pytest
from sqlalchemy import text

from services.deadlines.store import alerts, duties
from services.kit.database import Database
from services.kit.reach import EVERYTHING
from tests.support.deadlines import CASE, NOON, duty, notice_refused, obligation_opened, quarantined, question_opened
from tests.support.deadlines_app import app, client
from tests.support.deadlines_database import drain, feed, feed_quarantines, move_clock_to, worker
from tests.support.intake_routing import decided

OTHER_CASE, NOBODY = "d" * 32, "0" * 32
OWN = {
    "its client reported it": {"client": "leeds-police"},
    "its body owes a duty in it": {"client": "leeds-council", "body": "la:E08000035"},
    "its body is told of it": {"client": "wyp", "body": "police:west-yorkshire"},
}
STRANGERS = {
    "another agency": {"client": "wandsworth-council", "body": "la:E09000032"},
    "nobody": {},
    "a body without a client": {"body": "la:E08000035"},
}


@pytest.fixture
async def alert_id(database: Database) -> UUID:
    """Make a case with a duty and an alert, and return the alert's id."""
    await move_clock_to(database, NOON)
    await feed(
        database,
        decided(CASE, reporters=("leeds-police",)),
        obligation_opened(1, UUID(int=1), date(2026, 11, 9)),
        notice_refused(2),
    )
    async with database.connect() as connection:
        (alert,) = await alerts.find(connection, EVERYTHING)
    return alert.alert_id


@pytest.mark.parametrize("acts_for", OWN.values(), ids=OWN)
async def test_a_review_officer_sees_and_takes_on_what_is_their_agency_s(
    alert_id: UUID, database_url: str, acts_for: dict[str, str]
) -> None:
    async with client(app(database_url), "review_officer", **acts_for) as http:
        duties = (await http.get("/v1/obligations")).json()["obligations"]
        shown = (await http.get("/v1/alerts")).json()["alerts"]
        desk = (await http.get("/desk")).text
        taken = await http.post(f"/v1/alerts/{alert_id}/acknowledge")

    assert [each["case_key"] for each in duties] == [CASE]
    assert [each["alert_id"] for each in shown] == [str(alert_id)]
    assert f"/case/{CASE}" in desk
    assert taken.json()["acknowledged_name"] == "Olu Example"


@pytest.mark.parametrize("acts_for", STRANGERS.values(), ids=STRANGERS)
async def test_another_agency_s_duties_and_alerts_are_as_ones_that_there_are_not(
    alert_id: UUID, database_url: str, acts_for: dict[str, str]
) -> None:
    async with client(app(database_url), "review_officer", **acts_for) as http:
        foreign = [await http.get("/v1/obligations", params={"case": key}) for key in (CASE, NOBODY)]
        lists = [(await http.get(path)).text for path in ("/v1/obligations", "/v1/alerts", "/desk")]
        filters = (await http.get("/desk")).text
        taken = [
            await http.post(f"/v1/alerts/{one}/acknowledge", headers={"accept": accept})
            for one in (alert_id, UUID(int=404))
            for accept in ("text/html", "application/json")
        ]
        from_the_desk = [await http.post(f"/desk/alerts/{one}/acknowledge") for one in (alert_id, UUID(int=404))]

    assert foreign[0].content == foreign[1].content
    assert [CASE in shown or str(alert_id) in shown for shown in lists] == [False, False, False]
    assert "la:E08000035" not in filters
    assert 'value="N-0' not in filters
    assert {answer.status_code for answer in (*taken, *from_the_desk)} == {404}
    assert [answer.content for answer in taken[:2]] == [answer.content for answer in taken[2:]]
    assert from_the_desk[0].content == from_the_desk[1].content


@pytest.mark.usefixtures("alert_id")
async def test_whoever_is_asked_sees_the_question_and_its_alert_and_nothing_else_of_the_case(
    database: Database, database_url: str
) -> None:
    asked = question_opened(3, UUID(int=3), date(2026, 11, 2), date(2026, 10, 30))
    data = asked.data.model_copy(update={"of_whom": "la:E09000032", "of_whom_name": "Wandsworth"})
    await feed(database, asked.model_copy(update={"data": data}))
    await move_clock_to(database, datetime(2026, 11, 3, 9, tzinfo=UTC))
    await drain(worker(database))

    seen = {}
    for body in ("la:E09000032", "la:E08000016"):
        async with client(app(database_url), "review_officer", client="council", body=body) as http:
            duties = (await http.get("/v1/obligations")).json()["obligations"]
            questions = (await http.get("/v1/obligations", params={"kind": "question"})).json()["obligations"]
            shown = (await http.get("/v1/alerts")).json()["alerts"]
            desk = (await http.get("/desk")).text
            taken = [(await http.post(f"/v1/alerts/{one['alert_id']}/acknowledge")).status_code for one in shown]
        seen[body] = [
            duties,
            [(one["title"], one["duty_holder"]) for one in questions],
            [one["says"] for one in shown],
            taken,
            ["When did your authority" in desk, f"/case/{CASE}" in desk, "Tell the Panel" in desk],
        ]

    ask = "When did your authority become aware of the incident?"
    late = f"{ask} (Wandsworth): was due Monday 2 November 2026 and is not met."
    assert seen == {
        "la:E09000032": [[], [(ask, "la:E09000032")], [late], [200], [True, True, False]],
        "la:E08000016": [[], [], [], [], [False, False, False]],
    }


@pytest.mark.usefixtures("alert_id")
async def test_a_page_is_full_of_what_may_be_seen(database: Database, database_url: str) -> None:
    foreign = [
        obligation_opened(10 + number, UUID(int=10 + number), date(2026, 11, 3), case_key=OTHER_CASE)
        for number in range(5)
    ]
    await feed(database, *foreign)

    async with client(app(database_url), "review_officer", client="leeds-police") as http:
        page = (await http.get("/v1/obligations", params={"limit": 1})).json()

    assert [each["case_key"] for each in page["obligations"]] == [CASE]
    assert page["next"] is None


@pytest.mark.usefixtures("alert_id")
async def test_an_alert_about_no_case_is_for_operations(database: Database, database_url: str) -> None:
    await feed_quarantines(database, quarantined(20).model_copy(update={"case_key": None}))

    seen = []
    for role, acts_for in (("operations", {}), ("review_officer", OWN["its body owes a duty in it"])):
        async with client(app(database_url), role, **acts_for) as http:
            seen.append(len((await http.get("/v1/alerts")).json()["alerts"]))

    assert seen == [2, 1]


@pytest.mark.usefixtures("alert_id")
async def test_an_alert_about_the_quarantine_is_read_by_the_case_s_officers_and_taken_on_by_operations_alone(
    database: Database, database_url: str
) -> None:
    await feed_quarantines(database, quarantined(20).model_copy(update={"case_key": CASE}))
    officer = OWN["its body owes a duty in it"]

    async with client(app(database_url), "review_officer", **officer) as http:
        listed = (await http.get("/v1/alerts")).json()["alerts"]
        (put_aside,) = (one["alert_id"] for one in listed if one["kind"] == "record.quarantined")
        seen = (await http.get("/desk")).text
        refused = [await http.post(f"{path}/alerts/{put_aside}/acknowledge") for path in ("/v1", "/desk")]
        still_open = (await http.get("/v1/alerts")).json()["total"]
    async with client(app(database_url), "operations") as http:
        button = f"/desk/alerts/{put_aside}/acknowledge" in (await http.get("/desk")).text
        taken = await http.post(f"/v1/alerts/{put_aside}/acknowledge")

    assert "Only operations may acknowledge this alert." in seen
    assert seen.count("/acknowledge") == 1  # of the other alert
    assert [answer.status_code for answer in refused] == [403, 403]
    assert "Ask them to retry or discard what is in it." in refused[0].json()["detail"]
    assert still_open == 2
    assert button
    assert taken.json()["acknowledged_name"] == "Olu Example"


async def test_the_duty_holders_of_cases_of_an_earlier_version_are_parties_to_them(database: Database) -> None:
    asked = replace(duty(3), kind="question", duty_holder="la:E09000032")
    async with database.begin() as tx:
        await duties.save(tx.connection, [duty(1), duty(2), asked])
        await tx.connection.execute(text(import_module("services.deadlines.migrations.0003_case_party")._BACKFILL))

    async with database.connect() as connection:
        parties = await connection.execute(text("SELECT case_key, party FROM deadlines.case_party"))
    assert [tuple(row) for row in parties] == [(CASE, "la:E08000035")]
