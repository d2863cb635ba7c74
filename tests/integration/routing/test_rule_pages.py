"""The rulebook in a real browser without JavaScript, on a phone: found by keyboard, read, and free of accessibility errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.embedded.postgres import DatabaseAddress
from tests.integration.routing.test_pages import visit
from tests.support.browser import assert_reflows, axe, press, tab_to
from tests.support.releases import FIRST, SECOND, released, rulebooks
from tests.support.routing_app import app, client


async def test_a_rule_is_found_from_the_cases_and_read_by_keyboard_alone(address: DatabaseAddress) -> None:
    async with visit(address, "/case") as page:
        await tab_to(page, "The rules that cases are decided by")
        await press(page, "Enter")
        listed = await page.locator("tbody th a").all_inner_texts()
        await tab_to(page, "P-01")
        await press(page, "Enter")

        heading = await page.locator("h1").inner_text()
        said = " ".join((await page.locator("main").inner_text()).split())

    assert listed[0] == "N-01"
    assert "P-06" in listed
    assert heading == "P-01: Send the report to the Secretary of State and the Panel before it is published"
    assert "SI 2018/789, regulation 16(1)" in said
    assert "Not checked against the full text" in said
    assert "no later than 7 calendar days before the planned day of publication" in said


async def test_a_condition_stands_in_words_with_its_parts(address: DatabaseAddress) -> None:
    async with visit(address, "/rules/n-01") as page:
        lines = await page.locator("main ul.govuk-list").first.locator("li").all_inner_texts()

    assert "· · · · · the harm: death or serious harm" in lines
    assert "· the country of the incident: England" in lines


async def test_the_editions_of_the_law_stand_on_the_page_and_one_that_nobody_checked_says_so(
    address: DatabaseAddress,
) -> None:
    async with visit(address, "/rules") as page:
        rows = await page.locator("tbody tr", has_text="RB-20").all_inner_texts()
        rapid_review = next(row for row in rows if row.startswith("R-01"))
        editions = [" ".join(row.split()) for row in rows if row.startswith("RB-")]

    assert "from RB-2018.1 on; relaxed during the pandemic in RB-2020.C" in rapid_review
    assert [row.split()[0] for row in editions][:2] == ["RB-2015", "RB-2018.1"]
    assert "from Friday 29 June 2018 until Wednesday 20 February 2019" in editions[1]
    assert all("Not checked against the full text" in row for row in editions)


async def test_two_versions_are_laid_side_by_side(address: DatabaseAddress, tmp_path: Path) -> None:
    folder = rulebooks(tmp_path)
    released(
        folder,
        SECOND,
        ("age_at_death is at most: 24", "age_at_death is at most: 25"),
        ("    duty on: the reporter\n    duty: should", "    duty on: the reporter\n    duty: may"),
        ("  - id: S-02\n", "  - id: S-03\n"),
        ("    not known: from which day on an area worked by it; they had until December 2024\n", ""),
        ("    purpose: a task or a step of a review; nothing that tells of a child", "    purpose: a step of a review"),
    )
    async with visit(address, "/rules", rulebooks=folder) as page:
        await tab_to(page, f"What changed from {FIRST} to {SECOND}")
        await press(page, "Enter")
        heading = await page.locator("h1").inner_text()
        said = " ".join((await page.locator("main").inner_text()).split())
        tables = await page.locator("table").all()
        changed = {
            await table.locator("caption").inner_text(): [
                " ".join(row.split()) for row in await table.locator("tbody tr").all_inner_texts()
            ]
            for table in tables
        }
        bold = await page.locator("tbody strong").all_inner_texts()
        wrong = await axe(page)
        await assert_reflows(page)

    assert heading == f"What changes from {FIRST} to {SECOND}"
    assert "Rules added: 1, removed: 1, changed: 2, unchanged: " in said
    [care_leaver] = [rows for caption, rows in changed.items() if caption.startswith("Changed: N-08: ")]
    assert [row.split()[0] for row in care_leaver] == ["when"]
    assert {
        "· the age at death, in completed years: at most 24",
        "· the age at death, in completed years: at most 25",
    } <= {*bold}
    [strength] = [rows for caption, rows in changed.items() if caption.startswith("Changed: N-11: ")]
    assert strength == ["how strong should (statutory guidance) may (a power)"]
    assert any(caption.startswith("Removed: S-02") for caption in changed)
    assert any(caption.startswith("Added: S-03") for caption in changed)
    [not_known] = changed["Changed: RB-2023.1"]
    assert not_known == "not known from which day on an area worked by it; they had until December 2024 nothing"
    assert any(caption.startswith("Changed: review-duty") for caption in changed)
    assert wrong == []


async def test_one_version_alone_is_compared_with_nothing(address: DatabaseAddress) -> None:
    async with client(app(address), "auditor") as http:
        alone = await http.get("/rules/compare")
        unknown = await http.get("/rules/compare?from=2026.11.0&to=2099.1.0")

    assert "so there is nothing to compare it with" in alone.text
    assert unknown.status_code == 404


async def test_an_area_shows_who_serves_it_and_its_own_rules(address: DatabaseAddress) -> None:
    async with visit(address, "/areas/halton") as page:
        bodies = await page.locator("tbody th").all_inner_texts()
        rules = await page.locator("main ul.govuk-list a").all_inner_texts()

        cells = await page.locator("tbody td").all_inner_texts()

    assert "Halton Borough Council" in bodies
    assert "until Friday 31 May 2024 Halton Children and Young People Safeguarding Partnership" in cells
    assert {"until Thursday 30 June 2022", "from Friday 1 July 2022"} <= set(cells)
    assert "Child death review partners of Halton" in bodies
    assert rules == ["N-12", "N-12T", "N-12R", "N-20", "R-13"]


@pytest.mark.parametrize("path", ["/rules", "/rules/R-01", "/rules/compare", "/areas/leeds"])
async def test_the_pages_have_no_accessibility_error_and_fit_a_phone(address: DatabaseAddress, path: str) -> None:
    async with visit(address, path) as page:
        assert await axe(page) == []
        await assert_reflows(page)


@pytest.mark.parametrize("path", ["/rules/N-99", "/areas/atlantis"])
async def test_what_is_not_there_is_not_found(address: DatabaseAddress, path: str) -> None:
    async with client(app(address), "auditor") as http:
        response = await http.get(path)

    assert response.status_code == 404
