"""What is decided again after a restore is divided, and numbered, as it was the first time."""

from __future__ import annotations

from uuid import UUID

from services.routing.domain.replay import following, rounds, rulebooks

A, B, C, D = (UUID(int=number) for number in range(1, 5))
PUBLISHED = {"case": {2: frozenset({A}), 3: frozenset({B, C})}}


def test_events_that_were_decided_apart_are_decided_apart_again() -> None:
    assert rounds([(A, "case"), (B, "case"), (C, "case"), (D, "case")], PUBLISHED) == {A: 0, B: 1, C: 1, D: 2}


def test_events_of_which_nothing_was_published_are_decided_together() -> None:
    assert rounds([(A, "one"), (B, "two"), (C, "one")], {}) == {A: 0, B: 0, C: 0}


def test_the_same_decision_has_the_same_revision() -> None:
    assert following({"case": 1}, PUBLISHED, (A,)) == {"case": 2}
    assert following({"case": 2}, PUBLISHED, (C, B)) == {"case": 3}


def test_another_decision_has_a_revision_that_was_never_published() -> None:
    assert following({"case": 1}, PUBLISHED, (A, B)) == {"case": 4}
    assert following({"case": 2}, PUBLISHED, (D,)) == {"case": 4}


def test_after_all_that_was_published_revisions_go_on_by_one() -> None:
    assert following({"case": 3}, PUBLISHED, (D,)) == {"case": 4}
    assert following({"case": 7, "new": 0}, PUBLISHED, (D,)) == {"case": 8, "new": 1}


def test_linked_cases_repeat_a_decision_only_together() -> None:
    published = PUBLISHED | {"linked": {1: frozenset({D})}}

    assert following({"case": 1, "linked": 0}, published, (A,)) == {"case": 4, "linked": 2}


DECIDED_BY = {"case": {2: "2026.11.0", 3: "2026.12.0"}}


def test_a_case_keeps_the_version_of_its_last_decision_and_a_new_one_has_none() -> None:
    assert rulebooks({"case": 4}, {"case": "2026.12.0"}, {}, {"case": 5}) == {"2026.12.0"}
    assert rulebooks({"new": 0}, {}, {}, {"new": 1}) == frozenset()


def test_a_decision_that_is_repeated_is_made_by_the_version_that_it_was_made_by() -> None:
    assert rulebooks({"case": 1}, {"case": "2026.11.0"}, DECIDED_BY, {"case": 2}) == {"2026.11.0"}
    assert rulebooks({"case": 2}, {"case": "2026.11.0"}, DECIDED_BY, {"case": 3}) == {"2026.12.0"}
    assert rulebooks({"case": 0}, {}, DECIDED_BY, {"case": 2}) == {"2026.11.0"}


def test_another_decision_is_made_by_the_version_that_was_published_last() -> None:
    assert rulebooks({"case": 1}, {"case": "2026.11.0"}, DECIDED_BY, {"case": 4}) == {"2026.12.0"}
    assert rulebooks({"case": 4}, {"case": "2026.13.0"}, DECIDED_BY, {"case": 5}) == {"2026.13.0"}
