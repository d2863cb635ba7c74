"""A report that brings news of a death: an authority that was aware of the harm, or of another's death, is told of it.

Working Together 2023, chapter 5: partners are told "of any incident which they think should be considered".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from schemas import case_events as ce
from tests.support.changes import decision
from tests.support.routing import CHILD, COUNCIL, LEEDS, MONDAY, POLICE, aware, corrected, reported

NEXT_WEEK = MONDAY + timedelta(days=9)
BEFORE, AFTERWARDS = NEXT_WEEK - timedelta(days=1), NEXT_WEEK + timedelta(days=1)
HOSPITAL = ce.Reporter(client="hospital-leeds", body="health", area=LEEDS)
HARMED = ce.ChildFacts(child=CHILD, home_area=LEEDS, looked_after="no", care_leaver="no", age_at_incident=3)
DEAD = HARMED.model_copy(update={"died": "yes"})
SIBLING = HARMED.model_copy(update={"child": "d" * 32, "died": "no"})
SIBLING_DEAD = SIBLING.model_copy(update={"died": "yes"})
ABROAD: dict[str, Any] = {"country": "scotland", "area": None}


def of_death(reporter: ce.Reporter = POLICE, children: Sequence[ce.ChildFacts] = (DEAD,), **more: Any) -> Any:
    at = more.pop("at", NEXT_WEEK)
    return reported(reporter, harm="death", children=tuple(children), on=at.date(), at=at, **more)


def aware_of_death(at: Any) -> ce.BecameAware:
    said = aware(on=at.date(), at=at)
    return said.model_copy(update={"data": said.data.model_copy(update={"of": "death"})})


def towards_the_council(*events: Any, rule: str = "N-11") -> list[tuple[date | None, str]]:
    """Return when the council is to be told of each report, and whether that stands."""
    owed = decision(events).obligations
    found = [each for each in owed if each.rule.id == rule and each.recipients == (COUNCIL.recipient,)]
    return sorted((each.dates.due_on, each.standing.state) for each in found)


OF_THE_HARM = (date(2026, 6, 2), "met")  # Monday 1 June + 1
OF_THE_DEATH = date(2026, 6, 11)  # Wednesday 10 June + 1


@pytest.mark.parametrize(("rule", "where"), [("N-11", {}), ("N-11A", ABROAD)])
def test_an_authority_that_was_aware_of_the_harm_is_told_of_the_death(rule: str, where: dict[str, Any]) -> None:
    told = [reported(children=(HARMED,), **where), aware()]
    died = of_death(**where)

    assert towards_the_council(*told, rule=rule) == [OF_THE_HARM]
    assert towards_the_council(*told, died, rule=rule) == [OF_THE_HARM, (OF_THE_DEATH, "open")]


@pytest.mark.parametrize(
    "own",
    [
        aware_of_death(BEFORE),
        aware_of_death(AFTERWARDS),
        aware(on=AFTERWARDS.date(), at=AFTERWARDS),
        of_death(COUNCIL, at=BEFORE),
    ],
)
def test_it_is_not_once_it_has_said_that_it_knows_of_it(own: Any) -> None:
    told = [reported(children=(HARMED,)), aware()]

    assert towards_the_council(*told, own, of_death()) == [OF_THE_HARM, (OF_THE_DEATH, "met")]


def test_an_authority_that_was_aware_of_one_death_is_told_of_another() -> None:
    told = [reported(harm="death", children=(DEAD, SIBLING)), aware(), of_death(children=(SIBLING_DEAD,))]
    again = of_death(HOSPITAL, (DEAD, SIBLING_DEAD), at=AFTERWARDS)

    assert towards_the_council(*told) == [OF_THE_HARM, (OF_THE_DEATH, "open")]
    assert [state for _, state in towards_the_council(*told, again)] == ["met", "open", "open"]
    assert [state for _, state in towards_the_council(*told, aware(at=AFTERWARDS), again)] == ["met", "met", "met"]


def test_what_is_told_of_a_death_again_is_no_news_nor_is_harm_that_was_one_all_along() -> None:
    harm = reported(children=(HARMED,))
    put_right = corrected(harm.id, "harm", "death", POLICE, at=NEXT_WEEK)
    repeated = of_death(HOSPITAL, at=AFTERWARDS)

    assert towards_the_council(reported(harm="death", children=(DEAD,)), aware(), of_death(HOSPITAL)) == [
        OF_THE_HARM,
        (OF_THE_DEATH, "met"),
    ]
    assert towards_the_council(harm, aware(), put_right) == [OF_THE_HARM]
    assert [state for _, state in towards_the_council(harm, aware(), put_right, repeated)] == ["met", "met"]
