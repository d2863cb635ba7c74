"""What the vault keeps of a personal block, and that each value comes back as it was said."""

from __future__ import annotations

from typing import Any

import orjson

from schemas.submissions import IncidentReported
from schemas.vocabulary import load
from services.intake.domain.personal import PersonalField, personal_fields, plain


def kept(personal: dict[str, Any]) -> tuple[PersonalField, ...]:
    return personal_fields(
        IncidentReported.model_validate_json(orjson.dumps({"case_reference": "A-1", "personal": personal}))
    )


def test_text_is_kept_as_it_is_and_lists_and_numbers_as_json() -> None:
    found = kept(
        {
            "summary": "Zebedee Testcase.",
            "harm_categories": ["physical", "neglect"],
            "agencies": [{"kind": "charity"}],
            "children": [{"ref": "child-1", "siblings": 2, "legal_status": ["section_20"]}],
        }
    )

    assert found == (
        PersonalField(None, "summary", "Zebedee Testcase."),
        PersonalField(None, "harm_categories", '["physical","neglect"]'),
        PersonalField(None, "agencies", '[{"kind":"charity"}]'),
        PersonalField("child-1", "child.legal_status", '["section_20"]'),
        PersonalField("child-1", "child.siblings", "2"),
    )


def test_what_was_kept_is_given_as_it_was_said() -> None:
    said = {"summary": "123", "harm_categories": ["neglect"], "agencies": [{"kind": "charity"}]}
    kinds = load().personal

    given = {each.field: plain(kinds[f"personal.{each.field}"].kind, each.value) for each in kept(said)}

    assert given == said


def test_an_empty_list_says_nothing() -> None:
    assert kept({"harm_categories": [], "children": [{"ref": "child-1", "legal_status": []}]}) == ()
