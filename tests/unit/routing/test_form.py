"""Pins the forms made from the schemas of submissions: what is asked, and the event that an answer means."""

from __future__ import annotations

import pytest

from schemas.submissions import SUBMISSIONS, BecameAware, FactCorrected, IncidentReported
from services.routing.pages.form import FormError, errors_of, read, sections


def fields(kind: str, repeats: int = 1) -> dict[str, str]:
    return {field.name: field.kind for section in sections(SUBMISSIONS[kind], repeats) for field in section.fields}


def test_each_field_of_the_schema_is_asked_once_in_its_kind() -> None:
    asked = fields("la.became_aware.v1")

    assert asked == {
        "case_reference": "text",
        "linked_case.case_key": "text",
        "linked_case.client": "text",
        "linked_case.case_reference": "text",
        "aware_at": "instant",
        "how": "choice",
        "of": "choice",
        "personal.by": "text",
        "personal.reason": "long_text",
    }


def test_a_body_is_chosen_from_the_register() -> None:
    asked = fields("action.updated.v1")

    assert (asked["owner"], asked["action"], asked["due_on"]) == ("body", "text", "date")


def test_of_several_choices_each_is_a_box_and_a_long_list_is_dropped_down_and_plain_lists_have_a_line_for_each() -> (
    None
):
    report, submitted = fields("incident.reported.v1"), fields("scsi.notification.submitted.v1")

    assert (report["personal.harm_categories"], report["personal.agencies.0.kind"]) == ("choices", "long_choice")
    assert (report["setting"], submitted["attachments"]) == ("choice", "lines")


def test_boxes_that_are_ticked_and_lines_become_lists() -> None:
    form = {
        "personal.harm_categories-neglect": "yes",
        "personal.harm_categories-physical": "yes",
        "personal.agencies.0.kind": "charity",
    }
    hashes = {"attachments": " 00 \r\n\r\n11\r\n"}

    data, errors = read(form, sections(IncidentReported))
    sent, _ = read(hashes, sections(SUBMISSIONS["scsi.notification.submitted.v1"]))

    assert errors == []
    assert data["personal"] == {"harm_categories": ["physical", "neglect"], "agencies": [{"kind": "charity"}]}
    assert sent == {"attachments": ["00", "11"]}


def test_the_error_of_a_box_leads_to_the_first_one() -> None:
    ids = {field.name: field.id for section in sections(IncidentReported) for field in section.fields}

    assert ids["personal.harm_categories"] == "personal-harm_categories-physical"


def test_a_list_has_as_many_entries_as_wanted() -> None:
    asked = fields("incident.reported.v1", repeats=2)

    assert asked["children.1.age_at_death"] == "number"
    assert asked["personal.children.1.date_of_birth"] == "date"
    assert "children.2.ref" not in asked


def test_answers_become_the_event_s_data_and_what_is_empty_is_left_out() -> None:
    form = {
        "case_reference": " A/1 ",
        "harm": "death",
        "reported_on-day": "1",
        "reported_on-month": "6",
        "reported_on-year": "2026",
        "children.0.ref": "child-1",
        "children.0.age_at_death": "3",
        "area": "",
    }

    data, errors = read(form, sections(IncidentReported, 2))

    assert errors == []
    assert data == {
        "case_reference": "A/1",
        "harm": "death",
        "reported_on": "2026-06-01",
        "children": [{"ref": "child-1", "age_at_death": 3}],
    }


@pytest.mark.parametrize(
    ("month", "expected"),
    [("6", "2026-06-01T10:30:00+01:00"), ("12", "2026-12-01T10:30:00+00:00")],  # summer time, winter time
)
def test_a_time_of_day_is_england_s(month: str, expected: str) -> None:
    form = {"aware_at-day": "1", "aware_at-month": month, "aware_at-year": "2026", "aware_at-time": "10:30"}

    assert read(form, sections(BecameAware))[0]["aware_at"] == expected


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({"aware_at-day": "31", "aware_at-month": "2", "aware_at-year": "2026"}, "real date"),
        ({"aware_at-day": "1", "aware_at-month": "2", "aware_at-year": str(2**31)}, "real date"),  # beyond a C int
        ({"aware_at-day": "1", "aware_at-month": "2", "aware_at-year": "2026"}, "time of day"),
        ({"aware_at-time": "10:30"}, "a day as well as a time"),
    ],
)
def test_a_date_that_cannot_be_read_is_an_error_at_its_field(form: dict[str, str], text: str) -> None:
    (error,) = read(form, sections(BecameAware))[1]

    assert error.field == "aware_at"
    assert text in error.text


def test_a_corrected_value_is_a_number_a_word_or_withdrawn() -> None:
    shown = sections(FactCorrected)

    assert [read({"value": value}, shown)[0]["value"] for value in ("4", "death", "")] == [4, "death", None]


def test_intake_s_problems_find_their_fields_and_the_rest_is_about_the_form() -> None:
    shown = sections(IncidentReported)
    problem = {
        "errors": [
            {
                "pointer": "/data/children/0/age_at_death",
                "detail": "too old",
                "expected": "at most 17",
                "hint": "was it 1?",
            },
            {"pointer": "/data/harm", "detail": "this field is missing", "expected": "What happened to the child"},
            {"pointer": "/time", "detail": "too late"},
        ]
    }

    assert errors_of(problem, shown) == [
        FormError("children.0.age_at_death", "Child 1: Age at death: too old; expected at most 17; was it 1?"),
        FormError("harm", "Harm: this field is missing"),
        FormError(None, "Time: too late"),
    ]
    assert errors_of({"title": "Forbidden"}, shown) == [FormError(None, "Forbidden")]


def test_each_question_is_called_and_explained_as_the_schema_says() -> None:
    shown = {section.title: section.fields for section in sections(SUBMISSIONS["fact.corrected.v1"])}
    children = [section.title for section in sections(IncidentReported, 2)]

    assert [field.label for field in shown[""]] == [
        "Case reference",
        "Event that was wrong",
        "Fact that was wrong",
        "Which child",
        "Right value",
        "Reason",
    ]
    assert [field.label for field in shown["Personal details"]] == ["Name of the person", "Reason"]
    assert shown[""][1].hint == "The event_id of your event that was wrong, from its receipt."
    assert children[2:] == [
        "Child 1",
        "Child 2",
        "Personal details",
        "Agency involved 1",
        "Agency involved 2",
        "Identity of child 1",
        "Identity of child 2",
    ]


@pytest.mark.parametrize(
    ("kind", "pointer", "fields"),
    [
        (
            "notification.decision.v1",
            "/data/personal",
            {"personal.by": "Personal details: answer at least one of these questions"},
        ),
        (
            "referral.submitted.v1",
            "/data/children",
            {"children.0.ref": "Child 1: Your reference of the child: this field is missing"},
        ),
    ],
)
def test_where_a_whole_part_of_the_event_is_missing_a_question_of_the_form_is_named(
    kind: str, pointer: str, fields: dict[str, str]
) -> None:
    problem = {"errors": [{"pointer": pointer, "detail": "this field is missing", "expected": "Everything"}]}

    assert errors_of(problem, sections(SUBMISSIONS[kind], 2)) == [FormError(*each) for each in fields.items()]


def test_an_error_of_an_entry_finds_its_questions_also_where_one_before_it_was_left_empty() -> None:
    shown = sections(IncidentReported, 3)
    form = {"children.1.ref": "Child Two", "children.2.ref": "child-3", "personal.children.2.nhs_number": "1"}
    data, _ = read(form, shown)
    pointers = ("/data/children/0/ref", "/data/children/1/ref", "/data/personal/children/0/nhs_number")

    found = errors_of({"errors": [{"pointer": pointer, "detail": "wrong"} for pointer in pointers]}, shown, form)

    assert data["children"] == [{"ref": "Child Two"}, {"ref": "child-3"}]
    assert [error.field for error in found] == ["children.1.ref", "children.2.ref", "personal.children.2.nhs_number"]
