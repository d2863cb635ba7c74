"""The one validator: what is accepted, and what is said of what is not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain.cloudevent import STRUCTURED, RawEvent, read
from services.intake.domain.personal import with_block
from services.intake.domain.problems import Refusal
from services.intake.domain.translate import child_refs
from services.intake.domain.validate import check_allowed, validate
from tests.support.intake import LEEDS, NOW, event, incident, structured
from tests.support.validating import FACTS, errors_of, refusal_of, understood


def test_a_whole_report_is_accepted() -> None:
    found = understood(incident())

    assert found.type == "incident.reported.v1"
    assert found.time.isoformat() == "2026-06-01T08:15:00+00:00"


def test_attributes_that_gateways_add_are_let_through() -> None:
    assert understood(incident(knativearrivaltime="2026-06-01T08:15:01Z")) == understood(incident())


def test_everything_wrong_is_said_at_once_with_the_nearest_word() -> None:
    document = incident(data__harm="deaht", data__adult_at_risk=True)
    document["data"]["aera"] = LEEDS
    document["data"]["children"][0]["home_aera"] = LEEDS
    document["data"]["children"][0]["age_at_incident"] = False

    found = errors_of(document)

    assert found["/data/harm"].hint == "did you mean death?"
    assert found["/data/harm"].expected == "one of: death, serious_harm, other, unknown"
    assert found["/data/aera"].hint == "did you mean area?"
    assert found["/data/children/0/home_aera"].hint == "did you mean home_area?"
    assert found["/data/children/0/age_at_incident"].expected == "a whole number, without quotes"
    assert found["/data/adult_at_risk"].expected == "one of: yes, no, unknown"
    assert len(found) == 5


@pytest.mark.parametrize("wrong", [1, {}, [[1] * 9], {"unheard_of": 1}])
def test_of_very_many_entries_that_are_wrong_the_first_are_explained_and_all_are_counted(wrong: Any) -> None:
    few, many = (refusal_of(incident(data__children=[wrong] * entries)) for entries in (30, 30_000))

    assert few is not None
    assert many is not None
    assert len(many.errors) == 100
    assert many.errors[:30] == few.errors[:30]
    assert "things have to be put right. The first 100 are listed, " in many.detail
    assert int(many.detail.split()[5]) >= 30_000
    assert "listed" not in few.detail


def test_very_many_entries_that_are_wrong_behind_the_first_are_counted_and_not_listed() -> None:
    document = incident()
    document["data"]["personal"]["children"] = [{"ref": "child-1"}] * 100 + [{}] * 2_000

    refusal = refusal_of(document)

    assert refusal is not None
    assert refusal.errors == ()
    assert "2000 things have to be put right. They are not listed." in refusal.detail


def test_an_area_that_is_no_code_is_told_what_a_code_looks_like() -> None:
    found = errors_of(incident(data__area="Leeds"))

    assert list(found) == ["/data/area"]
    assert "GSS code" in found["/data/area"].expected
    assert "unknown" in found["/data/area"].expected


@pytest.mark.parametrize("value", [True, 4.5, [4], {}])
def test_a_value_of_no_kind_that_a_correction_takes_is_told_every_kind(value: Any) -> None:
    """To be told of text alone would send whoever corrects an age to "4", which is refused, too."""
    correction = {"corrects": str(UUID(int=1)), "fact": "harm", "value": value, "reason": "wrong_value"}
    found = errors_of(event("fact.corrected.v1", correction))

    assert found["/data/value"].expected == "text in double quotes or a whole number, without quotes"
    assert len(found) == 1


def test_an_unknown_type_is_told_the_nearest_one() -> None:
    assert errors_of(incident(type="incident.report.v1"))["/type"].hint == "did you mean incident.reported.v1?"


@pytest.mark.parametrize("name", ["specversion", "id", "source", "time", "data"])
def test_each_needed_attribute_is_missed(name: str) -> None:
    document = incident()
    del document[name]

    assert errors_of(document)["/" + name].detail == "this field is missing"


def test_no_answer_repeats_what_was_written() -> None:
    mark = "Zebedee-Marked"
    document = incident(data__harm=mark, type="incident.reported.v1", source=f"{mark} with space")
    document["data"]["area"] = mark
    document["data"]["children"][0]["ref"] = mark

    with pytest.raises(Refusal) as caught:
        understood(document)

    assert mark not in repr(caught.value.errors)
    assert mark not in caught.value.reason


def test_a_field_name_that_the_sender_made_up_is_not_in_the_reason_for_quarantine() -> None:
    document = incident()
    document["data"]["Zebedee Testcase"] = "x"

    with pytest.raises(Refusal) as caught:
        understood(document)

    assert caught.value.errors[0].pointer == "/data/Zebedee Testcase"
    assert "Zebedee" not in caught.value.reason


@pytest.mark.parametrize(
    ("when", "accepted"),
    [
        ("2026-06-11T11:59:59Z", True),  # within a day of now, for clocks that differ
        ("2026-06-11T12:00:01Z", False),
        ("1899-12-31T00:00:00Z", False),
        ("1900-01-01T00:30:00+01:00", False),  # still 1899 in UTC, which the log could not name
        ("1899-12-31T23:30:00-01:00", True),
        ("0001-01-01T00:00:00+14:00", False),
        ("9999-12-31T23:59:59-23:59", False),
        ("1780000000", False),  # seconds since 1970 in quotes
        ("2026-06-01T10:00:00", False),  # no offset
        ("2026-06-01", False),
    ],
)
def test_an_instant_is_written_in_full_and_has_happened(when: str, accepted: bool) -> None:  # noqa: FBT001
    document = event("la.became_aware.v1", {"aware_at": when})

    if accepted:
        understood(document)
    else:
        assert list(errors_of(document)) == ["/data/aware_at"]


def test_dates_in_the_personal_block_are_checked_too() -> None:
    document = incident()
    document["data"]["personal"]["children"][0]["date_of_birth"] = "2031-01-01"

    assert "/data/personal/children/0/date_of_birth" in errors_of(document)


def test_an_age_that_the_dates_contradict_is_refused() -> None:
    document = incident()
    document["data"]["children"][0] |= {"age_at_incident": 10, "age_at_death": 10}  # born 1 June 2016

    found = errors_of(document)

    assert list(found) == ["/data/children/0/age_at_incident"]  # 31 May 2026: still nine


@pytest.mark.parametrize(("harm", "dead"), [("serious_harm", {}), ("death", {"age_at_death": 3})])
def test_a_child_did_not_die_only_where_another_has(harm: str, dead: dict[str, int]) -> None:
    lives: list[dict[str, Any]] = [{"ref": "child-1"}, {"ref": "child-2", "died": "no"}]

    assert refusal_of(incident(data__children=lives)) is None
    lives[1] |= dead
    assert list(errors_of(incident(data__harm=harm, data__children=lives))) == ["/data/children/1/died"]


def test_a_birth_after_the_incident_is_refused() -> None:
    document = incident()
    document["data"]["personal"]["children"][0]["date_of_birth"] = "2026-06-01"

    assert errors_of(document)["/data/personal/children/0/date_of_birth"].detail == "the birth is after the incident"


def test_a_child_that_was_unborn_at_the_incident_is_born_after_it_and_dies_after_its_birth() -> None:
    document = incident()
    document["data"]["children"][0]["unborn"] = "yes"
    child = document["data"]["personal"]["children"][0]
    child["date_of_birth"] = child["date_of_death"] = "2026-06-01"  # the day after the incident

    understood(document)
    child["date_of_birth"] = "2026-06-02"

    assert errors_of(document)["/data/personal/children/0/date_of_birth"].detail == "the birth is after the death"


def test_a_child_stands_once_and_personal_children_are_children_of_the_report() -> None:
    document = incident()
    document["data"]["children"].append({"ref": "child-1"})
    document["data"]["personal"]["children"] += [{"ref": "child-1"}, {"ref": "child-9"}]

    assert set(errors_of(document)) == {
        "/data/children/1/ref",
        "/data/personal/children/1/ref",
        "/data/personal/children/2/ref",
    }


@pytest.mark.parametrize(
    ("link", "accepted"),
    [
        ({"client": "police-example", "case_reference": "A"}, True),
        ({"case_key": "0" * 32}, True),
        ({"client": "police-example"}, False),
        ({}, False),
        ({"case_key": "0" * 32, "case_reference": "A"}, False),
        ({"case_key": "0" * 32, "client": "police-example", "case_reference": "A"}, False),
    ],
)
def test_a_linked_case_is_named_in_one_way(link: dict[str, str], accepted: bool) -> None:  # noqa: FBT001
    document = incident(data__linked_case=link)

    if accepted:
        understood(document)
    else:
        assert list(errors_of(document)) == ["/data/linked_case"]


@pytest.mark.parametrize(
    ("outcome", "personal", "wrong"),
    [
        ("not_notify", {"by": "Director Sample", "reason": "Invented example. It does not fit this case."}, []),
        ("not_notify", {"by": "Director Sample"}, ["/data/personal/reason"]),
        ("not_notify", {"reason": ""}, ["/data/personal/reason"]),
        ("not_notify", {"reason": "  "}, ["/data/personal/reason"]),
        ("notify", {"reason": "Invented example."}, ["/data/override_of_rule"]),
        ("defer", {}, ["/data/override_of_rule", "/data/personal/reason"]),
    ],
)
def test_a_decision_that_departs_from_a_rule_is_not_to_notify_and_says_why(
    outcome: str, personal: dict[str, str], wrong: list[str]
) -> None:
    said = {"outcome": outcome, "decided_at": "2026-06-01T08:00:00Z", "override_of_rule": "N-01", "personal": personal}
    refused = refusal_of(event("notification.decision.v1", said))

    assert [error.pointer for error in refused.errors] == wrong if refused else not wrong


def test_only_a_local_authority_reports_what_it_knows_itself() -> None:
    aware = understood(event("la.became_aware.v1", {"aware_at": "2026-06-01T10:00:00Z"}))

    check_allowed(aware, "local_authority", FACTS)
    with pytest.raises(Refusal) as caught:
        check_allowed(aware, "police", FACTS)

    assert caught.value.cause == "not_allowed"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
_PLACES = st.sampled_from(
    ["id", "source", "type", "time", "specversion", "data", "data.children", "data.personal", "data.linked_case",
     "data.area", "data.children.0.ref", "data.personal.children", "data.case_reference", "data.personal.incident_date"]
)  # fmt: skip


@given(_PLACES, _JSON)
@settings(max_examples=300)
def test_any_value_in_any_place_is_accepted_or_refused_with_places(place: str, value: Any) -> None:
    document: Any = incident()
    here = document
    *parents, last = place.split(".")
    for part in parents:
        here = here[int(part) if part.isdigit() else part]
    here[last] = value

    refusal = refusal_of(document)

    if refusal is not None:
        assert refusal.errors or refusal.cause == "not_json"
        assert all(error.expected for error in refusal.errors)


@pytest.mark.parametrize("depth", [200, 252, 253, 254, 255, 300, 900, 5_000])
def test_nesting_of_any_depth_is_refused_and_never_crashes(depth: int) -> None:
    block = b"[" * depth + b"]" * depth
    body = orjson.dumps(incident(data__personal="here")).replace(b'"here"', b'{"summary": ' + block + b"}")

    with pytest.raises(Refusal):
        validate(read(RawEvent(body, STRUCTURED, {})), FACTS, NOW)
    with pytest.raises(Refusal):
        validate(with_block(read(structured(incident())), {"summary": _nested(min(depth, 900))}), FACTS, NOW)


def _nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


def test_a_referral_that_is_not_complete_is_refused_with_all_that_is_missing() -> None:
    data = {"harm": "serious_harm", "children": [], "personal": {"reported_by": "Sample Onlyatest", "agencies": []}}

    found = errors_of(event("referral.submitted.v1", data))

    assert set(found) == {
        "/data/area",
        "/data/children",
        "/data/proposed_route",
        "/data/personal/summary",
        "/data/personal/agencies",
        "/data/personal/reporter_role",
        "/data/personal/reporter_contact",
    }


def test_a_complete_referral_is_accepted_and_read_as_a_report() -> None:
    document = incident(type="referral.submitted.v1", data__proposed_route="local_review")
    document["data"]["personal"] |= {
        "reporter_role": "Named nurse",
        "reporter_contact": "nurse@example.org",
        "agencies": [{"kind": "nhs_trust", "name": "Invented Trust", "still_involved": "yes"}],
    }

    found = understood(document)

    assert (found.type, child_refs(found.data)) == ("referral.submitted.v1", ("child-1",))


@pytest.mark.parametrize(
    ("given", "place", "expected", "hint"),
    [
        ("neglect", "/harm_categories", "a list in square brackets", ""),
        (["neglct"], "/harm_categories/0", "one of: physical, ", "did you mean neglect?"),
        ([7], "/harm_categories/0", "one of: physical, ", ""),
        (["neglect"] * 12, "/harm_categories", "at most 11 entries", ""),
    ],
)
def test_of_a_list_of_words_it_is_said_whether_the_list_is_wrong_or_which_of_its_words(
    given: object, place: str, expected: str, hint: str
) -> None:
    (error,) = errors_of(incident(data__personal={"harm_categories": given})).values()

    assert error.pointer == f"/data/personal{place}"
    assert error.expected.startswith(expected)
    assert error.hint == hint


def test_of_a_list_that_may_not_be_empty_it_is_said_how_many_it_needs() -> None:
    assert (
        errors_of(incident(type="referral.submitted.v1", data__children=[]))["/data/children"].expected
        == "1 or more entries"
    )


def test_a_list_whose_entry_is_wrong_is_not_said_to_have_none() -> None:
    refusal = refusal_of(incident(type="referral.submitted.v1", data__children=[{"ref": "Child One"}]))

    assert refusal is not None
    of_children = [error.pointer for error in refusal.errors if error.pointer.startswith("/data/children")]
    assert of_children == ["/data/children/0/ref"]
    assert f" {len(refusal.errors)} things have to be put right" in refusal.detail
