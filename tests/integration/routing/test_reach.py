"""Who reads which case: those to whom it is a case of theirs; to everybody else it is as one that there is not."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from html import unescape
from importlib import import_module

import asyncpg
import httpx
import pytest

from handrail.embedded.postgres import DatabaseAddress
from schemas import case_events as ce
from schemas import decisions as say
from tests.support.road import Road, of
from tests.support.routing import (
    CASE,
    CHILD,
    HALTON,
    LEEDS,
    OTHER_CASE,
    POLICE,
    WANDSWORTH,
    aware,
    corrected,
    decided,
    linked,
    reported,
    suspects,
)
from tests.support.routing_app import app, client

NOBODY = "0" * 32
PAGE = {"accept": "text/html"}
WANDSWORTH_COUNCIL = ce.Reporter(
    client="council-wandsworth", body="local_authority", area=WANDSWORTH, recipient=f"la:{WANDSWORTH}"
)
OTHER_FORCE = ce.Reporter(client="police-leeds-2", body="police", area=LEEDS)
STRANGER = ("council-wandsworth", f"la:{WANDSWORTH}")
PANEL = ("panel-office", "panel")
POLICE_FORCE = ("police-leeds", None)
IN_CARE_OF_WANDSWORTH = ce.ChildFacts(
    child=CHILD, home_area=LEEDS, looked_after="yes", looked_after_by=WANDSWORTH, age_at_incident=3
)
OWN = {
    "its client reported it": POLICE_FORCE,
    "its body owes a duty in it": ("council-leeds-2", f"la:{LEEDS}"),
    "its body is told of it": ("lscp-office", f"lscp:{LEEDS}"),
}
OF_A_CASE = (
    "/v1/cases/{}/decisions",
    "/v1/cases/{}/ask?recipient=panel",
    "/v1/cases/{}/explanation",
    "/case/{}",
    "/case/{}?recipient=panel",
    "/case/{}/record",
    "/case/{}/record/la.became_aware.v1",
)
LISTS = ("/v1/cases", f"/v1/cases?prefix={CASE[:8]}", "/v1/deliveries", "/case", f"/case?key={CASE[:8]}")


def officer(
    address: DatabaseAddress, acts_for: tuple[str | None, str | None]
) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    return client(app(address), "review_officer", acts_for=acts_for[0], body=acts_for[1])


def said(answer: httpx.Response, key: str) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Return everything that an answer says, but for the key that was asked for."""
    return answer.status_code, answer.content.replace(key.encode(), b"KEY"), sorted(answer.headers.items())


@pytest.mark.parametrize("acts_for", OWN.values(), ids=OWN)
async def test_a_review_officer_reads_the_cases_to_which_their_agency_is_a_party(
    road: Road, address: DatabaseAddress, acts_for: tuple[str | None, str | None]
) -> None:
    await road.route(reported(), aware(), suspects())

    async with officer(address, acts_for) as http:
        own = [(await http.get(path.format(CASE))).status_code for path in OF_A_CASE]
        lists = [CASE in (await http.get(path)).text for path in LISTS]

    assert own == [200] * len(OF_A_CASE)
    assert lists == [True] * len(LISTS)


@pytest.mark.parametrize("acts_for", [STRANGER, (None, None), (None, f"la:{LEEDS}")], ids=str)
@pytest.mark.parametrize("headers", [PAGE, {}], ids=["page", "program"])
async def test_another_agency_s_case_is_as_one_that_there_is_not(
    road: Road, address: DatabaseAddress, acts_for: tuple[str | None, str | None], headers: dict[str, str]
) -> None:
    await road.route(reported(), aware(), suspects())

    async with officer(address, acts_for) as http:
        for path in OF_A_CASE:
            foreign = await http.get(path.format(CASE), headers=headers)
            missing = await http.get(path.format(NOBODY), headers=headers)
            assert said(foreign, CASE) == said(missing, NOBODY), path
            assert foreign.status_code == 404, path
        foreign, missing = [
            await http.post(f"/case/{key}/record/la.became_aware.v1", data={"event.id": "x"}, headers=headers)
            for key in (CASE, NOBODY)
        ]
        lists = [(await http.get(path, headers=headers)).text.replace(f'value="{CASE[:8]}"', "") for path in LISTS]

    assert said(foreign, CASE) == said(missing, NOBODY)
    assert foreign.status_code == 404
    assert [CASE[:8] in shown for shown in lists] == [False] * len(LISTS)


async def test_a_list_is_cut_to_what_may_be_read_and_not_afterwards(road: Road, address: DatabaseAddress) -> None:
    await road.route(reported(case_key=OTHER_CASE, reporter=WANDSWORTH_COUNCIL, area=WANDSWORTH, children=()))
    await road.route(*(reported(case_key=f"{number:032x}") for number in range(60)))  # a page holds 50

    async with officer(address, STRANGER) as http:
        shown = (await http.get("/v1/cases")).json()["cases"]

    assert [each["case_key"] for each in shown] == [OTHER_CASE]


async def test_a_notice_that_waits_for_a_person_opens_the_case_to_nobody(road: Road, address: DatabaseAddress) -> None:
    path = f"/v1/cases/{CASE}/decisions"
    await road.route(reported(), aware(), suspects())
    async with officer(address, PANEL) as http:
        before = (await http.get(path)).status_code
    await road.route(decided("notify"))
    async with officer(address, PANEL) as http:
        after = (await http.get(path)).status_code

    assert (before, after) == (404, 200)


async def test_whoever_is_asked_reads_the_question_and_may_answer_it_and_reads_nothing_else_of_the_case(
    road: Road, address: DatabaseAddress
) -> None:
    report = reported(harm="death", children=(IN_CARE_OF_WANDSWORTH,))
    put = [each.data for each in of(say.QuestionOpened, await road.route(report))]

    async with officer(address, STRANGER) as http:
        page = unescape(" ".join((await http.get(f"/case/{CASE}?recipient=panel", headers=PAGE)).text.split()))
        forms = [(await http.get(path.format(CASE))).status_code for path in OF_A_CASE[-2:]]
        for path in OF_A_CASE[:3]:
            assert said(await http.get(path.format(CASE)), CASE) == said(await http.get(path.format(NOBODY)), NOBODY)
        lists = [CASE in (await http.get(path)).text for path in LISTS]
        await road.route(corrected(report.id, "child.looked_after_by", LEEDS, POLICE, child=CHILD))
        afterwards = (await http.get(f"/case/{CASE}", headers=PAGE)).text

    own = {one.ask for one in put if one.of_whom == f"la:{WANDSWORTH}"}
    assert own
    assert {one.ask for one in put if one.ask in page} == own
    assert ("N-11" in page, LEEDS in page, "What is owed" in page, "/record" in page) == (False, False, False, True)
    assert forms == [200, 200]
    assert lists == [False] * len(LISTS)
    assert "no rule needs it any more" in afterwards


async def test_who_is_asked_nothing_in_a_case_reads_no_question_of_it(road: Road, address: DatabaseAddress) -> None:
    await road.route(reported(harm="death", children=(IN_CARE_OF_WANDSWORTH,)))

    async with officer(address, ("council-halton", f"la:{HALTON}")) as http:
        for path in OF_A_CASE:
            assert said(await http.get(path.format(CASE)), CASE) == said(await http.get(path.format(NOBODY)), NOBODY)


async def test_linked_cases_are_judged_one_by_one(road: Road, address: DatabaseAddress) -> None:
    await road.route(reported(), reported(OTHER_FORCE, case_key=OTHER_CASE))
    await road.route(linked(OTHER_CASE, to=CASE))

    async with officer(address, POLICE_FORCE) as http:
        decision = await http.get(f"/v1/cases/{CASE}/decisions")
        answers = [
            decision,
            await http.get(f"/v1/cases/{CASE}/ask", params={"recipient": "panel"}),
            await http.get(f"/case/{CASE}?recipient=panel", headers=PAGE),
        ]
        other = await http.get(f"/v1/cases/{OTHER_CASE}/decisions")
    async with client(app(address), "auditor") as http:
        whole = (await http.get(f"/v1/cases/{CASE}/decisions")).json()

    assert whole["linked"] == [OTHER_CASE]
    assert {each["case_key"] for each in whole["obligations"]} == {CASE, OTHER_CASE}
    assert decision.json()["linked"] == []
    assert {each["case_key"] for each in decision.json()["obligations"]} == {CASE}
    assert [OTHER_CASE[:8] in answer.text for answer in answers] == [False, False, False]
    assert other.status_code == 404


@pytest.mark.parametrize("role", ["auditor", "operations"])
async def test_the_installation_s_own_people_read_every_case(road: Road, address: DatabaseAddress, role: str) -> None:
    await road.route(reported())

    async with client(app(address), role) as http:
        assert (await http.get(f"/v1/cases/{CASE}/decisions")).status_code == 200
        assert CASE in (await http.get("/v1/cases")).text


async def test_a_decision_says_who_reported_each_case(road: Road) -> None:
    await road.route(reported(), reported(WANDSWORTH_COUNCIL, case_key=OTHER_CASE, area=WANDSWORTH))

    published = await road.route(linked(OTHER_CASE, to=CASE))

    reporters = {each.case_key: each.data.reporters for each in published if each.type == "case.decided.v1"}
    assert reporters == {CASE: ("police-leeds",), OTHER_CASE: ("council-wandsworth",)}


async def test_the_parties_to_cases_of_an_earlier_version_are_found(road: Road, address: DatabaseAddress) -> None:
    await road.route(reported(), aware(), suspects())
    connection = await asyncpg.connect(address.url())
    try:
        await connection.execute("TRUNCATE routing.case_party")
        await connection.execute(import_module("services.routing.migrations.0003_case_party")._BACKFILL)
    finally:
        await connection.close()

    parties = {
        row["party"] for row in await road.rows("SELECT party FROM routing.case_party WHERE case_key = :k", k=CASE)
    }
    assert {"client:police-leeds", f"la:{LEEDS}", f"lscp:{LEEDS}"} <= parties
    assert "panel" not in parties
