"""Who stands in whose place: the same as routing decides by, of every body on every day that changes anything."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from schemas.bodies import Bodies, NoRegister
from services.routing.domain.facts import FactBase
from tests.support.rulebooks import FOLDER, VOCABULARY, register

BODIES = Bodies((FOLDER / "register" / "areas.yaml").read_text("utf-8"))
TODAY = date(2026, 6, 10)
DAY = timedelta(days=1)
_ENDED = "{id: a, until: 2020-03-31, succeeded by: b}"
ENDS = {body.until for body in register().bodies.values() if body.until}


@pytest.mark.parametrize("on", sorted({TODAY, *ENDS, *(end + DAY for end in ENDS)}))
def test_a_body_is_the_one_that_routing_takes_it_for(on: date) -> None:
    known = register().on(on)
    facts = FactBase((), VOCABULARY, former_areas=known.former_areas, successors=known.successors)
    names = [*known.bodies, *(f"la:{old}" for old in known.former_areas), "client:example", "police:nowhere"]

    assert {name: BODIES.in_place_of(name, on) for name in names} == {name: facts.in_place_of(name) for name in names}


def test_a_body_stands_for_itself_for_its_other_code_and_for_all_who_ended_before_it() -> None:
    assert BODIES.stands_for("la:E08000016", TODAY) == {"la:E08000016", "la:E08000038"}
    assert BODIES.stands_for("icb:south-west-london", TODAY) >= {"ccg:sutton", "ccg:south-west-london"}
    assert BODIES.stands_for("police:west-yorkshire", TODAY) == {"police:west-yorkshire"}


def test_who_has_ended_stands_for_nobody_else_and_nobody_for_who_has_not() -> None:
    assert BODIES.stands_for("ccg:sutton", TODAY) == {"ccg:sutton"}
    assert BODIES.stands_for("icb:west-yorkshire", date(2022, 6, 30)) == {"icb:west-yorkshire"}


@pytest.mark.parametrize(
    "wrong",
    [
        "{id: b, succeeded by: c}",
        "{id: b, until: soon, succeeded by: c}",
        "{id: b, until: [2020-03-31], succeeded by: c}",
        "{id: b, until: 2020-03-31, succeeded by: [c]}",
        "{until: 2020-03-31, succeeded by: c}",
        "b",
    ],
)
def test_of_a_wrong_line_no_more_is_lost_than_what_it_says(wrong: str) -> None:
    page = (
        f"areas: [{{code: X, formerly: [Y]}}, {{formerly: [Z]}}, {{code: W, formerly: V}}]\nbodies: [{wrong}, {_ENDED}]"
    )

    bodies = Bodies(page)

    assert bodies.in_place_of("a", TODAY) == "b"
    assert bodies.in_place_of("b", TODAY) == "b"
    assert bodies.in_place_of("la:Y", TODAY) == "la:X"


def test_bodies_that_succeed_one_another_stand_each_for_itself() -> None:
    there_and_back = "{id: b, until: 2021-03-31, succeeded by: a}"
    alone = "{id: d, until: 2021-03-31, succeeded by: d}"
    bodies = Bodies(f"areas: []\nbodies: [{_ENDED}, {there_and_back}, {alone}]")

    assert [bodies.in_place_of(name, TODAY) for name in ("a", "b", "d")] == ["a", "b", "d"]
    assert bodies.stands_for("a", TODAY) == {"a"}


@pytest.mark.parametrize(
    "page", ["", "areas: [", "- areas", "areas: []", "areas: []\nbodies: {}", "areas: 1\nbodies: []"]
)
def test_what_is_no_register_is_refused_by_one_error(page: str) -> None:
    with pytest.raises(NoRegister):
        Bodies(page)
