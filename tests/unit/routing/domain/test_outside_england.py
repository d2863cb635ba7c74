"""An incident outside England was in no authority's area: nobody is asked in which, and who is told goes by where the child lives."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from schemas import case_events as ce
from services.routing.domain.decide import Decision
from tests.support.changes import decision
from tests.support.routing import CHILD, HALTON, LEEDS, acted, aware, decided, reported, submitted, suspects

SUTTON, BARNSLEY = "E09000029", "E08000038"
PUBLISHED = ("publication.published.v1", {"review.published_on": "2026-11-10"})
NO_REVIEW = ("lcspr.decision.made.v1", {"review.decision": "not_proceed", "review.decided_on": "2026-07-01"})
MEETING = ("strategy_meeting.held.v1", {"strategy_meeting.held_on": "2026-06-01"})


def abroad(home: str, *acts: Any, harm: str = "death", **more: Any) -> Decision:
    """Return the decision on a child of an area that comes to harm in Scotland, of which its authority notifies the Panel."""
    council = ce.Reporter(client="council", body="local_authority", area=home, recipient=f"la:{home}")
    child = ce.ChildFacts(
        child=CHILD, home_area=home, looked_after="no", care_leaver="no", age_at_incident=3, died="yes"
    )
    where = {"country": "scotland", "area": None} | more
    told = [reported(council, harm=harm, children=(child,), **where), aware(council), suspects(reporter=council)]
    told += [decided("notify", council), submitted(council)]
    return decision([*told, *(acted(type_, facts, council) for type_, facts in acts)])


def asked(found: Decision) -> set[str]:
    return {each.fact for each in found.questions}


@pytest.mark.parametrize(
    ("home", "acts", "rules"),
    [
        (LEEDS, [], {"R-12"}),
        (BARNSLEY, [], {"R-12"}),
        (SUTTON, [PUBLISHED], {"A-04"}),
        (HALTON, [NO_REVIEW, MEETING], {"N-20", "R-13"}),
    ],
)
def test_nobody_is_asked_in_whose_area_it_was(home: str, acts: list[Any], rules: set[str]) -> None:
    found = abroad(home, *acts)

    assert "incident.area" not in asked(found)
    assert not rules & {*found.undecided}


@pytest.mark.parametrize("country", ["england", None])
def test_the_area_is_asked_for_where_there_is_or_may_be_one(country: str | None) -> None:
    assert "incident.area" in asked(abroad(BARNSLEY, country=country))


def test_the_boards_of_where_the_child_lives_are_told() -> None:
    owed = abroad(LEEDS, concerns=("yes", "yes", "yes")).obligations

    assert [(each.recipients, each.dates.due_on) for each in owed if each.rule.id in {"X-02", "X-02A"}] == [
        (("sab:leeds",), date(2026, 6, 3)),  # Monday 1 June + 2
        (("csp:leeds",), date(2026, 6, 3)),
    ]
    in_england = abroad(LEEDS, concerns=("yes", "yes", "yes"), country="england", area=LEEDS).obligations
    assert {each.rule.id for each in in_england} & {"X-02", "X-02A"} == {"X-02"}
