"""What is wrong with a field is said in plain words, and never in those of the library, which may quote what was sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.field_faults import fault
from schemas.submissions import SUBMISSIONS
from services.kit.asked import PlainText


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]{3,40}$")] = "abc"
    number: Annotated[int, Field(ge=1, le=9)] = 1
    body: Literal["police", "school"] = "police"
    on: date = date(2026, 6, 1)
    at: datetime = datetime(2026, 6, 1, tzinfo=UTC)
    id: UUID = UUID(int=1)
    ratio: float = 0.5
    reason: Annotated[PlainText, Field(min_length=3, max_length=5)] = "abc"
    words: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)] = ("a",)


class Needed(BaseModel):
    name: str


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"name": "Invented Name"}, "expected text of the form ^[a-z0-9_]{3,40}$"),
        ({"name": 7}, "expected text in double quotes"),
        ({"number": "Invented"}, "expected a whole number, without quotes"),
        ({"number": 0}, "expected a whole number of at least 1"),
        ({"number": 10}, "expected a whole number of at most 9"),
        ({"body": "Invented"}, "expected 'police' or 'school'"),
        ({"on": "Invented"}, "expected a date as YYYY-MM-DD"),
        ({"at": "Invented"}, "expected a date and time with its offset, such as 2026-11-23T09:15:00Z"),
        ({"id": "Invented"}, "expected a UUID, such as one from a receipt"),
        ({"reason": "Co"}, "expected text of 3 or more characters"),
        ({"reason": "Invented"}, "expected text of at most 5 characters"),
        ({"words": []}, "expected 1 or more entries"),
        ({"words": ["Invented"] * 3}, "expected at most 2 entries"),
        ({"ratio": "Invented"}, "this value cannot be used here"),
        ({"Invented": 1}, "there is no field of this name here"),
    ],
)
def test_a_fault_says_what_was_expected_and_never_what_was_sent(given: dict[str, Any], says: str) -> None:
    assert said(Form, given) == [says]


def test_a_field_that_is_missing_and_a_body_that_is_not_json_are_said_to_be_that() -> None:
    assert said(Needed, {}) == ["this field is missing"]
    with pytest.raises(ValidationError) as raised:
        Needed.model_validate_json("{")
    assert [fault(each["type"], each.get("ctx", {})) for each in raised.value.errors()] == ["expected JSON"]


def said(model: type[BaseModel], given: dict[str, Any]) -> list[str]:
    with pytest.raises(ValidationError) as raised:
        model.model_validate(given)
    return [fault(each["type"], each.get("ctx", {})) for each in raised.value.errors()]


@pytest.mark.parametrize("type_", SUBMISSIONS)
def test_the_form_of_every_text_that_may_be_reported_is_said_in_words(type_: str) -> None:
    patterns = set(patterns_of(SUBMISSIONS[type_].model_json_schema()))

    said = {pattern: fault("string_pattern_mismatch", {"pattern": pattern}) for pattern in patterns}

    assert patterns
    assert [pattern for pattern, words in said.items() if pattern in words] == []


def patterns_of(schema: Any) -> Iterator[str]:
    match schema:
        case {"pattern": str(pattern)}:
            yield pattern
        case dict():
            for each in schema.values():
                yield from patterns_of(each)
        case list():
            for each in schema:
                yield from patterns_of(each)
        case _:
            pass
