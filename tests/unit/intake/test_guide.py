"""The description of the events is whole, up to date, and its examples are accepted."""

from __future__ import annotations

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
    assert all(field.kind for field in page.fields)
    assert [field.meaning for field in page.fields if not field.meaning.endswith(".")] == []
    assert validate(read(event), vocabulary.load(), NOW).type == type_
