"""Who reads which entries: those of their agency's cases; every other entry is as one that there is not."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from schemas.envelope import Envelope
from schemas.messages import MESSAGES
from tests.support.audit import TestLog, event, record
from tests.support.audit_app import client
from tests.support.deadlines import notice_delivered, obligation_opened
from tests.support.routing import CASE, OTHER_CASE, POLICE, linked, reported

STRANGER = ("council-wandsworth", "la:E09000032")
OWN = {
    "its client reported it": ("police-leeds", None),
    "its body owes a duty in it": ("council-leeds-2", "la:E08000035"),
    "its body is told of it": ("wyp", "police:west-yorkshire"),
}
CASE_ENTRIES = (0, 1, 2)
NO_CASE, LINK, OTHER = 3, 4, 5
MISSING = 99


def of_case(message: Envelope, case_key: str = CASE) -> bytes:
    return message.model_copy(update={"case_key": case_key}).wire()


@pytest.fixture
async def told(log: TestLog) -> TestLog:
    """A log of one case, of something that is about no case, of a link, and of the case that it leads to."""
    other = reported(POLICE.model_copy(update={"client": "hill-school"}), case_key=OTHER_CASE)
    given = [
        of_case(reported(POLICE)),
        of_case(obligation_opened(1, UUID(int=1001), date(2026, 11, 9))),
        of_case(notice_delivered(1002)),
        json.dumps({key: value for key, value in event(1).items() if key != "casekey"}).encode(),
        linked(CASE, to=OTHER_CASE).wire(),
        other.wire(),
    ]
    await log.append([record(each, number) for number, each in enumerate(given)])
    await log.publish()
    await log.index()
    return log


def indices(answer: httpx.Response) -> list[int]:
    found: list[dict[str, Any]] = answer.json()["entries"]
    return [each["index"] for each in found]


@pytest.mark.parametrize("acts_for", OWN.values(), ids=OWN)
async def test_a_review_officer_reads_the_entries_of_their_agency_s_cases(
    told: TestLog, acts_for: tuple[str, str | None]
) -> None:
    async with client(told, "review_officer", acts_for=acts_for[0], body=acts_for[1]) as http:
        everything = await http.get("/v1/entries")
        page = (await http.get("/log")).text
        single = [(await http.get(f"/v1/entries/{index}/proof")).status_code for index in range(6)]
        pages = [(await http.get(f"/log/{index}")).status_code for index in range(6)]

    assert indices(everything) == [*CASE_ENTRIES]
    assert everything.json()["next_after"] is None
    assert [f"/log/{index}?size=6" in page for index in range(6)] == [True, True, True, False, False, False]
    assert single == pages == [200, 200, 200, 404, 404, 404]


@pytest.mark.parametrize("acts_for", [STRANGER, (None, None), (None, "la:E08000035")], ids=str)
async def test_another_agency_s_entries_are_as_ones_that_there_are_not(
    told: TestLog, acts_for: tuple[str | None, str | None]
) -> None:
    async with client(told, "review_officer", acts_for=acts_for[0], body=acts_for[1]) as http:
        for foreign, missing in (
            (f"/v1/entries?case={CASE}", f"/v1/entries?case={'0' * 32}"),
            ("/v1/entries?recipient=police:west-yorkshire", "/v1/entries?recipient=nobody"),
            ("/v1/entries?rule=N-03", "/v1/entries?rule=N-99"),
            ("/v1/entries/1/proof", f"/v1/entries/{MISSING}/proof"),
        ):
            answers = [await http.get(path) for path in (foreign, missing)]
            assert answers[0].content == answers[1].content, foreign
            assert answers[0].status_code == answers[1].status_code
        pages = [await http.get(f"/log/{index}", headers={"accept": "text/html"}) for index in (1, MISSING)]
        searched = [(await http.get(f"/log?case={key}")).text.replace(key, "KEY") for key in (CASE, "0" * 32)]
        whole = (await http.get("/log")).text
        limited = (await http.get("/v1/entries?limit=1")).json()

    assert pages[0].content == pages[1].content
    assert [page.status_code for page in pages] == [404, 404]
    assert searched[0] == searched[1]
    assert CASE[:8] not in whole
    assert (limited["entries"], limited["next_after"]) == ([], None)


async def test_an_entry_that_names_two_cases_is_read_by_who_may_read_both(told: TestLog) -> None:
    async with client(told, "review_officer", acts_for="police-leeds", body="la:E08000035") as http:
        one = indices(await http.get("/v1/entries"))
    async with told.database.begin() as tx:
        await tx.connection.execute(
            text("INSERT INTO case_party VALUES (:key, 'client:police-leeds')"), {"key": OTHER_CASE}
        )
    async with client(told, "review_officer", acts_for="police-leeds") as http:
        both = indices(await http.get("/v1/entries"))

    assert one == [*CASE_ENTRIES]
    assert both == [*CASE_ENTRIES, LINK, OTHER]


@pytest.mark.parametrize(("case", "entries"), [(CASE, [*CASE_ENTRIES, LINK]), (OTHER_CASE, [LINK, OTHER])], ids=str)
async def test_the_entry_that_linked_two_cases_is_found_under_the_key_of_each(
    told: TestLog, case: str, entries: list[int]
) -> None:
    async with client(told, "auditor") as http:
        assert indices(await http.get(f"/v1/entries?case={case}")) == entries


async def test_a_page_of_entries_is_filled_with_what_may_be_read(told: TestLog) -> None:
    async with client(told, "review_officer", acts_for="hill-school") as http:
        found = await http.get("/v1/entries?limit=1")

    assert indices(found) == [OTHER]


@pytest.mark.parametrize("role", ["auditor", "operations"])
async def test_the_installation_s_own_people_read_the_whole_log(told: TestLog, role: Any) -> None:
    async with client(told, role) as http:
        assert indices(await http.get("/v1/entries")) == [*CASE_ENTRIES, NO_CASE, LINK, OTHER]
        assert (await http.get(f"/log/{NO_CASE}")).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/v1/checkpoint",
        "/v1/checkpoints",
        "/v1/entries/raw?start=0&end=1",
        "/v1/proofs/consistency?from=6&to=6",
        "/v1/gaps",
    ],
)
async def test_what_cannot_be_cut_to_one_agency_is_for_auditors_and_operations(told: TestLog, path: str) -> None:
    seen = {}
    for role in ("auditor", "operations", "review_officer", "partner"):
        async with client(told, role, acts_for="police-leeds", body="la:E08000035") as http:
            seen[role] = (await http.get(path)).status_code

    assert seen == {"auditor": 200, "operations": 200, "review_officer": 403, "partner": 403}


async def test_who_may_read_is_found_again_from_the_log_alone(told: TestLog) -> None:
    async with told.database.begin() as tx:
        for statement in ("DELETE FROM case_party", "DELETE FROM entry_index", "UPDATE projection SET size = 0"):
            await tx.connection.execute(text(statement))
    async with client(told, "review_officer", acts_for="police-leeds") as http:
        before = indices(await http.get("/v1/entries")), (await http.get("/v1/entries/1/proof")).status_code
        await told.index()
        after = indices(await http.get("/v1/entries")), (await http.get("/v1/entries/1/proof")).status_code

    assert before == ([], 404)  # what is not in the index yet is not shown rather than shown to all
    assert after == ([*CASE_ENTRIES], 200)


async def test_a_link_that_cannot_be_read_is_shown_to_no_agency(log: TestLog) -> None:
    """Its own case may be read; which other case it names cannot be told."""
    assert "case.linked.v1" in MESSAGES
    report = of_case(reported(POLICE))
    broken = json.dumps({**event(7, CASE), "type": "case.linked.v1", "data": {"linked_case_key": 7}}).encode()
    await log.append([record(report, 1), record(broken, 2)])
    await log.publish()
    await log.index()

    async with client(log, "review_officer", acts_for="police-leeds") as http:
        assert indices(await http.get("/v1/entries")) == [0]
