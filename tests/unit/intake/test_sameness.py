"""When two submissions say the same, and what is named when they do not."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas import vocabulary
from services.intake.domain.cloudevent import RawEvent, read
from services.intake.domain.sameness import child_digest, differences, digest, item_key, meaning, reference_digest
from services.intake.domain.validate import Submitted, validate
from tests.support.intake import KEY, NOW, event, incident, structured


def understood(document: Any) -> Submitted:
    return validate(read(structured(document)), vocabulary.load(), NOW)


def test_spelling_does_not_matter() -> None:
    document = incident()
    other = dict(reversed(document.items())) | {"time": "2026-06-01T08:15:00.000Z", "gatewayhop": "7"}
    spaced = RawEvent(structured(other).body.replace(b":", b" : "), "application/cloudevents+json; charset=utf-8", {})

    assert digest(KEY, understood(document)) == digest(KEY, understood(other))
    assert spaced.body.count(b" : ") > 10
    assert digest(KEY, understood(document)) != digest(bytes(32), understood(document))


def test_an_instant_in_data_means_the_same_with_any_offset() -> None:
    one, other = (
        understood(event("la.became_aware.v1", {"aware_at": at}))
        for at in ("2026-06-02T09:00:00Z", "2026-06-02T10:00:00+01:00")
    )
    later = understood(event("la.became_aware.v1", {"aware_at": "2026-06-02T10:00:00Z"}))

    assert meaning(one) == meaning(other)
    assert differences(meaning(one), meaning(later)) == ("/data/aware_at",)


def test_the_digests_that_are_stored_stay_what_they_are() -> None:
    known = understood(event("la.became_aware.v1", {"aware_at": "2026-06-02T10:00:00+01:00"}))

    assert digest(KEY, known).hex() == "8ee48cca06f812384ef16fa832c7842160ffffb0de8097c3574385133544a203"


def test_each_change_of_meaning_is_named_and_no_value_is() -> None:
    before, after = incident(), incident(data__harm="other", time="2026-06-01T09:16:00+01:00")
    after["data"]["personal"]["children"][0]["name"] = "Yolanda Notreal"
    del after["data"]["area"]

    assert digest(KEY, understood(before)) != digest(KEY, understood(after))
    assert differences(meaning(understood(before)), meaning(understood(after))) == (
        "/data/area",
        "/data/harm",
        "/data/personal/children/0/name",
        "/time",
    )


def test_an_action_has_one_key_in_its_case_and_shares_it_with_nothing_else() -> None:
    key = item_key(KEY, "c" * 32, "action", "A-1")
    others = {
        item_key(KEY, "d" * 32, "action", "A-1"),
        item_key(KEY, "c" * 32, "request", "A-1"),
        item_key(KEY, "c" * 32, "action", "A-2"),
        item_key(bytes(32), "c" * 32, "action", "A-1"),
    }

    assert key == item_key(KEY, "c" * 32, "action", "A-1")
    assert len({key, *others}) == 5
    assert len(key) == 32


def test_a_list_of_another_length_is_named_as_a_whole() -> None:
    after = incident()
    after["data"]["children"].append({"ref": "child-2"})

    assert differences(meaning(understood(incident())), meaning(understood(after))) == ("/data/children",)


def test_references_of_two_clients_never_meet() -> None:
    assert reference_digest(KEY, "police-example", "A-1") != reference_digest(KEY, "council-example", "A-1")
    assert reference_digest(KEY, "ab", "c") != reference_digest(KEY, "a", "bc")
    assert reference_digest(KEY, "a", "b") != reference_digest(bytes(32), "a", "b")
    assert child_digest(KEY, "child-1") != child_digest(KEY, "child-2")


_JSON = st.recursive(
    st.booleans() | st.integers(0, 3) | st.sampled_from("ab"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=8,
)


@given(_JSON, _JSON)
def test_there_are_differences_exactly_when_values_differ(one: object, two: object) -> None:
    assert bool(differences(one, two)) == (one != two)
