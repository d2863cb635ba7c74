"""What the validator says of corrections: they keep to the vocabulary, to days that can be and to whose fact it is."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.submissions import FactCorrected
from services.intake.domain.problems import Refusal
from services.intake.domain.validate import check_allowed
from tests.support.intake import LEEDS, event
from tests.support.validating import FACTS, errors_of, refusal_of, understood


@pytest.mark.parametrize(
    ("changes", "pointer", "hint"),
    [
        ({"fact": "child.home_aera"}, "/data/fact", "did you mean child.home_area?"),
        (
            {"fact": "personal.child.name", "child_ref": "child-1"},
            "/data/fact",
            "personal details are no facts: report them anew, under a new id",
        ),
        ({"fact": "reporter.body", "value": "police"}, "/data/fact", "ask Handrail's operations to change it"),
        ({"fact": "harm", "value": "deth"}, "/data/value", "did you mean death?"),
        (
            {"fact": "notification.override_of_rule", "value": "N-01"},
            "/data/value",
            "null withdraws it; report notification.decision.v1 with the rule and the reason",
        ),
        (
            {"fact": "child.age_at_incident", "value": "3", "child_ref": "child-1"},
            "/data/value",
            "null withdraws the fact",
        ),
        ({"fact": "child.home_area", "value": LEEDS}, "/data/child_ref", ""),
        ({"fact": "harm", "value": "death", "child_ref": "child-1"}, "/data/child_ref", ""),
    ],
)
def test_a_correction_keeps_to_the_vocabulary(changes: dict[str, Any], pointer: str, hint: str) -> None:
    data = {"corrects": "00000000-0000-5000-8000-000000000000", "reason": "wrong_value", "value": None, **changes}

    found = errors_of(event("fact.corrected.v1", data))

    assert list(found) == [pointer]
    assert found[pointer].hint == hint


@pytest.mark.parametrize(
    ("fact", "value", "detail"),
    [
        ("aware_on", "2062-06-01", "this lies in the future"),
        ("aware_on", "9999-12-31", "this lies in the future"),
        ("notification.submitted_on", "2026-06-12", "this lies in the future"),
        ("aware_on", "1899-12-31", "this lies too far back"),
        ("publication.planned_on", "9999-12-31", "this lies in the future"),
        ("aware_on", "2026-06-11", ""),  # tomorrow: for senders whose clocks are not quite right
        ("aware_on", "unknown", ""),
        ("publication.planned_on", "2027-12-14", ""),
        ("action.due_on", "2027-12-14", ""),
    ],
)
def test_a_corrected_day_has_come_unless_it_is_one_that_is_planned(fact: str, value: str, detail: str) -> None:
    data = {"corrects": "00000000-0000-5000-8000-000000000000", "reason": "wrong_value", "fact": fact, "value": value}

    refused = refusal_of(event("fact.corrected.v1", data))

    assert [(one.pointer, one.detail) for one in refused.errors] == [("/data/value", detail)] if refused else not detail


def test_only_a_local_authority_corrects_an_authoritys_fact() -> None:
    data = {
        "corrects": "00000000-0000-5000-8000-000000000000",
        "reason": "wrong_value",
        "fact": "aware_on",
        "value": None,
    }

    with pytest.raises(Refusal, match="Only a local authority"):
        check_allowed(understood(event("fact.corrected.v1", data)), "police", FACTS)


def test_a_correction_under_the_name_that_a_fact_had_before_is_read_as_one_of_that_fact() -> None:
    data = {"corrects": "00000000-0000-5000-8000-000000000000", "reason": "wrong_value", "fact": "review.expected_on"}

    found = understood(event("fact.corrected.v1", data | {"value": "2026-12-01"}))

    assert isinstance(found.data, FactCorrected)
    assert found.data.fact == "delay.expected_on"
