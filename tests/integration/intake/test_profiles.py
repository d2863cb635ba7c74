"""What the rulebook's own disclosure profiles give of an act's words: those that are for the reader, and no others."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from schemas.case_events import ActRecorded
from tests.support.intake import LEEDS, event, incident
from tests.support.intake_app import Intake, grant
from tests.support.intake_content import claims, read
from tests.support.rulebooks import england

HALTON = "E06000006"
REFERENCE = {"case_reference": "WYP/2026/0001"}
WHO = {"by": "Sample Onlyatest", "reason": "Invented reason, for nobody else."}
DECIDED = {"outcome": "not_notify", "decided_at": "2026-06-02T09:00:00Z", "criterion_not_met": "harm"}
SENT = {"submitted_on": "2026-06-02", "decision": "no_review"}
FEEDBACK = {"feedback": "Invented feedback."}
MISSING = {"missing": "The chronology."}
REVIEW = {"rationale": "Invented rationale.", "immediate_actions": "Seen at once.", "learning": "Ask who lives there."}


@pytest.mark.parametrize(
    ("profile", "type_", "data", "words"),
    [
        ("referral-outcome", "notification.decision.v1", DECIDED, FEEDBACK),
        ("referral-return", "referral.returned.v1", {"returned_on": "2026-06-02"}, MISSING),
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
    acts = [one.data.about for one in await running.published() if isinstance(one, ActRecorded)]
    subject = next(filter(None, acts), "incident")

    content = (await read(running, grant(**claims(case, profile=profile, give=give, subject=subject)))).json()

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


@pytest.mark.parametrize(
    ("profile", "by", "type_", "data", "words", "given"),
    [
        (
            "referral-outcome",
            "council-example",
            "notification.decision.v1",
            DECIDED,
            FEEDBACK,
            {"notification.decision": "not_notify", "notification.criterion_not_met": "harm"},
        ),
        ("referral-return", "lscp-example", "referral.returned.v1", {"returned_on": "2026-06-02"}, MISSING, {}),
    ],
)
async def test_a_reporter_reads_the_answer_of_another_body_and_nothing_that_another_reported(
    running: Intake,
    profile: str,
    by: str,
    type_: str,
    data: dict[str, Any],
    words: dict[str, str],
    given: dict[str, str],
) -> None:
    report = (await running.post(incident())).json()
    elsewhere = incident(data__area=HALTON, data__harm="other")
    elsewhere["data"]["personal"]["reported_by"] = "Notreal Teacher"
    other = (await running.post(elsewhere, by="council-example")).json()
    answer = await running.post(event(type_, REFERENCE | data | {"personal": WHO | words}), by=by)
    assert answer.status_code == 202, answer.text
    cases = [report["case_key"], other["case_key"], answer.json()["case_key"]]
    granted = {"case_keys": cases, "subject": report["event_id"], "sub": "police:west-yorkshire"}
    profiles = england().book.profiles
    reported = dict(profiles["referral"].give) | dict(profiles["cross-partnership"].give)

    outcome = await read(running, grant(**claims("", **granted, profile=profile, give=dict(profiles[profile].give))))
    own = (await read(running, grant(**claims("", **granted, give=reported)))).json()

    personal = {f"personal.{name}": text for name, text in words.items()}
    assert outcome.json()["incident"] == {"incident.area": LEEDS} | given | personal
    assert (own["incident"]["harm"], own["incident"]["personal.reported_by"]) == ("death", "Sergeant Sample Onlyatest")
    assert len(own["children"]) == 1


async def test_a_report_that_is_not_here_gives_nothing_of_the_other_cases(running: Intake) -> None:
    case = (await running.post(incident(), by="council-example")).json()["case_key"]

    answer = await read(running, grant(**claims(case, subject=str(uuid4()))))

    assert answer.status_code == 404
