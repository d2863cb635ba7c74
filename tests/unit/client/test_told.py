"""What a client says of a refusal: everything that intake said, and nothing where it was said otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from handrail.client.told import told


def test_each_place_is_told_with_what_was_expected_there_and_the_nearest_word() -> None:
    problem = {
        "title": "Some things have to be put right",
        "detail": "Two things.",
        "errors": [
            {
                "pointer": "/data/harm",
                "detail": "no such word",
                "expected": "one of: death",
                "hint": "did you mean death?",
            },
            {"pointer": "/data/area", "detail": "this field is missing", "expected": "the area's code", "hint": ""},
        ],
        "returned_id": "0b1c",
        "receipt_id": None,
        "kept": "What you sent is kept.",
    }

    assert told(problem).splitlines() == [
        "Some things have to be put right - Two things.",
        "  /data/harm: no such word; expected one of: death; did you mean death?",
        "  /data/area: this field is missing; expected the area's code",
        "  What you sent is kept. (returned_id 0b1c)",
    ]


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        ({}, ""),
        ({"title": "No", "errors": ["text"]}, "No"),
        ({"title": "No", "errors": {"pointer": "/x"}}, "No"),
        ({"title": "No", "detail": ["x"], "errors": [{"pointer": "/x"}, {"detail": "wrong"}]}, "No\n  /x\n  wrong"),
        ({"title": "Different", "receipt_id": "4f6f"}, "Different\n  receipt_id 4f6f"),
    ],
)
def test_what_is_laid_out_otherwise_is_told_as_far_as_it_can_be_read(problem: dict[str, Any], said: str) -> None:
    assert told(problem) == said
