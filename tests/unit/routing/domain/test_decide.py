"""Decisions: who owes what, when it is released, what ends it, and who is asked what."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from schemas.vocabulary import Value
from services.routing.domain.decide import Decision, Obligation
from services.routing.domain.happenings import Happening, Slot
from services.routing.domain.statements import Fact
from tests.support.rulebooks import (
    CHILD,
    HALTON,
    LEEDS,
    LEEDS_DEATH,
    NOW,
    POLICE,
    REPORT,
    WANDSWORTH,
    decided,
    event,
    fact,
    facts,
)

COUNCIL = f"la:{LEEDS}"
PARTNERS = (COUNCIL, "police:west-yorkshire", "icb:west-yorkshire")
SUSPECTS = [
    fact("aware_on", "2026-06-01", of=COUNCIL),
    fact("suspected_on", "2026-06-22", of=COUNCIL),
    fact("abuse_or_neglect", "suspected", of=COUNCIL),
]
DEATH = facts(LEEDS_DEATH)


def outcome(outcome: str) -> Fact:
    return fact("notification.decision", outcome, of=COUNCIL)


def under(decision: Decision, rule: str) -> Obligation:
    (found,) = [each for each in decision.obligations if each.rule.id == rule]
    return found


def happened(
    kind: str, source: str, recipient: str | None = None, slot: Slot | None = None, subject: str = "incident"
) -> Happening:
    return Happening(kind, source, subject, NOW, NOW, event(f"{kind}{recipient}"), slot, recipient)


def test_a_duty_is_owed_by_the_authority_of_the_place_whoever_reports() -> None:
    owed = under(decided(DEATH + SUSPECTS), "N-01")

    assert owed.slot == Slot("N-01", 0, COUNCIL, CHILD, f"aware_on of {COUNCIL}")
    assert owed.recipients == ("panel",)
    assert (owed.in_words, owed.released) == ("owed, awaiting a decision", False)


def test_the_clock_starts_at_the_later_fact_and_the_warning_at_the_earlier() -> None:
    """Aware Monday 1 June 2026, suspects Monday 22 June: due Monday 29 June, warn from Monday 8 June."""
    dates = under(decided(DEATH + SUSPECTS), "N-01").dates

    assert (dates.from_fact, dates.from_on, dates.due_on) == ("suspected_on", date(2026, 6, 22), date(2026, 6, 29))
    assert dates.warn_on == date(2026, 6, 8)


def test_while_a_clock_fact_is_missing_the_strictest_reading_counts_and_the_fact_is_asked() -> None:
    decision = decided(DEATH + [each for each in SUSPECTS if each.name != "suspected_on"])

    assert under(decision, "N-01").dates.due_on == date(2026, 6, 8)
    assert {each.in_words for each in decision.questions} == {
        f"suspected_on of {LEEDS}",
        f"notification.decision of {LEEDS}",
    }


def test_a_date_beyond_the_calendar_is_provisional() -> None:
    late = [replace(each, value=date(2040, 6, 1)) if each.name.endswith("_on") else each for each in DEATH + SUSPECTS]

    assert under(decided(late), "N-01").dates.provisional


@pytest.mark.parametrize(
    ("decision", "in_words", "asked"),
    [
        ("notify", "to send", 0),
        ("not_notify", "withdrawn, decision not to notify", 0),
        ("defer", "owed, awaiting a decision", 0),
        ("unknown", "owed, awaiting a decision", 1),
    ],
)
def test_a_named_persons_decision_releases_or_withdraws(decision: str, in_words: str, asked: int) -> None:
    made = decided([*DEATH, *SUSPECTS, outcome(decision), fact("notification.decided_on", "2026-06-02", of=COUNCIL)])

    owed = under(made, "N-01")
    assert (owed.in_words, owed.released, len(made.questions)) == (in_words, decision == "notify", asked)


def test_another_agencys_view_never_settles_the_authoritys_own() -> None:
    decision = decided([*DEATH, fact("abuse_or_neglect", "known"), fact("aware_on", "2026-06-01", of=COUNCIL)])

    assert decision.undecided == ("N-01", "N-03")
    assert [(each.in_words, each.of_whom) for each in decision.questions] == [(f"abuse_or_neglect of {LEEDS}", COUNCIL)]


def test_a_question_is_due_one_working_day_after_the_event_that_left_it_open() -> None:
    """Recorded Friday 5 June 2026: to be answered by Monday 8 June."""
    friday = NOW + timedelta(days=4)
    decision = decided([replace(each, recorded_at=friday) for each in DEATH])

    assert {(each.from_on, each.due_on) for each in decision.questions} == {(date(2026, 6, 5), date(2026, 6, 8))}
    assert {each.fact: each.rules for each in decision.questions} == {
        "aware_on": ("N-01", "N-03", "N-18"),
        "abuse_or_neglect": ("N-01", "N-03"),
    }


def test_without_a_duty_holder_the_source_is_asked_for_the_area() -> None:
    known: dict[str, Value] = {name: value for name, value in LEEDS_DEATH.items() if name != "incident.area"}

    decision = decided(facts(known))

    asked = [(each.fact, each.of_whom) for each in decision.questions]
    assert ("incident.area", POLICE) in asked
    assert {fact for fact, _ in asked} == {"incident.area"}
    assert "N-11" in decision.undecided


def test_sources_that_disagree_are_both_asked() -> None:
    decision = decided([*DEATH, fact("incident.area", HALTON, of=COUNCIL)])

    asked = {each.of_whom for each in decision.questions if each.fact == "incident.area"}
    assert asked == {POLICE, COUNCIL}
    assert [each.name for each in decision.conflicts] == ["incident.area"]


def test_a_dispute_that_no_rule_minds_is_asked_too() -> None:
    decision = decided(
        [*facts({"harm": "other"}), fact("incident.country", "wales"), fact("incident.country", "england", of=COUNCIL)]
    )

    assert {(each.of_whom, each.rules) for each in decision.questions if each.fact == "incident.country"} == {
        (POLICE, ()),
        (COUNCIL, ()),
    }


def test_every_child_has_its_own_duty() -> None:
    sibling = [replace(each, subject="child-2") for each in DEATH if each.name.startswith("child.")]

    decision = decided(DEATH + SUSPECTS + sibling)

    assert [each.slot.subject for each in decision.obligations if each.rule.id == "N-01"] == [CHILD, "child-2"]


def test_one_reference_meets_the_duty_for_every_child_of_the_incident() -> None:
    """GOV.UK: one notification for an incident, with its children, and not one for each of them."""
    sibling = [replace(each, subject="child-2") for each in DEATH if each.name.startswith("child.")]
    stated = [*DEATH, *SUSPECTS, *sibling, outcome("notify")]

    decision = decided(stated, [happened("scsi.notification.submitted", COUNCIL)])

    states = {each.slot.subject: each.standing.state for each in decision.obligations if each.rule.id == "N-01"}
    assert states == {CHILD: "met", "child-2": "met"}


def test_each_registered_reporter_is_told_the_decision_and_for_the_others_their_area_is_named() -> None:
    """Leeds: "feedback was given to the partner agency who raised the concern"; a partnership goes by its authority's word."""
    school = [
        fact("reporter.body", "school", of="client:the-school", subject="report-2"),
        fact("reporter.area", LEEDS, of="client:the-school", subject="report-2"),
        fact("reported_on", "2026-06-03", of="client:the-school", subject="report-2"),
    ]
    against = [
        fact("notification.decision", "not_notify", of=COUNCIL),
        fact("notification.decided_on", "2026-06-03", of=COUNCIL),
    ]
    of_halton = [replace(each, authority=f"la:{HALTON}") for each in against]
    given = [*against, fact("referral.outcome_given_on", "2026-06-04", of=f"lscp:{LEEDS}")]

    owed, told, before, elsewhere = (
        [each for each in decided(DEATH + SUSPECTS + school + said).obligations if each.rule.id == "N-14"]
        for said in (against, given, [], of_halton)
    )

    assert [(each.slot.duty_holder, each.slot.subject, each.recipients, each.unserved_areas) for each in owed] == [
        (f"lscp:{LEEDS}", REPORT, (POLICE,), ()),
        (f"lscp:{LEEDS}", "report-2", (), (LEEDS,)),
    ]
    assert ([each.standing.state for each in owed], [each.standing.state for each in told]) == (
        ["open", "open"],
        ["met", "met"],
    )
    assert (before, elsewhere) == ([], [])


def test_a_report_that_lacks_something_is_met_once_the_last_of_it_is_said_and_open_again_when_that_was_wrong() -> None:
    """SI 2018/789, regulation 15: the report must include a summary of improvements, and an analysis of reasons."""
    final = [
        *facts({"review.has_improvements": "yes", "review.has_analysis": "no"}),
        fact("review.report_final_on", "2026-05-20"),
        fact("publication.planned_on", "2026-06-29"),
    ]
    added = fact("review.has_analysis", "yes", at=NOW + timedelta(hours=1), by="second")
    wrong = fact("review.has_analysis", "no", at=NOW + timedelta(hours=2), by="third", corrects="second")

    lacking, whole, again = (
        under(decided([*DEATH, *final, *said]), "L-06").standing for said in ([], [added], [added, wrong])
    )

    assert (lacking.state, again.state) == ("open", "open")
    assert (whole.state, whole.reason) == ("met", "the report has all that it must have")
    assert (whole.since_at, whole.event_id) == (added.occurred_at, added.event_id)


def test_every_report_has_its_own_referral() -> None:
    second = [
        fact("reporter.body", "school", of="client:the-school", subject="report-2"),
        fact("reporter.area", LEEDS, of="client:the-school", subject="report-2"),
        fact("reported_on", "2026-06-03", of="client:the-school", subject="report-2"),
    ]

    owed = [each for each in decided(DEATH + second).obligations if each.rule.id == "N-11"]

    assert [(each.slot.duty_holder, each.slot.subject, each.slot.position) for each in owed] == [
        (POLICE, REPORT, 0),
        (POLICE, REPORT, 1),
        ("client:the-school", "report-2", 0),
        ("client:the-school", "report-2", 1),
    ]


def test_another_reviewer_has_to_be_appointed_for_one_who_was_removed() -> None:
    """Removed on Monday 29 June 2026: 20 working days later is Monday 27 July."""
    decided_to = [fact("review.decision", "proceed"), fact("review.decided_on", "2026-06-01")]
    appointed = fact("review.reviewer_appointed_on", "2026-06-08")
    at = NOW + timedelta(days=28)
    removed = [
        fact("review.reviewer_removed_on", "2026-06-29", by="removed", at=at),
        fact("review.reviewer_appointed_on", None, by="removed", at=at),
    ]
    again = fact("review.reviewer_appointed_on", "2026-07-06", by="again", at=at + timedelta(days=7))

    def state(*more: Fact) -> tuple[str, date | None]:
        duty = under(decided([*DEATH, *decided_to, appointed, *more]), "L-02")
        return duty.standing.state, duty.dates.due_on

    assert state() == ("met", date(2026, 6, 29))
    assert state(*removed) == ("open", date(2026, 7, 27))
    assert state(*removed, again) == ("met", date(2026, 7, 27))


def test_while_the_country_is_open_both_possible_holders_are_asked() -> None:
    """The rule on the duty holder of N-01 or N-02 is evaluated once for each where both are undecided."""
    known = LEEDS_DEATH | {"child.home_area": WANDSWORTH}
    del known["incident.country"]

    decision = decided(facts(known) + SUSPECTS)

    holders = [trace.holder.id for trace in decision.traces if trace.rule == "N-03" and trace.holder]
    assert holders == [COUNCIL, f"la:{WANDSWORTH}"]


def test_partners_of_every_area_that_differs_are_told_once_in_register_order() -> None:
    other = LEEDS_DEATH | {
        "child.home_area": WANDSWORTH,
        "child.looked_after": "yes",
        "child.looked_after_by": "E09000029",
        "child.placed_in": LEEDS,
    }

    owed = under(decided(facts(other) + SUSPECTS), "N-04")

    assert owed.recipients == (
        "la:E09000029",
        f"la:{WANDSWORTH}",
        "police:metropolitan",
        "icb:south-west-london",
    )


def test_the_panels_reference_meets_the_duty_and_a_delivery_does_not() -> None:
    stated = [*DEATH, *SUSPECTS, outcome("notify")]
    slot = under(decided(stated), "N-01").slot

    delivered = decided(stated, [happened("delivery.acknowledged", "panel", "panel", slot)])
    referenced = decided(stated, [happened("scsi.notification.submitted", COUNCIL)])

    assert under(delivered, "N-01").in_words == "to send"
    assert under(referenced, "N-01").in_words == "met, the Panel's reference is recorded"


@pytest.mark.parametrize(("source", "subject"), [("la:E06000006", "incident"), (COUNCIL, "child-2")])
def test_a_reference_of_another_authority_or_for_another_child_meets_nothing(source: str, subject: str) -> None:
    stated = [*DEATH, *SUSPECTS, outcome("notify")]

    decision = decided(stated, [happened("scsi.notification.submitted", source, subject=subject)])

    assert under(decision, "N-01").standing.state == "open"


def test_what_has_been_met_is_not_withdrawn_by_a_later_decision() -> None:
    decision = decided([*DEATH, *SUSPECTS, outcome("not_notify")], [happened("scsi.notification.submitted", COUNCIL)])

    assert under(decision, "N-01").standing.state == "met"


def test_a_duty_to_each_of_several_is_met_when_every_one_has_accepted() -> None:
    slot = under(decided(DEATH + SUSPECTS), "N-03").slot
    accepted = [happened("delivery.acknowledged", each, each, slot) for each in PARTNERS]

    some, every = decided(DEATH + SUSPECTS, accepted[:2]), decided(DEATH + SUSPECTS, accepted)

    assert under(some, "N-03").standing.state == "open"
    assert set(under(some, "N-03").standing.met_by) == set(PARTNERS[:2])
    assert under(every, "N-03").in_words == "met, a named person has accepted it"


def test_not_appropriate_ends_the_duty_to_other_areas_alone() -> None:
    other = facts(LEEDS_DEATH | {"child.home_area": WANDSWORTH}) + SUSPECTS
    slot = under(decided(other), "N-04").slot

    decision = decided(other, [happened("not_appropriate.recorded", COUNCIL, slot=slot)])

    assert under(decision, "N-04").in_words == "met, recorded as not appropriate"
    assert under(decision, "N-03").standing.state == "open"


def test_awareness_meets_the_referral_and_its_correction_undoes_that() -> None:
    withdrawn = fact("aware_on", None, of=COUNCIL, by="second", corrects="first", at=NOW + timedelta(days=1))

    aware, again = decided(DEATH + SUSPECTS[:1]), decided([*DEATH, *SUSPECTS[:1], withdrawn])

    referrals = [[each.in_words for each in made.obligations if each.rule.id == "N-11"] for made in (aware, again)]
    assert referrals == [["met, the authority is aware", "to send"], ["to send", "to send"]]


def test_a_then_entry_whose_own_condition_is_open_is_asked_and_not_owed() -> None:
    known = LEEDS_DEATH | {"concern.adult_at_risk": "yes"}
    del known["concern.domestic_death"]

    decision = decided(facts(known))

    assert under(decision, "X-02").recipients == ("sab:leeds",)
    assert ("concern.domestic_death", ("X-02",)) in [(each.fact, each.rules) for each in decision.questions]
    assert "X-02" in decision.undecided


def test_nothing_known_is_nothing_asked() -> None:
    decision = decided([])

    assert (decision.obligations, decision.questions) == ((), ())


def test_what_belongs_to_no_incident_is_asked_nothing_about_one_until_one_is_reported() -> None:
    placed = [
        fact("placement.made_on", "2026-06-01", of=f"la:{WANDSWORTH}"),
        fact("placement.by", WANDSWORTH, of=f"la:{WANDSWORTH}"),
        fact("placement.in_area", LEEDS, of=f"la:{WANDSWORTH}"),
    ]

    alone, beside = decided(placed), decided([*placed, *DEATH])

    assert (alone.questions, alone.undecided) == ((), ())
    assert {each.rule.id for each in alone.obligations} == {"N-22", "N-22A"}
    assert {"N-11", "N-22"} <= {each.rule.id for each in beside.obligations}
    assert "N-01" in beside.undecided


def test_an_obligation_names_its_law_and_that_nobody_has_checked_it() -> None:
    owed = under(decided(DEATH + SUSPECTS), "N-01")

    assert (owed.rule.strength, owed.duty.within.strength) == ("must", "should")
    assert owed.rule.source.cite == "Children Act 2004, section 16C(1)(a)"
    assert owed.rule.source.verified == ""
    assert owed.release == "notification.decision is notify"
