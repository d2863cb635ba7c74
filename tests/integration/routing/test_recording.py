"""What the record page sends to intake, and what it answers to a form that intake or the session does not take."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import httpx
from aiohttp import web
from aiohttp.test_utils import TestServer

from handrail.embedded.postgres import DatabaseAddress
from tests.support.road import Road, move_clock
from tests.support.routing import CASE, reported
from tests.support.routing_app import app, client
from tests.support.routing_intake import FakeIntake

FORM = f"/case/{CASE}/record/notification.decision.v1"
TYPED = {"event.id": "0" * 32, "case_reference": "LCC-2026-1", "outcome": "notify"}


@asynccontextmanager
async def officer(
    address: DatabaseAddress, intake: FakeIntake, role: str | None = "operations"
) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client of the pages, which post to `intake`."""
    upstream = web.Application()
    upstream.router.add_post("/v1/events", intake.post)
    async with TestServer(upstream) as server:
        application = app(address, intake_url=str(server.make_url("")))
        async with application.state.open_sessions(), client(application, role) as http:
            yield http


async def test_what_was_sent_later_counts_later_whenever_its_form_was_opened(
    road: Road, address: DatabaseAddress
) -> None:
    await road.route(reported())
    intake = FakeIntake()

    async with officer(address, intake) as http:
        opened = await http.get(FORM)
        assert "event.time" not in opened.text
        for event_id in ("a" * 32, "b" * 32):
            await move_clock(address, timedelta(minutes=5))
            await http.post(FORM, data={**TYPED, "event.id": event_id, "event.time": "2026-01-01T00:00:00Z"})

    first, second = (datetime.fromisoformat(event["time"]) for event in intake.events)
    assert second - first >= timedelta(minutes=5)


async def test_a_form_sent_twice_is_said_to_be_recorded_already_and_shows_the_receipt(
    road: Road, address: DatabaseAddress
) -> None:
    await road.route(reported())
    intake = FakeIntake()
    receipt = "4f6f2ac6-6a0c-4a43-8d0e-6a1c6b0b7c55"
    errors = [{"pointer": "/time", "detail": "this differs"}]
    intake.answer = (409, {"title": "Different", "errors": errors, "receipt_id": receipt})

    async with officer(address, intake) as http:
        answer = await http.post(FORM, data=TYPED)

    assert answer.status_code == 200
    assert "Intake had kept it already" in answer.text
    assert f'/receipts/{receipt}">See what becomes of it' in answer.text


async def test_a_form_that_says_something_else_than_was_recorded_is_refused_and_what_was_recorded_is_said_to_stand(
    road: Road, address: DatabaseAddress
) -> None:
    await road.route(reported())
    intake = FakeIntake()
    receipt = "4f6f2ac6-6a0c-4a43-8d0e-6a1c6b0b7c55"
    errors = [
        {"pointer": pointer, "detail": "this differs", "expected": "the same as before, or a new id"}
        for pointer in ("/data/outcome", "/time")
    ]
    intake.answer = (
        409,
        {"title": "Different", "detail": "Nothing was changed.", "errors": errors, "receipt_id": receipt},
    )

    async with officer(address, intake) as http:
        answer = await http.post(FORM, data=TYPED)

    assert answer.status_code == 409
    assert "Nothing was recorded." not in answer.text
    assert "This form was recorded before, with other answers." in answer.text
    assert f'/receipts/{receipt}">See what was recorded' in answer.text
    assert "What was decided: this is not what was recorded" in answer.text
    assert "a new id" not in answer.text
    assert "Time: this" not in answer.text


async def test_a_form_of_whose_event_nothing_is_kept_any_more_is_refused(road: Road, address: DatabaseAddress) -> None:
    await road.route(reported())
    intake = FakeIntake()
    intake.answer = (409, {"title": "Different", "detail": "It was lost here since."})

    async with officer(address, intake) as http:
        answer = await http.post(FORM, data=TYPED)

    assert answer.status_code == 409
    assert "Nothing was recorded." in answer.text
    assert "It was lost here since." in answer.text


async def test_of_what_intake_did_not_answer_it_is_not_said_that_it_was_not_recorded(
    road: Road, address: DatabaseAddress
) -> None:
    await road.route(reported())
    intake = FakeIntake()
    intake.answer = (503, {"title": "Not now", "detail": "It may or may not have been kept."})

    async with officer(address, intake) as http:
        answer = await http.post(FORM, data=TYPED)

    assert answer.status_code == 503
    assert "It may or may not have been kept." in answer.text
    assert "Nothing was recorded." not in answer.text


async def test_who_alone_may_report_an_event_is_said_before_its_form_is_opened(
    road: Road, address: DatabaseAddress
) -> None:
    await road.route(reported())

    async with officer(address, FakeIntake()) as http:
        listed = await http.get(FORM.rpartition("/")[0])

    assert "Only a local authority may report it." in listed.text


async def test_a_form_sent_after_the_session_has_ended_is_handed_back_as_typed(
    road: Road, address: DatabaseAddress
) -> None:
    await road.route(reported())
    intake = FakeIntake()

    async with officer(address, intake, None) as http:
        accepted = {"accept": "text/html"}
        answer = await http.post(FORM, data={**TYPED, "personal.reason": "<b>not met</b>"}, headers=accepted)

    assert answer.status_code == 401
    assert "Your session has ended" in answer.text
    assert "&lt;b&gt;not met&lt;/b&gt;" in answer.text
    assert f'value="{TYPED["event.id"]}"' in answer.text
    assert intake.events == []
