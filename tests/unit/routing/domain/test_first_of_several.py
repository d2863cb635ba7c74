"""A duty is met by the first of several acts, whether they are decided one after the other or together."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from schemas.acts import ActType
from schemas.vocabulary import Value
from services.routing.domain.changes import compare
from services.routing.domain.facts_of import facts_of
from services.routing.domain.statements import Fact
from tests.support.routing import LSCP, MONDAY, acted, corrected
from tests.support.rulebooks import LEEDS, LEEDS_DEATH, VOCABULARY, decided, fact, facts, known

COUNCIL = f"la:{LEEDS}"
OWED = [
    *facts(LEEDS_DEATH),
    fact("aware_on", "2026-06-01", of=COUNCIL),
    fact("suspected_on", "2026-06-01", of=COUNCIL),
    fact("abuse_or_neglect", "suspected", of=COUNCIL),
    fact("notification.submitted_on", "2026-06-01", of=COUNCIL),
    fact("notification.submitted_by", LEEDS, of=COUNCIL),
    fact("rapid_review.submitted_on", "2026-06-09"),
    fact("rapid_review.improvements", "yes"),
]


def act(type_: ActType, on: str, **said: str) -> list[Fact]:
    """Return what an act states that is told on the day that it says."""
    stated = {name.replace("__", "."): on if value == "DAY" else value for name, value in said.items()}
    at = datetime.combine(date.fromisoformat(on), time(9), MONDAY.tzinfo)
    return facts_of(acted(type_, stated, at=at), VOCABULARY)


def discussed(on: str) -> list[Fact]:
    return act("threshold.discussed.v1", on, threshold__discussed_on="DAY")


def answered(on: str) -> list[Fact]:
    return act("panel.response.received.v1", on, panel__view="disagrees", panel__letter_on="DAY")


def held(on: str) -> list[Fact]:
    return act("lcspr.decision.made.v1", on, review__decision="proceed", review__decided_on="DAY")


def appointed(on: str) -> list[Fact]:
    return [*held("2026-06-15"), *act("reviewer.appointed.v1", on, review__reviewer_appointed_on="DAY")]


def removed(on: str) -> list[Fact]:
    return act("reviewer.removed.v1", on, review__reviewer_removed_on="DAY")


def declined(on: str) -> list[Fact]:
    return [*held("2026-06-15"), *act("publication.declined.v1", on, publication__declined_on="DAY")]


def planned(on: str) -> list[Fact]:
    plan = {"publication__planned_on": "2026-12-14", "publication__form": "full"}
    return act("publication.planned.v1", on, **plan)


def reconsidered(on: str) -> list[Fact]:
    said = {"publication__reconsidered_on": "DAY", "publication__reconsidered": "publish"}
    return act("publication.reconsidered.v1", on, **said)


def decided_on(on: str, outcome: str) -> list[Fact]:
    at = datetime.combine(date.fromisoformat(on), time(9), MONDAY.tzinfo)
    said = {"notification.decision": outcome, "notification.decided_on": on}
    return [fact(name, value, of=COUNCIL, at=at, by=f"decided {on}") for name, value in said.items()]


def met(rule: str, stated: list[Fact]) -> set[Value | None]:
    """Return the days on which the duties of a rule were met."""
    return {each.standing.met_on for each in decided([*OWED, *stated]).obligations if each.rule.id == rule}


@pytest.mark.parametrize(
    ("rule", "first", "second", "on"),
    [
        ("N-13", discussed("2026-06-02"), discussed("2026-06-20"), date(2026, 6, 2)),
        ("N-13", decided_on("2026-06-02", "defer"), decided_on("2026-06-20", "notify"), date(2026, 6, 2)),
        ("R-07", answered("2026-06-22"), answered("2026-08-03"), date(2026, 6, 22)),
        ("R-09", held("2026-06-15"), held("2026-08-03"), date(2026, 6, 15)),
        ("L-02", appointed("2026-06-22"), appointed("2026-09-07"), date(2026, 6, 22)),
        ("L-04", declined("2026-11-02"), declined("2027-02-01"), date(2026, 11, 2)),
    ],
    ids=["N-13, discussed", "N-13, decided", "R-07", "R-09", "L-02", "L-04"],
)
def test_of_two_acts_that_are_decided_together_the_first_meets_the_duty_as_if_it_had_been_decided_alone(
    rule: str, first: list[Fact], second: list[Fact], on: date
) -> None:
    alone, together = decided([*OWED, *first]), decided([*OWED, *first, *second])

    assert met(rule, first) == met(rule, [*first, *second]) == met(rule, [*second, *first]) == {on}
    assert rule not in {each.rule.id for each in compare(known(alone), together).met}


def test_a_duty_is_met_by_no_act_that_was_undone_since() -> None:
    reviewer = [*appointed("2026-06-22"), *removed("2026-07-06"), *appointed("2026-07-20")]
    given_up = [*declined("2026-11-02"), *planned("2026-11-16"), *declined("2026-12-07")]
    thought_over = [*declined("2026-11-02"), *reconsidered("2026-11-16"), *declined("2026-12-07")]

    assert met("L-02", reviewer) == {date(2026, 7, 20)}
    assert met("L-04", given_up) == met("L-04", thought_over) == {date(2026, 12, 7)}
    assert met("L-04", [*declined("2026-11-02"), *reconsidered("2026-11-16")]) == {None}


def test_a_review_that_was_decided_before_the_notification_is_none_of_what_was_decided_since() -> None:
    before, first, second = held("2026-05-18"), held("2026-06-15"), held("2026-08-03")

    assert met("R-09", before) == {None}
    assert met("R-09", [*before, *first, *second]) == {date(2026, 6, 15)}


def test_an_act_that_was_told_by_mistake_is_not_the_first() -> None:
    mistaken = answered("2026-06-15")
    taken_back = facts_of(corrected(mistaken[0].event_id, "panel.letter_on", None, LSCP), VOCABULARY)
    put_right = facts_of(corrected(mistaken[0].event_id, "panel.letter_on", "2026-06-16", LSCP), VOCABULARY)

    assert met("R-07", [*mistaken, *taken_back, *answered("2026-06-22")]) == {date(2026, 6, 22)}
    assert met("R-07", [*mistaken, *put_right, *answered("2026-06-22")]) == {date(2026, 6, 16)}
