"""Each event and each field that a person meets says in its schema what it is called and what it means."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.messages import MESSAGES
from schemas.submissions import SUBMISSIONS
from schemas.words import event_title


@pytest.mark.parametrize("type_", MESSAGES)
def test_every_event_is_called_something_in_words(type_: str) -> None:
    title = event_title(type_)

    assert " " in title
    assert title[0].isupper()
    assert not title.endswith(".")


def test_what_a_partner_reports_has_the_title_of_its_submission_and_the_rest_its_own() -> None:
    assert event_title("scsi.notification.submitted.v1") == "Notification to the Panel submitted"
    assert event_title("lac_death.notified.v1") == "Death of a looked-after child notified"
    assert event_title("obligation.redated.v1") == "Duty dated anew"
    assert event_title("weather.changed.v1") == "weather.changed.v1"


@pytest.mark.parametrize("type_", SUBMISSIONS)
def test_every_field_of_a_submission_has_a_label_and_a_meaning_of_its_own(type_: str) -> None:
    schema = SUBMISSIONS[type_].model_json_schema()
    made_up = {name: name.replace("_", " ").title() for model in _models(schema) for name in model["properties"]}

    for model in _models(schema):
        for name, field in model["properties"].items():
            assert field["description"].endswith("."), name
            assert " " not in field["title"] or field["title"] != made_up[name], name  # what pydantic would call it


def _models(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [schema, *schema["$defs"].values()]
