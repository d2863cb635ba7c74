"""The pages of a case in a real browser without JavaScript: read, asked about a recipient, and what happened recorded."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page

from handrail.embedded.postgres import DatabaseAddress
from schemas.case_events import ChildFacts
from schemas.submissions import SUBMISSIONS
from tests.support.browser import PHONE, assert_reflows, axe, browser, press, tab_to
from tests.support.road import Road, move_clock
from tests.support.routing import (
    CASE,
    CHILD,
    LEEDS,
    OTHER_CASE,
    WANDSWORTH,
    acted,
    aware,
    decided,
    linked,
    reported,
    submitted,
    suspects,
)
from tests.support.routing_app import FRONT, app, client, token
from tests.support.routing_intake import FakeIntake
from tests.support.web import address_of, free_listener, serving


@asynccontextmanager
async def visit(
    address: DatabaseAddress,
    path: str,
    *,
    intake: FakeIntake | None = None,
    role: str = "review_officer",
    **changed: Any,
) -> AsyncIterator[Page]:
    """Open a page on a phone, signed in as somebody who acts for a client."""
    listener = free_listener()
    here = address_of(listener)
    upstream = web.Application()
    upstream.router.add_post("/v1/events", (intake or FakeIntake()).post)
    async with TestServer(upstream) as server:
        application = app(address, routing_url=here, intake_url=str(server.make_url("")), **changed)
        async with application.state.open_sessions(), serving(application, listener), browser() as found:
            seen = await found.page_at(PHONE)
            value = token(role, client="council-leeds", body=f"la:{LEEDS}")
            await seen.page.context.add_cookies([{"name": "handrail_session", "value": value, "url": here}])
            await seen.page.goto(here + path)
            yield seen.page
            assert [error for error in seen.errors if "422" not in error] == []  # a refused form says so
        await application.state.runtime.database.close()


async def story(road: Road) -> None:
    await road.route(reported(), aware(), suspects())
    await road.route(decided("not_notify"))
    await road.route(linked(OTHER_CASE, to=CASE))


async def test_a_case_says_what_is_owed_to_whom_why_and_since_when(road: Road, address: DatabaseAddress) -> None:
    await story(road)

    async with visit(address, f"/case/{CASE}", role="auditor") as page:
        shown = " ".join((await page.locator("main").inner_text()).split())
        assert await axe(page) == []
        await assert_reflows(page)

    for words in (
        "Tell the Panel - the child died or was seriously harmed in the authority's area",
        "Leeds City Council",
        "Children Act 2004, section 16C(1)(a)",
        "withdrawn: decision not to notify",
        "Monday 8 June 2026",
        "Not checked against the full text",
        "rulebook 2026.11.0, edition RB-2026.1. RB-2026.1: not checked against the full text",
        f"Decided together with case {OTHER_CASE[:8]}",
    ):
        assert words in shown
    assert "Record what happened" not in shown  # an auditor looks only


async def test_a_duty_of_the_pandemic_names_both_editions_and_says_that_its_period_was_relaxed(
    road: Road, address: DatabaseAddress
) -> None:
    monday = date(2020, 3, 30)
    await road.route(
        reported(on=monday),
        aware(on=monday),
        suspects(since=monday),
        submitted(when=datetime(2020, 3, 30, 12, tzinfo=UTC)),
    )

    async with visit(address, f"/case/{CASE}", role="auditor") as page:
        articles = {
            title: " ".join((await page.locator("article", has_text=title).inner_text()).split())
            for title in ("Carry out a rapid review", "Tell the Panel")
        }

    assert "edition RB-2018.2 with RB-2020.C. " in articles["Carry out a rapid review"]
    assert "The period is relaxed during the pandemic. " in articles["Carry out a rapid review"]
    assert "edition RB-2018.2. RB-2018.2: not checked against the full text" in articles["Tell the Panel"]
    assert "relaxed" not in articles["Tell the Panel"]


async def test_an_area_in_which_nobody_is_registered_is_named_beside_those_who_are_told(
    road: Road, address: DatabaseAddress
) -> None:
    child = ChildFacts(
        child=CHILD,
        age_at_incident=3,
        care_leaver="no",
        looked_after="yes",
        looked_after_by=WANDSWORTH,
        placed_in=LEEDS,
        home_area="W06000015",
    )
    await road.route(reported(children=(child,)), aware(), suspects())

    async with client(app(address), "auditor") as http:
        page = (await http.get(f"/case/{CASE}")).text

    assert "Wandsworth Borough Council" in page
    assert "nobody is registered for W06000015: a person must act" in page


async def test_a_duty_for_which_nobody_is_registered_says_so_where_its_notices_would_stand(
    road: Road, address: DatabaseAddress
) -> None:
    child = ChildFacts(child=CHILD, age_at_incident=3, care_leaver="no", looked_after="no", home_area="W06000015")
    await road.route(reported(children=(child,)), aware(), suspects())

    async with client(app(address), "auditor") as http:
        page = (await http.get(f"/case/{CASE}")).text

    cards = page.split("<article")[1:]
    unserved = ["nobody is registered for it: a person must act" in card for card in cards]
    assert any(unserved)
    assert ["None: nobody is registered." in card for card in cards] == unserved


async def test_a_person_asks_about_the_panel_by_keyboard(road: Road, address: DatabaseAddress) -> None:
    await story(road)

    async with visit(address, f"/case/{CASE}") as page:
        await tab_to(page, "Was this recipient told?")
        await page.keyboard.type("Child Safeguarding Practice")
        await tab_to(page, "Ask")
        await press(page, "Enter")
        answer = await page.locator("#answer").inner_text()
        assert await axe(page) == []

    assert "withdrawn" in answer
    assert "decision not to notify" in answer


async def test_a_late_review_is_overdue_until_the_reasons_were_given(road: Road, address: DatabaseAddress) -> None:
    """L-04: six months from the decision; L-05: "the reasons for the delay"."""
    today: date = (await road.rows("SELECT clock.legal_now() AS now"))[0]["now"].date()
    decided_on = {"review.decision": "proceed", "review.decided_on": str(today - timedelta(days=100))}
    delay = {"delay.cause": "criminal_proceedings", "delay.known_on": str(today)}
    tags = []

    async def tag() -> str:
        async with client(app(address), "auditor") as http:
            page = (await http.get(f"/case/{CASE}")).text
        title = page.index("Complete the review and publish it</h3>")
        return str(re.findall(r"govuk-tag[^>]*>\s*([^<]+?)\s*<", page[title:])[0])

    await road.route(reported(), aware(), suspects(), acted("lcspr.decision.made.v1", {**decided_on}))
    tags.append(await tag())
    await move_clock(address, timedelta(days=200))
    tags.append(await tag())
    await road.route(acted("review.delayed.v1", {**delay}, about="d" * 32))
    tags.append(await tag())

    assert tags == ["open", "overdue", "overdue, explained"]


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        ("recipient=panel&on-day=31&on-month=2&on-year=2026", "on-day", "The day must be a real date"),
        ("recipient=panel&on-time=09:30", "on-day", "Enter a day as well as the time"),
        ("recipient=panel&on-day=1&on-month=6&on-year=2026&on-time=soon", "on-day", "must have a time of day"),
        ("recipient=panel&on-day=1&on-month=1&on-year=2999", "on-day", "must not be in the future"),
        ("recipient=panel&on-day=1&on-month=1&on-year=2020", "on-day", "knew nothing of this case then"),
        ("recipient=nobody", "recipient", "this recipient is not in the register"),
    ],
)
async def test_what_is_wrong_with_a_question_is_said_at_its_own_field(
    road: Road, address: DatabaseAddress, asked: str, field: str, words: str
) -> None:
    await story(road)

    async with client(app(address), "auditor") as http:
        page = await http.get(f"/case/{CASE}?{asked}")

    assert page.status_code == 422
    assert f'<a href="#{field}">' in page.text
    assert f'id="{field.removesuffix("-day")}-error"' in page.text
    assert page.text.count(words) == 2


async def test_a_page_with_an_error_can_be_read_and_keeps_what_was_typed(road: Road, address: DatabaseAddress) -> None:
    await story(road)

    async with visit(address, f"/case/{CASE}?recipient=panel&on-day=yesterday") as page:
        assert (await page.title()).startswith("Error: ")
        assert await page.input_value("#on-day") == "yesterday"
        assert await page.locator("fieldset").get_attribute("aria-describedby") == "on-hint on-error"
        assert await axe(page) == []
        await assert_reflows(page)


async def test_the_end_of_today_is_answered_as_now(road: Road, address: DatabaseAddress) -> None:
    await story(road)
    today = (await road.rows("SELECT (clock.legal_now() AT TIME ZONE 'Europe/London')::date AS day"))[0]["day"]

    async with client(app(address), "auditor") as http:
        page = await http.get(
            f"/case/{CASE}?recipient=panel&on-day={today.day}&on-month={today.month}&on-year={today.year}"
        )

    assert page.status_code == 200
    assert 'id="answer"' in page.text


async def test_awareness_is_recorded_through_intake_with_the_person_s_own_token(
    road: Road, address: DatabaseAddress
) -> None:
    await road.route(reported())
    intake = FakeIntake()

    async with visit(address, f"/case/{CASE}/record/la.became_aware.v1", intake=intake) as page:
        assert await axe(page) == []
        await assert_reflows(page)
        await page.fill("#case_reference", "LCC-2026-1")
        for part, value in (("day", "1"), ("month", "6"), ("year", "2026"), ("time", "10:30")):
            await page.fill(f"#aware_at-{part}", value)
        await page.get_by_role("button", name="Record it").focus()
        await press(page, "Enter")
        heading = await page.locator("h1").inner_text()
        assert await axe(page) == []

    assert heading == "Recorded"
    (event,) = intake.events
    assert event["type"] == "la.became_aware.v1"
    assert event["data"] == {
        "case_reference": "LCC-2026-1",
        "linked_case": {"case_key": CASE},
        "aware_at": "2026-06-01T10:30:00+01:00",
    }
    assert len(event["id"]) == 32
    assert intake.tokens[0].count(".") == 2


async def test_what_intake_refuses_is_shown_at_its_field_and_nothing_typed_is_lost(
    road: Road, address: DatabaseAddress
) -> None:
    await road.route(reported())
    intake = FakeIntake()
    problem = {
        "title": "Refused",
        "status": 422,
        "errors": [{"pointer": "/data/case_reference", "detail": "is needed"}],
    }
    intake.answer = (422, problem)

    async with visit(address, f"/case/{CASE}/record/notification.decision.v1", intake=intake) as page:
        await page.fill("#personal-reason", "because of this")
        await page.click("text=Record it")
        link = page.locator(".govuk-error-summary a")
        assert await link.inner_text() == "Case reference: is needed"
        assert await link.get_attribute("href") == "#case_reference"
        assert await page.input_value("#personal-reason") == "because of this"
        assert await axe(page) == []


@pytest.mark.parametrize("kind", SUBMISSIONS)
async def test_there_is_a_form_for_every_event(road: Road, address: DatabaseAddress, kind: str) -> None:
    await road.route(reported())

    async with client(app(address), "operations") as http:
        page = await http.get(f"/case/{CASE}/record/{kind}")
        chooser = await http.get(f"/case/{CASE}/record")

    assert page.status_code == 200
    assert 'name="case_reference"' in page.text
    assert f"/record/{kind}" in chooser.text


async def test_the_list_finds_a_case_by_how_its_key_begins(road: Road, address: DatabaseAddress) -> None:
    async with client(app(address), "auditor") as http:
        empty = await http.get("/case")
    await road.route(reported(), reported(case_key=OTHER_CASE))
    async with client(app(address), "auditor") as http:
        found = await http.get("/case", params={"key": "aaaa"})
        nothing = await http.get("/case", params={"key": "not a key"})
        whole = await http.get("/case", params={"key": CASE})

    assert "No case has been decided yet" in empty.text
    assert CASE in found.text
    assert OTHER_CASE not in found.text
    assert "No case has a key that begins so" in nothing.text
    assert (whole.status_code, whole.headers["location"]) == (303, f"/case/{CASE}")


async def test_every_case_stands_on_one_page_of_the_list(road: Road, address: DatabaseAddress) -> None:
    keys = [f"{number:032x}" for number in range(60)]  # a page holds 50
    await road.route(*(reported(case_key=key) for key in keys))

    async with client(app(address), "auditor") as http:
        first = await http.get("/case", params={"key": "0"})
        (link,) = re.findall(r'href="(/case\?[^"]*)"', first.text)
        second = await http.get(unescape(link))
        one = (await http.get("/v1/cases")).json()
        other = (await http.get("/v1/cases", params={"after": one["next"]})).json()
        wrong = [(await http.get("/v1/cases", params={"after": after})).status_code for after in ("x", "2026-01-01~\0")]

    shown = [re.findall(r'href="/case/([0-9a-f]{32})"', page.text) for page in (first, second)]
    assert list(map(len, shown)) == [50, 10]
    assert sorted(shown[0] + shown[1]) == keys
    assert [each["case_key"] for page in (one, other) for each in page["cases"]] == shown[0] + shown[1]
    assert other["next"] is None
    assert wrong == [422, 422]


async def test_without_a_session_a_page_leads_to_the_sign_in(road: Road, address: DatabaseAddress) -> None:
    await road.route(reported())
    async with client(app(address), None) as http:
        answers = [await http.get(path) for path in ("/case", f"/case/{CASE}", f"/case/{CASE}/record")]

    assert [answer.status_code for answer in answers] == [303, 303, 303]
    assert all(answer.headers["location"].startswith(f"{FRONT}/sign-in?next=") for answer in answers)
