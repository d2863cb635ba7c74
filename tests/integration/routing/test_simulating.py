"""A draft is tried on recorded cases: read over HTTP, decided again, and nothing is stored or sent."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from handrail.embedded.postgres import DatabaseAddress
from services.routing import recorded
from services.routing.law import Law
from services.routing.recorded import RecordedCases
from services.routing.service import RoutingService
from services.routing.simulating import SimulationView, effect, summed
from tests.support.releases import FIRST, LATER_REFERRAL, NO_PARTNERSHIP, SECOND, national
from tests.support.road import Road, laws
from tests.support.routing import CASE, LEEDS, MONDAY, OTHER_CASE, aware, decided, linked, reported, suspects
from tests.support.routing_app import app, client

OLD = national()
NEW = national(SECOND, NO_PARTNERSHIP, LATER_REFERRAL)
SINCE = "2026-06-01"


async def pages(address: DatabaseAddress, since: str = SINCE) -> list[RecordedCases]:
    """Return everything that was recorded, as a command reads it."""
    found: list[RecordedCases] = []
    async with client(app(address), "operations") as http:
        after: str | None = ""
        while after is not None:
            response = await http.get("/v1/recorded-cases", params={"since": since, "after": after})
            assert response.status_code == 200, response.text
            found.append(RecordedCases.model_validate(response.json()))
            after = found[-1].next
    return found


async def simulated(address: DatabaseAddress, law: Law, since: str = SINCE) -> SimulationView:
    found = await pages(address, since)
    effects = [effect(case, law, page.as_of) for page in found for case in page.cases]
    return summed(law, date.fromisoformat(since), found[-1].as_of, effects)


async def test_duties_that_a_draft_withdraws_and_moves_are_said_with_the_reason_and_both_dates(
    road: Road, address: DatabaseAddress
) -> None:
    road.service = RoutingService(laws(OLD))
    await road.route(reported())
    before = await road.rows("SELECT * FROM routing.obligation ORDER BY 1")

    found = await simulated(address, NEW)

    [case] = found.cases
    assert (case.case_keys, case.rulebook) == ((CASE,), FIRST)
    assert [(duty.rule, duty.recipients[0].id, duty.before, duty.due_on) for duty in case.moved] == [
        ("N-11", f"la:{LEEDS}", date(2026, 6, 2), date(2026, 6, 3))
    ]
    assert [(duty.rule, duty.recipients[0].id, duty.reason) for duty in case.withdrawn] == [
        ("N-11", f"lscp:{LEEDS}", f"rulebook {SECOND} no longer has this duty")
    ]
    counts = (found.cases_read, found.cases_changed, found.added, found.withdrawn, found.moved, found.changed)
    assert counts == (1, 1, 0, 1, 1, 0)
    assert await road.rows("SELECT * FROM routing.obligation ORDER BY 1") == before
    assert await road.published() == []


async def test_a_duty_that_a_draft_adds_is_said(road: Road, address: DatabaseAddress) -> None:
    road.service = RoutingService(laws(NEW))
    await road.route(reported())

    found = await simulated(address, OLD)

    assert [(duty.rule, duty.recipients[0].id, duty.due_on) for duty in found.cases[0].added] == [
        ("N-11", f"lscp:{LEEDS}", date(2026, 6, 2))
    ]


async def test_the_version_that_decided_the_cases_changes_nothing_whatever_has_happened_in_them(
    road: Road, address: DatabaseAddress
) -> None:
    road.service = RoutingService(laws(OLD))
    await road.route(reported(), aware(), suspects())
    await road.route(decided("notify"), reported(case_key=OTHER_CASE))
    await road.route(linked())

    found = await simulated(address, OLD)

    assert (found.cases_read, found.cases) == (1, ())


async def test_cases_come_by_pages_each_once_and_only_those_in_which_something_was_recorded_since(
    road: Road, address: DatabaseAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded, "PAGE", 2)
    road.service = RoutingService(laws(OLD))
    keys = [f"{number:032x}" for number in range(5)]
    await road.route(*(reported(case_key=key) for key in keys))
    await road.route(reported(case_key="e" * 32, at=MONDAY - timedelta(days=3)))
    await road.route(linked(keys[4], to=keys[0]))

    found = await pages(address)

    assert [[case.case_keys for case in page.cases] for page in found] == [
        [(keys[0], keys[4]), (keys[1],)],
        [(keys[2],), (keys[3],)],
    ]
    assert {page.total for page in found} == {4}
    assert len([case for page in await pages(address, "2026-05-01") for case in page.cases]) == 5


@pytest.mark.parametrize(
    ("role", "status"), [(None, 401), ("partner", 403), ("review_officer", 403), ("auditor", 403), ("service", 403)]
)
async def test_what_was_recorded_is_given_to_operations_alone(
    role: str | None, status: int, address: DatabaseAddress
) -> None:
    async with client(app(address), role) as http:
        response = await http.get("/v1/recorded-cases", params={"since": SINCE})

    assert response.status_code == status


async def test_each_reading_is_logged_with_who_read_and_how_many_cases(
    road: Road, address: DatabaseAddress, capsys: pytest.CaptureFixture[str]
) -> None:
    await road.route(reported())

    await pages(address)

    logged = map(json.loads, capsys.readouterr().err.splitlines())
    [line] = [each for each in logged if each["event"] == "cases.read_out"]
    assert (line["subject"], line["cases"]) == ("account-7", 1)
