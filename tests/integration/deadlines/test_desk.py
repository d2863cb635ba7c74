"""The page `/desk` in a real browser without JavaScript: read, filtered, and an alert taken on, by keyboard."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from playwright.async_api import Locator, Page

from services.deadlines.desk import ALERTS, PAGE
from services.deadlines.domain.alert import Alert
from services.deadlines.store import alerts, duties
from services.kit.database import Database
from tests.support.browser import PHONE, assert_reflows, axe, browser, press, tab_to
from tests.support.deadlines import CASE, NOON, duty, obligation_opened, question_opened
from tests.support.deadlines_app import FRONT, app, client, token
from tests.support.deadlines_database import drain, feed, move_clock_to, worker
from tests.support.web import address_of, free_listener, serving

MONDAY = date(2026, 11, 2)


@asynccontextmanager
async def _desk(database_url: str, *, width: int = PHONE, path: str = "/desk") -> AsyncIterator[Page]:
    """Open the desk as a signed-in operator."""
    listener = free_listener()
    address = address_of(listener)
    application = app(database_url, deadlines_url=address, routing_url="http://127.0.0.1:1")
    async with serving(application, listener), browser() as found:
        visit = await found.page_at(width)
        cookie = {"name": "handrail_session", "value": token("operations"), "url": address}
        await visit.page.context.add_cookies([cookie])  # type: ignore[list-item]  # a cookie is a cookie
        await visit.page.goto(address + path)
        yield visit.page
        assert visit.errors == []
    await application.state.runtime.database.close()


async def _four_groups(database: Database) -> None:
    """Open one duty for each group as of Thu 12 November 2026 at midday, and let the timers fire."""
    await move_clock_to(database, NOON)
    await feed(
        database,
        obligation_opened(11, UUID(int=1), date(2026, 11, 9), from_on=MONDAY),  # overdue since Tue 10
        obligation_opened(12, UUID(int=2), date(2026, 11, 13), from_on=date(2026, 11, 6)),  # 1 working day left
        obligation_opened(13, UUID(int=3), date(2026, 11, 30), from_on=date(2026, 11, 9), working_days=15),
        obligation_opened(14, UUID(int=4), None),
    )
    await move_clock_to(database, datetime(2026, 11, 12, 12, tzinfo=UTC))
    await drain(worker(database))


async def test_the_desk_shows_each_duty_in_its_group_with_the_words_of_its_date(
    database: Database, database_url: str
) -> None:
    await _four_groups(database)

    async with _desk(database_url) as page:
        shown = {
            await section.locator("h2").inner_text(): " ".join((await section.inner_text()).split())
            for section in await page.locator("section[aria-labelledby^=group]").all()
        }
        assert await axe(page) == []
        await assert_reflows(page)

    assert list(shown) == ["Overdue", "Due within 2 working days", "Later", "No date yet"]
    assert "Monday 9 November 2026, 3 working days overdue" in shown["Overdue"]  # Tue 10, Wed 11, Thu 12
    assert "Friday 13 November 2026, 1 working day left" in shown["Due within 2 working days"]
    assert "Monday 30 November 2026, 12 working days left" in shown["Later"]  # Fri 13, Mon 16 ... Fri 27, Mon 30
    assert "Not known yet: aware on, from local authority E08000035." in shown["No date yet"]
    for words in ("must (law)", "Not checked against the full text", "the Panel's reference is recorded"):
        assert all(words in text for text in shown.values())


async def test_how_a_date_was_counted_is_read_by_keyboard_without_javascript(
    database: Database, database_url: str
) -> None:
    await move_clock_to(database, datetime(2026, 12, 30, 12, tzinfo=UTC))
    await feed(database, obligation_opened(11, UUID(int=1), date(2027, 1, 4), from_on=date(2026, 12, 23)))

    async with _desk(database_url) as page:
        await tab_to(page, "How this date was counted: N-01, case cccccccc, Tell the Panel")
        await page.keyboard.press("Enter")
        rows = [(await row.inner_text()).split("\t") for row in await page.locator("tbody tr").all()]
        assert await axe(page) == []
        await assert_reflows(page)

    assert rows[0][:2] == ["Wednesday 23 December 2026", "0"]
    assert rows[2] == ["Friday 25 December 2026", "not counted", "Christmas Day: common law holiday"]
    assert rows[-1] == ["Monday 4 January 2027", "5", "Monday"]
    assert len(rows) == 13  # 23 December to 4 January


async def test_an_alert_is_acknowledged_by_keyboard_and_shows_the_name(database: Database, database_url: str) -> None:
    await _four_groups(database)

    async with _desk(database_url) as page:
        breach = "Tell the Panel (Leeds City Council): was due Monday 9 November 2026 and is not met."
        await tab_to(page, f"Acknowledge: {breach}")
        await press(page, "Enter")
        left = await page.get_by_role("button", name="Acknowledge").all_inner_texts()
        taken = await page.locator("section[aria-labelledby=alerts] li").inner_text()
        assert await axe(page) == []

    assert len(left) == 1  # the warning about Friday
    assert taken.startswith(f"{breach} Acknowledged by Olu Example")


async def test_the_filter_narrows_by_who_must_act_and_by_rule(database: Database, database_url: str) -> None:
    await move_clock_to(database, NOON)
    await feed(
        database,
        obligation_opened(11, UUID(int=1), date(2026, 11, 9), from_on=MONDAY),
        question_opened(12, UUID(int=2), date(2026, 11, 3), MONDAY),
    )

    async with _desk(database_url) as page:
        await page.get_by_label("Rule").select_option("N-03")
        await press_button(page, "Apply filters")
        titles = await page.locator("article h3").all_inner_texts()
        await page.goto(page.url.replace("N-03", "N-99"))
        nothing = await page.locator("main").inner_text()

    assert titles == ["When did your authority become aware of the incident?"]
    assert "No open duty fits the filter." in nothing


async def press_button(page: Page, name: str) -> None:
    await tab_to(page, name)
    await press(page, "Enter")


async def test_an_empty_desk_says_so(database_url: str) -> None:
    async with _desk(database_url) as page:
        shown = await page.locator("main").inner_text()
        assert await axe(page) == []
        await assert_reflows(page)

    assert "No alert waits for a person." in shown
    assert "No duty is open." in shown


async def test_a_long_desk_comes_page_by_page(database: Database, database_url: str) -> None:
    many = [replace(duty(number, date(2026, 11, 9)), title=f"Duty {number:03}") for number in range(PAGE + 1)]
    async with database.begin() as tx:
        await duties.save(tx.connection, many)

    async with _desk(database_url) as page:
        first = await page.locator("article h3").all_inner_texts()
        await _go(page, page.get_by_role("link", name="Next"))
        second = await page.locator("article h3").all_inner_texts()

    assert first + second == [f"Duty {number:03}" for number in range(PAGE + 1)]


async def test_a_later_page_on_which_nothing_is_left_does_not_say_that_nothing_is_open(
    database: Database, database_url: str
) -> None:
    async with database.begin() as tx:
        await duties.save(tx.connection, [duty(number, date(2026, 11, 9)) for number in range(PAGE + 1)])

    async with client(app(database_url), "operations") as http:
        place = re.search('after=([^&"]+)', (await http.get("/desk")).text)
        assert place is not None
        async with database.begin() as tx:
            await duties.save(
                tx.connection, [replace(duty(PAGE, date(2026, 11, 9)), state="met", closed_at=NOON, met_on=MONDAY)]
            )
        shown = (await http.get(f"/desk?after={place[1]}")).text

    assert shown.count("None on this page.") == 4
    assert "No duty is open." not in shown
    assert "First page" in shown


async def test_a_filter_that_fits_no_open_duty_any_more_is_shown_as_it_is_set(
    database: Database, database_url: str
) -> None:
    async with database.begin() as tx:
        await duties.save(tx.connection, [duty()])

    async with client(app(database_url), "operations") as http:
        shown = (await http.get("/desk?holder=la:E09000032&rule=N-99")).text

    set_to = re.findall("<option[^>]* selected>([^<]*)</option>", shown)
    offered = re.findall('<option value="([^"]+)"', shown)
    assert set_to == ["local authority E09000032", "N-99"]
    assert offered == ["la:E08000035", "la:E09000032", "N-01", "N-99"]


async def test_many_alerts_come_page_by_page_beside_the_pages_of_the_duties(
    database: Database, database_url: str
) -> None:
    warnings = [
        Alert(UUID(int=number), "deadline.due-soon", "warning", "duty", f"Warning {number:03}.", NOON, case_key=CASE)
        for number in range(ALERTS + 1)
    ]
    async with database.begin() as tx:
        await duties.save(tx.connection, [duty(number, date(2026, 11, 9)) for number in range(PAGE + 1)])
        await alerts.add(tx.connection, warnings)

    async with _desk(database_url) as page:
        first = await _alerts_on(page)
        said = await page.locator("section[aria-labelledby=alerts]").inner_text()
        assert await axe(page) == []
        await assert_reflows(page)
        await _go(page, page.get_by_role("link", name=re.compile("Next.*alerts")))
        second = await _alerts_on(page)
        await _go(page, page.get_by_role("link", name=re.compile("Next.*duties")))
        both = (await _alerts_on(page), await page.locator("article").count())
        await _go(page, page.get_by_role("button", name=re.compile("Acknowledge.*Warning 050")))
        taken = (await _alerts_on(page), await page.locator("article").count())
        await _go(page, page.get_by_role("link", name=re.compile("First page.*alerts")))
        back = (await _alerts_on(page), await page.locator("article").count())

    assert first + second == [alert.says for alert in warnings]
    assert "51 alerts wait for a person." in said
    assert both == (second, 1)
    assert taken == ([], 1)  # on the same pages, with nothing left on that of the alerts
    assert back == (first, 1)


async def test_the_desk_says_how_many_acknowledged_alerts_it_does_not_show(
    database: Database, database_url: str
) -> None:
    async with database.begin() as tx:
        for number in range(ALERTS + 2):
            warning = Alert(UUID(int=number), "deadline.due-soon", "warning", "duty", "Due.", NOON, case_key=CASE)
            await alerts.add(tx.connection, [warning])
            await alerts.acknowledge(tx.connection, warning.alert_id, by="account-1", name="Ada Example", now=tx.now)

    async with client(app(database_url), "operations") as http:
        shown = (await http.get("/desk")).text

    assert shown.count("Acknowledged by") == ALERTS
    assert "2 more were acknowledged in the last day and are not shown here." in shown


async def _go(page: Page, control: Locator) -> None:
    """Press what leads to another page, and wait until all of that is there."""
    async with page.expect_navigation():
        await control.click()


async def _alerts_on(page: Page) -> list[str]:
    return await page.locator("section[aria-labelledby=alerts] .govuk-inset-text > p:nth-of-type(2)").all_inner_texts()


@pytest.mark.parametrize(("role", "status"), [("partner", 403), ("auditor", 403), (None, 303)])
async def test_the_desk_is_for_those_who_work_on_it(database_url: str, role: str | None, status: int) -> None:
    async with client(app(database_url), role) as http:
        answer = await http.get("/desk", headers={"Accept": "text/html"})

    assert answer.status_code == status
    if status == 303:
        assert answer.headers["location"].startswith(f"{FRONT}/sign-in?next=")


async def test_a_form_from_another_site_acknowledges_nothing(database: Database, database_url: str) -> None:
    await _four_groups(database)
    async with client(app(database_url), "operations") as http:
        alert = (await http.get("/v1/alerts")).json()["alerts"][0]["alert_id"]
        headers = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
        answer = await http.post(f"/desk/alerts/{alert}/acknowledge", headers=headers)
        left = (await http.get("/v1/alerts")).json()["alerts"]

    assert answer.status_code == 403
    assert alert in [one["alert_id"] for one in left]


@pytest.mark.parametrize("address", ["/desk?rule=%00", "/desk?holder=la%00"])
async def test_a_filter_that_no_duty_can_have_is_refused(database_url: str, address: str) -> None:
    async with client(app(database_url), "operations") as http:
        assert (await http.get(address)).status_code == 422
