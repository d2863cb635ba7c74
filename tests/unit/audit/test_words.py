"""What the log says of a record in words: bodies by name and days as pages show them."""

from __future__ import annotations

import pytest

from services.audit.words import said


def test_a_release_and_a_migration_say_which_versions() -> None:
    book = {"id": "england-serious-incidents", "version": "2026.12.0", "sha256": "0" * 64, "approved": True}

    released = said({"data": {"rulebook": book, "supersedes": "2026.11.0", "record_sha256": "0" * 64}})
    migrated = said({"data": {"rulebook": book, "before": "2026.11.0", "reason": "the guidance changed", "by": "a-7"}})

    assert released == [("Rulebook", "2026.12.0"), ("Supersedes", "2026.11.0")]
    assert migrated == [
        ("Rulebook before", "2026.11.0"),
        ("Rulebook", "2026.12.0"),
        ("Reason", "the guidance changed"),
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"duty_holder": "la:E08000035", "duty_holder_name": "Leeds City Council"}, "Leeds City Council"),
        ({"duty_holder": "police:west-yorkshire"}, "police West Yorkshire"),
        ({"due_on": "2026-06-02"}, "Tuesday 2 June 2026"),
        ({"due_on": "in the summer"}, "in the summer"),  # of a later version
    ],
)
def test_bodies_and_days_are_in_words(data: dict[str, str], words: str) -> None:
    ((_, text),) = said({"data": data})

    assert text == words
