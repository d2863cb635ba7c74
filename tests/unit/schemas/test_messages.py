"""The envelope and the reading of messages: what is accepted, what is told apart, and that no value is ever quoted."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_structured
from cloudevents.core.formats.json import JSONFormat
from hypothesis import given
from hypothesis import strategies as st

from schemas.case_events import BecameAware, BecameAwareData, Reporter
from schemas.messages import MESSAGES, UnreadableMessage, parse

AT = datetime(2026, 6, 1, 7, 40, tzinfo=UTC)
MESSAGE = BecameAware(
    id=UUID("11111111-1111-5111-8111-111111111111"),
    source="/handrail/intake",
    time=AT,
    case_key="a" * 32,
    case_seq=1,
    producer="intake",
    producer_seq=7,
    recorded_at=AT,
    data=BecameAwareData(
        reporter=Reporter(client="leeds-city-council", body="local_authority", area="E08000035"),
        aware_on=date(2026, 6, 1),
        how="inbox",
    ),
)


def altered(**changes: object) -> bytes:
    return json.dumps({**json.loads(MESSAGE.wire()), **changes}).encode()


def test_what_is_written_is_what_is_read() -> None:
    assert parse(MESSAGE.wire()) == MESSAGE


def test_the_cloud_native_foundations_own_library_reads_our_envelope() -> None:
    event = from_structured(KafkaMessage(headers={}, key=None, value=MESSAGE.wire()), JSONFormat())

    assert event.get_id() == "11111111-1111-5111-8111-111111111111"
    assert event.get_type() == "la.became_aware.v1"
    assert event.get_extension("casekey") == "a" * 32
    assert event.get_extension("producerseq") == 7


def test_a_field_of_a_newer_producer_is_ignored() -> None:
    assert parse(altered(invented="later")) == MESSAGE


def test_an_unknown_type_asks_for_an_upgrade() -> None:
    with pytest.raises(UnreadableMessage, match="a type that this version does not know; upgrade this service"):
        parse(altered(type="weather.changed.v1"))


def test_an_unknown_major_version_asks_for_an_upgrade() -> None:
    with pytest.raises(UnreadableMessage, match="major version 2 of a known type; upgrade this service"):
        parse(altered(type="la.became_aware.v2"))


@pytest.mark.parametrize(
    "changes",
    [
        {"type": 3},
        {"type": "weather.changed.v1", "data": {"degrees": math.nan}},  # not JSON, so no event of any type
        {"casekey": "Testchild Alpha"},
        {"recordedat": "2026-06-01T08:00:00"},  # no offset: not an instant
        {"data": {"reporter": {"client": "x", "body": "police", "area": "E08000035"}, "aware_on": False, "how": "x"}},
        {"specversion": "0.3"},
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(UnreadableMessage):
        parse(altered(**changes))


def test_an_error_never_quotes_a_value() -> None:
    with pytest.raises(UnreadableMessage) as refused:
        parse(altered(casekey="Testchild Alpha"))

    assert "Testchild" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert "case_key" in str(refused.value) or "casekey" in str(refused.value)


@pytest.mark.parametrize("name", ["Testchild Alpha", "\0", "x" * 300_000])
def test_an_error_never_quotes_a_name_that_the_sender_made_up(name: str) -> None:
    data = {"reporter": {"client": "x", "body": "police", "area": "E08000035"}, "facts": {name: []}}

    with pytest.raises(UnreadableMessage) as refused:
        parse(altered(type="rapid_review.submitted.v1", data=data))

    place = "rapid_review.submitted.v1.data.facts.*.*"
    assert str(refused.value) == f"{place}: string_type; {place}: int_type"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_unreadable(raw: bytes) -> None:
    with pytest.raises(UnreadableMessage):
        parse(raw)


def test_every_type_names_its_major_version() -> None:
    assert all(type_.endswith(".v1") for type_ in MESSAGES)
