"""Whose a local review is: that of the partners who first decided to hold it, whatever others decide later."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.case_events import Reporter
from services.routing.domain.facts_of import facts_of
from services.routing.domain.statements import Fact
from tests.support.routing import LSCP, MONDAY, acted
from tests.support.rulebooks import HALTON, LEEDS, LEEDS_DEATH, VOCABULARY, decided, fact, facts

ELSEWHERE = Reporter(client="lscp-halton", body="childrens_partnership", area=HALTON, recipient="lscp:halton")


def review(outcome: str, by: Reporter, day: int) -> list[Fact]:
    said: dict[str, str | int] = {"review.decision": outcome, "review.decided_on": f"2026-06-{day:02}"}
    made = acted("lcspr.decision.made.v1", said, by, at=MONDAY + timedelta(days=day))
    return facts_of(made, VOCABULARY)


@pytest.mark.parametrize("outcome", ["proceed", "not_proceed"])
def test_another_partnership_that_decides_later_does_not_take_a_review_over(outcome: str) -> None:
    published = [*facts(LEEDS_DEATH), *review("proceed", LSCP, 9), fact("review.published_on", "2026-09-01")]

    decision = decided([*published, *review(outcome, ELSEWHERE, 11)])

    after = [each.slot.duty_holder for each in decision.obligations if each.rule.id in {"L-01", "P-05", "P-06"}]
    assert set(after) == {f"lscp:{LEEDS}"}


def test_of_partners_who_decide_against_a_review_nothing_follows_for_those_who_hold_one() -> None:
    stated = [*facts(LEEDS_DEATH), *review("not_proceed", LSCP, 9), *review("proceed", ELSEWHERE, 11)]

    owing = {each.slot.duty_holder for each in decided(stated).obligations if each.rule.id.startswith("L-")}

    assert owing == {f"lscp:{HALTON}"}


def test_while_nobody_is_recorded_who_decided_it_is_that_of_the_place_and_else_that_of_who_notified() -> None:
    of_before = fact("review.decision", "proceed"), fact("review.decided_on", "2026-06-10")
    notified = fact("notification.submitted_by", HALTON, of=f"la:{HALTON}")
    place = facts(LEEDS_DEATH)
    elsewhere = [each for each in place if each.name != "incident.area"]

    owing = [
        {
            each.slot.duty_holder
            for each in decided([*where, *of_before, notified]).obligations
            if each.rule.id == "L-04"
        }
        for where in (place, elsewhere)
    ]

    assert owing == [{f"lscp:{LEEDS}"}, {f"lscp:{HALTON}"}]
