"""The description of the events is whole, up to date, and its examples are accepted."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from schemas import vocabulary
from schemas.submissions import SUBMISSIONS
from services.intake import guide
from services.intake.domain.cloudevent import STRUCTURED, RawEvent, read
from services.intake.domain.validate import validate
from tests.support.intake import NOW
from tests.support.repository import ROOT


def test_the_reference_page_is_up_to_date() -> None:
    assert (ROOT / "docs/reference/events.md").read_text("utf-8") == guide.markdown(), (
        "run: python -m services.intake.guide > docs/reference/events.md"
    )


@pytest.mark.parametrize("type_", SUBMISSIONS)
def test_each_type_has_a_page_that_names_every_field_and_a_valid_example(type_: str) -> None:
    page = guide.pages()[type_]
    event = RawEvent(orjson.dumps(page.example), STRUCTURED, {})

    assert {field.path.partition(".")[0].removesuffix("[]") for field in page.fields} == set(
        SUBMISSIONS[type_].model_fields
    )
    assert all(field.meaning and field.kind for field in page.fields)
    assert validate(read(event), vocabulary.load(), NOW).type == type_


def test_no_word_about_a_field_is_left_over() -> None:
    names = {name.partition(" ")[2] or name for name in guide._words()}
    places = {field.path.replace("[]", "") for page in guide.pages().values() for field in page.fields}

    assert all(any(place == name or place.endswith(f".{name}") for place in places) for name in names)
    assert Path(guide.__file__).with_name("fields.yaml").is_file()
