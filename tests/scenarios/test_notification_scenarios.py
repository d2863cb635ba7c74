"""The worked examples of the notification rules, each with everybody who must be told and by when.

The files in `rulebooks/scenarios/` are exact: one obligation or question more or less fails.
"""

from __future__ import annotations

from services.routing.domain.rulebook.conditions import Words
from services.routing.domain.rulebook.examples import run_example
from services.routing.domain.rulebook.read_examples import read_scenarios
from tests.support.rulebooks import CALENDAR, FOLDER, VOCABULARY, england, register


def assert_plays(name: str) -> None:
    """Play every scenario of a file, each of which must come out exactly as it is written."""
    path = FOLDER / "scenarios" / f"{name}.yaml"
    scenarios = read_scenarios(
        path.read_text("utf-8"), path.name, Words(VOCABULARY, register(), tuple(england().rules))
    )

    failures = {each.name: run_example(each, england(), register(), CALENDAR) for each in scenarios}

    assert failures == {each.name: () for each in scenarios}


def test_at_01_serious_harm_in_barnsley_is_owed_to_the_panel_within_five_working_days() -> None:
    """Children Act 2004, section 16C(1)(a): "the child dies or is seriously harmed in the local authority's area"."""
    assert_plays("at-01-barnsley")


def test_at_02_christmas_and_new_year_are_not_counted() -> None:
    """Working Together 2023, chapter 5: within five working days of becoming aware."""
    assert_plays("at-02-leeds")


def test_at_04_good_friday_and_easter_monday_are_not_counted() -> None:
    """Working Together 2023, chapter 5: within five working days of becoming aware."""
    assert_plays("at-04-easter")


def test_at_05_awareness_on_a_saturday_counts_from_that_day() -> None:
    """Working Together 2023, chapter 5: within five working days of becoming aware, whoever at the authority that is."""
    assert_plays("at-05-weekend")


def test_at_07_death_of_a_looked_after_child_without_suspicion_goes_to_dfe_and_ofsted_not_the_panel() -> None:
    """Children Act 1989, Schedule 2, paragraph 20(1)(a): "shall notify the Secretary of State and the Chief Inspector"."""
    assert_plays("at-07-out-of-area")


def test_at_09_and_at_21_care_leavers_from_15_december_2023_up_to_the_25th_birthday() -> None:
    """Working Together 2023, chapter 5: "the death of a care leaver up to and including the age of 24"."""
    assert_plays("at-09-care-leaver")


def test_at_10_harm_outside_england_is_the_duty_of_the_home_authority() -> None:
    """Children Act 2004, section 16C(1)(b): "while normally resident in the local authority's area"."""
    assert_plays("at-10-scotland")


def test_every_scenario_file_has_its_test() -> None:
    files = {path.stem[:5] for path in (FOLDER / "scenarios").glob("*.yaml")}
    tests = {name.removeprefix("test_").replace("_", "-")[:5] for name in globals() if name.startswith("test_at_")}

    assert files == tests
