"""Where sources differ, what all of their answers lead to is owed; what only some of them lead to is asked for first."""

from __future__ import annotations

import pytest

from schemas.vocabulary import Value
from services.routing.domain.changes import compare
from services.routing.domain.decide import Decision
from services.routing.domain.explain import explain
from services.routing.domain.statements import Fact
from tests.support.rulebooks import HALTON, LEEDS, LEEDS_DEATH, WANDSWORTH, decided, fact, facts, known

COUNCIL, HOSPITAL = f"la:{LEEDS}", "client:hospital"
SUSPECTED = [
    fact("aware_on", "2026-06-01", of=COUNCIL),
    fact("suspected_on", "2026-06-01", of=COUNCIL),
    fact("abuse_or_neglect", "suspected", of=COUNCIL),
]


def differing(name: str, one: Value, other: Value, **besides: Value) -> list[Fact]:
    """Return the death of a child in Leeds of which the police and the hospital say a fact differently."""
    stated = {key: value for key, value in LEEDS_DEATH.items() if key != name} | besides
    return [*facts(stated), *SUSPECTED, fact(name, one), fact(name, other, of=HOSPITAL, by="of the hospital")]


def owed(decision: Decision) -> set[str]:
    return {each.rule.id for each in decision.obligations}


def asked(decision: Decision, name: str) -> set[str]:
    return {each.of_whom for each in decision.questions if each.fact == name}


@pytest.mark.parametrize(
    ("one", "other", "told", "open_"),
    [(5, 6, True, False), (0, 17, True, False), (17, 18, False, True), (18, 19, False, False)],
)
def test_a_disputed_age_is_asked_of_both_and_decides_what_each_answer_decides_alike(
    *, one: int, other: int, told: bool, open_: bool
) -> None:
    decision = decided(differing("child.age_at_incident", one, other))

    assert ({"N-01", "N-03", "N-18"} <= owed(decision)) is told
    assert (not {"N-01", "N-03", "N-18"} & owed(decision)) is not told
    assert ({"N-01", "N-18"} <= set(decision.undecided)) is open_
    assert asked(decision, "child.age_at_incident") == {"police:west-yorkshire", HOSPITAL}
    assert [each.name for each in decision.conflicts] == ["child.age_at_incident"]


@pytest.mark.parametrize(("other", "told"), [("serious_harm", True), ("other", False)])
def test_another_agencys_report_is_told_of_whichever_serious_harm_it_was(*, other: str, told: bool) -> None:
    """Working Together 2023, chapter 5: "any incident which they think should be considered"."""
    decision = decided(differing("harm", "death", other))

    assert ("N-11" in owed(decision)) is told
    assert ("N-11" in decision.undecided) is not told
    assert asked(decision, "harm") == {"police:west-yorkshire", HOSPITAL}


def test_what_a_duty_needs_to_be_recorded_is_not_recorded_while_it_is_in_dispute() -> None:
    decision = decided(differing("child.unborn", "yes", "no"))

    assert "N-01" in owed(decision)
    assert "N-16" not in owed(decision)


def test_of_two_areas_that_are_in_dispute_nobody_is_told_until_it_is_known_which_it_is() -> None:
    decision = decided(differing("child.home_area", HALTON, WANDSWORTH))

    assert "N-01" in owed(decision)
    assert "N-04" not in owed(decision)
    assert "N-04" in decision.undecided
    assert "N-18" in decision.undecided


def test_why_somebody_is_not_told_names_all_that_is_said() -> None:
    decision = decided(differing("child.age_at_incident", 18, 19))

    [finding] = [each for each in explain(decision, "panel") if each.rule == "N-01"]

    assert finding.kind == "condition_false"
    assert finding.because is not None
    assert finding.because.found is not None
    said = "the age at the incident, in completed years: 19 or 18, in dispute"
    assert decision.words.found(finding.because.found) == said


def test_a_duty_is_withdrawn_once_no_source_says_what_it_rests_on_and_not_before() -> None:
    told = [*facts(LEEDS_DEATH), *SUSPECTED]
    younger = fact("child.age_at_incident", 18, of=HOSPITAL, by="of the hospital")
    older = fact("child.age_at_incident", 19, by="put right", corrects="first")

    doubted = compare(known(decided(told)), decided([*told, younger]))
    settled = compare(known(decided(told)), decided([*told, younger, older]))

    assert "N-01" not in {each.slot.rule for each in doubted.lapsed}
    assert {each.slot.rule: each.reason for each in settled.lapsed}["N-01"] == (
        "the age at the incident, in completed years: 18 or 19, in dispute"
    )


@pytest.mark.parametrize(
    ("body", "setting", "of_both", "of_a_death"),
    [("fostering_provider", "foster", "N-19S", "N-19"), ("childrens_home", "childrens_home", "N-19HS", "N-19H")],
)
def test_ofsted_and_the_childs_authority_are_told_by_its_provider_whichever_harm_it_was(
    body: str, setting: str, of_both: str, of_a_death: str
) -> None:
    """Of a death, and of serious harm: 2011 Regulations, Schedule 7; 2015 Regulations, regulation 40(1)(a) and (4)(e)."""
    besides: dict[str, Value] = {
        "child.looked_after": "yes",
        "child.looked_after_by": HALTON,
        "incident.setting": setting,
        "reporter.body": body,
    }
    providers = {"N-19", "N-19S", "N-19H", "N-19HS", "N-19P"}

    differ = decided(differing("harm", "death", "serious_harm", **besides))
    agree, harmed = (decided(differing("harm", each, each, **besides)) for each in ("death", "serious_harm"))

    assert owed(differ) & providers == {of_both, "N-19P"}
    assert set(differ.undecided) & providers == {of_a_death}
    assert owed(agree) & providers == {of_both, of_a_death, "N-19P"}
    assert owed(harmed) & providers == {of_both, "N-19P"}
