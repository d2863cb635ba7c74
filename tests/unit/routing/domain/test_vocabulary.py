"""What the vocabulary takes, what it refuses, and that a refusal helps without repeating what was given."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from schemas.vocabulary import FactRefused, load, parse
from tests.support.rulebooks import NOW


@pytest.mark.parametrize(
    ("name", "value", "typed"),
    [
        ("harm", "death", "death"),
        ("child.looked_after", "yes", "yes"),
        ("child.age_at_incident", 3, 3),
        ("aware_on", "2026-02-02", date(2026, 2, 2)),
        ("aware_on", date(2026, 2, 2), date(2026, 2, 2)),
        ("incident.area", "E08000035", "E08000035"),
        ("harm", "unknown", None),
        ("child.age_at_incident", None, None),
    ],
)
def test_a_fitting_value_is_typed(name: str, value: object, typed: object) -> None:
    assert load().check(name, value) == typed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("harm", "Death"),
        ("child.looked_after", True),
        ("child.age_at_incident", False),
        ("child.age_at_incident", "3"),
        ("child.age_at_incident", -1),
        ("child.age_at_incident", 3.0),
        ("aware_on", "2026-02-30"),
        ("aware_on", "2026-W06-1"),
        ("aware_on", NOW),
        ("incident.area", "Leeds"),
        ("incident.area", ["E08000035"]),
    ],
)
def test_a_value_of_another_kind_is_refused(name: str, value: object) -> None:
    with pytest.raises(FactRefused) as refused:
        load().check(name, value)

    assert load()[name].expected in str(refused.value)


def test_a_refusal_names_the_nearest_word_and_never_the_value() -> None:
    with pytest.raises(FactRefused) as refused:
        load().check("harm", "Serious Harm!")

    assert refused.value.nearest_word == "serious_harm"
    assert "Harm!" not in str(refused.value)


def test_text_is_read_as_a_number_only_for_a_whole_number() -> None:
    assert load().read("child.age_at_incident", "3") == 3
    with pytest.raises(FactRefused):
        load().read("child.age_at_incident", "three")


def test_yes_and_no_stay_words() -> None:
    assert load()["child.looked_after"].values == ("yes", "no")


@pytest.mark.parametrize(
    "text",
    [
        "harm:\n  label: the harm\n  values:\n    - death\n",  # no question
        "harm:\n  label: the harm\n  ask: What?\n",  # a choice of nothing
        "harm:\n  label: the harm\n  ask: What?\n  kind: number\n",
        "harm:\n  label: the harm\n  ask: What?\n  kind: date\n  of each: town\n",
        "harm:\n  label: the harm\n  ask: What?\n  kind: date\n  colour: red\n",
        "harm:\n  label: the harm\n  ask: What?\n  kind: date\n  about: weather\n",
        "harm:\n  label: the harm\n  ask: What?\n  kind: date\n  means: the neighbours\n",
    ],
)
def test_a_malformed_vocabulary_is_refused(text: str) -> None:
    with pytest.raises(FactRefused):
        parse(text)


def test_an_instant_is_not_a_date() -> None:
    assert isinstance(NOW, datetime)
    with pytest.raises(FactRefused):
        load().check("reported_on", NOW)
