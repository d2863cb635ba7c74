"""Which children and events are none of their case, because everything that was stated was withdrawn as a mistake."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given

from schemas.case_events import DEATH_NOTIFIED, ChildFacts, DeathNotifiedData, LacDeathNotified
from schemas.vocabulary import load
from services.intake.domain.stated import by_mistake, made_by_mistake, named
from services.routing.domain.facts import FactBase
from services.routing.domain.facts_of import facts_of, rooted
from tests.support.routing import CHILD, COUNCIL, LEEDS, MONDAY, POLICE, aware, corrected, envelope, reported
from tests.unit.intake.test_stated import histories, told, unread

VOCABULARY = load()
OTHER = "2" * 32
REPORT = reported(
    children=(ChildFacts(child=CHILD, age_at_incident=3), ChildFacts(child=OTHER, home_area=LEEDS, looked_after="no"))
)


def withdrawn(name: str, reason: str = "wrong_person", child: str = OTHER, of: Any = REPORT, value: Any = None) -> Any:
    return corrected(of.id, f"child.{name}", value, POLICE, child=child, reason=reason, at=MONDAY + timedelta(days=1))


AREA, LOOKED_AFTER = withdrawn("home_area"), withdrawn("looked_after", "entered_by_mistake")


def gone(*events: Any) -> frozenset[str]:
    return by_mistake(told(*events))


def test_a_child_of_which_each_fact_was_withdrawn_as_a_mistake_is_none_of_the_case() -> None:
    assert gone(REPORT) == gone(REPORT, AREA) == frozenset()
    assert gone(REPORT, AREA, LOOKED_AFTER) == {OTHER}


@pytest.mark.parametrize("reason", ["wrong_value", "new_information"])
def test_a_child_stays_of_which_a_fact_was_withdrawn_for_another_reason(reason: str) -> None:
    assert gone(REPORT, AREA, withdrawn("looked_after", reason)) == frozenset()


def test_a_child_stays_of_which_another_report_speaks_if_only_of_its_existence() -> None:
    named = reported(children=(ChildFacts(child=OTHER),), at=MONDAY + timedelta(days=1))
    mistaken = withdrawn("home_area", of=named)

    assert gone(REPORT, AREA, LOOKED_AFTER, named) == frozenset()
    assert gone(REPORT, AREA, LOOKED_AFTER, named, mistaken) == {OTHER}


def test_a_child_comes_back_with_the_correction_of_a_withdrawal() -> None:
    assert gone(REPORT, AREA, LOOKED_AFTER, withdrawn("home_area", of=AREA, value=LEEDS)) == frozenset()


@pytest.mark.parametrize("child", [CHILD, OTHER])
def test_a_reference_of_a_death_makes_no_child_of_the_case(child: str) -> None:
    report = reported(children=(ChildFacts(child=CHILD, age_at_incident=3),))
    data = DeathNotifiedData(reporter=COUNCIL, external_ref="D-1", notified_at=MONDAY, child=child)
    reference = LacDeathNotified(**envelope(case_key=report.case_key or ""), data=data)
    withdrawn_reference = corrected(reference.id, DEATH_NOTIFIED, None, child=child, reason="wrong_person")

    none_of_the_case = {OTHER} & {child}
    assert gone(report, reference) == none_of_the_case
    assert gone(report, reference, withdrawn_reference) == none_of_the_case


def test_what_cannot_be_read_any_more_keeps_the_children_of_its_case_if_it_can_have_spoken_of_one() -> None:
    facts = REPORT, AREA, LOOKED_AFTER
    again = reported(at=MONDAY + timedelta(days=1))

    assert gone(unread(REPORT), AREA, LOOKED_AFTER) == frozenset()
    assert gone(*facts, unread(again)) == gone(*facts, unread(withdrawn("home_area", of=AREA))) == frozenset()
    assert gone(*facts, unread(aware())) == gone(*facts, unread(reported(case_key="b" * 32))) == {OTHER}


@given(histories())
def test_a_child_is_one_of_the_case_as_long_as_it_is_one_for_routing(events: list[Any]) -> None:
    facts = [fact for each in events for fact in facts_of(each, VOCABULARY)]
    named = {fact.subject for fact in facts if VOCABULARY[fact.name].scope == "child"}

    assert named - gone(*events) == set(FactBase(rooted(facts, VOCABULARY), VOCABULARY).children)


def all_withdrawn(event: Any, *left: str, reason: str = "entered_by_mistake") -> list[Any]:
    """Return the corrections that withdraw what a report states, but for the facts in `left`."""
    return [
        corrected(event.id, fact, None, POLICE, child=child or None, reason=reason, at=MONDAY + timedelta(days=1))
        for fact, child, value in named(event.type, event.data)
        if value is not None and fact not in left
    ]


OF_THE_REPORTING = ("reporter.body", "reporter.area", "reported_on")


def test_a_report_is_none_of_its_case_once_each_fact_of_it_was_withdrawn_as_a_mistake() -> None:
    beside = reported(at=MONDAY + timedelta(hours=1))

    assert made_by_mistake(told(REPORT, beside)) == frozenset()
    assert made_by_mistake(told(REPORT, beside, *all_withdrawn(REPORT, *OF_THE_REPORTING))) == {REPORT.id}
    assert made_by_mistake(told(REPORT, beside, *all_withdrawn(REPORT))) == {REPORT.id}


def test_a_report_of_which_all_that_was_stated_was_withdrawn_does_not_stay_for_what_was_derived() -> None:
    child = ChildFacts(child=CHILD, home_area=LEEDS, died="yes", age_at_incident=3, age_at_death=3)
    death = reported(harm="death", children=(child,))
    derived = {"child.died", "child.age_at_incident", "child.age_at_death"}

    assert made_by_mistake(told(death, *all_withdrawn(death, *derived))) == {death.id}
    assert made_by_mistake(told(death, *all_withdrawn(death, *derived, "child.home_area"))) == frozenset()


def test_a_report_stays_of_which_a_fact_stands_or_was_withdrawn_for_another_reason() -> None:
    harm = corrected(REPORT.id, "harm", None, POLICE, reason="wrong_value", at=MONDAY + timedelta(days=1))

    assert made_by_mistake(told(REPORT, *all_withdrawn(REPORT, "harm"))) == frozenset()
    assert made_by_mistake(told(REPORT, *all_withdrawn(REPORT, "harm"), harm)) == frozenset()
    assert made_by_mistake(told(REPORT, *all_withdrawn(REPORT, reason="new_information"))) == frozenset()


def test_a_report_comes_back_with_the_correction_of_a_withdrawal_which_what_cannot_be_read_may_be() -> None:
    gone = all_withdrawn(REPORT)
    [harm] = [each for each in gone if each.data.fact == "harm"]
    back = corrected(harm.id, "harm", "death", POLICE, at=MONDAY + timedelta(days=2))

    assert made_by_mistake(told(REPORT, *gone, back)) == frozenset()
    assert made_by_mistake(told(REPORT, *gone, unread(back))) == frozenset()
    assert made_by_mistake(told(REPORT, *gone, unread(aware()))) == {REPORT.id}
