"""The partners' client: what it sends again, what it gives up, and what it never does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from handrail.client import HandrailClient, NotAccepted, TryAgain

RECEIPT = {"receipt_id": "r", "event_id": "e", "case_key": "c", "missing": []}
Answer = tuple[int, dict[str, Any], dict[str, str]]


class Server:
    """Answers with what it was told to, one after the other; the last for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, str, bytes]] = []
        self.url = ""

    def answer(self) -> Answer:
        """Return the next answer."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def serving(*answers: Answer) -> Iterator[Server]:
    """Serve on a port of loopback."""
    told = Server(*answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.requests.append((self.path, self.headers["Authorization"], body))
            status, content, headers = told.answer()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_event_is_sent_with_the_token_and_gets_a_receipt() -> None:
    with serving((202, RECEIPT, {})) as server:
        receipt = HandrailClient(server.url, "hr_x").send({"id": "1"})

    assert (receipt.receipt_id, receipt.again) == ("r", False)
    assert server.requests == [("/v1/events", "Bearer hr_x", b'{"id": "1"}')]


def test_what_is_away_is_tried_again_after_the_time_it_asks_for() -> None:
    pauses: list[float] = []
    with serving((503, {}, {"Retry-After": "7"}), (429, {}, {}), (200, RECEIPT, {})) as server:
        receipt = HandrailClient(server.url, "t", sleep=pauses.append).send({"id": "1"})

    assert receipt.again
    assert len({body for _, _, body in server.requests}) == 1
    assert pauses[0] == 7.0
    assert 0.5 <= pauses[1] <= 1.0


def test_a_fault_of_the_server_is_no_refusal_of_the_event() -> None:
    pauses: list[float] = []
    with serving((500, {"title": "Something went wrong on our side"}, {}), (202, RECEIPT, {})) as server:
        receipt = HandrailClient(server.url, "t", sleep=pauses.append).send({"id": "1"})

    assert (receipt.receipt_id, len(server.requests), len(pauses)) == ("r", 2, 1)


def test_after_its_tries_it_says_to_try_later() -> None:
    pauses: list[float] = []
    with serving((503, {}, {})) as server, pytest.raises(TryAgain, match="HTTP 503"):
        HandrailClient(server.url, "t", tries=3, sleep=pauses.append).send({"id": "1"})

    assert len(server.requests) == 3
    assert len(pauses) == 2


def test_nobody_there_is_tried_again_too() -> None:
    pauses: list[float] = []

    with pytest.raises(TryAgain):
        HandrailClient("http://127.0.0.1:1", "t", tries=2, sleep=pauses.append).send({"id": "1"})

    assert len(pauses) == 1


def test_a_refusal_is_not_tried_again_and_says_where() -> None:
    problem = {"title": "Refused", "detail": "One thing.", "errors": [{"pointer": "/data/harm"}]}
    with serving((422, problem, {})) as server, pytest.raises(NotAccepted, match=r"422: One thing\. /data/harm"):
        HandrailClient(server.url, "t").send({"id": "1"})

    assert len(server.requests) == 1


def test_a_redirect_is_not_followed() -> None:
    with (
        serving((202, RECEIPT, {})) as elsewhere,
        serving((307, {}, {"Location": elsewhere.url})) as server,
        pytest.raises(NotAccepted, match="307"),
    ):
        HandrailClient(server.url, "t").send({"id": "1"})

    assert elsewhere.requests == []


@pytest.mark.parametrize("url", ["http://intake.example", "ftp://127.0.0.1", "intake.example"])
def test_only_https_leaves_the_machine(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        HandrailClient(url, "t")
