"""What is read of the bytes of an event: strict JSON or nothing; and the bytes, as they are kept."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import vocabulary
from services.intake.domain.cloudevent import BINARY, STRUCTURED, RawEvent, read, unkept
from services.intake.domain.problems import Refusal
from services.intake.domain.validate import validate
from tests.support.intake import NOW

FACTS = vocabulary.load()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b'{"a": NaN}',
        b'{"a": "\\ud800"}',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{",
        b'{"a": 1, "a": 2}',
        b'{"data": {"b": 1, "b": 1}}',
        b"[" * 10_000,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_not_strict_json_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal):
        validate(read(RawEvent(body, STRUCTURED, {})), FACTS, NOW)


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_any_bytes_are_refused_and_never_crash(body: bytes) -> None:
    with pytest.raises(Refusal):
        validate(read(RawEvent(body, STRUCTURED, {})), FACTS, NOW)


@given(st.binary(max_size=80), st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3))
def test_what_is_kept_can_be_unpacked_byte_for_byte(body: bytes, attributes: dict[str, str]) -> None:
    raw = RawEvent(body, BINARY, attributes)

    assert unkept(raw.kept()) == raw
