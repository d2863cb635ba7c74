"""What goes on: no personal data, keys for references, ages for dates, the registered reporter."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest

from schemas import vocabulary
from schemas.case_events import (
    ActRecordedData,
    CaseData,
    DeathNotifiedData,
    FactCorrectedData,
    IncidentReportedData,
    NotificationSubmittedData,
    Reporter,
)
from services.intake.domain.cloudevent import read
from services.intake.domain.missing import missing
from services.intake.domain.personal import personal_fields
from services.intake.domain.translate import as_published, child_refs, translate
from services.intake.domain.validate import Submitted, validate
from tests.support.intake import LEEDS, NOW, event, incident, structured

REPORTER = Reporter(client="police-example", body="police", area=LEEDS)
CHILD = "c" * 32
EVENT = UUID(int=7)
INSTANT = "2026-06-01T23:30:00Z"


def understood(document: Any) -> Submitted:
    return validate(read(structured(document)), vocabulary.load(), NOW)


def translated(document: Any) -> CaseData:
    submitted = understood(document)
    return translate(submitted, REPORTER, dict.fromkeys(child_refs(submitted.data), CHILD), EVENT)


def test_a_report_goes_on_without_anything_personal() -> None:
    data = translated(incident())
    text = data.model_dump_json()

    assert isinstance(data, IncidentReportedData)
    assert data.children[0].child == CHILD
    assert data.children[0].age_at_incident == 9  # born 1 June 2016, incident 31 May 2026
    assert data.children[0].age_at_death == 10  # died on the tenth birthday
    assert data.personal_ref == EVENT
    assert not re.search(r"Zebedee|Sample|Nowhere|2016|9990000000|WYP|child-1|2026-05-31", text)


def test_of_a_child_with_an_age_or_a_date_of_death_it_is_known_that_it_died() -> None:
    document = incident()
    document["data"]["children"] += [
        {"ref": "child-2", "age_at_death": 3},
        {"ref": "child-3", "died": "no"},
        {"ref": "child-4"},
    ]

    data = translated(document)

    assert isinstance(data, IncidentReportedData)
    assert [child.died for child in data.children] == ["yes", "yes", "no", None]


def test_the_one_child_of_a_death_died_unless_somebody_says_otherwise() -> None:
    """Whoever said before that it lives has a newer word, and of two bodies the one is in dispute with the other."""

    def died(**child: str) -> str | None:
        document = incident(data__harm="death")
        del document["data"]["personal"]
        document["data"]["children"] = [{"ref": "child-1", **child}]
        data = translated(document)
        assert isinstance(data, IncidentReportedData)
        return data.children[0].died

    assert (died(), died(died="no")) == ("yes", "no")


def test_a_message_of_before_does_not_differ_by_what_is_derived_since() -> None:
    data = translated(incident())
    assert isinstance(data, IncidentReportedData)
    earlier = data.model_copy(update={"children": (data.children[0].model_copy(update={"died": None}),)})
    other = earlier.model_copy(update={"harm": "other"})

    assert as_published(earlier, data) == earlier
    assert as_published(other, data) != other
    assert as_published(data, data) == data


def test_an_act_of_before_does_not_differ_by_what_it_is_about_since() -> None:
    said = {"reason": "duplicate", "withdrawn_on": "2026-06-02"}
    data = translate(understood(event("scsi.notification.withdrawn.v1", said)), REPORTER, {}, None, "d" * 32)
    assert isinstance(data, ActRecordedData)
    whole = {"notification.withdrawn": "duplicate", "notification.withdrawn_on": "2026-06-02"}
    earlier = data.model_copy(update={"facts": whole, "about": None})
    other = earlier.model_copy(update={"facts": whole | {"notification.withdrawn": "wrong_authority"}})

    assert data.facts == whole | {"withdrawal.reason": "duplicate", "withdrawal.made_on": "2026-06-02"}
    assert as_published(earlier, data) == earlier
    assert as_published(other, data) != other
    assert as_published(data.model_copy(update={"about": "e" * 32}), data) == data


def test_an_act_that_says_more_than_its_message_of_before_differs() -> None:
    """A lost event that came again with more in it would be announced under an id that the others have decided by."""
    said = {"panel_on": "2026-06-02", "ofsted_on": "2026-06-03"}
    data = translated(event("publication.copy_sent.v1", said))
    assert isinstance(data, ActRecordedData)
    earlier = data.model_copy(update={"facts": {"publication.copy_panel_on": "2026-06-02"}})

    assert as_published(earlier, data) != earlier
    assert as_published(data, data) == data


def test_unknown_is_absent() -> None:
    data = translated(incident(data__harm="unknown", data__area="unknown", data__adult_at_risk="unknown"))

    assert isinstance(data, IncidentReportedData)
    assert (data.harm, data.area, data.adult_at_risk) == (None, None, None)
    assert data.children[0].care_leaver is None


@pytest.mark.parametrize(
    ("type_", "said"),
    [
        ("scsi.notification.submitted.v1", {"submitted_at": INSTANT, "children_count": 1}),
        ("lac_death.notified.v1", {"notified_at": INSTANT, "child_ref": "child-1"}),
        ("care_leaver_death.notified.v1", {"notified_at": INSTANT, "child_ref": "unknown"}),
    ],
)
def test_a_reference_may_read_unknown(type_: str, said: dict[str, Any]) -> None:
    data = translated(event(type_, said | {"external_ref": "unknown"}))

    assert isinstance(data, NotificationSubmittedData | DeathNotifiedData)
    assert data.external_ref == "unknown"


def test_a_fact_that_is_corrected_to_unknown_is_withdrawn() -> None:
    said = {"corrects": str(UUID(int=9)), "fact": "harm", "value": "unknown", "reason": "wrong_value"}

    data = translated(event("fact.corrected.v1", said))

    assert isinstance(data, FactCorrectedData)
    assert data.value is None


def test_a_report_was_made_on_the_day_of_the_event_in_england() -> None:
    late_evening = translated(incident(time="2026-06-01T23:30:00Z"))  # 00:30 on 2 June in England

    assert isinstance(late_evening, IncidentReportedData)
    assert late_evening.reported_on.isoformat() == "2026-06-02"


def test_every_type_is_translated_into_its_message() -> None:
    notice, personal = str(UUID(int=9)), {"by": "Sample Onlyatest"}
    for type_, said, sent in (
        ("la.became_aware.v1", {"aware_at": INSTANT}, {"aware_on": "2026-06-02", "how": "other", "of": None}),
        (
            "la.became_aware.v1",
            {"aware_at": INSTANT, "of": "death"},
            {"aware_on": "2026-06-02", "how": "other", "of": "death"},
        ),
        (
            "abuse_suspicion.changed.v1",
            {"view": "unknown", "from_on": "2026-06-01"},
            {"view": None, "from_on": "2026-06-01", "evidence": "other"},
        ),
        (
            "notification.decision.v1",
            {"outcome": "notify", "decided_at": INSTANT, "personal": personal},
            {"outcome": "notify", "decided_on": "2026-06-02", "criterion_not_met": None, "override_of_rule": None},
        ),
        (
            "scsi.notification.submitted.v1",
            {"external_ref": "CSI-0001", "submitted_at": INSTANT, "children_count": 1, "attachments": ["0" * 64]},
            {"external_ref": "CSI-0001", "submitted_at": INSTANT, "children_count": 1, "attachments": ["0" * 64]},
        ),
        (
            "lac_death.notified.v1",
            {"external_ref": "CSI-0002", "notified_at": INSTANT, "child_ref": "child-1", "cause_known": "no"},
            {"external_ref": "CSI-0002", "notified_at": INSTANT, "child": CHILD},
        ),
        (
            "delivery.acknowledged.v1",
            {"notice_id": notice, "accepted_at": INSTANT, "personal": personal},
            {"notice_id": notice, "accepted_at": INSTANT, "role": None},
        ),
        (
            "fact.corrected.v1",
            {"corrects": notice, "fact": "child.age_at_death", "child_ref": "x", "value": 3, "reason": "wrong_value"},
            {"corrects": notice, "fact": "child.age_at_death", "child": CHILD, "value": 3, "reason": "wrong_value"},
        ),
        (
            "not_appropriate.recorded.v1",
            {"obligation_id": notice, "reason": "already_told", "personal": personal},
            {"obligation_id": notice, "reason": "already_told"},
        ),
        (
            "cross_partnership.outcome.v1",
            {"notice_id": notice, "outcome": "accepted", "decided_at": INSTANT, "personal": personal},
            {"notice_id": notice, "outcome": "accepted", "decided_at": INSTANT},
        ),
    ):
        data = translated(event(type_, said)).model_dump(mode="json")

        assert {name: data[name] for name in data if name not in {"reporter", "personal_ref"}} == sent


def test_an_act_about_an_action_names_it_by_a_key_and_never_by_the_partners_number() -> None:
    said = {"action": "SMITH-1", "owner": "police:example", "set_on": "2026-06-01", "due_on": "2026-09-30"}
    submitted = understood(event("action.updated.v1", said | {"personal": {"what": "Train Sample Onlyatest."}}))

    data = translate(submitted, REPORTER, {}, EVENT, "a" * 32).model_dump(mode="json")

    assert data["about"] == "a" * 32
    assert data["facts"] == {
        "action.owner": "police:example",
        "action.set_on": "2026-06-01",
        "action.due_on": "2026-09-30",
    }
    assert "SMITH" not in str(data) + str(data["facts"])
    assert [(one.child_ref, one.field) for one in personal_fields(submitted.data)] == [(None, "what")]


def test_the_vault_gets_each_personal_field_under_its_child() -> None:
    found = {(one.child_ref, one.field): one.value for one in personal_fields(understood(incident()).data)}

    assert found == {
        (None, "incident_date"): "2026-05-31",
        (None, "summary"): "Zebedee Testcase was found at Nowhere Cottage.",
        (None, "reported_by"): "Sergeant Sample Onlyatest",
        ("child-1", "child.name"): "Zebedee Testcase",
        ("child-1", "child.date_of_birth"): "2016-06-01",
        ("child-1", "child.date_of_death"): "2026-06-01",
        ("child-1", "child.nhs_number"): "9990000000",
    }


def test_what_a_report_lacks_is_asked_at_once() -> None:
    document = incident(data__country="unknown")
    document["data"]["children"] = [{"ref": "child-1", "looked_after": "yes"}]
    del document["data"]["personal"]

    found = missing(understood(document).data, vocabulary.load())

    assert [(one.fact, one.child_ref) for one in found] == [
        ("incident.country", None),
        ("child.home_area", "child-1"),
        ("child.age_at_incident", "child-1"),
        ("child.age_at_death", "child-1"),
        ("child.looked_after_by", "child-1"),
        ("child.placed_in", "child-1"),
        ("child.care_leaver", "child-1"),
    ]
    assert found[0].ask == "In which country did it happen?"


def test_of_each_child_of_a_death_of_several_it_is_asked_whether_it_died_unless_that_is_said() -> None:
    document = incident(data__harm="death")
    del document["data"]["personal"]
    said = {"home_area": "E08000035", "age_at_incident": 3, "looked_after": "no", "care_leaver": "no"}
    document["data"]["children"] = [
        {"ref": "child-1", **said, "age_at_death": 3},
        {"ref": "child-2", **said},
        {"ref": "child-3", **said, "died": "unknown"},
        {"ref": "child-4", **said, "died": "no"},
        {"ref": "child-5", **said, "died": "yes"},
    ]

    assert [(one.fact, one.child_ref) for one in missing(understood(document).data, vocabulary.load())] == [
        ("child.died", "child-2"),
        ("child.died", "child-3"),
        ("child.age_at_death", "child-5"),
    ]


def test_of_an_unborn_child_no_age_is_asked() -> None:
    document = incident(data__harm="death")
    del document["data"]["personal"]
    said = {"home_area": "E08000035", "looked_after": "no", "care_leaver": "no"}
    document["data"]["children"] = [{"ref": "child-1", **said, "unborn": "yes"}]

    assert missing(understood(document).data, vocabulary.load()) == ()
    document["data"]["children"][0]["unborn"] = "unknown"
    assert [one.fact for one in missing(understood(document).data, vocabulary.load())] == [
        "child.age_at_incident",
        "child.age_at_death",
    ]


def test_ages_that_the_dates_give_are_not_asked_for() -> None:
    assert [one.fact for one in missing(understood(incident()).data, vocabulary.load())] == ["child.care_leaver"]
