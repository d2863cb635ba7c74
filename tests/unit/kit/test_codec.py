"""Whatever the bytes are, decoding gives an answer and never raises."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.kit.codec import Event, Poison, Raw, decode
from services.kit.kafka_compat import RawRecord
from tests.support.kit import aware, case


def record(value: bytes, key: bytes | None = None) -> RawRecord:
    return RawRecord("topic", 0, 5, key, value, (("odd", None),), 0)


def test_a_message_becomes_an_event_under_its_own_id() -> None:
    message = aware("a", case(1))

    item = decode(record(message.wire()))

    assert isinstance(item, Event)
    assert (item.record_id, item.case_key, item.offset) == (message.id, case(1), 5)


def test_an_unknown_type_is_poison_with_a_reason() -> None:
    body = orjson.loads(aware("a", case(1)).wire()) | {"type": "something.new.v1"}

    item = decode(record(orjson.dumps(body), case(1).encode()))

    assert isinstance(item, Poison)
    assert item.reason == "a type that this version does not know; upgrade this service"
    assert item.case_key == case(1)


def test_an_unknown_major_version_is_poison_with_a_reason() -> None:
    body = orjson.loads(aware("a", case(1)).wire()) | {"type": "la.became_aware.v9"}

    item = decode(record(orjson.dumps(body), case(1).encode()))

    assert isinstance(item, Poison)
    assert "major version 9" in item.reason
    assert item.case_key == case(1)


@pytest.mark.parametrize("key", [None, b"", b"not a case key", b"\xff" * 32])
def test_poison_without_a_case_key_belongs_to_no_case(key: bytes | None) -> None:
    item = decode(record(b"{", key))

    assert isinstance(item, Poison)
    assert item.case_key is None


def test_a_reason_never_quotes_the_bytes() -> None:
    body = orjson.loads(aware("a", case(1)).wire())
    body["data"]["aware_on"] = "Invented Name, born 1 April"

    item = decode(record(orjson.dumps(body)))

    assert isinstance(item, Poison)
    assert "Invented" not in item.reason
    assert "aware_on" in item.reason


@given(st.binary(max_size=200))
@example(b"[" * 100_000)
@example(b"\xed\xa0\x80")
@example(b'{"type": NaN}')
@example(b'{"type": ["la.became_aware.v1"]}')
@example(b'{"type": null}')
@example(b"null")
@example(b"")
def test_nothing_that_a_record_holds_can_raise(value: bytes) -> None:
    item = decode(record(value))

    assert isinstance(item, Poison)


def test_the_same_bytes_at_another_place_have_another_id() -> None:
    here = decode(RawRecord("topic", 0, 5, None, b"x", (), 0), None)
    there = decode(RawRecord("topic", 0, 6, None, b"x", (), 0), None)

    assert isinstance(here, Raw)
    assert here.record_id != there.record_id
