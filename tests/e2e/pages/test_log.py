"""The log: one case in order, a proof followed by hand from what the page shows, and searches that find nothing."""

from __future__ import annotations

from hashlib import sha256

import pytest

from tests.support.installation import PlayedDemo
from tests.support.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_one_case_is_read_in_order_and_every_row_is_proved(visitor: Visitor, demo: PlayedDemo) -> None:
    key = demo.played.cases["leeds-city-council", "LCC-2026-0078"]
    await visitor.sign_in("auditor")
    await visitor.open("audit", "/log")

    await visitor.fill("Case key", key)
    await visitor.choose("Apply filters")

    rows = await visitor.page.locator("article").all_inner_texts()
    places = [int(row.split("Entry ")[1].split(" of ")[0]) for row in rows]
    assert len(rows) >= 8  # four events, and what was decided upon each
    assert places == sorted(set(places))
    assert all(f"case {key[:8]}" in row for row in rows)
    assert all("This entry stands in the signed log." in row for row in rows)


async def test_a_proof_can_be_followed_by_hand_from_what_the_page_shows(visitor: Visitor, demo: PlayedDemo) -> None:
    key = demo.played.cases["west-yorkshire-police", "WYP-2026-0001"]
    await visitor.sign_in("auditor")
    await visitor.open("audit", f"/log?case={key}&rule=N-01&recipient=panel")
    first = await visitor.page.locator("article").first.inner_text()
    place = int(first.split("Entry ")[1].split(" of ")[0])

    await visitor.choose(f"Follow the proof of entry {place}")

    entry = await visitor.page.get_by_role("region", name="The entry, as it is hashed").inner_text()
    found = sha256(b"\x00" + entry.strip().encode()).digest()
    for row in await visitor.page.locator("tbody tr").all():
        _, side, neighbour, gives = await row.locator("th,td").all_inner_texts()
        left, right = (bytes.fromhex(neighbour), found) if side == "left" else (found, bytes.fromhex(neighbour))
        found = sha256(b"\x01" + left + right).digest()
        assert found.hex() == gives
    text = await visitor.text()
    assert f"The root that was signed: {found.hex()}" in text
    assert "The steps below lead from this entry to the root that the log has signed." in text


async def test_a_recipient_is_searched_for_with_the_rule_and_the_day(visitor: Visitor) -> None:
    await visitor.sign_in("operations")
    await visitor.open("audit", "/log")

    await visitor.fill("Recipient", "ofsted")
    await visitor.fill("Rule", "N-06")
    await visitor.fill("Recorded on or after", "2026-06-01")
    await visitor.choose("Apply filters")

    rows = await visitor.page.locator("article").all_inner_texts()
    assert rows
    assert all("ofsted" in row and "N-06" in row for row in rows)
    # What became of the duty names it by its id alone.
    assert any(row.startswith("Duty met") and "Rule of the duty" in row for row in rows)


async def test_a_long_result_is_paged_and_the_first_page_is_found_again(visitor: Visitor) -> None:
    await visitor.sign_in("auditor")
    await visitor.open("audit", "/log")
    first = await visitor.page.locator("article h3").all_inner_texts()

    await visitor.choose("Next page")
    second = await visitor.page.locator("article").first.inner_text()
    await visitor.choose("First page")

    assert "Entry 25 of" in second
    assert await visitor.page.locator("article h3").all_inner_texts() == first


async def test_a_day_that_cannot_be_read_is_explained_beside_its_field(visitor: Visitor) -> None:
    await visitor.sign_in("auditor")
    await visitor.open("audit", "/log")

    await visitor.fill("Recorded on or after", "last Tuesday")
    await visitor.choose("Apply filters", status=422)

    assert (await visitor.page.title()).startswith("Error: ")
    assert "There is a problem" in await visitor.text()
    assert await visitor.page.locator("#from").input_value() == "last Tuesday"
    assert await visitor.page.locator("#from-error").is_visible()


async def test_a_search_that_finds_nothing_says_so(visitor: Visitor) -> None:
    await visitor.sign_in("auditor")

    await visitor.open("audit", "/log?case=00000000000000000000000000000000")

    assert "No entry fits the search." in await visitor.text()


async def test_an_entry_that_is_not_there_is_said_to_be_missing(visitor: Visitor) -> None:
    await visitor.sign_in("auditor")

    await visitor.open("audit", "/log/99999999", status=404)

    assert "Go to the home page" in await visitor.text()


async def test_a_partner_may_not_read_the_log(visitor: Visitor) -> None:
    await visitor.sign_in("partner")

    await visitor.open("audit", "/log", status=403)

    assert await visitor.heading() == "You cannot do this"
