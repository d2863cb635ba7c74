"""A second act of a kind is told as the first was, and what is only said again is not told twice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from uuid import NAMESPACE_OID, uuid5

import pytest

from schemas.acts import ActType
from schemas.case_events import Reporter
from schemas.vocabulary import Value
from services.routing.domain.facts_of import facts_of
from services.routing.domain.happenings import Happening, Slot
from services.routing.domain.statements import Fact
from tests.support.routing import COUNCIL, HALTON, LSCP, MONDAY, acted, corrected
from tests.support.rulebooks import LEEDS, LEEDS_DEATH, VOCABULARY, decided, facts

ELSEWHERE = Reporter(client="lscp-halton", body="childrens_partnership", area=HALTON, recipient="lscp:halton")
REASONS = "publication.declined_on of incident"
REVIEW = "review.decided_on of incident"


def act(type_: ActType, on: str, said: Mapping[str, str], by: Reporter = LSCP) -> list[Fact]:
    """Return what an act states that is told on a day; `DAY` in what it says is that day."""
    told = {name: on if value == "DAY" else value for name, value in said.items()}
    return facts_of(acted(type_, told, by, at=_at(on)), VOCABULARY)


def declined(on: str, by: Reporter = LSCP) -> list[Fact]:
    return act("publication.declined.v1", on, {"publication.declined_on": "DAY"}, by)


def planned(on: str) -> list[Fact]:
    plan = {"publication.planned_on": "2026-12-14", "publication.form": "full"}
    return act("publication.planned.v1", on, plan)


def answered(on: str, view: str = "asks_to_reconsider", by: Reporter = LSCP) -> list[Fact]:
    said = {"publication.panel_view": view, "publication.panel_letter_on": "DAY"}
    return act("publication.answered.v1", on, said, by)


def reconsidered(on: str, outcome: str = "not_publish") -> list[Fact]:
    said = {"publication.reconsidered_on": "DAY", "publication.reconsidered": outcome}
    return act("publication.reconsidered.v1", on, said)


def review(on: str, outcome: str = "proceed", by: Reporter = LSCP) -> list[Fact]:
    return act("lcspr.decision.made.v1", on, {"review.decision": outcome, "review.decided_on": "DAY"}, by)


def accepted(rule: str, anchor: str, on: str, position: int = 0, who: str = "panel") -> Happening:
    slot = Slot(rule, position, f"lscp:{LEEDS}", "incident", anchor)
    said = uuid5(NAMESPACE_OID, f"{rule} {position} {on}")
    return Happening("delivery.acknowledged", who, "incident", _at(on), _at(on), said, slot, who)


def _at(on: str) -> datetime:
    return datetime.combine(date.fromisoformat(on), time(9), MONDAY.tzinfo)


def owed(rule: str, stated: list[Fact], *happened: Happening) -> set[tuple[str, Value | None]]:
    """Return state and due date of the duties of a rule towards the Panel, or towards the partners themselves."""
    found = decided([*facts(LEEDS_DEATH), *stated], happened).obligations
    return {
        (each.standing.state, each.dates.due_on)
        for each in found
        if each.rule.id == rule and each.recipients in {("panel",), (f"lscp:{LEEDS}",)}
    }


@pytest.mark.parametrize("between", [planned("2026-08-10"), reconsidered("2026-08-10", "publish"), []])
def test_the_panel_is_told_of_a_second_refusal_to_publish_and_accepts_it_apart(between: list[Fact]) -> None:
    """Children Act 2004, section 16F(4) and (5): each report that it is inappropriate to publish."""
    first, second = declined("2026-08-03"), declined("2026-09-07")
    once, again = accepted("P-04", REASONS, "2026-08-05"), accepted("P-04", REASONS, "2026-09-08")

    assert owed("P-04", first, once) == {("met", date(2026, 8, 5))}
    assert owed("P-04", [*first, *between, *second], once) == {("open", date(2026, 9, 9))}
    assert owed("P-04", [*first, *between, *second], once, again) == {("met", date(2026, 9, 9))}


def test_a_refusal_that_is_told_by_a_second_body_or_put_right_is_not_a_second_one() -> None:
    first = declined("2026-08-03")
    earlier, later = (
        facts_of(corrected(first[0].event_id, "publication.declined_on", on, LSCP), VOCABULARY)
        for on in ("2026-07-31", "2026-08-06")
    )
    told_late = act("publication.declined.v1", "2026-08-20", {"publication.declined_on": "2026-08-04"}, COUNCIL)
    once = accepted("P-04", REASONS, "2026-08-05")

    for said in (earlier, later, told_late):
        assert {state for state, _ in owed("P-04", [*first, *said], once)} == {"met"}


def test_the_partners_decide_anew_each_time_the_panel_asks_them_to() -> None:
    before = [*declined("2026-08-03"), *answered("2026-08-10"), *reconsidered("2026-08-17")]
    letter = answered("2026-09-07")

    assert owed("P-04R", before) == {("met", date(2026, 9, 8))}  # Monday 10 August + 20, without 31 August
    assert owed("P-04R", [*before, *letter]) == {("open", date(2026, 10, 5))}
    assert owed("P-04R", [*before, *letter, *reconsidered("2026-09-14")]) == {("met", date(2026, 10, 5))}


def test_a_letter_that_is_told_by_a_second_body_or_agrees_asks_for_nothing_again() -> None:
    before = [*declined("2026-08-03"), *answered("2026-08-10"), *reconsidered("2026-08-17")]
    same = {"publication.panel_view": "asks_to_reconsider", "publication.panel_letter_on": "2026-08-11"}

    told_late = act("publication.answered.v1", "2026-08-20", same, COUNCIL)

    assert {state for state, _ in owed("P-04R", [*before, *told_late])} == {"met"}
    assert owed("P-04R", [*before, *answered("2026-09-07", "agrees")]) == set()


@pytest.mark.parametrize("by", [LSCP, ELSEWHERE])
def test_the_panel_is_told_of_a_review_that_is_decided_again_after_it_was_given_up(by: Reporter) -> None:
    """Working Together 2023, chapter 5: "should inform the Panel ... of the decision"."""
    first, given_up, second = review("2026-06-09"), review("2026-07-06", "not_proceed", by), review("2026-09-07")
    once, again = accepted("L-01", REVIEW, "2026-06-10"), accepted("L-01", REVIEW, "2026-09-08")

    assert owed("L-01", first, once) == {("met", date(2026, 6, 11))}
    assert owed("L-01", [*first, *given_up], once) == set()
    assert owed("L-01", [*first, *given_up, *second], once) == {("open", date(2026, 9, 9))}
    assert owed("L-01", [*first, *given_up, *second], once, again) == {("met", date(2026, 9, 9))}


@pytest.mark.parametrize("by", [LSCP, ELSEWHERE])
def test_a_decision_for_a_review_that_is_held_already_is_not_told_again(by: Reporter) -> None:
    stated = [*review("2026-06-09"), *review("2026-07-06", by=by)]

    assert {state for state, _ in owed("L-01", stated, accepted("L-01", REVIEW, "2026-06-10"))} == {"met"}


def test_a_review_was_never_given_up_where_that_was_put_right() -> None:
    given_up = review("2026-07-06", "not_proceed")
    stated = [*review("2026-06-09"), *given_up, *review("2026-09-07")]
    once = accepted("L-01", REVIEW, "2026-06-10")

    withdrawn = corrected(given_up[0].event_id, "review.decision", None, LSCP, at=MONDAY + timedelta(days=40))

    assert {state for state, _ in owed("L-01", [*stated, *facts_of(withdrawn, VOCABULARY)], once)} == {"met"}


def test_a_first_decision_that_was_one_against_a_review_began_none() -> None:
    first = review("2026-06-09")
    against = facts_of(corrected(first[0].event_id, "review.decision", "not_proceed", LSCP), VOCABULARY)
    once = accepted("L-01", REVIEW, "2026-06-10")

    assert owed("L-01", [*first, *against], once) == set()
    assert owed("L-01", [*first, *against, *review("2026-09-07")], once) == {("open", date(2026, 9, 9))}


def put_right(said: list[Fact], name: str, value: str, after: int) -> list[Fact]:
    """Return that one thing of an act is put right, so many days after the Monday."""
    event = corrected(said[0].event_id, name, value, LSCP, at=MONDAY + timedelta(days=after))
    return facts_of(event, VOCABULARY)


def test_a_review_is_held_since_the_day_of_its_decision_as_it_was_put_right() -> None:
    mistyped = act(
        "lcspr.decision.made.v1", "2026-06-09", {"review.decision": "proceed", "review.decided_on": "2026-09-06"}
    )
    too_early = act(
        "lcspr.decision.made.v1", "2026-09-07", {"review.decision": "proceed", "review.decided_on": "2026-06-01"}
    )
    given_up = [*review("2026-06-09"), *review("2026-07-06", "not_proceed"), *too_early]
    once = accepted("L-01", REVIEW, "2026-06-10")

    later, earlier = (
        put_right(said, "review.decided_on", on, after=100)
        for said, on in ((mistyped, "2026-06-09"), (too_early, "2026-09-07"))
    )

    assert owed("L-01", [*mistyped, *later], once) == {("met", date(2026, 6, 11))}
    assert owed("L-01", [*given_up, *earlier], once) == {("open", date(2026, 9, 9))}


def test_a_decision_that_is_put_right_to_one_against_the_review_gave_it_up() -> None:
    again = review("2026-07-06")
    against = put_right(again, "review.decision", "not_proceed", after=40)
    stated = [*review("2026-06-09"), *again, *against, *review("2026-09-07")]

    assert owed("L-01", stated, accepted("L-01", REVIEW, "2026-06-10")) == {("open", date(2026, 9, 9))}


def test_a_correction_that_was_taken_back_gave_no_review_up() -> None:
    again = review("2026-07-06")
    against = put_right(again, "review.decision", "not_proceed", after=40)
    after_all = put_right(against, "review.decision", "proceed", after=41)
    stated = [*review("2026-06-09"), *again, *against, *after_all]

    assert {state for state, _ in owed("L-01", stated, accepted("L-01", REVIEW, "2026-06-10"))} == {"met"}


@pytest.mark.parametrize("by", [LSCP, ELSEWHERE])
def test_a_decision_for_a_review_that_is_held_already_gives_no_more_time(by: Reporter) -> None:
    """Working Together 2023, chapter 5: "no later than six months from the date of the decision to initiate a review"."""
    stated = [*review("2026-06-09"), *review("2026-09-07", by=by)]

    assert owed("L-01", stated) == {("open", date(2026, 6, 11))}
    assert owed("L-04", stated) == {("open", date(2026, 12, 9))}
    assert owed("L-04", [*stated, *review("2026-10-05", "not_proceed"), *review("2026-11-02")]) == {
        ("open", date(2027, 5, 2))
    }
