"""The partners' client: what it sends again, what it gives up, and what it never does."""

from __future__ import annotations

import pytest

from handrail.client import HandrailClient, NotAccepted, TryAgain
from tests.support.answering import PROBLEM, RECEIPT, Answer, serving


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
    with (
        serving((422, problem, PROBLEM)) as server,
        pytest.raises(NotAccepted, match=r"422: Refused - One thing\.\n  /data/harm"),
    ):
        HandrailClient(server.url, "t").send({"id": "1"})

    assert len(server.requests) == 1


def test_a_redirect_is_not_followed() -> None:
    with (
        serving((202, RECEIPT, {})) as elsewhere,
        serving((307, {}, {"Location": elsewhere.url})) as server,
        pytest.raises(TryAgain, match="307"),
    ):
        HandrailClient(server.url, "t", tries=1).send({"id": "1"})

    assert elsewhere.requests == []


@pytest.mark.parametrize(
    "strange",
    [
        (302, b"", {"Location": "/sign-in"}),
        (404, {"title": "Not found"}, PROBLEM),
        (408, b"", {}),
        (425, b"", {}),
        (520, b"<p>a front", {}),
        (422, b"<p>a gateway", {"Content-Type": "text/html"}),
        (400, {"errors": ["a gateway's own"]}, {"Content-Type": "application/json"}),
        (403, b"<p>a firewall", {"Content-Type": "text/html"}),
        (200, b"<p>a page for maintenance", {}),
        (202, {"status": "queued"}, {}),
        (204, b"", {}),
    ],
)
def test_what_intake_does_not_say_of_the_event_is_no_verdict_and_it_is_sent_again(strange: Answer) -> None:
    with serving(strange, (202, RECEIPT, {})) as server:
        receipt = HandrailClient(server.url, "t", sleep=lambda _: None).send({"id": "1"})

    assert (receipt.receipt_id, len(server.requests)) == ("r", 2)


def test_with_a_token_that_was_changed_the_event_is_not_judged_and_stays_to_be_sent() -> None:
    with (
        serving((401, {"title": "Not signed in"}, PROBLEM)) as server,
        pytest.raises(TryAgain, match="HTTP 401, the token is not valid"),
    ):
        HandrailClient(server.url, "t").send({"id": "1"})

    assert len(server.requests) == 1


def test_a_pause_of_a_day_is_not_slept_through_in_silence() -> None:
    pauses: list[float] = []
    with serving((503, {}, {"Retry-After": "86400"}), (202, RECEIPT, {})) as server:
        HandrailClient(server.url, "t", sleep=pauses.append).send({"id": "1"})

    assert pauses == [30.0]


def test_a_refusal_whose_errors_are_laid_out_otherwise_is_a_refusal_still() -> None:
    with (
        serving((400, {"title": "No", "errors": ["text"]}, PROBLEM)) as server,
        pytest.raises(NotAccepted, match="400: No"),
    ):
        HandrailClient(server.url, "t").send({"id": "1"})

    assert len(server.requests) == 1


@pytest.mark.parametrize("url", ["http://intake.example", "ftp://127.0.0.1", "intake.example"])
def test_only_https_leaves_the_machine(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        HandrailClient(url, "t")


@pytest.mark.parametrize("token", ["hr_secret\n", "hr_secret two", "hr_s\u00e9cret", ""])
def test_a_token_that_no_header_can_carry_is_refused_at_once_and_not_quoted(token: str) -> None:
    with pytest.raises(ValueError, match="is no token") as refused:
        HandrailClient("https://handrail.example", token)

    assert "secret" not in str(refused.value)
