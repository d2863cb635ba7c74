"""What the fence says of a batch."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.kit.fence import Mark, Place, judge

A, B = Place("topic", 0), Place("topic", 1)


def marks(place: Place, *offsets: int) -> list[Mark]:
    return [Mark(place, offset, UUID(int=offset)) for offset in offsets]


def test_what_follows_on_goes_on() -> None:
    verdict = judge(marks(A, 5, 6, 7), {A: 5}, {})

    assert (verdict.gaps, verdict.below, verdict.advance) == ({}, [], {A: 8})


def test_a_partition_read_for_the_first_time_goes_on_from_anywhere() -> None:
    assert judge(marks(A, 5), {}, {}).advance == {A: 6}


def test_a_gap_concerns_its_partition_only() -> None:
    verdict = judge([*marks(A, 6), *marks(B, 0)], {A: 5, B: 0}, {})

    assert (verdict.gaps, verdict.advance) == ({A: 5}, {B: 1})


def test_a_hole_is_believed_only_at_the_place_that_was_looked_at() -> None:
    assert judge(marks(A, 6), {A: 5}, {A: 5}).gaps == {}
    assert judge(marks(A, 6), {A: 5}, {A: 4}).gaps == {A: 5}


def test_records_below_the_fence_do_not_move_it_back() -> None:
    verdict = judge(marks(A, 1, 2), {A: 5}, {})

    assert [mark.offset for mark in verdict.below] == [1, 2]
    assert verdict.advance == {A: 5}


@given(st.lists(st.integers(0, 20), min_size=1, max_size=10, unique=True), st.integers(0, 20))
def test_every_record_is_dropped_with_its_gap_or_below_or_under_the_new_fence(offsets: list[int], stands: int) -> None:
    verdict = judge(marks(A, *sorted(offsets)), {A: stands}, {})

    if verdict.gaps:
        assert min(offsets) > stands
        assert not verdict.advance
    else:
        assert verdict.advance[A] == max(stands, max(offsets) + 1)
        assert {mark.offset for mark in verdict.below} == {offset for offset in offsets if offset < stands}
