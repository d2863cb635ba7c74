"""Acts: each field states one fact of the vocabulary, of a kind that takes its values."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

import pytest

from schemas.acts import ACTS, ActType
from schemas.review_acts import RapidReviewSubmitted
from schemas.vocabulary import load

VOCABULARY = load()
FIELDS = [
    (field.json_schema_extra["fact"], field)
    for act in ACTS.values()
    for field in act.model_fields.values()
    if isinstance(field.json_schema_extra, dict)
]


def test_every_act_has_its_type_on_the_wire() -> None:
    assert list(ACTS) == list(get_args(ActType))


@pytest.mark.parametrize(("fact", "field"), FIELDS)
def test_a_field_states_a_fact_that_takes_each_of_its_values(fact: str, field: Any) -> None:
    spec = VOCABULARY.spec(fact)
    choices = [value for part in (field.annotation, *get_args(field.annotation)) for value in get_args(part)]
    words = [value for value in choices if isinstance(value, str)]

    assert {VOCABULARY.check(fact, word) for word in words} - {None} == set(spec.values)
    assert (spec.kind == "date") == (date in (field.annotation, *get_args(field.annotation)))


def test_no_two_fields_state_the_same_fact() -> None:
    facts = [fact for fact, _ in FIELDS]

    assert len(facts) == len(set(facts))


def test_what_is_unknown_or_left_out_is_not_stated() -> None:
    act = RapidReviewSubmitted(
        case_reference="X-1",
        submitted_on=date(2026, 6, 22),
        decision="no_review",
        improvements="unknown",
        recurrent_themes="no",
    )

    assert act.facts() == {
        "rapid_review.submitted_on": "2026-06-22",
        "rapid_review.decision": "no_review",
        "rapid_review.recurrent_themes": "no",
    }
