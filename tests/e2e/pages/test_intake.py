"""Intake's pages: what became of a partner's reports, and what each event may contain."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from schemas.submissions import SUBMISSIONS
from schemas.words import event_title
from tests.support.installation import PlayedDemo, add_police
from tests.support.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_partner_reads_who_was_told_upon_a_report(visitor: Visitor, demo: PlayedDemo) -> None:
    receipt = demo.played.receipts["03-council-suspects.json"]
    await visitor.sign_in("partner")
    await visitor.open("intake", "/receipts")
    listed = await visitor.page.locator("tbody th").all_inner_texts()

    name = f"Authority's view on abuse or neglect recorded, receipt {receipt['receipt_id'][:8]}"
    await visitor.choose(name)

    assert await visitor.page.title() == f"{name} - Handrail"
    assert await visitor.heading() == "Authority's view on abuse or neglect recorded"
    rows = await visitor.page.locator("tbody tr").all_inner_texts()
    assert len([row for row in listed if row.startswith("Authority's view on abuse or neglect recorded")]) >= 2
    assert any("the Panel" in row and "N-01" in row and "Monday 8 June 2026" in row for row in rows)
    assert any("police West Yorkshire" in row and "N-03" in row for row in rows)
    assert receipt["case_key"] in await visitor.text()

    await visitor.choose("All receipts")

    assert await visitor.heading() == "Receipts of leeds-city-council"


async def test_a_partner_without_reports_is_told_how_one_would_appear(visitor: Visitor, demo: PlayedDemo) -> None:
    name = f"quiet-police-{uuid4().hex[:8]}"
    add_police(demo.installation, name)
    await visitor.sign_in("partner", client=name)

    await visitor.open("intake", "/receipts")

    assert "Nothing has been reported yet." in await visitor.text()


async def test_a_partner_may_not_read_the_receipts_of_another(visitor: Visitor, demo: PlayedDemo) -> None:
    receipt = demo.played.receipts["01-police-report.json"]
    await visitor.sign_in("partner")

    await visitor.open("intake", f"/receipts/{receipt['receipt_id']}", status=404)

    assert receipt["case_key"] not in await visitor.text()


async def test_somebody_who_acts_for_no_partner_is_told_so(visitor: Visitor) -> None:
    await visitor.sign_in("operations")

    await visitor.open("intake", "/receipts", status=403)

    assert "acts for no client" in await visitor.text()


async def test_every_event_that_may_be_reported_has_a_page_and_one_is_read_field_by_field(visitor: Visitor) -> None:
    await visitor.sign_in("partner")
    await visitor.open("intake", "/docs/events")
    listed = await visitor.page.locator("main dt").all_inner_texts()

    await visitor.choose("Incident reported")

    fields = await visitor.page.locator("tbody th").all_inner_texts()
    example = json.loads(await visitor.page.locator("main pre").inner_text())
    assert sorted(listed) == sorted(map(event_title, SUBMISSIONS))
    assert {"case_reference", "harm", "area"} <= {field.removeprefix("data.") for field in fields}
    assert example["type"] == "incident.reported.v1"

    await visitor.choose("All events")

    assert await visitor.heading() == "Events that a partner may report"


async def test_an_event_that_does_not_exist_has_no_page(visitor: Visitor) -> None:
    await visitor.sign_in("partner")

    await visitor.open("intake", "/docs/events/weather.changed.v1", status=404)

    assert await visitor.heading() == "Page not found"
