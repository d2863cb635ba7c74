"""Who declined to publish a report, and decides to publish it after all, plans it anew; what is published has its own day.

SI 2018/789, regulation 16: a copy "no later than 7 days prior to the date of publication", of which a plan that was given up says nothing.
"""

from __future__ import annotations

from datetime import date, datetime

import pytest

from schemas.acts import ActType
from schemas.case_events import ActRecorded
from schemas.vocabulary import Value
from services.routing.domain.changes import compare
from services.routing.domain.facts_of import facts_of
from services.routing.domain.statements import Fact
from tests.support.routing import LSCP, MONDAY, acted, corrected
from tests.support.rulebooks import LEEDS, LEEDS_DEATH, VOCABULARY, decided, facts, known

COPIES = {"P-01", "P-02", "P-03"}
PLAN = {"publication.planned_on", "publication.form"}


def act(type_: ActType, at: str, said: dict[str, str | int]) -> list[Fact]:
    return facts_of(acted(type_, said, at=datetime.fromisoformat(at).replace(tzinfo=MONDAY.tzinfo)), VOCABULARY)


def planned(at: str, on: str, form: str = "full") -> list[Fact]:
    return act("publication.planned.v1", at, {"publication.planned_on": on, "publication.form": form})


def reconsidered(at: str, outcome: str = "publish") -> list[Fact]:
    said: dict[str, str | int] = {"publication.reconsidered": outcome, "publication.reconsidered_on": at[:10]}
    return act("publication.reconsidered.v1", at, said)


def declined(at: str) -> list[Fact]:
    return act("publication.declined.v1", at, {"publication.declined_on": at[:10]})


FIRST_PLAN = planned("2026-07-01 09:00", "2026-10-01")
BEFORE = [*facts(LEEDS_DEATH), *FIRST_PLAN, *declined("2026-08-03 09:00")]
AFTER_ALL = reconsidered("2026-09-28 15:00")
NEW_PLAN = {"P-01": date(2026, 12, 7), "P-02": date(2026, 12, 3)}  # Monday 14 December: - 7 days, - 7 working days


def owed(stated: list[Fact]) -> dict[str, Value | None]:
    return {each.rule.id: each.dates.due_on for each in decided(stated).obligations if each.rule.id in COPIES}


def asked(stated: list[Fact]) -> set[tuple[str, str]]:
    return {(each.fact, each.of_whom) for each in decided(stated).questions if each.fact in PLAN}


def test_the_day_of_a_plan_that_was_given_up_is_no_day_of_publication_any_more_and_another_is_asked_for() -> None:
    stated = [*BEFORE, *AFTER_ALL]

    assert owed(stated) == {}
    assert asked(stated) == {(each, f"lscp:{LEEDS}") for each in PLAN}
    assert {"P-01", "P-02"} <= set(decided(stated).undecided)


@pytest.mark.parametrize("at", ["2026-10-05 09:00", "2026-09-28 09:00"], ids=["later", "that day, told before it"])
def test_the_copies_are_due_before_the_new_day_and_nothing_is_asked(at: str) -> None:
    stated = [*BEFORE, *AFTER_ALL, *planned(at, "2026-12-14")]

    assert owed(stated) == NEW_PLAN
    assert asked(stated) == set()


def test_who_stands_by_it_is_asked_for_no_day() -> None:
    stated = [*BEFORE, *reconsidered("2026-09-28 15:00", "not_publish")]

    assert owed(stated) == {}
    assert asked(stated) == set()


def test_who_plans_to_publish_without_having_been_asked_to_reconsider_is_asked_for_nothing() -> None:
    stated = [*BEFORE, *planned("2026-09-07 09:00", "2026-12-14")]

    assert owed(stated) == NEW_PLAN
    assert asked(stated) == set()


def test_that_they_decided_to_publish_after_all_leaves_what_is_owed_already_until_the_day_is_told_anew() -> None:
    """A plan that the decision does not know of may be the one that was given up: doubt withdraws nothing."""
    stated = [*BEFORE, *planned("2026-09-07 09:00", "2026-12-14")]
    information = [*BEFORE, *planned("2026-09-07 09:00", "2026-12-14", "improvements_only")]

    for each in (stated, information):
        changes = compare(known(decided(each)), decided([*each, *AFTER_ALL]))
        assert [one for one in changes.lapsed if one.slot.rule in COPIES] == []
        assert asked([*each, *AFTER_ALL]) == {(one, f"lscp:{LEEDS}") for one in PLAN}


def test_that_the_report_has_all_that_it_must_have_stays_owed_while_no_day_is_set() -> None:
    final = act("report.finalised.v1", "2026-07-01 10:00", {"review.report_final_on": "2026-07-01"})

    found = {each.rule.id: each for each in decided([*BEFORE, *final, *AFTER_ALL]).obligations}

    assert (found["L-06"].standing.state, found["L-06"].dates.due_on) == ("open", None)


@pytest.mark.parametrize("now", ["not_publish", None])
def test_a_decision_to_publish_after_all_that_was_none_gives_no_plan_up(now: str | None) -> None:
    put_right = facts_of(corrected(AFTER_ALL[0].event_id, "publication.reconsidered", now, LSCP), VOCABULARY)
    anew = planned("2026-10-05 09:00", "2026-12-14")

    assert asked([*BEFORE, *AFTER_ALL, *put_right]) == set()
    stood = {
        each.name
        for each in decided([*BEFORE, *AFTER_ALL, *put_right]).evaluation.facts.standing(
            "publication.planned_on", "incident"
        )
    }
    assert stood == {"publication.planned_on"}
    assert owed([*BEFORE, *AFTER_ALL, *put_right, *anew]) == NEW_PLAN


def published(at: str) -> ActRecorded:
    said: dict[str, str | int] = {"review.published_on": at[:10]}
    return acted(
        "publication.published.v1", said, at=datetime.fromisoformat(f"{at} 09:00").replace(tzinfo=MONDAY.tzinfo)
    )


def test_copies_are_due_before_the_day_on_which_it_is_published_and_not_before_the_one_that_was_planned() -> None:
    case = [*facts(LEEDS_DEATH), *planned("2026-07-01 09:00", "2027-01-04")]
    early = published("2026-12-14")
    put_right = corrected(early.id, "review.published_on", "2026-12-16", LSCP)
    taken_back = corrected(early.id, "review.published_on", None, LSCP, reason="entered_by_mistake")
    told = [*case, *facts_of(early, VOCABULARY)]

    assert owed(case) == {"P-01": date(2026, 12, 28), "P-02": date(2026, 12, 21)}
    assert owed(told) == NEW_PLAN
    assert owed([*told, *facts_of(put_right, VOCABULARY)]) == {"P-01": date(2026, 12, 9), "P-02": date(2026, 12, 7)}
    assert owed([*told, *facts_of(taken_back, VOCABULARY)]) == owed(case)


def test_what_is_published_without_a_plan_owes_the_copies_all_the_same() -> None:
    told = [*facts(LEEDS_DEATH), *facts_of(published("2026-12-14"), VOCABULARY)]

    assert set(decided(told).undecided) >= COPIES
    assert asked(told) == {("publication.form", f"lscp:{LEEDS}")}
    assert owed([*told, *planned("2026-12-15 09:00", "2026-12-14")]) == NEW_PLAN


@pytest.mark.parametrize("plan", [FIRST_PLAN, []])
def test_what_is_published_of_a_report_that_was_declined_is_the_information(plan: list[Fact]) -> None:
    """SI 2018/789, regulation 16(2): a copy of "the report and the information" before the latter is published."""
    told = [*facts(LEEDS_DEATH), *plan, *declined("2026-08-03 09:00"), *facts_of(published("2026-12-14"), VOCABULARY)]

    assert owed(told) == {"P-03": date(2026, 12, 7)}
    assert not asked(told)
