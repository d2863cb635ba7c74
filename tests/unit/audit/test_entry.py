"""Entries: what they say, what they keep to themselves, and what is not an event."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid5

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.decisions import RulebookRef, RulebookReleased, RulebookReleasedData
from services.audit.domain.entry import (
    NotAnEvent,
    Record,
    commitment,
    commits_to,
    index_of,
    message_entry,
    message_of,
    poison_entry,
)
from services.audit.words import said, title_of
from tests.support.audit import CASE, EVENTS, event, record

LOGGED_AT = datetime(2026, 11, 2, 12, 0, 1, tzinfo=UTC)
SALT = bytes(range(32))


def text_of(content: dict[str, Any] | bytes) -> bytes:
    return message_entry(record(content, 7), salt=SALT, logged_at=LOGGED_AT).text


def test_an_entry_is_canonical_and_holds_no_data_of_the_record() -> None:
    content = event(3, data={"rule": "N-01", "recipient": "panel", "reason": "words of a person"})

    text = text_of(content)
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")).encode()
    assert b"words of a person" not in text
    assert json.loads(text)["payload"]["commit"] == commitment(SALT, json.dumps(content).encode()).hex()


def test_the_same_instant_is_written_in_one_way() -> None:
    first = json.loads(text_of(event(1, time="2026-06-01T13:00:00+01:00")))
    second = json.loads(text_of(event(1, time="2026-06-01T12:00:00.000Z")))

    assert first["event"]["time"] == second["event"]["time"] == "2026-06-01T12:00:00+00:00"


def test_without_the_salt_a_record_cannot_be_guessed_from_its_commitment() -> None:
    payload = b"one of few possible records"

    assert commitment(SALT, payload) != commitment(bytes(32), payload)


@example(len(SALT))
@given(st.integers(0))
def test_an_entry_commits_to_its_record_and_to_no_other_that_the_salt_begins_or_that_begins_the_salt(cut: int) -> None:
    made = message_entry(record(event(3), 7), salt=SALT, logged_at=LOGGED_AT)
    both = SALT + made.record.value
    cut %= len(both) + 1

    assert commits_to(json.loads(made.text), both[:cut], both[cut:]) is (cut == len(SALT))


@given(st.binary(max_size=200))
def test_any_bytes_become_an_entry_of_one_kind_or_the_other(raw: bytes) -> None:
    read = Record("topic", 0, 1, raw)
    try:
        entry = message_entry(read, salt=SALT, logged_at=LOGGED_AT)
    except NotAnEvent:
        entry = poison_entry(read, entry_id=EVENTS, kind="poison", logged_at=LOGGED_AT)

    assert index_of(entry.text, message_of(entry.payload)).kind in {"message", "poison"}
    assert entry.payload in (None, raw)


names = st.sampled_from(sorted(event(1)))
odd = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.integers(), max_size=2)
)


@given(names, odd)
def test_an_attribute_of_any_kind_is_taken_or_refused_and_never_breaks(name: str, value: object) -> None:
    content = json.dumps({**event(1), name: value}).encode()
    try:
        entry = message_entry(record(content, 1), salt=SALT, logged_at=LOGGED_AT)
    except NotAnEvent:
        return

    assert index_of(entry.text, message_of(entry.payload)).kind == "message"


def test_a_refusal_never_quotes_what_was_refused() -> None:
    with pytest.raises(NotAnEvent, match=r"^expected a CloudEvent, got one with a bad id, time$") as refused:
        text_of(event(1, id="Invented Name", time="Invented Street"))

    assert refused.value.__cause__ is None


def test_the_index_says_what_the_entry_says() -> None:
    found = index_of(text_of(event(9, data={"rules": ["N-01"], "recipients": ["sab:leeds"]})), None)

    assert (found.type, found.case_key, found.producer, found.producer_seq) == ("notice.owed.v1", CASE, "routing", 9)
    assert (found.rules, found.recipients) == (("N-01",), ("sab:leeds",))
    assert found.recorded_at == datetime(2026, 11, 2, 12, tzinfo=UTC)


def test_poison_is_indexed_by_when_it_was_logged() -> None:
    found = index_of(poison_entry(record(b"?", 1), entry_id=EVENTS, kind="poison", logged_at=LOGGED_AT).text, None)

    assert (found.kind, found.type, found.occurred_at, found.recorded_at) == ("poison", None, LOGGED_AT, LOGGED_AT)


@pytest.mark.parametrize(
    ("content", "title"),
    [
        (event(1), "Notice owed"),
        (event(1, type="something.new.v3"), "something.new.v3"),
    ],
)
def test_an_entry_is_named_in_words_a_person_knows(content: dict[str, Any], title: str) -> None:
    assert title_of(json.loads(text_of(content))) == title


def test_what_a_record_says_is_shown_with_headings_and_nothing_else_of_it() -> None:
    assert said({"data": {"due_on": "2026-11-09", "title": "Tell the Panel", "subject": "x", "reason": None}}) == [
        ("Duty", "Tell the Panel"),
        ("Due", "Monday 9 November 2026"),
    ]
    assert said(None) == said({"data": 1.5}) == []


def test_a_release_of_a_rulebook_is_an_entry_of_its_own_without_a_case() -> None:
    book = RulebookRef(id="england-serious-incidents", version="2026.12.0", sha256="0" * 64, approved=True)
    data = RulebookReleasedData(
        rulebook=book, supersedes="2026.11.0", released_at=LOGGED_AT, record_sha256=sha256(b"record").hexdigest()
    )
    message = RulebookReleased(
        id=uuid5(EVENTS, "release"), source="/handrail/routing", time=LOGGED_AT, recorded_at=LOGGED_AT, data=data
    )

    entry = json.loads(message_entry(record(message.wire(), 7), salt=SALT, logged_at=LOGGED_AT).text)

    assert title_of(entry) == "Rulebook released"
    assert "casekey" not in entry["event"]
    assert said(json.loads(message.wire())) == [("Rulebook", "2026.12.0"), ("Supersedes", "2026.11.0")]
