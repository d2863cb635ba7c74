"""What is read of the bytes of an event: strict JSON or nothing; and the bytes, as they are kept."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import vocabulary
from services.intake.domain.cloudevent import BINARY, STRUCTURED, RawEvent, read, unkept
from services.intake.domain.problems import Refusal
from services.intake.domain.validate import Submitted, validate
from services.intake.handlers import raw_event as by_kafka
from services.intake.posting import raw_event as by_http
from services.kit.kafka_compat import RawRecord
from tests.support.intake import NOW, incident
from tests.support.validating import understood

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


def test_binary_mode_means_the_same_as_structured_mode() -> None:
    document = incident()

    by_either = [means(over_http(document, source="%2Fpolice%2Fexample")), means(over_kafka(document))]

    assert by_either == [understood(incident())] * 2


def test_what_is_encoded_in_headers_of_http_is_taken_as_it_is_in_those_of_kafka() -> None:
    """An attribute that has `%` in itself is `%25` by HTTP; Kafka's binding has UTF-8 and encodes nothing."""
    document = incident(source="/police/50%25", id="50%20")

    over = over_http(document, source="/police/50%2525", id="50%2520"), over_kafka(document)

    assert [means(each) for each in over] == [understood(document)] * 2


def test_what_was_kept_before_ways_were_told_apart_is_read_as_it_was_then() -> None:
    kept = b'{"attributes":{"source":"%2Fpolice"},"content_type":"application/json"}\n{}'

    assert unkept(kept) == RawEvent(b"{}", BINARY, {"source": "/police"})


def over_http(document: dict[str, Any], **encoded: str) -> RawEvent:
    headers = {f"ce-{name}": value for name, value in {**document, **encoded}.items() if name != "data"}
    found = by_http({**headers, "content-type": BINARY}, orjson.dumps(document["data"]))
    assert found
    return found


def over_kafka(document: dict[str, Any]) -> RawEvent:
    headers = [(f"ce_{name}", value.encode()) for name, value in document.items() if name != "data"]
    body = orjson.dumps(document["data"])
    return by_kafka(RawRecord("t", 0, 0, None, body, (*headers, ("content-type", BINARY.encode())), 0))


def means(raw: RawEvent) -> Submitted:
    return validate(read(raw), FACTS, NOW)
