"""Acts: each field states one fact of the vocabulary, of a kind that takes its values."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args
from uuid import UUID

import pytest

from schemas.acts import ACTS, ActType
from schemas.case_events import FactCorrectedData, Reporter
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


@pytest.mark.parametrize(
    ("fact", "value", "also"),
    [
        ("publication.form", "improvements_only", {"publication.declined_on"}),
        ("publication.form", "full", set()),
        ("publication.planned_on", None, {"publication.declined_on"}),
        ("publication.planned_on", "2026-10-02", set()),
        ("publication.declined_on", None, {"publication.information", "publication.reconsidered"}),
        ("publication.declined_on", "2026-08-04", set()),
    ],
)
def test_an_act_that_is_taken_back_leaves_standing_what_it_undid(fact: str, value: str | None, also: set[str]) -> None:
    reporter = Reporter(client="unit-example", body="childrens_partnership", area="E08000035", recipient="lscp:leeds")
    correction = FactCorrectedData(
        reporter=reporter, corrects=UUID(int=1), fact=fact, value=value, reason="typing_error"
    )

    first, *besides = correction.facts
    assert first == (fact, value)
    assert dict(besides) == dict.fromkeys(also)


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
