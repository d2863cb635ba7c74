"""Pins how answers are read, and that whatever a recipient does becomes a value and never an exception."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from services.routing.dispatch.dispatcher import MOST_IN_FLIGHT
from services.routing.dispatch.sender import TIMEOUT_S, Answer, WebhookChannel, open_session, read_answer
from tests.support.eventually import eventually


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        (200, b'{"reference":"PANEL-1"}', Answer(200, reference="PANEL-1")),
        (202, b'{"reference":"A/B.c-1_2"}', Answer(202, reference="A/B.c-1_2")),
        (200, b"", Answer(200, problem="answered 200 without a reference")),
        (200, b"[]", Answer(200, problem="answered 200 without a reference")),
        (200, b'{"reference":"<script>"}', Answer(200, problem="answered 200 without a reference")),
        (200, b'{"reference":7}', Answer(200, problem="answered 200 without a reference")),
        (302, b'{"reference":"PANEL-1"}', Answer(302, problem="answered 302")),
        (503, b"", Answer(503, problem="answered 503", retry_after_s=7.0)),
    ],
)
def test_only_a_2xx_with_a_reference_says_that_the_message_was_taken(
    status: int, content: bytes, expected: Answer
) -> None:
    assert read_answer(status, "7" if status == 503 else None, content) == expected
    assert expected.taken == (expected.reference is not None)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def serve(handler: Handler, timeout_s: float = TIMEOUT_S) -> AsyncIterator[tuple[str, WebhookChannel]]:
    app = web.Application()
    app.router.add_post("/webhook", handler)
    async with TestServer(app) as server, open_session() as session:
        channel = WebhookChannel(timeout_s)
        channel.session = session
        yield str(server.make_url("/webhook")), channel


async def answer_of(handler: Handler, timeout_s: float = TIMEOUT_S) -> Answer:
    async for url, channel in serve(handler, timeout_s):
        return await channel.send(url, {"webhook-id": "n-1"}, b"{}")
    raise AssertionError


async def test_the_bytes_and_headers_that_were_signed_are_those_that_arrive() -> None:
    async def echo(request: web.Request) -> web.Response:
        assert await request.read() == b"{}"
        return web.json_response({"reference": request.headers["webhook-id"]})

    assert await answer_of(echo) == Answer(200, reference="n-1")


async def test_a_redirect_is_not_followed() -> None:
    async def redirect(_request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("/elsewhere")

    assert (await answer_of(redirect)).http_status == 307


async def test_silence_is_a_failure_after_the_time_out() -> None:
    async def hang(_request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    assert await answer_of(hang, timeout_s=0.3) == Answer(None, problem="no answer in time")


async def test_a_reference_that_comes_in_pieces_is_read_whole() -> None:
    async def slowly(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (b'{"refer', b'ence":"PAN', b'EL-1"}'):
            await response.write(piece)
            await asyncio.sleep(0.01)
        return response

    assert await answer_of(slowly) == Answer(200, reference="PANEL-1")


@pytest.mark.parametrize("host", ["127.0.0.1:9", "recipient..example"])
async def test_a_closed_port_or_an_impossible_name_is_a_failure_without_a_status(host: str) -> None:
    async with open_session() as session:
        channel = WebhookChannel()
        channel.session = session
        answer = await channel.send(f"http://{host}/webhook", {}, b"{}")

    assert answer.http_status is None
    assert answer.problem is not None


@pytest.mark.parametrize(("opens", "taken_for"), [(open_session, None), (aiohttp.ClientSession, "LATE")])
async def test_what_comes_unasked_on_an_open_connection_is_not_the_answer_to_the_next_request(
    opens: Callable[[], aiohttp.ClientSession], taken_for: str | None
) -> None:
    asked = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        if asked.is_set():
            writer.write(b"HTTP/1.1 503 \r\nContent-Length: 0\r\n\r\n")
        else:
            writer.write(b'HTTP/1.1 200 \r\nContent-Length: 19\r\n\r\n{"reference":"ONE"}')
            await asked.wait()
            writer.write(b'HTTP/1.1 200 \r\nContent-Length: 20\r\n\r\n{"reference":"LATE"}')
            with suppress(ConnectionError):
                await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1") as server, opens() as session:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/webhook"
        channel = WebhookChannel()
        channel.session = session
        first = await channel.send(url, {}, b"{}")
        asked.set()

        def has_come() -> bool:
            assert session.connector is not None
            return any(kept.should_close for conns in session.connector._conns.values() for kept, _ in conns)

        await eventually(has_come, "what was not asked for has come")
        second = await channel.send(url, {}, b"{}")

    assert (first.reference, second.reference) == ("ONE", taken_for)


async def test_as_many_requests_as_may_be_under_way_leave_at_once_whatever_becomes_of_the_others() -> None:
    arrived = asyncio.Barrier(MOST_IN_FLIGHT)

    async def wait_for_all(_request: web.Request) -> web.Response:
        await arrived.wait()
        return web.json_response({"reference": "PANEL-1"})

    async for url, channel in serve(wait_for_all):
        answers = await asyncio.gather(*(channel.send(url, {}, b"{}") for _ in range(MOST_IN_FLIGHT)))

    assert {answer.reference for answer in answers} == {"PANEL-1"}
