"""A decision not to notify counts for the facts that it was made on.

Children Act 2004, section 16C(1): the duty arises once the authority "knows or suspects that a child has been abused or neglected"
and the child has died or been seriously harmed; what is known or suspected only later was not decided about.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from schemas.vocabulary import Value
from services.routing.domain.changes import compare
from services.routing.domain.decide import Decision
from services.routing.domain.statements import Fact
from tests.support.rulebooks import HALTON, LEEDS, LEEDS_DEATH, NOW, POLICE, decided, fact, facts, known

COUNCIL = f"la:{LEEDS}"
DECIDED, AFTER = NOW + timedelta(days=2), NOW + timedelta(days=9)
HARMED = [
    *facts({name: value for name, value in LEEDS_DEATH.items() if name != "child.died"} | {"harm": "serious_harm"}),
    fact("aware_on", "2026-06-01", of=COUNCIL),
    fact("suspected_on", "2026-06-01", of=COUNCIL),
    fact("abuse_or_neglect", "suspected", of=COUNCIL),
]
AGAINST = fact("notification.decision", "not_notify", of=COUNCIL, at=DECIDED, by="the decision")


def notifying(stated: list[Fact]) -> dict[str, str]:
    """Return the state of each duty to notify the Panel, by child."""
    return {each.slot.subject: each.in_words for each in decided(stated).obligations if each.rule.id == "N-01"}


def is_asked_for(decision: Decision) -> bool:
    """Say whether the council is asked for its decision."""
    return (f"notification.decision of {LEEDS}", COUNCIL) in [(one.in_words, one.of_whom) for one in decision.questions]


STANDS = {"child-1": "owed, awaiting a decision"}
WITHDRAWN = {"child-1": "withdrawn, decision not to notify"}


def later(name: str, value: Value | None, of: str = POLICE, subject: str | None = None) -> Fact:
    return fact(name, value, of=of, at=AFTER, by=f"later {name}", subject=subject)


def test_a_decision_on_the_facts_as_they_are_withdraws_the_duty_and_nobody_is_asked() -> None:
    assert notifying([*HARMED, AGAINST]) == WITHDRAWN
    assert not is_asked_for(decided([*HARMED, AGAINST]))


@pytest.mark.parametrize("rule", ["N-01", "N-02", "N-16", "N-16A"])
def test_a_duty_stands_again_and_its_decision_is_asked_for_when_the_child_dies_later(rule: str) -> None:
    abroad: dict[str, Value] = {"incident.country": "scotland"}
    unborn: dict[str, Value] = {"child.unborn": "yes"}
    about = {"N-02": abroad, "N-16": unborn, "N-16A": abroad | unborn}.get(rule, {})
    told = [*(each for each in HARMED if each.name not in about), *facts(about)]

    before, after = decided([*told, AGAINST]), decided([*told, AGAINST, later("harm", "death")])

    assert [each.in_words for each in before.obligations if each.rule.id == rule] == list(WITHDRAWN.values())
    assert [each.in_words for each in after.obligations if each.rule.id == rule] == list(STANDS.values())
    assert is_asked_for(after)


def test_a_duty_stands_when_abuse_is_first_suspected_after_the_decision() -> None:
    told = [each for each in HARMED if each.name not in {"abuse_or_neglect", "suspected_on"}]
    thought = fact("abuse_or_neglect", "not_suspected", of=COUNCIL, by="the view")
    suspects = [later("abuse_or_neglect", "suspected", COUNCIL), later("suspected_on", "2026-06-10", COUNCIL)]

    assert notifying([*told, thought, AGAINST]) == {}
    assert notifying([*told, thought, AGAINST, *suspects]) == STANDS
    assert notifying([*told, AGAINST, *suspects]) == STANDS


def test_a_decision_is_of_no_child_that_became_known_after_it() -> None:
    assert notifying([*HARMED, AGAINST, later("child.age_at_incident", 3, subject="child-2")]) == {
        **WITHDRAWN,
        "child-2": "owed, awaiting a decision",
    }


def test_an_authority_decided_nothing_about_an_incident_that_was_then_elsewhere() -> None:
    told = [replace(each, value=HALTON) if each.name == "incident.area" else each for each in HARMED]

    assert notifying([*told, AGAINST, later("incident.area", LEEDS)]) == STANDS


@pytest.mark.parametrize("again", [("harm", "serious_harm"), ("incident.setting", "home"), ("reporter.body", "police")])
def test_what_is_said_again_or_is_no_condition_leaves_the_decision(again: tuple[str, str]) -> None:
    assert notifying([*HARMED, AGAINST, later(*again)]) == WITHDRAWN


@pytest.mark.parametrize(
    "more",
    [
        later("child.unborn", "no"),
        fact("child.age_at_incident", 10, at=AFTER, by="the age put right", corrects="first"),
        later("abuse_or_neglect", "known", COUNCIL),
        later("child.home_area", HALTON),
        later("aware_on", "2026-06-10", COUNCIL),
    ],
    ids=lambda each: each.name,
)
def test_what_leaves_the_rule_with_the_same_answer_leaves_the_decision(more: Fact) -> None:
    assert notifying([*HARMED, AGAINST, more]) == WITHDRAWN
    assert not is_asked_for(decided([*HARMED, AGAINST, more]))


def test_a_decision_about_a_child_whose_age_was_not_known_was_not_made_on_it() -> None:
    told = [each for each in HARMED if each.name != "child.age_at_incident"]

    assert notifying([*told, AGAINST, later("child.age_at_incident", 9)]) == STANDS


def test_a_decision_that_was_told_late_was_made_on_what_was_so_on_its_day() -> None:
    told_late = replace(AGAINST, recorded_at=AFTER + timedelta(days=1))

    assert notifying([*HARMED, later("harm", "death"), told_late]) == STANDS


def test_a_correction_that_became_known_after_the_decision_was_not_decided_about() -> None:
    corrected = fact("harm", "death", at=DECIDED, recorded_at=AFTER, by="the correction", corrects="first")

    assert notifying([*HARMED, AGAINST, corrected]) == STANDS


def test_a_new_decision_on_the_new_facts_counts() -> None:
    again = fact("notification.decision", "not_notify", of=COUNCIL, at=AFTER + timedelta(days=1), by="again")

    assert notifying([*HARMED, AGAINST, later("harm", "death"), again]) == WITHDRAWN
    assert not is_asked_for(decided([*HARMED, AGAINST, later("harm", "death"), again]))


def test_the_duty_that_was_withdrawn_is_opened_again() -> None:
    before, now = decided([*HARMED, AGAINST]), decided([*HARMED, AGAINST, later("harm", "death")])
    assert "N-01" in [each.rule.id for each in compare(known(before), now).opened]


NOTIFY_ANEW = ["N-01", "N-02", "N-16"]


def of_rule(rule: str) -> list[Fact]:
    """Return a case of harm in which a rule has the Panel notified: here, outside England, or of an unborn child."""
    about = {"N-02": ("incident.country", "scotland"), "N-16": ("child.unborn", "yes")}
    more = [fact(*about[rule], by="where or who")] if rule in about else []
    return [*(each for each in HARMED if each.name not in {one.name for one in more}), *more]


def due(rule: str, stated: list[Fact]) -> set[tuple[str, date | None]]:
    found = decided(stated).obligations
    return {(each.standing.state, each.dates.due_on) for each in found if each.rule.id == rule}


@pytest.mark.parametrize("rule", NOTIFY_ANEW)
def test_a_death_after_the_decision_not_to_notify_the_harm_is_due_by_the_day_of_its_own_awareness(rule: str) -> None:
    """Working Together 2023, chapter 5: within five working days of becoming aware of what is to be notified."""
    died = [later("harm", "death"), later("aware_of_death_on", "2026-06-10", COUNCIL)]

    assert due(rule, [*of_rule(rule), AGAINST, *died]) == {("open", date(2026, 6, 17))}  # Wednesday 10 June + 5


@pytest.mark.parametrize("rule", NOTIFY_ANEW)
def test_a_death_before_it_was_decided_leaves_the_harm_to_be_notified_by_its_own_day(rule: str) -> None:
    died = [later("harm", "death"), later("aware_of_death_on", "2026-06-10", COUNCIL)]
    decided_after = replace(AGAINST, occurred_at=AFTER + timedelta(days=1), recorded_at=AFTER + timedelta(days=1))
    to_notify = replace(AGAINST, value="notify")

    assert due(rule, [*of_rule(rule), *died]) == {("open", date(2026, 6, 8))}
    assert due(rule, [*of_rule(rule), *died, decided_after]) == {("withdrawn", date(2026, 6, 8))}
    assert due(rule, [*of_rule(rule), to_notify, *died]) == {("open", date(2026, 6, 8))}


def test_what_else_makes_a_duty_stand_again_leaves_its_day() -> None:
    told = [each for each in HARMED if each.name != "child.age_at_incident"]
    aware = fact(
        "aware_of_death_on", "2026-06-03", of=COUNCIL, at=DECIDED - timedelta(hours=1), by="aware of the death"
    )
    died = fact("harm", "death", at=DECIDED - timedelta(hours=1), by="died")

    stated = [*told, died, aware, AGAINST, later("child.age_at_incident", 9)]

    assert due("N-01", stated) == {("open", date(2026, 6, 8))}


def test_while_nobody_said_when_the_authority_was_aware_of_the_death_the_day_stays_and_that_is_asked() -> None:
    decision = decided([*HARMED, AGAINST, later("harm", "death")])

    assert due("N-01", [*HARMED, AGAINST, later("harm", "death")]) == {("open", date(2026, 6, 8))}
    assert (f"aware_of_death_on of {LEEDS}", COUNCIL) in [(one.in_words, one.of_whom) for one in decision.questions]
    for stated in ([*HARMED, AGAINST], [*HARMED, later("harm", "death")]):
        assert "aware_of_death_on" not in {one.fact for one in decided(stated).questions}


@pytest.mark.parametrize("outcome", ["notify", "defer"])
def test_the_day_stays_that_of_the_death_once_it_is_decided_anew(outcome: str) -> None:
    died = [later("harm", "death"), later("aware_of_death_on", "2026-06-10", COUNCIL)]
    again = fact("notification.decision", outcome, of=COUNCIL, at=AFTER + timedelta(days=1), by="again")
    before = fact("notification.decision", outcome, of=COUNCIL, at=DECIDED + timedelta(hours=1), by="again")

    assert due("N-01", [*HARMED, AGAINST, *died, again]) == {("open", date(2026, 6, 17))}
    assert due("N-01", [*HARMED, AGAINST, before, *died]) == {("open", date(2026, 6, 8))}


def test_nobody_is_asked_about_a_death_where_harm_that_was_none_turns_out_to_be_serious() -> None:
    slight = [replace(each, value="other") if each.name == "harm" else each for each in HARMED]
    decision = decided([*slight, AGAINST, later("harm", "serious_harm")])

    assert due("N-01", [*slight, AGAINST, later("harm", "serious_harm")]) == {("open", date(2026, 6, 8))}
    assert "aware_of_death_on" not in {one.fact for one in decision.questions}


def test_a_duty_that_stands_again_after_a_death_is_dated_and_warned_of_from_it() -> None:
    died = [later("harm", "death"), later("aware_of_death_on", "2026-06-10", COUNCIL)]
    before, now = decided([*HARMED, AGAINST]), decided([*HARMED, AGAINST, *died])

    (opened,) = [each for each in compare(known(before), now).opened if each.rule.id == "N-01"]

    assert (opened.dates.from_fact, opened.dates.from_on) == ("aware_of_death_on", date(2026, 6, 10))
    assert opened.dates.warn_on == date(2026, 6, 17)


def questions(stated: list[Fact]) -> set[str]:
    return {each.fact for each in decided(stated).questions}


LATER_AWARE = later("aware_of_death_on", "2026-06-10", COUNCIL)


@pytest.mark.parametrize("alone", [[], [later("child.died", "no", subject="child-2")]], ids=["one", "of two"])
def test_a_decision_on_the_harm_of_a_child_of_which_it_is_said_later_that_it_died_was_not_made_on_its_death(
    alone: list[Fact],
) -> None:
    lived = fact("child.died", "no", by="lives")
    died = fact("child.died", "yes", at=AFTER, by="died", corrects="lives")

    assert notifying([*HARMED, lived, AGAINST, *alone])["child-1"] == WITHDRAWN["child-1"]
    assert notifying([*HARMED, lived, AGAINST, *alone, died])["child-1"] == STANDS["child-1"]
    assert ("open", date(2026, 6, 17)) in due("N-01", [*HARMED, lived, AGAINST, *alone, died, LATER_AWARE])


def test_a_decision_in_a_death_of_several_stands_once_it_is_said_which_of_them_died() -> None:
    in_a_death = [replace(each, value="death") if each.name == "harm" else each for each in HARMED]

    for which in ("yes", "no"):
        assert notifying([*in_a_death, AGAINST, later("child.died", which)]) == WITHDRAWN


def test_a_death_that_another_source_has_not_heard_of_is_due_by_the_day_of_its_awareness_too() -> None:
    """The police reported harm and say nothing of the death: sources differ about the harm, and the child is dead all the same."""
    died = [later("harm", "death", COUNCIL), later("child.died", "yes", COUNCIL), LATER_AWARE]
    agrees = fact("harm", "death", at=AFTER + timedelta(days=2), by="the police, too")

    for stated in ([*HARMED, AGAINST, *died], [*HARMED, AGAINST, *died, agrees]):
        assert due("N-01", stated) == {("open", date(2026, 6, 17))}


def test_a_decision_that_was_made_on_the_death_stands_once_the_others_have_heard_of_it() -> None:
    died = [later("harm", "death", COUNCIL), later("child.died", "yes", COUNCIL), LATER_AWARE]
    again = fact("notification.decision", "not_notify", of=COUNCIL, at=AFTER + timedelta(days=1), by="again")
    agrees = fact("harm", "death", at=AFTER + timedelta(days=2), by="the police, too")

    assert notifying([*HARMED, AGAINST, *died, again]) == WITHDRAWN
    assert notifying([*HARMED, AGAINST, *died, again, agrees]) == WITHDRAWN


@pytest.mark.parametrize("how", ["put right", "told after the decision"])
def test_nobody_is_asked_for_an_awareness_that_counts_for_nothing(how: str) -> None:
    """Of a case that was a death from the first no awareness of the death counts apart, so no answer would close the question."""
    put_right = [
        *HARMED,
        AGAINST,
        fact("harm", "death", at=DECIDED, recorded_at=AFTER, by="put right", corrects="first"),
    ]
    told_after = [*(each for each in HARMED if each.name != "harm"), AGAINST, later("harm", "death")]
    stated = put_right if how == "put right" else told_after

    for said in (stated, [*stated, LATER_AWARE]):
        assert due("N-01", said) == {("open", date(2026, 6, 8))}
        assert "aware_of_death_on" not in questions(said)
