"""Who stands in whose place: the same as routing decides by, of every body on every day that changes anything."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from schemas.bodies import Bodies
from services.routing.domain.facts import FactBase
from tests.support.rulebooks import FOLDER, VOCABULARY, register

BODIES = Bodies((FOLDER / "register" / "areas.yaml").read_text("utf-8"))
TODAY = date(2026, 6, 10)
DAY = timedelta(days=1)
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
