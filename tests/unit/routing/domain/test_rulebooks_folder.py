"""The shipped data: every body serves the areas that the law says, and nothing claims to be checked."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import date, timedelta

import pytest

from schemas import vocabulary
from services.routing.domain.register import GROUPS
from services.routing.pages.rulebook import CHAPTERS
from tests.support.rulebooks import ENGLAND, LEEDS, OVERLAYS, WANDSWORTH, england, register


def test_no_rule_claims_to_have_been_checked_against_the_full_text() -> None:
    assert {rule.source.verified for rule in england().book.rules} == {""}
    assert england().book.approved_by == ()


def test_the_rulebook_has_the_rules_in_the_order_of_a_case() -> None:
    assert list(england().rules) == [
        *("N-01", "N-02", "N-03", "N-04", "N-05", "N-06", "N-06P", "N-06H", "N-07", "N-08", "N-10", "N-11"),
        *("N-11A", "N-13", "N-13A", "N-16", "N-16A", "N-18", "N-18J", "N-19", "N-19S", "N-19H", "N-19HS"),
        "N-19P",
        *("N-12", "N-12T", "N-12R", "N-20", "N-14", "N-15"),
        *("N-22", "N-22A"),
        *("X-02", "X-02A", "X-01"),
        *("S-01", "S-02"),
        *("H-01", "H-02", "H-03", "H-05"),
        *(
            "O-01",
            "O-01D",
        ),
        *("R-01", "R-02", "R-03", "R-06", "R-07", "R-09", "R-10", "R-12", "R-13", "R-01A", "R-01B", "R-01E"),
        *("L-01", "L-02", "L-03", "L-04", "L-05", "L-06"),
        *("P-01", "P-02", "P-03", "P-04", "P-04C", "P-04I", "P-04R", "P-05", "P-05R", "P-06"),
        *("A-01", "A-02", "A-03", "A-03A", "A-04", "A-05", "E-01", "E-02"),
    ]
    texts = (ENGLAND.read_text("utf-8"), *(each.text for each in OVERLAYS))
    assert england().book.sha256 == hashlib.sha256("\n---\n".join(texts).encode()).hexdigest()


def test_a_decision_not_to_notify_can_depart_from_each_rule_that_it_calls_off() -> None:
    facts = {rule.id: rule.cancelled_when for rule in england().book.rules}
    called_off = [rule for rule, test in facts.items() if test and test.fact == "notification.decision"]

    assert tuple(called_off) == vocabulary.load()["notification.override_of_rule"].values


def test_every_rule_stands_in_one_chapter_of_the_pages() -> None:
    assert {rule[0] for rule in england().rules} == set(CHAPTERS)


@pytest.mark.parametrize("group", GROUPS)
def test_every_area_has_everybody(group: str) -> None:
    assert all(register().serving(group, area) for area in register().areas)


def test_partners_of_an_area_are_council_police_and_integrated_care_board() -> None:
    """Children Act 2004, section 16E(3): the local authority, and any board or chief officer whose area falls within it."""
    assert register().serving("safeguarding-partners", LEEDS) == (
        f"la:{LEEDS}",
        "police:west-yorkshire",
        "icb:west-yorkshire",
    )


@pytest.mark.parametrize(
    ("area", "day", "health"),
    [
        (LEEDS, date(2022, 6, 30), "ccg:leeds"),
        (LEEDS, date(2022, 7, 1), "icb:west-yorkshire"),
        (WANDSWORTH, date(2020, 3, 31), "ccg:wandsworth"),
        (WANDSWORTH, date(2020, 4, 1), "ccg:south-west-london"),
        (WANDSWORTH, date(2022, 7, 1), "icb:south-west-london"),
    ],
)
def test_the_health_partner_is_the_clinical_commissioning_group_until_the_integrated_care_boards_of_july_2022(
    area: str, day: date, health: str
) -> None:
    *_, last = register().on(day).serving("safeguarding-partners", area)

    assert last == health


def test_somebody_stands_in_the_place_of_every_clinical_commissioning_group_the_day_after() -> None:
    ended = [body for body in register().bodies.values() if body.until is not None]

    assert {body.id: register().on(body.until).successors.get(body.id) for body in ended} == {
        body.id: None for body in ended
    }
    assert {register().on(body.until + timedelta(days=1)).successors[body.id] for body in ended if body.until} >= {
        "ccg:south-west-london",
        "icb:south-west-london",
    }
    assert register().successors["ccg:wandsworth"] == "icb:south-west-london"


def test_a_renamed_partnership_has_the_name_of_the_day() -> None:
    halton = register().bodies["lscp:E06000006"]

    assert halton.name_on(date(2024, 5, 31)) == "Halton Children and Young People Safeguarding Partnership"
    assert halton.name_on(date(2024, 6, 1)) == halton.name == "Halton Safeguarding Children Partnership"


def test_the_adults_board_of_wandsworth_is_the_joint_one() -> None:
    assert register().serving("sab", WANDSWORTH) == ("sab:richmond-and-wandsworth",)


def test_bodies_that_serve_several_areas_are_told_once() -> None:
    told = register().serving_all("safeguarding-partners", (WANDSWORTH, "E09000029"))

    assert Counter(told).most_common(1)[0][1] == 1
    assert {"police:metropolitan", "icb:south-west-london"} <= set(told)
