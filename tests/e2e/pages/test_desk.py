"""The desk: what is overdue, how a date was counted, taking an alert on, and narrowing down."""

from __future__ import annotations

import pytest

from tests.support.installation import PlayedDemo
from tests.support.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")


def group(heading: str) -> str:
    return f"section:has(> h2:text-is('{heading}'))"


async def test_overdue_duties_stand_first_each_with_its_basis_its_date_and_what_closes_it(visitor: Visitor) -> None:
    await visitor.sign_in("operations")
    await visitor.open("deadlines", "/desk")

    headings = await visitor.page.locator("main h2").all_inner_texts()
    overdue = await visitor.page.locator(f"{group('Overdue')} article").all()

    assert headings == ["Alerts", "Filter", "Overdue", "Due within 2 working days", "Later", "No date yet"]
    assert len(overdue) >= 7  # what examples/events/expected.yaml lists
    for duty in overdue:
        text = await duty.inner_text()
        facts = set(await duty.locator("dt").all_inner_texts())
        assert "overdue" in text
        assert "Not checked against the full text" in text
        assert {"Due", "Who", "Duty", "Case", "Rule", "Basis", "Closed when"} <= facts


async def test_how_a_due_date_was_counted_is_read_day_by_day(visitor: Visitor, demo: PlayedDemo) -> None:
    key = demo.played.cases["wandsworth-council", "WAN-2026-0009"]
    duty = next(
        each
        for each in demo.installation.web("deadlines").get(f"/v1/obligations?state=open&case={key}")["obligations"]
        if each["rule"] == "N-06H"
    )
    await visitor.sign_in("review_officer", client="halton-council", body="la:E06000006")
    await visitor.open("deadlines", "/desk?rule=N-06H")

    await visitor.unfold(f"How this date was counted: N-06H, case {key[:8]}, {duty['title']}")

    opened = await visitor.page.locator("details[open]").inner_text()
    assert "5 working days after Monday 1 June 2026" in opened
    days = [line for line in opened.splitlines() if line.startswith(("Monday", "Saturday", "Sunday"))]
    assert [day.split("\t")[:2] for day in days] == [
        ["Monday 1 June 2026", "0"],
        ["Saturday 6 June 2026", "not counted"],
        ["Sunday 7 June 2026", "not counted"],
        ["Monday 8 June 2026", "5"],
    ]
    assert "England calendar" in opened


async def test_an_alert_is_taken_on_by_name(visitor: Visitor, demo: PlayedDemo) -> None:
    alert = next(
        each for each in demo.installation.web("deadlines").get("/v1/alerts")["alerts"] if not each["acknowledged_at"]
    )
    await visitor.sign_in("operations")
    await visitor.open("deadlines", "/desk")
    waiting = await visitor.page.get_by_role("button", name="Acknowledge").count()

    await visitor.choose(f"Acknowledge: {alert['says']}")

    assert await visitor.page.get_by_role("button", name="Acknowledge").count() == waiting - 1
    assert "Acknowledged by Olive Operations" in await visitor.text()


async def test_the_desk_is_narrowed_to_one_rule_and_back(visitor: Visitor) -> None:
    await visitor.sign_in("operations")
    await visitor.open("deadlines", "/desk")
    everything = await visitor.page.locator("article").count()

    await visitor.select("Rule", "X-01")
    await visitor.choose("Apply filters")

    rules = await visitor.page.locator("dt:text-is('Rule') + dd").all_inner_texts()
    assert rules
    assert all(rule.startswith("X-01") for rule in rules)
    assert await visitor.page.locator("#rule").input_value() == "X-01"

    await visitor.choose("Clear filters")

    assert await visitor.page.locator("article").count() == everything


async def test_a_filter_that_nothing_fits_says_so(visitor: Visitor) -> None:
    await visitor.sign_in("operations")

    await visitor.open("deadlines", "/desk?rule=N-99")

    assert "No open duty fits the filter." in await visitor.text()


async def test_a_duty_leads_to_its_case(visitor: Visitor, demo: PlayedDemo) -> None:
    key = demo.played.cases["leeds-adults-board", "SAB-2026-0004"]
    await visitor.sign_in("operations")
    await visitor.open("deadlines", "/desk?rule=X-01")

    await visitor.choose(f"case {key[:8]}")

    assert visitor.page.url == f"{demo.installation.url('routing')}/case/{key}"


async def test_a_role_that_may_not_see_the_desk_is_told_what_to_do(visitor: Visitor) -> None:
    await visitor.sign_in("auditor")

    await visitor.open("deadlines", "/desk", status=403)

    assert await visitor.heading() == "You cannot do this"
    assert "What to do" in await visitor.text()
