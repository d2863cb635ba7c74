"""What the rulebook's own disclosure profiles give of an act's words: those that are for the reader, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.intake.test_content import claims, read
from tests.support.intake import event, incident
from tests.support.intake_app import Intake, grant
from tests.support.rulebooks import england

REFERENCE = {"case_reference": "WYP/2026/0001"}
WHO = {"by": "Sample Onlyatest", "reason": "Invented reason, for nobody else."}
DECIDED = {"outcome": "not_notify", "decided_at": "2026-06-02T09:00:00Z", "criterion_not_met": "harm"}
SENT = {"submitted_on": "2026-06-02", "decision": "no_review"}
FEEDBACK = {"feedback": "Invented feedback."}
REVIEW = {"rationale": "Invented rationale.", "immediate_actions": "Seen at once.", "learning": "Ask who lives there."}


@pytest.mark.parametrize(
    ("profile", "type_", "data", "words"),
    [
        ("referral-outcome", "notification.decision.v1", DECIDED, FEEDBACK),
        ("referral-return", "referral.returned.v1", {"returned_on": "2026-06-02"}, {"missing": "The chronology."}),
        ("rapid-review", "rapid_review.submitted.v1", SENT, REVIEW),
        ("review-decision", "reviewer.appointed.v1", {"appointed_on": "2026-06-02"}, {"reviewers": "Notreal Reviewer"}),
        (
            "review-delay",
            "review.delayed.v1",
            {"cause": "inquest", "known_on": "2026-06-02"},
            {"delay_reasons": "The inquest is in March."},
        ),
        (
            "publication-declined",
            "publication.declined.v1",
            {"justified_on": "2026-06-02"},
            {"justification": "The siblings could be recognised."},
        ),
        ("publication", "publication.published.v1", {"published_on": "2026-06-02"}, {"url": "https://example.org/r"}),
    ],
)
async def test_a_profile_gives_the_words_that_are_for_its_reader_and_not_the_reason_or_the_name(
    running: Intake, profile: str, type_: str, data: dict[str, Any], words: dict[str, str]
) -> None:
    case = (await running.post(incident(), by="council-example")).json()["case_key"]
    said = REFERENCE | data | {"personal": WHO | words}
    answer = await running.post(event(type_, said), by="council-example")
    assert answer.status_code == 202, answer.text
    give = dict(england().book.profiles[profile].give)

    content = (await read(running, grant(**claims(case, profile=profile, give=give)))).json()

    personal = {name: value for name, value in content["incident"].items() if name.startswith("personal.")}
    assert personal == ({f"personal.{name}": text for name, text in words.items()}) | (
        {"personal.incident_date": "2026-05-31"} if profile == "rapid-review" else {}
    )
    assert "Onlyatest" not in str(content)


async def test_the_panel_reads_what_the_national_form_asks_of_the_incident_and_of_each_child(running: Intake) -> None:
    document = incident()
    about_child: dict[str, Any] = {"sex": "male", "ethnicity": "Invented", "disability": "None known", "siblings": 2}
    about_child |= {"legal_status": ["section_17", "child_protection_plan"], "plan_category": "neglect"}
    about_incident: dict[str, Any] = {
        "incident_time": "21:30",
        "place": "Nowhere Cottage",
        "carer": "At home, with an aunt.",
        "harm_categories": ["physical", "neglect"],
        "circumstances": ["death"],
        "cause": "undetermined",
        "agencies": [{"kind": "charity", "name": "Invented Charity", "still_involved": "no"}],
    }
    document["data"]["personal"] |= about_incident
    document["data"]["personal"]["children"][0] |= about_child | {"school": "100000", "address": "1 Nowhere Street"}
    answer = await running.post(document)
    assert answer.status_code == 202, answer.text
    case = answer.json()["case_key"]
    profiles = england().book.profiles

    panel = (await read(running, grant(**claims(case, give=dict(profiles["panel-notification"].give))))).json()
    deaths = (await read(running, grant(**claims(case, give=dict(profiles["death-review"].give))))).json()

    for name, value in about_incident.items():
        assert panel["incident"][f"personal.{name}"] == value
    [child] = panel["children"]
    for name, value in about_child.items():
        assert child[f"personal.child.{name}"] == value
    assert not {"personal.child.school", "personal.child.address", "personal.child.nhs_number"} & child.keys()
    assert deaths["children"][0]["personal.child.nhs_number"] == "9990000000"
    assert deaths["incident"]["personal.agencies"] == about_incident["agencies"]
    assert "personal.carer" not in deaths["incident"]
