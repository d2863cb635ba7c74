"""Whatever is sent: an answer that the interface describes, never a 5xx, and nothing accepted that breaks the schema."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis

from tests.support.intake import event, incident
from tests.support.intake_app import CLOUDEVENT, Intake, intake

SEED = 20_261_122
CASES = 400
_CORPUS: tuple[bytes, ...] = (
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"\x00",
    b"\xff\xfe\x00",
    b"\xef\xbb\xbf{}",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"data": NaN}',
    b'{"data": 1e999}',
    b'{"id": "\\ud800"}',
    b'{"id": "a", "id": "b"}',
    b'{"data": ' + b"9" * 10_000 + b"}",
    b"PK\x03\x04" + b"\x00" * 1_000,
)
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**30, 1.5, "", " ", "\x00", "\u202e", "\ud7ff", "a" * 30_000, "9999-12-31T23:59:59-23:59",
    "0001-01-01", "2026-02-30", "E08000035", "unknown", [], {}, [[]], {"a": {"b": []}}, ["x"] * 200, "'; DROP TABLE client; --",
    "{{7*7}}", "../../etc/passwd", "..." * 20, "a.b.c.d.e",
)  # fmt: skip


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every value in a document."""
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in pairs:
        yield from places(part, (*path, key))


def altered(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """Return the document with one value replaced."""
    if not path:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[path[0]] = altered(copy[path[0]], path[1:], value)  # type: ignore[index]
    return copy


def bodies() -> list[bytes]:
    """Return hostile bodies: a fixed corpus, and real events with one to three values or bytes replaced."""
    chance = random.Random(SEED)  # noqa: S311 - the same cases in every run
    found = list(_CORPUS)
    acknowledged = {"notice_id": "0" * 32, "accepted_at": "2026-06-01T10:00:00Z", "personal": {"by": "X"}}
    correction = {
        "corrects": "0" * 32,
        "fact": "child.home_area",
        "child_ref": "child-1",
        "value": "x",
        "reason": "wrong_value",
    }
    events = [incident(), event("delivery.acknowledged.v1", acknowledged), event("fact.corrected.v1", correction)]
    events.append(incident(data__linked_case={"client": "council-example", "case_reference": "A-1"}))
    while len(found) < CASES:
        document = chance.choice(events)
        for _ in range(chance.randint(1, 3)):
            document = altered(document, chance.choice(list(places(document))), chance.choice(_VALUES))
        body = bytearray(json.dumps(document).encode())
        if body and chance.random() < 0.2:
            body[chance.randrange(len(body))] = chance.randrange(256)
        found.append(bytes(body))
    return found


class Described:
    """What the interface says about the answers of `POST /v1/events`."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._operation = schemathesis.openapi.from_dict(document)["/v1/events"]["POST"]
        self._statuses = set(document["paths"]["/v1/events"]["post"]["responses"])

    def check(self, answer: httpx.Response) -> None:
        """Fail unless status, content type and body are described."""
        assert str(answer.status_code) in self._statuses
        self._operation.validate_response(answer)


async def described(running: Intake) -> Described:
    return Described((await running.http.get("/openapi.json")).json())


async def test_hostile_bodies_get_a_described_answer_and_never_a_5xx() -> None:
    async with intake() as running:
        interface = await described(running)
        statuses: dict[int, int] = {}
        for body in bodies():
            answer = await running.post(body)
            interface.check(answer)
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        accepted = len(await running.column("SELECT 1 FROM submission"))
        kept = len(await running.column("SELECT 1 FROM returned"))

    assert set(statuses) <= {200, 202, 400, 403, 409, 413, 422}
    assert statuses[422] > CASES / 2
    assert accepted == statuses.get(202, 0)
    assert kept == statuses[400] + statuses[422] + statuses.get(409, 0) + statuses.get(403, 0)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json", "ce-specversion": "1.0"},
        {
            "Content-Type": "application/json",
            "ce-specversion": "%ff",
            "ce-id": "%",
            "ce-source": "%00",
            "ce-time": "%zz",
        },
        {
            "Content-Type": "application/json",
            "ce-specversion": "1.0",
            "ce-data": "x",
            "ce-type": "incident.reported.v1",
        },
        {"Content-Type": "application/cloudevents+json;" + "x" * 4_000},
        {"Content-Type": "APPLICATION/CLOUDEVENTS+JSON", "traceparent": "nonsense"},
    ],
)
async def test_hostile_headers_get_an_answer_too(headers: dict[str, str]) -> None:
    async with intake() as running:
        interface = await described(running)
        answers = await asyncio.gather(
            *(
                running.http.post("/v1/events", content=body, headers=running.as_client("police-example") | headers)
                for body in (b"{}", json.dumps(incident()["data"]).encode(), json.dumps(incident()).encode())
            )
        )

    for answer in answers:
        interface.check(answer)
        assert answer.status_code < 500


@pytest.mark.parametrize(
    "path", ["/v1/receipts/Zebedee", "/v1/receipts?limit=x", "/v1/receipts?before=never", "/v1/receipts/%00"]
)
async def test_hostile_addresses_are_not_repeated_in_the_answer(path: str) -> None:
    async with intake() as running:
        answer = await running.get(path)

    assert answer.status_code in {404, 422}
    assert "Zebedee" not in answer.text


async def test_every_problem_is_told_as_problem_json() -> None:
    async with intake() as running:
        for answer in (
            await running.http.post("/v1/events", content=b"{}", headers=CLOUDEVENT),
            await running.post(b"{}"),
            await running.get(f"/v1/receipts/{'0' * 32}"),
            await running.http.get("/nowhere"),
            await running.http.put("/v1/events"),
        ):
            assert answer.headers["content-type"] == "application/problem+json"
            assert {"type", "title", "status"} <= answer.json().keys()
