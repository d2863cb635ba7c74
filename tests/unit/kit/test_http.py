"""Problems, limits, health and the log line of every request."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI, Request
from pydantic import BaseModel

from services.kit.auth import public
from services.kit.clock import FixedClock
from services.kit.errors import Conflict, Refused, Unavailable
from services.kit.http import MAX_BODY_BYTES, build_http, note
from services.kit.logging import configure_logging
from services.kit.runtime import Runtime
from tests.support.kit import NOON
from tests.support.kit_http import bare_runtime
from tests.support.kit_kafka import token_key_file


class Body(BaseModel):
    age: int


@pytest.fixture
def runtime() -> Runtime:
    return bare_runtime(token_key_file(), FixedClock(NOON))


@pytest.fixture
def app(runtime: Runtime) -> FastAPI:
    app = build_http(runtime, "test")

    @app.get("/fail/{kind}")
    @public
    async def fail(kind: str) -> None:
        raise {
            "refused": Refused("two fields are wrong", errors=[{"pointer": "/a", "detail": "missing"}]),
            "conflict": Conflict(),
            "away": Unavailable(),
            "database": ConnectionRefusedError("password=secret"),
            "bug": ZeroDivisionError("Invented Name"),
        }[kind]

    @app.get("/numbered/{number}")
    @public
    async def numbered(number: int) -> int:
        return number

    @app.post("/body")
    @public
    async def body(body: Body) -> int:
        return body.age

    @app.post("/raw")
    @public
    async def raw(request: Request) -> int:
        return len(await request.body())

    @app.post("/noted")
    @public
    async def noted(request: Request) -> None:
        note(request, case_key="c1", harm="Invented")

    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as opened:
        yield opened


@pytest.mark.parametrize(
    ("kind", "status"), [("refused", 422), ("conflict", 409), ("away", 503), ("database", 503), ("bug", 500)]
)
async def test_every_error_is_a_problem_without_internals(client: httpx.AsyncClient, kind: str, status: int) -> None:
    answer = await client.get(f"/fail/{kind}")

    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert "Invented" not in answer.text
    assert ("retry-after" in answer.headers) == (status == 503)


async def test_an_error_on_our_side_does_not_claim_to_know_whether_a_report_was_kept(client: httpx.AsyncClient) -> None:
    answer = await client.get("/fail/bug")

    assert answer.json()["detail"] == "It was logged. It may or may not have been kept; send the same again."


async def test_a_field_at_fault_is_pointed_to_and_not_quoted(client: httpx.AsyncClient) -> None:
    answer = await client.post("/body", json={"age": "Invented Name"})

    assert answer.json()["errors"] == [{"pointer": "/age", "detail": "expected a whole number, without quotes"}]
    assert "Invented" not in answer.text


async def test_an_address_with_a_part_of_another_form_is_not_called_fields_to_correct(
    client: httpx.AsyncClient,
) -> None:
    """A person who follows half a link is shown this as a page."""
    answer = await client.get("/numbered/one")

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("There is nothing at this address")
    assert "address" in answer.json()["next_step"]
    assert answer.json()["errors"] == [{"pointer": "/number", "detail": "expected a whole number, without quotes"}]


async def test_an_unknown_path_is_a_problem_too(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nowhere")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/body", "/raw"])
async def test_a_body_over_the_limit_is_refused_with_and_without_a_length(client: httpx.AsyncClient, path: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 1024 + 1):
            yield b"x" * 1024

    with_length = await client.post(path, content=b"x" * (MAX_BODY_BYTES + 1))
    without = await client.post(path, content=chunks(), headers={"content-type": "application/json"})

    assert (with_length.status_code, without.status_code) == (413, 413)
    assert with_length.headers["content-type"] == without.headers["content-type"] == "application/problem+json"


async def test_a_body_at_the_limit_is_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/raw", content=b"x" * MAX_BODY_BYTES)

    assert answer.json() == MAX_BODY_BYTES


async def test_liveness_and_readiness_say_what_is_wrong(runtime: Runtime, client: httpx.AsyncClient) -> None:
    async def away() -> str:
        return "no partitions are assigned yet"

    assert (await client.get("/health/live")).status_code == 200
    assert (await client.get("/health/ready")).status_code == 200
    runtime.health.live["loop x"] = lambda: "the task has ended"
    runtime.health.going["consumer y"] = lambda: "its topic was made again"
    runtime.health.ready["consumer x"] = away

    live, ready = await client.get("/health/live"), await client.get("/health/ready")
    assert live.status_code == 503
    assert live.json()["wrong"] == {"loop x": "the task has ended", "consumer y": "its topic was made again"}
    assert (ready.status_code, ready.json()["wrong"]) == (503, {"consumer x": "no partitions are assigned yet"})


async def test_metrics_are_in_prometheus_format(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")

    assert "# TYPE handrail_outbox_depth gauge" in answer.text


@pytest.fixture
def lines(app: FastAPI) -> Iterator[Any]:
    del app  # made first: it configures logging for itself
    stream = io.StringIO()
    root = logging.getLogger()
    before = (root.handlers, root.level, structlog.get_config())
    configure_logging("kit", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers, root.level = before[:2]
    structlog.configure(**before[2])


async def test_a_request_is_one_line_with_the_template_of_its_path(client: httpx.AsyncClient, lines: Any) -> None:
    await client.get("/fail/conflict?name=Invented+Name")

    (line,) = lines()
    assert (line["event"], line["route"], line["status"]) == ("http.request", "/fail/{kind}", 409)
    assert "Invented" not in json.dumps(line)


async def test_the_line_of_a_request_says_what_was_noted_as_far_as_a_log_may(
    client: httpx.AsyncClient, lines: Any
) -> None:
    await client.post("/noted")

    (line,) = lines()
    assert (line["event"], line["route"], line["case_key"]) == ("http.request", "/noted", "c1")
    assert "Invented" not in json.dumps(line)


async def test_a_bug_is_logged_by_type_and_place(client: httpx.AsyncClient, lines: Any) -> None:
    await client.get("/fail/bug")

    failed, request = lines()
    assert (failed["event"], failed["error"]) == ("http.failed", "ZeroDivisionError")
    assert request["status"] == 500
    assert "Invented" not in json.dumps([failed, request])


async def test_a_method_that_somebody_made_up_is_neither_logged_nor_counted(
    client: httpx.AsyncClient, lines: Any
) -> None:
    await client.request("ZEBEDEE-TESTCASE", "/raw")

    assert [line["method"] for line in lines() if line["event"] == "http.request"] == ["other"]
    assert "ZEBEDEE" not in (await client.get("/metrics")).text


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_no_page_loads_scripts_of_another_host(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x; charset=punycode", " Multipart/mixed"])
async def test_a_body_in_parts_is_refused_unread(client: httpx.AsyncClient, kind: str) -> None:
    read = []

    async def watched() -> AsyncIterator[bytes]:
        read.append(kind)
        yield b"--x"

    answer = await client.post("/raw", content=watched(), headers={"content-type": kind})

    assert read == []
    assert (answer.status_code, answer.headers["content-type"]) == (415, "application/problem+json")
    assert "application/x-www-form-urlencoded" in answer.json()["detail"]
