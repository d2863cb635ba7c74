"""What the log says of a record in words: bodies by name and days as pages show them."""

from __future__ import annotations

import pytest

from services.audit.words import said


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
