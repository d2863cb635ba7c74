"""The compatibility check finds every kind of change that would break a reader or a writer, and no other."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from schemas import generate
from schemas.case_events import IncidentReported
from schemas.compatibility import breaks
from schemas.generate import schema_of

OLD = schema_of(IncidentReported, "incident.reported.v1")


def changed(**edits: Any) -> dict[str, Any]:
    new = deepcopy(OLD)
    data = new["$defs"]["IncidentReportedData"]
    for name, schema in edits.items():
        if schema is None:
            del data["properties"][name]
        else:
            data["properties"][name] = schema
    return new


def test_no_change_breaks_nothing() -> None:
    assert breaks(OLD, deepcopy(OLD)) == []


def test_an_added_optional_field_breaks_nothing() -> None:
    assert breaks(OLD, changed(weather={"type": "string"})) == []


def test_a_removed_field_breaks() -> None:
    assert breaks(OLD, changed(area=None)) == ["data.data.area: was removed"]


def test_a_field_of_another_type_breaks() -> None:
    assert breaks(OLD, changed(reported_on={"type": "integer"})) == [
        "data.data.reported_on: type string became integer"
    ]


def test_a_field_that_becomes_required_breaks() -> None:
    new = deepcopy(OLD)
    new["$defs"]["IncidentReportedData"]["required"].append("harm")

    assert breaks(OLD, new) == ["data.data.harm: became required"]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (["death", "serious_harm"], "data.data.harm|0: no longer takes other"),
        (["death", "serious_harm", "other", "near_miss"], "data.data.harm|0: an older reader does not know near_miss"),
    ],
)
def test_a_lost_or_gained_value_breaks(values: list[str], sentence: str) -> None:
    new = changed(harm={"anyOf": [{"type": "string", "enum": values}, {"type": "null"}], "default": None})

    assert breaks(OLD, new) == [sentence]


def test_the_committed_schemas_are_current() -> None:
    assert generate.drift() == []


def test_a_schema_that_was_changed_by_hand_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "GENERATED", tmp_path)
    generate.main([])
    (tmp_path / "notice.v1.json").write_text("{}")

    assert generate.drift() == ["notice.v1.json"]


def test_every_released_promise_is_kept() -> None:
    assert generate.broken_promises() == []
