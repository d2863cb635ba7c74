"""Pins `handrail deliveries`: what was refused is listed whole, and sent again one by one or for a recipient."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from handrail.cli import main as command_line
from tests.support.answering import Server, running_at, serving

LSCP_ID = "lscp:E08000035"


def refused(number: int) -> dict[str, Any]:
    return {
        "delivery_id": f"5f0c1a52-6f5b-5e0e-9a8e-{number:012}",
        "kind": "notice",
        "recipient": LSCP_ID,
        "rule": "N-11",
        "owed_at": "2026-06-01T09:00:00.000001Z",
        "due_by": None,
        "attempts": 1,
        "reason": "answered 403 [see there]",
    }


def page(*found: dict[str, Any], after: int | None = None) -> dict[str, Any]:
    return {"deliveries": list(found), "next": after}


PAGES = (page(refused(1), refused(2), after=7), page(refused(3)))
IDS = [refused(number)["delivery_id"] for number in (1, 2, 3)]


def run(
    *arguments: str, answers: tuple[dict[str, Any], ...], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[int, Server]:
    """Run the command while routing gives these answers in turn, and the last from then on."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "argv", ["handrail", "deliveries", *arguments, "--data", str(folder)])
    with serving(*((200, answer, {}) for answer in answers)) as server:
        running_at(server.url, folder)
        with pytest.raises(SystemExit) as ended:
            command_line.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code, server


def test_every_page_of_what_was_refused_is_listed_with_ids_that_can_be_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, server = run("list", answers=PAGES, folder=tmp_path, monkeypatch=monkeypatch)

    header, *lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert header.split()[:3] == ["id", "recipient", "kind"]
    assert [line.split()[0] for line in lines] == IDS
    assert all(line.endswith("answered 403 [see there]") for line in lines)
    assert [path for path, _, _ in server.requests] == [
        "/v1/deliveries?state=refused",
        "/v1/deliveries?state=refused&after=7",
    ]


def test_that_nothing_was_refused_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, server = run("list", "--recipient", LSCP_ID, answers=(page(),), folder=tmp_path, monkeypatch=monkeypatch)

    assert (code, capsys.readouterr().out) == (0, "No delivery is refused.\n")
    assert server.requests[0][0] == "/v1/deliveries?state=refused&recipient=lscp%3AE08000035"


@pytest.mark.parametrize(
    ("chosen", "answers", "sent"), [([IDS[1]], ({},), [IDS[1]]), (["--recipient", LSCP_ID], (*PAGES, {}), IDS)]
)
def test_one_delivery_or_all_that_a_recipient_refused_are_redriven_with_the_reason(
    chosen: list[str],
    answers: tuple[dict[str, Any], ...],
    sent: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = ["redrive", *chosen, "--reason", "their system is back"]

    code, server = run(*arguments, answers=answers, folder=tmp_path, monkeypatch=monkeypatch)

    posted = [(path, json.loads(body)) for path, _, body in server.requests if body]
    assert code == 0
    assert posted == [(f"/v1/deliveries/{each}/redrive", {"reason": "their system is back"}) for each in sent]


def test_what_is_not_refused_any_more_is_passed_over_and_the_rest_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["redrive", "--recipient", LSCP_ID, "--reason", "their system is back"]
    conflict = {"title": "Conflict", "detail": "only a delivery that was refused can be redriven"}
    statuses: tuple[tuple[int, dict[str, Any]], ...] = ((200, {}), (409, conflict), (200, {}))
    monkeypatch.setattr(sys, "argv", ["handrail", "deliveries", *arguments, "--data", str(tmp_path)])

    with serving(*((200, each, {}) for each in PAGES), *((*each, {}) for each in statuses)) as server:
        running_at(server.url, tmp_path)
        with pytest.raises(SystemExit) as ended:
            command_line.main()

    assert ended.value.code == 0
    assert len([body for _, _, body in server.requests if body]) == 3
    assert capsys.readouterr().out == "2 sent again; 1 had changed meanwhile; see `handrail deliveries list`.\n"
