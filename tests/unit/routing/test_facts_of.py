"""Pins which facts each case event states, and in whose name."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from schemas.case_events import ChildFacts, Reporter
from schemas.identity import only_item
from schemas.vocabulary import FactRefused, load
from services.routing.domain.facts_of import facts_of, rooted
from tests.support.routing import (
    CHILD,
    COUNCIL,
    LEEDS,
    LSCP,
    POLICE,
    acknowledged,
    acted,
    aware,
    corrected,
    decided,
    linked,
    referred,
    reported,
    submitted,
    suspects,
)

VOCABULARY = load()
NOTICE = UUID(int=7)


def stated(event: Any) -> set[tuple[str, str, Any]]:
    return {(fact.subject, fact.name, fact.value) for fact in facts_of(event, VOCABULARY)}


def test_a_report_states_who_reports_the_incident_and_each_child() -> None:
    event = reported(concerns=("yes", None, "no"))

    assert stated(event) == {
        (str(event.id), "reporter.body", "police"),
        (str(event.id), "reporter.area", LEEDS),
        (str(event.id), "reported_on", date(2026, 6, 1)),
        ("incident", "harm", "serious_harm"),
        ("incident", "incident.country", "england"),
        ("incident", "incident.area", LEEDS),
        ("incident", "concern.child_review", "yes"),
        ("incident", "concern.domestic_death", "no"),
        (CHILD, "child.home_area", LEEDS),
        (CHILD, "child.looked_after", "no"),
        (CHILD, "child.care_leaver", "no"),
        (CHILD, "child.age_at_incident", 3),
    }


def test_the_kind_of_place_is_stated_where_it_is_said() -> None:
    event = reported()
    said = event.model_copy(update={"data": event.data.model_copy(update={"setting": "foster"})})

    assert stated(said) - stated(event) == {("incident", "incident.setting", "foster")}


def test_a_referral_states_what_a_report_does_and_when_and_for_which_review_it_was_made() -> None:
    event = reported(event_id=UUID(int=5))
    referral = referred("alternative_review", event_id=UUID(int=5))

    assert stated(referral) - stated(event) == {
        ("incident", "referral.submitted_on", date(2026, 6, 1)),
        ("incident", "referral.proposed_route", "alternative_review"),
    }
    assert stated(event) - stated(referral) == set()


def test_a_child_of_whom_nothing_is_known_is_still_a_child_of_the_case() -> None:
    event = reported(children=(ChildFacts(child=CHILD),))

    assert [(f.name, f.value) for f in facts_of(event, VOCABULARY) if f.subject == CHILD] == [("child.home_area", None)]


def test_what_an_authority_knows_is_stated_in_its_own_name() -> None:
    facts = [fact for event in (aware(), suspects(), decided("defer")) for fact in facts_of(event, VOCABULARY)]

    assert {(fact.name, fact.value) for fact in facts} == {
        ("aware_on", date(2026, 6, 1)),
        ("abuse_or_neglect", "suspected"),
        ("suspected_on", date(2026, 6, 1)),
        ("notification.decision", "defer"),
        ("notification.decided_on", date(2026, 6, 2)),
        ("notification.criterion_not_met", None),
        ("notification.override_of_rule", None),
    }
    assert {fact.authority for fact in facts} == {f"la:{LEEDS}"}


@pytest.mark.parametrize("view", ["not_suspected", None])
def test_a_view_that_is_no_suspicion_starts_no_clock(view: str | None) -> None:
    """Domain rule 12: the clock starts on the later of awareness and the authority's own first suspicion."""
    assert {name for _, name, _ in stated(suspects(view))} == {"abuse_or_neglect"}


def test_a_correction_takes_the_subject_of_what_it_corrects() -> None:
    report = UUID(int=5)

    assert stated(corrected(report, "harm", "death", POLICE)) == {("incident", "harm", "death")}
    assert stated(corrected(report, "child.age_at_death", 4, POLICE, child=CHILD)) == {(CHILD, "child.age_at_death", 4)}
    assert stated(corrected(report, "reported_on", "2026-06-02", POLICE)) == {
        (str(report), "reported_on", date(2026, 6, 2))
    }
    assert stated(corrected(report, "notification.decided_on", None)) == {("incident", "notification.decided_on", None)}


def test_a_corrected_awareness_takes_the_day_of_the_death_with_it() -> None:
    """Where the event stated none, that part of the correction corrects nothing."""
    assert stated(corrected(UUID(int=5), "aware_on", None)) == {
        ("incident", "aware_on", None),
        ("incident", "aware_of_death_on", None),
    }


def test_a_corrected_view_that_was_no_suspicion_also_takes_back_its_first_day() -> None:
    assert stated(corrected(UUID(int=5), "abuse_or_neglect", "not_suspected")) == {
        ("incident", "abuse_or_neglect", "not_suspected"),
        ("incident", "suspected_on", None),
    }


def test_a_correction_of_a_correction_goes_back_to_the_report() -> None:
    report = UUID(int=5)
    first = corrected(report, "reported_on", "2026-06-02", POLICE)
    second = corrected(first.id, "reported_on", "2026-06-03", POLICE)
    facts = [fact for event in (second, first) for fact in facts_of(event, VOCABULARY)]

    assert {fact.subject for fact in rooted(facts, VOCABULARY)} == {str(report)}


def test_whoever_removes_a_reviewer_takes_back_that_one_was_appointed() -> None:
    removed = acted("reviewer.removed.v1", {"review.reviewer_removed_on": "2026-06-22"})

    assert stated(removed) == {
        ("incident", "review.reviewer_removed_on", date(2026, 6, 22)),
        ("incident", "review.reviewer_appointed_on", None),
    }


@pytest.mark.parametrize("information", ["none", None])
def test_whoever_declines_again_without_a_word_on_the_information_has_said_nothing_of_it(
    information: str | None,
) -> None:
    facts: dict[str, str | int] = {"publication.declined_on": "2026-12-04"}
    declined = acted(
        "publication.declined.v1", facts | ({"publication.information": information} if information else {})
    )

    assert stated(declined) == {
        ("incident", "publication.declined_on", date(2026, 12, 4)),
        ("incident", "publication.information", information),
        ("incident", "publication.reconsidered", None),
    }


@pytest.mark.parametrize(("form", "taken_back"), [("full", {"publication.declined_on"}), ("improvements_only", set())])
def test_whoever_plans_to_publish_the_report_itself_declines_it_no_longer(form: str, taken_back: set[str]) -> None:
    planned = acted("publication.planned.v1", {"publication.planned_on": "2026-12-14", "publication.form": form})

    assert {name for _, name, value in stated(planned) if value is None} == taken_back


ITEM = "d" * 32


@pytest.mark.parametrize("corrects", ["notification.withdrawn_on", "withdrawal.made_on"])
def test_a_withdrawal_is_corrected_in_the_case_and_in_itself(corrects: str) -> None:
    said: dict[str, str | int] = {"notification.withdrawn_on": "2026-06-02", "withdrawal.made_on": "2026-06-02"}
    withdrawn = acted("scsi.notification.withdrawn.v1", said, COUNCIL, about=ITEM)
    wrong = corrected(withdrawn.id, corrects, "2026-06-03")

    facts = rooted([*facts_of(withdrawn, VOCABULARY), *facts_of(wrong, VOCABULARY)], VOCABULARY)

    assert {(each.subject, each.name, each.value) for each in facts if each.corrects is None} == {
        ("incident", "notification.withdrawn_on", date(2026, 6, 2)),
        (ITEM, "withdrawal.made_on", date(2026, 6, 2)),
        (ITEM, "withdrawal.by", LEEDS),
    }
    assert {(each.subject, each.name, each.value) for each in facts if each.corrects} == {
        ("incident", "notification.withdrawn_on", date(2026, 6, 3)),
        (ITEM, "withdrawal.made_on", date(2026, 6, 3)),
    }


def test_a_correction_of_an_action_goes_back_to_the_action_that_was_spoken_of() -> None:
    about = "a" * 32
    agreed = acted(
        "action.updated.v1", {"action.owner": "police:west-yorkshire", "action.due_on": "2026-09-30"}, about=about
    )
    put_right = corrected(agreed.id, "action.owner", f"la:{LEEDS}")
    facts = [fact for event in (agreed, put_right) for fact in facts_of(event, VOCABULARY)]

    assert {fact.subject for fact in rooted(facts, VOCABULARY)} == {about}


def test_an_act_from_before_each_was_an_item_of_its_own_is_about_the_only_one() -> None:
    placed = acted("placement.made.v1", {"placement.made_on": "2026-06-01", "placement.in_area": LEEDS}, COUNCIL)

    assert {each.subject for each in facts_of(placed, VOCABULARY)} == {only_item("placement")}


@pytest.mark.parametrize(("fact", "value"), [("hram", "death"), ("harm", "terrible"), ("child.age_at_death", "old")])
def test_a_correction_outside_the_vocabulary_is_refused(fact: str, value: str) -> None:
    with pytest.raises(FactRefused):
        facts_of(corrected(UUID(int=5), fact, value), VOCABULARY)


@pytest.mark.parametrize("event", [acknowledged(NOTICE), linked()])
def test_an_acceptance_or_a_link_states_no_fact(event: Any) -> None:
    assert stated(event) == set()


def test_a_notification_states_its_day_in_england_and_who_made_it() -> None:
    assert stated(submitted()) == {
        ("incident", "notification.submitted_on", date(2026, 6, 2)),
        ("incident", "notification.submitted_by", LEEDS),
        ("incident", "notification.withdrawn", None),
        ("incident", "notification.withdrawn_on", None),
    }


def test_an_act_states_the_facts_that_it_carries() -> None:
    event = acted(
        "rapid_review.submitted.v1", {"rapid_review.submitted_on": "2026-06-22", "rapid_review.improvements": "no"}
    )

    assert stated(event) == {
        ("incident", "rapid_review.submitted_on", date(2026, 6, 22)),
        ("incident", "rapid_review.improvements", "no"),
    }


def test_a_decision_about_a_review_states_whose_partners_made_it() -> None:
    made = acted("lcspr.decision.made.v1", {"review.decision": "proceed"})
    against = acted("lcspr.decision.made.v1", {"review.decision": "not_proceed"})

    assert stated(made) == {("incident", "review.decision", "proceed"), ("incident", "review.decided_by", LEEDS)}
    assert stated(against) == {("incident", "review.decision", "not_proceed")}
    assert stated(corrected(made.id, "review.decision", "not_proceed", LSCP)) == {
        ("incident", "review.decision", "not_proceed"),
        ("incident", "review.decided_by", None),
    }


def test_an_act_outside_the_vocabulary_is_refused() -> None:
    with pytest.raises(FactRefused, match=r"did you mean rapid_review\.decision"):
        facts_of(acted("rapid_review.submitted.v1", {"rapid_review.decison": "no_review"}), VOCABULARY)


def test_a_client_speaks_as_its_authority_its_recipient_or_itself() -> None:
    board = Reporter(client="board-leeds", body="adults_board", area=LEEDS, recipient="sab:leeds")

    assert [each.source for each in (COUNCIL, board, POLICE)] == [f"la:{LEEDS}", "sab:leeds", "client:police-leeds"]
