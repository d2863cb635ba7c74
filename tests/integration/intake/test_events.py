"""`POST /v1/events` on a real database: receipts, sameness, refusals, links, and what is kept and published."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import Any

import orjson
import pytest
from joserfc import jwe
from joserfc.jwk import ECKey
from sqlalchemy import text
from structlog.testing import capture_logs

from schemas.case_events import IncidentReported
from schemas.identity import event_id
from schemas.submissions import SUBMISSIONS
from schemas.vocabulary import nearest
from services.intake.domain import explaining
from services.intake.service import Accepted
from services.kit.auth import unguarded
from tests.support.intake import LEEDS, event, incident
from tests.support.intake_app import (
    Intake,
    intake,
    submission_key,
)

AWARE = {"aware_at": "2026-06-02T09:00:00Z"}
_PERSONAL = re.compile(rb"Zebedee|Nowhere|Onlyatest|9990000000|2016-06-01|WYP/2026/0001|child-1")


async def test_an_event_is_kept_announced_and_answered_with_a_receipt(running: Intake) -> None:
    answer = await running.post(incident())

    assert answer.status_code == 202
    body = answer.json()
    assert body["status"] == "kept"
    assert body["missing"] == [
        {"fact": "child.care_leaver", "ask": "Is the person a care leaver?", "child_ref": "child-1"}
    ]
    assert answer.headers["location"] == body["links"]["self"]
    [message] = await running.published()
    assert isinstance(message, IncidentReported)
    assert (str(message.id), message.case_key) == (body["event_id"], body["case_key"])
    assert message.case_seq == 1
    assert message.data.reporter.client == "police-example"
    assert message.data.children[0].age_at_incident == 9


async def test_one_log_line_says_of_each_post_whose_it_was_and_what_became_of_it(running: Intake) -> None:
    with capture_logs() as lines:
        receipt = (await running.post(incident())).json()
        await running.post(incident(data__harm="other"))

    kept, returned = (line for line in lines if line["log_level"] == "info")
    assert (kept["status"], kept["client"], kept["case_key"]) == (202, "police-example", receipt["case_key"])
    assert kept["event_id"] == receipt["event_id"]
    assert (returned["status"], returned["client"], returned["kind"]) == (409, "police-example", "differs")


async def test_nothing_personal_stands_open_in_any_table(running: Intake) -> None:
    await running.post(incident())
    await running.post(incident(data__harm="Zebedee", id="evt-2"))
    await running.post(incident(data__harm="other"))

    tables = await running.column("SELECT tablename FROM pg_tables WHERE schemaname = 'intake'")
    assert {"submission", "vault_item", "returned", "outbox"} <= set(tables)
    for table in tables:
        for row in await running.column(f"SELECT t::text FROM {table} AS t"):  # noqa: S608 - names from the catalogue
            plain = row.encode() + b"".join(bytes.fromhex(found) for found in re.findall(r"\\x((?:[0-9a-f]{2})+)", row))
            assert not _PERSONAL.search(plain), table


async def test_the_same_event_again_gets_the_same_receipt_and_has_no_second_effect(running: Intake) -> None:
    first = await running.post(incident())
    again = await running.post(incident(time="2026-06-01T08:15:00Z", gateway="added"))

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.content == first.content
    assert len(await running.published()) == 1


async def test_fifty_at_once_have_one_effect(running: Intake) -> None:
    answers = await asyncio.gather(*(running.post(incident()) for _ in range(50)))

    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [202]
    assert len({answer.content for answer in answers}) == 1
    assert len(await running.published()) == 1


async def test_the_same_id_at_once_under_two_case_references_is_accepted_once(running: Intake) -> None:
    events = [incident(data__case_reference=f"WYP/{number}") for number in range(8)]

    answers = await asyncio.gather(*(running.post(one) for one in events))

    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 7


async def test_other_content_under_the_same_id_is_a_conflict_that_names_the_fields_and_what_stands(
    running: Intake,
) -> None:
    first = await running.post(incident())
    other = incident(data__harm="other")
    other["data"]["personal"]["children"][0]["name"] = "Yolanda Notreal"

    answer = await running.post(other)

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["receipt_id"] == first.json()["receipt_id"]
    assert answer.json()["detail"].endswith(" or personal details anew, use a new id.")
    assert [error["pointer"] for error in answer.json()["errors"]] == [
        "/data/harm",
        "/data/personal/children/0/name",
    ]
    assert "Zebedee" not in answer.text
    assert "Yolanda" not in answer.text
    assert len(await running.published()) == 1


async def test_two_clients_may_use_the_same_id_and_case_reference(running: Intake) -> None:
    police = await running.post(incident())
    council = await running.post(incident(), by="council-example")

    assert (police.status_code, council.status_code) == (202, 202)
    assert police.json()["case_key"] != council.json()["case_key"]
    assert police.json()["event_id"] != council.json()["event_id"]


@pytest.mark.parametrize(
    ("body", "status", "pointers"),
    [
        (b"{not json", 400, []),
        (orjson.dumps(incident(data__harm="deaht")), 422, ["/data/harm"]),
        (orjson.dumps(event("la.became_aware.v1", AWARE)), 403, []),
        (orjson.dumps(incident(type="incident.reported.v9")), 422, ["/type"]),
    ],
)
async def test_what_is_refused_is_explained_and_kept(
    running: Intake, body: bytes, status: int, pointers: list[str]
) -> None:
    answer = await running.post(body)

    assert answer.status_code == status
    assert [error["pointer"] for error in answer.json().get("errors", [])] == pointers
    assert "kept" in answer.json()
    kept = await running.column("SELECT returned_id::text FROM returned")
    assert kept == [answer.json()["returned_id"]]
    assert await running.published() == []


async def test_a_body_that_is_too_large_is_refused_and_not_kept(running: Intake) -> None:
    answer = await running.post(b"x" * (256 * 1024 + 1))

    assert answer.status_code == 413
    assert await running.column("SELECT 1 FROM returned") == []


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/cloudevents-batch+json", ""])
async def test_another_content_type_is_told_which_ones_are_taken(running: Intake, content_type: str) -> None:
    headers = running.as_client("police-example") | {"Content-Type": content_type}

    answer = await running.http.post("/v1/events", content=orjson.dumps(incident()), headers=headers)

    assert answer.status_code == 415
    assert "application/cloudevents+json" in answer.json()["detail"]


async def test_a_conflict_in_more_places_than_anybody_reads_lists_a_hundred(running: Intake) -> None:
    before, after = incident(), incident(data__harm="other")
    stated = {"looked_after": "yes", "care_leaver": "no"}
    personal = {"name": "Yolanda Notreal", "date_of_birth": "2016-06-02", "date_of_death": "2026-05-31"}
    for document, *others in ((before, {}, {}), (after, stated, personal)):
        for part, other in zip((document["data"], document["data"]["personal"]), others, strict=True):
            (child,) = part["children"]
            part["children"] = [child | other | {"ref": f"child-{number}"} for number in range(20)]

    accepted, answer = await running.post(before), await running.post(after)

    assert (accepted.status_code, answer.status_code) == (202, 409), accepted.text
    assert len(answer.json()["errors"]) == 100
    assert " The first 100 are listed, 1 more are not. " in answer.json()["detail"]


async def test_binary_mode_is_the_same_event(running: Intake) -> None:
    document = incident()
    await running.post(document)
    headers = running.as_client("police-example") | {"Content-Type": "application/json"}
    headers |= {f"ce-{name}": document[name] for name in ("specversion", "id", "source", "type", "time")}

    answer = await running.http.post("/v1/events", content=orjson.dumps(document["data"]), headers=headers)

    assert answer.status_code == 200


async def test_an_encrypted_personal_block_is_the_same_as_a_plain_one(running: Intake) -> None:
    document = incident()
    await running.post(document)
    published = (await running.http.get("/v1/keys")).json()["keys"][0]
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": published["kid"]}
    block = jwe.encrypt_compact(header, orjson.dumps(document["data"]["personal"]), ECKey.import_key(published))

    answer = await running.post(incident(data__personal=block))
    other = await running.post(incident(data__personal=block, data__harm="other"))

    assert published["kid"] == submission_key().thumbprint()
    assert answer.status_code == 200
    assert (other.status_code, [error["pointer"] for error in other.json()["errors"]]) == (409, ["/data/harm"])


async def test_the_same_child_has_one_key_in_linked_cases(running: Intake) -> None:
    report = await running.post(incident())
    await running.post(incident(data__linked_case={"case_key": report.json()["case_key"]}), by="council-example")
    await running.post(incident(id="evt-9", data__case_reference="OTHER"), by="council-example")

    first, second, other = [m for m in await running.published() if isinstance(m, IncidentReported)]
    assert first.data.children[0].child == second.data.children[0].child
    assert first.data.children[0].child != other.data.children[0].child


async def test_a_database_that_is_away_is_told_with_a_time_to_try_again() -> None:
    async with intake("postgresql://handrail_intake:x@127.0.0.1:1/none") as away:
        away.tokens["police-example"] = "hr_police-example_" + "A" * 43

        answer = await away.post(incident())

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


async def test_every_route_is_guarded_or_public_by_name(running: Intake) -> None:
    assert unguarded(running.app) == []


async def test_every_example_of_the_interface_is_accepted(running: Intake) -> None:
    described: dict[str, Any] = (await running.http.get("/openapi.json")).json()
    body = described["paths"]["/v1/events"]["post"]["requestBody"]["content"]
    examples = body["application/cloudevents+json"]["examples"]
    report = await running.post(incident(data__case_reference="WYP-2026-0001"), by="council-example")

    assert set(examples) == set(SUBMISSIONS)
    for number, (type_, example) in enumerate(examples.items()):
        sent = example["value"] | {"id": f"example-{number}"}
        if type_ == "fact.corrected.v1":  # needs an event of one's own
            sent["data"]["corrects"] = report.json()["event_id"]
        answer = await running.post(sent, by="council-example")
        assert answer.status_code == 202, (type_, answer.text)


async def test_the_role_can_not_change_the_log_of_reads(running: Intake) -> None:
    async with running.database.connect() as connection:
        allowed = await connection.execute(
            text("SELECT has_table_privilege('intake.access_log', 'UPDATE, DELETE, TRUNCATE')")
        )
    assert allowed.scalar_one() is False


async def test_the_area_of_a_client_is_what_was_registered_whatever_the_event_says(running: Intake) -> None:
    await running.post(incident(data__area="E09000032"))

    [message] = await running.published()
    assert isinstance(message, IncidentReported)
    assert (message.data.reporter.area, message.data.area) == (LEEDS, "E09000032")


async def test_an_event_again_with_another_offset_in_its_data_is_the_same(running: Intake) -> None:
    sent = [
        event("la.became_aware.v1", {"aware_at": at}) for at in ("2026-06-02T09:00:00Z", "2026-06-02T10:00:00+01:00")
    ]

    first, again = [await running.post(each, by="council-example") for each in sent]

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == first.json()


async def test_of_very_many_unknown_fields_the_first_are_explained_and_the_rest_are_counted(
    running: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def counted(word: str, words: Iterable[str]) -> str | None:
        asked.append(word)
        return nearest(word, words)

    monkeypatch.setattr(explaining, "nearest", counted)
    document = incident()
    document["data"] |= {f"looked_aftr_{number}": 1 for number in range(12_000)}

    answer = await running.post(document)

    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 100
    assert "12000 things have to be put right. The first 100 are listed, 11900 more are not." in answer.json()["detail"]
    assert len(asked) <= 20


async def test_of_two_events_of_one_batch_about_one_time_the_one_that_was_sent_later_is_recorded_later(
    running: Intake,
) -> None:
    later, sooner = sorted(("evt-1", "evt-2"), key=lambda id_: event_id("police-example", incident()["source"], id_))

    first, second = await running.keep(incident(id=sooner), incident(id=later, data__harm="other"))

    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert second.kept.event_id < first.kept.event_id
    assert second.kept.occurred_at == first.kept.occurred_at
    assert second.kept.recorded_at > first.kept.recorded_at
    recorded_at = {message.id: message.recorded_at for message in await running.published()}
    assert recorded_at == {each.kept.event_id: each.kept.recorded_at for each in (first, second)}
