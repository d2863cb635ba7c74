"""Pins what counts of a mailbox when a story is judged: what stands, and not what was corrected or withdrawn."""

from __future__ import annotations

from typing import Any

from handrail.demo.judge import told


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
