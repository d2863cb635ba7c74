"""Cases: finding one, what is owed and why, and the question about any recipient, now and as at an earlier time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from schemas.calendar.london import LONDON
from tests.support.installation import PlayedDemo
from tests.support.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

PANEL = "Child Safeguarding Practice Review Panel"
NOBODY = "0" * 32


async def ask(visitor: Visitor, recipient: str, at: datetime | None = None) -> str:
    """Ask the case page that is shown about a recipient, and return what it answers."""
    await visitor.select("Was this recipient told?", recipient)
    if at is not None:
        for box, form in (("Day", "%d"), ("Month", "%m"), ("Year", "%Y"), ("Time", "%H:%M:%S.%f")):
            await visitor.fill(box, f"{at.astimezone(LONDON):{form}}")
    await visitor.choose("Ask")
    return " ".join((await visitor.page.locator("#answer").inner_text()).split())


async def test_a_case_is_found_by_how_its_key_begins(visitor: Visitor, demo: PlayedDemo) -> None:
    key = demo.played.cases["leeds-scp", "LSCP-2026-0002"]
    await visitor.sign_in("auditor")
    await visitor.open("routing", "/case")

    await visitor.fill("Case key", key[:10])
    await visitor.choose("Find the case")
    listed = await visitor.page.locator("tbody th").all_inner_texts()
    await visitor.choose(key)

    assert listed == [key]
    assert await visitor.heading() == f"Case {key[:8]}"


async def test_what_is_owed_stands_with_its_basis_its_date_and_its_notices(visitor: Visitor, demo: PlayedDemo) -> None:
    key = demo.played.cases["leeds-city-council", "LCC-2026-0078"]
    await visitor.sign_in("review_officer")
    await visitor.open("routing", f"/case/{key}")

    duty = visitor.page.locator("article", has_text="N-03")
    n03 = await duty.inner_text()

    assert "Monday 8 June 2026" in n03
    assert "should (statutory guidance)" in n03
    assert "Not checked against the full text" in n03
    assert n03.count("delivered") >= 3
    assert {"Who owes it", "To whom", "Due", "Why", "Since", "Closed when", "Notices"} <= set(
        await duty.locator("dt").all_inner_texts()
    )


async def test_the_conditions_behind_a_duty_are_unfolded_to_the_facts(visitor: Visitor, demo: PlayedDemo) -> None:
    key = demo.played.cases["leeds-city-council", "LCC-2026-0077"]
    duties = demo.installation.web("routing").get(f"/v1/cases/{key}/decisions")["obligations"]
    duty = next(each for each in duties if each["rule"] == "N-01")
    await visitor.sign_in("auditor")
    await visitor.open("routing", f"/case/{key}")

    await visitor.unfold(f"Why: the conditions and the facts of N-01, duty {duty['obligation_id'][:8]}")

    rows = await visitor.page.locator("details[open] tbody tr").all_inner_texts()
    assert any("yes" in row and "suspected" in row and "Leeds City Council" in row for row in rows), rows
    assert any("the country of the incident: England" in row for row in rows), rows
    assert not any("_" in row or "incident." in row for row in rows), rows  # names of facts are for programs


async def test_a_case_of_two_reporters_leads_to_the_other_one(visitor: Visitor, demo: PlayedDemo) -> None:
    police = demo.played.cases["west-yorkshire-police", "WYP-2026-0001"]
    council = demo.played.cases["leeds-city-council", "LCC-2026-0077"]
    await visitor.sign_in("auditor")
    await visitor.open("routing", f"/case/{police}")

    await visitor.choose(f"case {council[:8]}")

    assert await visitor.heading() == f"Case {council[:8]}"


async def test_the_withdrawn_notice_to_the_panel_is_explained_and_it_waited_for_a_person_before(
    visitor: Visitor, demo: PlayedDemo
) -> None:
    key = demo.played.cases["leeds-city-council", "LCC-2026-0078"]
    decided_at = datetime.fromisoformat(demo.played.receipts["10-decision-not-to-notify.json"]["recorded_at"])
    await visitor.sign_in("auditor")
    await visitor.open("routing", f"/case/{key}")

    now = await ask(visitor, PANEL)
    before = await ask(visitor, PANEL, at=decided_at - timedelta(milliseconds=1))

    assert f"{PANEL}, as at" in now
    assert "Withdrawn under N-01" in now
    just_before = (decided_at - timedelta(milliseconds=1)).astimezone(LONDON)
    assert f"1 June 2026 at {just_before:%-I:%M}am" in before
    assert "Awaiting a person's release under N-01" in before


@pytest.mark.parametrize(
    ("case", "recipient", "expected"),
    [
        (("west-yorkshire-police", "WYP-2026-0001"), PANEL, ["Delivered under N-01", "reference PANEL-"]),
        (("west-yorkshire-police", "WYP-2026-0001"), "Safer Leeds", ["A condition is false under X-02"]),
        (
            ("wandsworth-council", "WAN-2026-0009"),
            PANEL,
            ["A condition is false", "neglect: not suspected", "recorded 1 June"],
        ),
        (("leeds-adults-board", "SAB-2026-0004"), "Ofsted", ["A condition is false"]),
    ],
    ids=[
        "delivered",
        "neither an adult at risk nor a death in the household",
        "not suspected by either authority",
        "not a death in care",
    ],
)
async def test_any_recipient_can_be_asked_about(
    case: tuple[str, str], recipient: str, expected: list[str], visitor: Visitor, demo: PlayedDemo
) -> None:
    await visitor.sign_in("auditor")
    await visitor.open("routing", f"/case/{demo.played.cases[case]}")

    answer = await ask(visitor, recipient)

    assert [words for words in expected if words.lower() not in answer.lower()] == [], answer


async def test_a_time_at_which_nothing_was_known_is_said_to_be_so(visitor: Visitor, demo: PlayedDemo) -> None:
    key = demo.played.cases["west-yorkshire-police", "WYP-2026-0001"]
    await visitor.sign_in("auditor")

    await visitor.open("routing", f"/case/{key}?recipient=panel&on-day=1&on-month=5&on-year=2026", status=422)

    assert "There is a problem" in await visitor.text()
    assert "Handrail knew nothing of this case then" in await visitor.text()


async def test_a_day_that_cannot_be_read_is_explained_beside_its_field(visitor: Visitor, demo: PlayedDemo) -> None:
    key = demo.played.cases["west-yorkshire-police", "WYP-2026-0001"]
    await visitor.sign_in("auditor")
    await visitor.open("routing", f"/case/{key}")

    await visitor.fill("Day", "yesterday")
    await visitor.choose("Ask", status=422)

    assert (await visitor.page.title()).startswith("Error: ")
    assert await visitor.page.locator("#on-error").is_visible()
    assert await visitor.page.locator("#on-day").input_value() == "yesterday"


async def test_a_search_that_finds_no_case_says_so(visitor: Visitor) -> None:
    await visitor.sign_in("auditor")

    await visitor.open("routing", "/case?key=not-a-key")

    assert "No case has a key that begins so." in await visitor.text()


async def test_a_name_that_is_typed_for_a_key_is_not_sent(visitor: Visitor) -> None:
    await visitor.sign_in("auditor")
    for service, path, box in (("routing", "/case", "key"), ("audit", "/log", "case")):
        await visitor.open(service, path)
        await visitor.page.fill(f"#{box}", "Invented Name")

        await visitor.page.press(f"#{box}", "Enter")

        assert not await visitor.page.locator(f"#{box}").evaluate("box => box.checkValidity()")
        assert "Invented" not in visitor.page.url
        await visitor.page.fill(f"#{box}", "00ff ")
        async with visitor.page.expect_navigation():
            await visitor.page.press(f"#{box}", "Enter")
        assert f"{box}=00ff" in visitor.page.url


async def test_a_case_that_there_is_not_says_so(visitor: Visitor) -> None:
    await visitor.sign_in("auditor")

    await visitor.open("routing", f"/case/{NOBODY}", status=404)

    assert "Go to the home page" in await visitor.text()


async def test_a_review_officer_cannot_tell_another_agency_s_case_from_one_that_there_is_not(
    visitor: Visitor, demo: PlayedDemo
) -> None:
    key = demo.played.cases["wandsworth-council", "WAN-2026-0009"]
    await visitor.sign_in("review_officer")  # of Leeds City Council

    told = []
    for asked in (key, NOBODY):
        await visitor.open("routing", f"/case/{asked}", status=404)
        missing = await visitor.text()
        await visitor.open("audit", f"/log?case={asked}")
        told.append((missing, await visitor.text()))
    await visitor.open("routing", "/case")
    cases = await visitor.text()
    await visitor.open("deadlines", "/desk")
    desk = await visitor.text()

    assert told[0] == told[1]
    assert "No entry fits the search." in told[0][1]
    assert demo.played.cases["leeds-city-council", "LCC-2026-0077"] in cases
    assert key[:8] not in cases
    assert key[:8] not in desk


async def test_the_same_case_is_read_by_a_review_officer_of_the_agency_that_reported_it(
    visitor: Visitor, demo: PlayedDemo
) -> None:
    key = demo.played.cases["wandsworth-council", "WAN-2026-0009"]
    await visitor.sign_in("review_officer", client="wandsworth-council", body="la:E09000032")

    await visitor.open("routing", f"/case/{key}")
    heading = await visitor.heading()
    await visitor.open("audit", f"/log?case={key}")

    assert heading == f"Case {key[:8]}"
    assert await visitor.page.locator("article").count() > 0


async def test_a_partner_may_not_read_cases(visitor: Visitor, demo: PlayedDemo) -> None:
    key = demo.played.cases["leeds-city-council", "LCC-2026-0077"]
    await visitor.sign_in("partner")

    await visitor.open("routing", f"/case/{key}", status=403)

    assert await visitor.heading() == "You cannot do this"
