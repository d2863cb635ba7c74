"""What was considered for notification, in a real browser without JavaScript, on a phone: found, filtered and read by keyboard."""

from __future__ import annotations

from handrail.embedded.postgres import DatabaseAddress
from tests.integration.routing.test_considered import story
from tests.integration.routing.test_pages import visit
from tests.support.browser import assert_reflows, axe, press, tab_to
from tests.support.road import Road
from tests.support.routing import CASE


async def test_an_auditor_finds_by_keyboard_who_disagreed_with_not_notifying(
    road: Road, address: DatabaseAddress
) -> None:
    await story(road)

    async with visit(address, "/case", role="auditor") as page:
        await tab_to(page, "Considered")
        await press(page, "Enter")
        counted = " ".join((await page.locator("main").inner_text()).split())
        assert await axe(page) == []
        await assert_reflows(page)
        await tab_to(page, "What was decided")
        await page.keyboard.type("Not notified")
        await tab_to(page, "Apply filters")
        await press(page, "Enter")
        listed = await page.locator("article h3 a").all_inner_texts()
        shown = " ".join((await page.locator("article").inner_text()).split())
        await tab_to(page, f"case {CASE[:8]}")
        await press(page, "Enter")
        heading = await page.locator("h1").inner_text()

    assert "3 considered: 1 not notified, 1 notified, 0 to be notified, 1 still open." in counted
    assert "median 7 working days, longest 7 working days, over 1 of the 1 notified" in counted
    assert "0 in time, 1 late" in counted
    assert "Not recorded by any event: whether feedback went to the agency that raised the case" in counted
    assert listed == [f"case {CASE[:8]}"]
    for words in (
        "Leeds City Council",
        "decision not to notify, on Wednesday 3 June 2026",
        "Criterion that is not met: harm",
        "Departs from N-01, which as it is written would have the Panel notified",
        "Not unanimous",
        "The integrated care board: to notify: disagreed with the decision",
        "Feedback to it: not recorded",
    ):
        assert words in shown
    assert heading == f"Case {CASE[:8]}"


async def test_a_day_that_is_none_is_told_at_its_field_and_stays_as_typed(address: DatabaseAddress) -> None:
    async with visit(address, "/considered?from=yesterday") as page:
        assert (await page.title()).startswith("Error: ")
        assert await page.input_value("#from") == "yesterday"
        assert await page.locator(".govuk-error-summary a").get_attribute("href") == "#from"
        assert await axe(page) == []
        await assert_reflows(page)
