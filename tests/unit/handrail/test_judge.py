"""Pins what counts of a mailbox when a story is judged: what stands, and not what was corrected or withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from handrail.demo import player
from handrail.demo.judge import await_log, told
from handrail.demo.player import Played, StoryStuck
from handrail.installation.web import Web

PLAYED = Played(
    {"first": {"event_id": "e-1"}, "last": {"event_id": "e-2"}}, {("police", "A"): "a", ("council", "B"): "b"}
)


class Log(Web):
    """A log whose last event can be found from the given look on."""

    def __init__(self, from_look: int) -> None:
        super().__init__("http://log.example")
        self.looks = 0
        self._from_look = from_look

    def pages(self, path: str, follows: str = "next") -> Iterator[Any]:  # noqa: ARG002 - as `Web` has it
        if "case=a&" in path:
            self.looks += 1
            yield {"entries": [{"record": {"id": "e-1"}}, {"record": None}]}
        elif self.looks >= self._from_look:
            yield {"entries": [{"record": {"id": "e-2"}}]}


def entry(notice_id: str, due_on: str, *, corrects: str | None = None, outcome: str = "taken") -> dict[str, Any]:
    correction = {"notice_id": corrects, "old_due_on": "2026-06-08"} if corrects else None
    body = {"type": "notice.v1", "notice_id": notice_id, "due_on": due_on, "corrects": correction}
    return {"outcome": outcome, "body": body}


def withdrawal(notice_id: str) -> dict[str, Any]:
    return {"outcome": "taken", "body": {"type": "notice.withdrawn.v1", "notice_id": notice_id}}


def test_a_notice_counts_until_its_correction_was_taken() -> None:
    first, failed = entry("one", "2026-06-08"), entry("two", "2026-06-10", corrects="one", outcome="failed")
    second = entry("two", "2026-06-10", corrects="one")

    before, after = (told(entries)[0] for entries in ([first, failed], [first, failed, second]))

    assert [(body["notice_id"], body["due_on"]) for body in before] == [("one", "2026-06-08")]
    assert [(body["notice_id"], body["due_on"]) for body in after] == [("two", "2026-06-10")]


def test_a_withdrawn_notice_was_received_and_its_date_does_not_count() -> None:
    standing, withdrawn = told([entry("one", "2026-06-08"), withdrawal("one")])

    assert [body["notice_id"] for body in standing] == ["one"]
    assert withdrawn == {"one"}


def test_the_log_is_judged_once_every_event_of_the_story_can_be_found_in_it() -> None:
    log = Log(from_look=3)

    await_log(log, PLAYED)

    assert log.looks >= 3


def test_an_event_that_never_reaches_the_log_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "SETTLE_S", 0.1)

    with pytest.raises(StoryStuck, match="the events of the story in the log"):
        await_log(Log(from_look=1_000_000), PLAYED)
