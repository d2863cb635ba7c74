"""What was considered for notification, on a real database: read by programs, filtered, paged, and cut to who may look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, event

from handrail.embedded.postgres import DatabaseAddress
from schemas import case_events as ce
from services.kit.reach import EVERYTHING
from services.routing.considering import PAGE, Asked, Considering
from tests.support.road import Road, laws
from tests.support.routing import (
    CASE,
    HALTON,
    LEEDS,
    MONDAY,
    OTHER_CASE,
    acted,
    aware,
    corrected,
    decided,
    discussed,
    linked,
    reported,
    submitted,
    suspects,
)
from tests.support.routing_app import app, client
from tests.support.rulebooks import law

DAY = timedelta(days=1)
THIRD_CASE = "d" * 32
EVERYTHING_ASKED = Asked("", "", "", "", 0)
HALTON_COUNCIL = ce.Reporter(client="council-halton", body="local_authority", area=HALTON, recipient=f"la:{HALTON}")
LSCP_OF_HALTON = ce.Reporter(
    client="lscp-halton", body="childrens_partnership", area=HALTON, recipient=f"lscp:{HALTON}"
)
UNANIMOUS = ("not_notify", "not_notify", "not_notify")


async def story(road: Road) -> None:
    """Leeds does not notify, with one partner against it; Leeds notifies late; Halton returned a referral."""
    await road.route(
        reported(),
        aware(),
        discussed(("not_notify", "notify", "not_notify")),
        decided("not_notify", criterion="harm", against="N-01", on=date(2026, 6, 3)),
    )
    await road.route(
        reported(case_key=OTHER_CASE),
        aware(case_key=OTHER_CASE),
        suspects(case_key=OTHER_CASE),
        discussed(case_key=OTHER_CASE),
        decided("notify", case_key=OTHER_CASE, on=date(2026, 6, 9)),
        submitted(case_key=OTHER_CASE, when=datetime(2026, 6, 10, 9, tzinfo=UTC)),
    )
    returned: dict[str, str | int] = {"referral.returned_on": "2026-06-04"}
    await road.route(
        reported(HALTON_COUNCIL, case_key=THIRD_CASE, area=HALTON),
        acted("referral.returned.v1", returned, LSCP_OF_HALTON, case_key=THIRD_CASE),
    )


async def get(address: DatabaseAddress, role: str | None = "auditor", **query: Any) -> httpx.Response:
    async with client(app(address), role) as http:
        return await http.get("/v1/considered", params=query)


async def keys(address: DatabaseAddress, **query: Any) -> list[str]:
    answer = await get(address, **query)
    assert answer.status_code == 200, answer.text
    return [each["case_key"] for each in answer.json()["cases"]]


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the statements that go to a database meanwhile."""
    seen: list[str] = []

    def see(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", see)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", see)


async def test_each_case_says_what_was_decided_why_and_who_disagreed(road: Road, address: DatabaseAddress) -> None:
    await story(road)

    notified, returned, not_notified = (await get(address)).json()["cases"]

    assert (not_notified["case_key"], not_notified["area_name"]) == (CASE, "Leeds")
    assert (not_notified["outcome"], not_notified["decided_on"]) == ("not_notified", "2026-06-03")
    assert (not_notified["criterion_not_met"], not_notified["criterion_in_words"]) == ("harm", "harm")
    assert (not_notified["override_of_rule"], notified["override_of_rule"]) == ("N-01", None)
    assert not_notified["agreement"] == "not_unanimous"
    assert [(each["view"], each["in_words"]) for each in not_notified["partners"]] == [
        ("not_notify", "not to notify, as was decided"),
        ("notify", "to notify: disagreed with the decision"),
        ("not_notify", "not to notify, as was decided"),
    ]
    assert not_notified["legal_advice"] == "yes"
    assert not_notified["raised_by"] == "police, Leeds"
    assert not_notified["rulebook"] == law().book.book.version
    assert (notified["working_days"], notified["due_on"], notified["in_time"]) == (7, "2026-06-08", False)
    assert (returned["outcome"], returned["referral_returned_on"]) == ("open", "2026-06-04")
    assert (returned["authority"], returned["decision"]) == (f"la:{HALTON}", None)


async def test_the_counts_are_of_everything_that_is_asked_for(road: Road, address: DatabaseAddress) -> None:
    await story(road)

    everything, of_leeds = (await get(address)).json(), (await get(address, area="leeds")).json()

    assert everything["totals"] == {
        "considered": 3,
        "outcomes": {"notified": 1, "to_notify": 0, "not_notified": 1, "open": 1},
        "agreements": {"unanimous": 1, "not_unanimous": 1, "not_recorded": 1},
        "legal_advice": 2,
        "timed": 1,
        "in_time": 0,
        "late": 1,
        "median_days": 7.0,
        "longest_days": 7,
    }
    assert of_leeds["totals"]["considered"] == 2
    assert "feedback" in everything["not_recorded"][0]
    assert "5 working days" in everything["period"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"area": LEEDS}, [OTHER_CASE, CASE]),
        ({"area": "Halton"}, [THIRD_CASE]),
        ({"area": "Sutton"}, []),
        ({"outcome": "not_notified"}, [CASE]),
        ({"outcome": "notified", "area": "Halton"}, []),
        ({"from": "2026-06-04"}, [OTHER_CASE, THIRD_CASE]),
        ({"from": "2026-06-03", "to": "2026-06-03"}, [CASE]),
        ({"to": "2026-06-02"}, []),
        ({"area": "", "outcome": "", "from": "", "to": ""}, [OTHER_CASE, THIRD_CASE, CASE]),
    ],
)
async def test_a_filter_leaves_what_it_names_and_its_days_are_included(
    road: Road, address: DatabaseAddress, query: dict[str, str], found: list[str]
) -> None:
    await story(road)

    assert await keys(address, **query) == found


@pytest.mark.parametrize(
    ("query", "parameter", "words"),
    [
        ({"from": "yesterday"}, "from", "Enter a real date as year, month and day, such as 2026-11-27"),
        ({"to": "2026-02-30"}, "to", "Enter a real date as year, month and day, such as 2026-11-27"),
        ({"to": "0001-01-01"}, "to", "Enter a real date as year, month and day, such as 2026-11-27"),
        ({"from": "2026-06-02", "to": "2026-06-01"}, "to", "The last day must not be before the first"),
        ({"area": "Atlantis"}, "area", "Choose an area that is in the register"),
        ({"outcome": "maybe"}, "outcome", "Choose one of notified, to_notify, not_notified, open"),
    ],
)
async def test_a_question_that_cannot_be_understood_is_refused_in_words_to_programs_and_people(
    address: DatabaseAddress, query: dict[str, str], parameter: str, words: str
) -> None:
    program = await get(address, **query)
    async with client(app(address), "auditor") as http:
        page = await http.get("/considered", params=query, headers={"accept": "text/html"})

    assert (program.status_code, page.status_code) == (422, 422)
    assert program.json()["errors"] == [{"parameter": parameter, "detail": words}]
    assert f'<a href="#{parameter}">{words}</a>' in page.text
    assert f'id="{parameter}-error"' in page.text
    assert "<title>Error: " in page.text


async def test_linked_cases_are_one_and_what_a_partnership_recorded_under_its_own_counts(
    road: Road, address: DatabaseAddress
) -> None:
    await road.route(reported(), aware(), decided("not_notify"))
    await road.route(discussed(UNANIMOUS, case_key=OTHER_CASE))
    apart = await keys(address)
    await road.route(linked(OTHER_CASE, to=CASE), linked(CASE, to=OTHER_CASE))

    (one,) = (await get(address)).json()["cases"]

    assert sorted(apart) == [CASE, OTHER_CASE]
    assert (one["case_key"], one["linked"], one["agreement"]) == (CASE, [OTHER_CASE], "unanimous")


async def test_a_corrected_decision_is_read_as_corrected(road: Road, address: DatabaseAddress) -> None:
    decision = decided("not_notify")
    await road.route(reported(), aware(), decision)
    await road.route(corrected(decision.id, "notification.decision", "notify"))

    (one,) = (await get(address)).json()["cases"]

    assert (one["outcome"], one["decision"]) == ("to_notify", "notify")


async def test_a_case_is_open_again_once_its_decision_not_to_notify_is_to_be_made_anew(
    road: Road, address: DatabaseAddress
) -> None:
    await road.route(reported(), aware(), suspects(), decided("not_notify", criterion="harm"))
    before = (await get(address)).json()
    await road.route(reported(harm="death", at=MONDAY + 9 * DAY))
    after = (await get(address)).json()
    await road.route(decided("not_notify", criterion="harm", at=MONDAY + 10 * DAY))
    again = (await get(address)).json()

    assert [each["cases"][0]["outcome"] for each in (before, after, again)] == ["not_notified", "open", "not_notified"]
    assert (after["cases"][0]["decision"], after["totals"]["outcomes"]["open"]) == ("not_notify", 1)


async def test_pages_follow_each_other_without_loss_and_count_everything(road: Road, address: DatabaseAddress) -> None:
    await road.route(*(decided("not_notify", case_key=f"{number:032x}") for number in range(PAGE + 2)))

    first = (await get(address)).json()
    second = (await get(address, after=first["next"])).json()
    async with client(app(address), "auditor") as http:
        page = await http.get("/considered?outcome=not_notified")

    shown = [each["case_key"] for each in (*first["cases"], *second["cases"])]
    assert (len(first["cases"]), len(second["cases"]), second["next"]) == (PAGE, 2, None)
    assert sorted(shown) == [f"{number:032x}" for number in range(PAGE + 2)]
    assert first["totals"] == second["totals"]
    assert first["totals"]["considered"] == PAGE + 2
    assert f"/considered?outcome=not_notified&amp;after={PAGE}" in page.text


async def test_the_number_of_statements_does_not_grow_with_the_cases(road: Road) -> None:
    considering = Considering(road.database, laws())
    await road.route(reported(), decided("not_notify"))
    with statements() as of_one:
        await considering.find(EVERYTHING, EVERYTHING_ASKED)
    await road.route(*(decided("notify", case_key=f"{number:032x}") for number in range(40)))
    with statements() as of_many:
        found = await considering.find(EVERYTHING, EVERYTHING_ASKED)

    assert found.totals.considered == 41
    assert len(of_one) == len(of_many) == 5


@pytest.mark.parametrize(("path", "stranger"), [("/v1/considered", 401), ("/considered", 303)])  # 303: to sign in
async def test_nobody_looks_without_signing_in_and_no_partner_does(
    address: DatabaseAddress, path: str, stranger: int
) -> None:
    answers = []
    for role in (None, "partner"):
        async with client(app(address), role) as http:
            answers.append((await http.get(path)).status_code)

    assert answers == [stranger, 403]


async def test_a_review_officer_finds_and_counts_the_cases_of_their_own_agency_alone(
    road: Road, address: DatabaseAddress
) -> None:
    await story(road)

    async with client(app(address), "review_officer", acts_for="council-halton", body=f"la:{HALTON}") as http:
        listed, page = (await http.get("/v1/considered")).json(), (await http.get("/considered")).text

    assert [each["case_key"] for each in listed["cases"]] == [THIRD_CASE]
    assert listed["totals"]["considered"] == 1
    assert CASE[:8] not in page
    assert "You see the cases that your agency reported" in page


async def test_what_is_linked_but_may_not_be_read_adds_nothing(road: Road, address: DatabaseAddress) -> None:
    await road.route(reported(HALTON_COUNCIL, area=HALTON, children=()), decided("notify", HALTON_COUNCIL))
    views = {"threshold.discussed_on": "2026-06-02", "threshold.authority_view": "not_notify"}
    await road.route(acted("threshold.discussed.v1", {**views}, LSCP_OF_HALTON, case_key=OTHER_CASE))
    await road.route(linked(OTHER_CASE, to=CASE), linked(CASE, to=OTHER_CASE))
    everything = (await get(address)).json()["cases"]

    async with client(app(address), "review_officer", acts_for="council-halton", body="la:E09000029") as http:
        (own,) = (await http.get("/v1/considered")).json()["cases"]

    assert [each["linked"] for each in everything] == [[OTHER_CASE]]
    assert (own["linked"], own["discussed_on"]) == ([], None)


async def test_the_page_names_the_period_and_that_an_area_may_have_a_shorter_one(
    road: Road, address: DatabaseAddress
) -> None:
    await story(road)

    async with client(app(address), "auditor") as http:
        everywhere, leeds = [(await http.get(f"/considered{asked}")).text for asked in ("", f"?area={LEEDS}")]

    assert "within 5 working days of the later of" in everywhere
    assert "or the shorter one that an area has set for itself: 0 in time, 1 late." in everywhere
    assert "Working Together 2023, chapter 5): 0 in time, 1 late." in leeds


async def test_where_nothing_was_considered_the_page_says_so(road: Road, address: DatabaseAddress) -> None:
    await road.route(reported(), aware())

    async with client(app(address), "auditor") as http:
        page = (await http.get("/considered")).text
        filtered = (await http.get("/considered?area=leeds")).text

    assert "No case has been considered yet" in page
    assert "No case fits the filter" in filtered
