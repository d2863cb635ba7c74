"""Why somebody was told, or was not: each answer that a rulebook gives, with what it rests on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.routing.domain import reasons
from services.routing.domain.explain import Finding, explain
from services.routing.domain.happenings import Happening
from services.routing.domain.statements import Fact
from tests.support.rulebooks import LEEDS, LEEDS_DEATH, NOW, POLICE, decided, event, fact, facts

COUNCIL = f"la:{LEEDS}"
DEATH = facts(LEEDS_DEATH)
SUSPECTS = [
    fact("aware_on", "2026-06-01", of=COUNCIL),
    fact("suspected_on", "2026-06-01", of=COUNCIL),
    fact("abuse_or_neglect", "suspected", of=COUNCIL),
]


def first(body: str, stated: list[Fact], happenings: list[Happening] | None = None) -> Finding:
    return explain(decided(stated, happenings or []), body)[0]


def test_owed_and_awaiting_a_persons_release() -> None:
    finding = first("panel", DEATH + SUSPECTS)

    assert (finding.kind, finding.rule, finding.says) == ("awaiting_release", "N-01", "due 2026-06-08")


def test_owed() -> None:
    finding = first("icb:west-yorkshire", DEATH + SUSPECTS)

    assert (finding.kind, finding.rule) == ("owed", "N-03")
    assert finding.obligation is not None


def test_withdrawn_with_its_reason() -> None:
    finding = first("panel", [*DEATH, *SUSPECTS, fact("notification.decision", "not_notify", of=COUNCIL)])

    assert (finding.kind, finding.says) == ("withdrawn", "decision not to notify")


def test_met_with_its_reason() -> None:
    reference = Happening("scsi.notification.submitted", COUNCIL, "incident", NOW, NOW, event("reference"))

    finding = first("panel", DEATH + SUSPECTS, [reference])

    assert (finding.kind, finding.says) == ("met", "the Panel's reference is recorded")


def test_cannot_decide_says_what_is_asked_of_whom() -> None:
    finding = first("panel", DEATH)

    assert (finding.kind, finding.rule) == ("cannot_decide", "N-01")
    assert {(each.fact, each.of_whom) for each in finding.questions} == {
        ("aware_on", COUNCIL),
        ("abuse_or_neglect", COUNCIL),
    }


def test_condition_false_says_which_fact_from_whom_and_when_recorded() -> None:
    finding = first("dfe", DEATH)

    assert (finding.kind, finding.rule, finding.says) == ("condition_false", "N-06", "child.looked_after is no")
    assert finding.because is not None
    assert [(each.authority, each.recorded_at) for each in finding.because.statements] == [(POLICE, NOW)]


def test_the_condition_of_an_applied_rule_is_named() -> None:
    natural = [
        *DEATH,
        fact("abuse_or_neglect", "not_suspected", of=COUNCIL),
        fact("aware_on", "2026-06-01", of=COUNCIL),
    ]

    finding = first("icb:west-yorkshire", natural)

    assert (finding.rule, finding.says) == ("N-03", f"abuse_or_neglect of {LEEDS} is not_suspected")


@pytest.mark.parametrize("of_the_child", [[], [fact("child.unborn", "yes")]], ids=["born", "unborn"])
def test_who_hears_of_it_through_the_national_system_is_said_and_told_nothing(of_the_child: list[Fact]) -> None:
    """N-05: notifications to the Panel are shared with Ofsted and DfE; a second notice would only confuse them."""
    notified = [fact("notification.submitted_on", "2026-06-02", of=COUNCIL)]
    decision = decided([*DEATH, *of_the_child, *SUSPECTS, *notified])

    found = {body: explain(decision, body)[0] for body in ("ofsted", "dfe")}

    assert {body: (each.kind, each.rule) for body, each in found.items()} == {
        "ofsted": ("derived", "N-05"),
        "dfe": ("derived", "N-05"),
    }
    assert not [each for each in decision.obligations if {"ofsted", "dfe"} & {*each.recipients}]
    assert "derived" not in {each.kind for each in explain(decided(DEATH + SUSPECTS), "ofsted")}


def test_what_is_shared_waits_for_the_same_answers_as_the_notification() -> None:
    notified = [fact("notification.submitted_on", "2026-06-02", of=COUNCIL)]

    [finding] = [each for each in explain(decided([*DEATH, *notified]), "ofsted") if each.rule == "N-05"]

    assert finding.kind == "cannot_decide"
    assert {each.fact for each in finding.questions} == {"aware_on", "abuse_or_neglect"}


def test_the_rule_that_keeps_a_death_in_care_from_the_panel_is_named_only_where_no_abuse_is_suspected() -> None:
    in_care = [
        *[each for each in DEATH if each.name not in {"child.looked_after", "child.looked_after_by"}],
        fact("child.looked_after", "yes"),
        fact("child.looked_after_by", LEEDS),
        fact("aware_on", "2026-06-01", of=COUNCIL),
    ]
    answers = {
        view: explain(decided([*in_care, fact("abuse_or_neglect", view, of=COUNCIL)]), "panel")[0]
        for view in ("not_suspected", "suspected")
    }
    unsaid = explain(decided(in_care), "panel")[0]

    excluded = answers["not_suspected"]
    assert (excluded.kind, excluded.rule, str(excluded.because.found if excluded.because else "")) == (
        "excluded",
        "N-07",
        f"abuse_or_neglect of {LEEDS} is not_suspected",
    )
    assert answers["suspected"].rule == "N-01"
    assert unsaid.kind == "cannot_decide"


def test_an_entrys_own_condition_is_named() -> None:
    finding = first("csp:leeds", facts(LEEDS_DEATH | {"concern.adult_at_risk": "yes"}))

    assert (finding.kind, finding.rule, finding.says) == ("condition_false", "X-02", "concern.domestic_death is no")


def test_a_rule_that_was_not_in_force_then() -> None:
    leaver = facts(LEEDS_DEATH | {"child.age_at_death": 22, "child.care_leaver": "yes", "child.care_leaver_of": LEEDS})

    findings = explain(decided([*leaver, fact("aware_on", "2023-12-14", of=COUNCIL)]), "dfe")

    assert [(each.kind, each.rule) for each in findings][:2] == [("not_in_force", "N-08"), ("condition_false", "N-06")]
    assert {each.kind for each in findings[2:]} == {"condition_false"}
    assert findings[0].says == f"in force from 2023-12-15; aware_on of {LEEDS} is 2023-12-14"


def test_a_rule_that_would_not_hold_on_any_day_says_its_condition_and_not_its_dates() -> None:
    """E-01 is in force until 28 June 2018, and nobody has considered a serious case review in a case of today."""
    findings = explain(decided([*DEATH, fact("aware_on", "2026-06-01", of=COUNCIL)]), f"lscp:{LEEDS}")

    found = next(each for each in findings if each.rule == "E-01")
    assert (found.kind, found.says) == ("condition_false", "scr.considered_on is not recorded")


def test_no_rule_names_somebody_elsewhere() -> None:
    assert [each.kind for each in explain(decided(DEATH), "csp:halton")] == ["no_rule"]


def test_while_nobody_has_notified_no_partnership_has_a_review_to_make() -> None:
    findings = explain(decided(DEATH), "lscp:E09000029")

    assert {(each.kind, each.says) for each in findings} == {
        ("condition_false", "notification.submitted_on is not recorded"),
        ("condition_false", "child.looked_after is no"),
    }


def test_the_answer_is_as_things_were_known_at_the_time() -> None:
    learned = NOW + timedelta(days=2)
    late = [fact(each.name, each.value, of=COUNCIL, recorded_at=learned) for each in SUSPECTS]

    before = explain(decided(DEATH + late, as_known_at=learned - timedelta(seconds=1)), "panel")[0]
    after = explain(decided(DEATH + late, as_known_at=learned), "panel")[0]

    assert (before.kind, after.kind) == ("cannot_decide", "awaiting_release")


def test_a_run_can_be_shown_condition_by_condition() -> None:
    decision = decided(DEATH)
    trace = next(each for each in decision.traces if each.rule == "N-01")

    lines = reasons.lines(decision.evaluation, trace)
    words = decision.words

    assert [(line.depth, line.answer) for line in lines] == [
        (0, "undecided"),
        (1, "undecided"),
        (2, "undecided"),
        (3, "yes"),
        (4, "yes"),
        (5, "yes"),
        (5, "yes"),
        (6, "yes"),
        (7, "no"),
        (7, "yes"),
        (8, "yes"),
        (8, "yes"),
        (3, "yes"),
        (3, "undecided"),
        (3, "yes"),
        (4, "no"),
        (5, "no"),
        (5, "undecided"),
        (1, "yes"),
    ]
    assert [(words.asked(line.condition), words.found(line.found)) for line in lines if line.found] == [
        ("the harm: death or serious harm", "the harm: death"),
        ("the age at death, in completed years: recorded", "the age at death, in completed years: not recorded"),
        ("the child died: recorded", "the child died: yes"),
        ("the child died: yes", "the child died: yes"),
        ("the age at the incident, in completed years: at most 17", "the age at the incident, in completed years: 9"),
        (
            "the authority's own view on abuse or neglect: known or suspected",
            "the authority's own view on abuse or neglect (Leeds City Council): not known",
        ),
        ("the child was not born yet: recorded", "the child was not born yet: not recorded"),
        ("the child was not born yet: yes", "the child was not born yet: not known"),
        ("the country of the incident: England", "the country of the incident: England"),
    ]
