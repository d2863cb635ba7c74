"""Canonical JSON: equal to RFC 8785 inside the profile, refused outside it."""

import json
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.canonical import EXACT, Json, NotCanonical, canonical

VECTORS = Path(__file__).parents[2] / "vectors/jcs"
OUTSIDE_THE_PROFILE = {"french", "structures", "values", "weird"}  # keys beyond ASCII, or floating point

keys = st.text(st.characters(max_codepoint=127), max_size=8)
scalars = st.none() | st.booleans() | st.integers(-EXACT, EXACT) | st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4))


@given(values)
def test_canonical_json_equals_the_reference_inside_the_profile(value: Json) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(values)
def test_canonical_json_reads_back_and_stays_the_same(value: Json) -> None:
    assert json.loads(canonical(value)) == value
    assert canonical(json.loads(canonical(value))) == canonical(value)
    assert b"\n" not in canonical(value)


@pytest.mark.parametrize("path", sorted((VECTORS / "input").iterdir()), ids=lambda path: path.stem)
def test_published_vectors_are_reproduced_or_refused(path: Path) -> None:
    value = json.loads(path.read_text("utf-8"))

    if path.stem in OUTSIDE_THE_PROFILE:
        with pytest.raises(NotCanonical):
            canonical(value)
    else:
        assert canonical(value) == (VECTORS / "output" / path.name).read_bytes()


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        [0.5],
        float("nan"),
        EXACT + 1,
        -EXACT - 1,
        {"é": 1},
        {1: 2},
        "\ud800",
        {"a": {"b": [{"c": 1.5}]}},
        b"x",
        {1, 2},
    ],
    ids=repr,
)
def test_what_json_readers_would_disagree_on_is_refused(value: Json) -> None:
    with pytest.raises(NotCanonical):
        canonical(value)
