"""Pins when a delivery is tried again, and when a person is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.dispatch.schedule import DELAYS_S, Failure, after_failure, is_final, retry_after_s

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SINCE = NOW - timedelta(hours=1)
FAR = NOW + timedelta(days=30)


@pytest.mark.parametrize("attempt", range(1, 12))
def test_waits_grow_with_the_attempts_and_the_last_one_repeats(attempt: int) -> None:
    decided = after_failure(Failure(attempt, 503), now=NOW, due_since=SINCE, due_by=FAR, jitter=0.5)

    expected_s = DELAYS_S[min(attempt, len(DELAYS_S)) - 1] / 2  # half of the longest wait, by the draw
    assert decided.next_at == NOW + timedelta(seconds=expected_s)
    assert not decided.person_must_act


@given(
    attempt=st.integers(1, 50),
    jitter=st.floats(0, 1, exclude_max=True),
    left_s=st.integers(1, 40 * 86_400),
    status=st.sampled_from([None, 200, 301, 408, 409, 425, 429, 500, 503]),
)
def test_a_wait_is_never_nothing_never_longer_than_its_delay_and_never_more_than_half_of_what_is_left(
    attempt: int, jitter: float, left_s: int, status: int | None
) -> None:
    due_by = NOW + timedelta(seconds=left_s)
    decided = after_failure(Failure(attempt, status), now=NOW, due_since=SINCE, due_by=due_by, jitter=jitter)

    assert decided.next_at is not None
    wait_s = (decided.next_at - NOW).total_seconds()
    assert 0 < wait_s <= max(DELAYS_S[min(attempt, len(DELAYS_S)) - 1], 1)
    assert wait_s <= max(left_s / 2, 1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422, 451])
def test_an_answer_that_says_no_is_not_tried_again_and_goes_to_a_person(status: int) -> None:
    decided = after_failure(Failure(1, status), now=NOW, due_since=SINCE, due_by=FAR, jitter=0.5)

    assert is_final(status)
    assert decided.next_at is None
    assert decided.person_must_act


def test_a_person_is_told_of_a_notice_without_a_date_that_has_failed_for_a_day() -> None:
    """Its clock has not started, so that no half of its time ever comes."""
    since = NOW - timedelta(days=1)

    after_a_day = after_failure(Failure(9, 503), now=NOW, due_since=since, due_by=None, jitter=0.1)
    before = after_failure(Failure(9, 503), now=NOW - timedelta(seconds=1), due_since=since, due_by=None, jitter=0.1)

    assert after_a_day.next_at is not None
    assert (before.person_must_act, after_a_day.person_must_act) == (False, True)


def test_a_person_is_told_when_half_of_the_time_is_gone_and_trying_goes_on() -> None:
    since, due_by = NOW - timedelta(hours=10), NOW + timedelta(hours=10)

    at_half = after_failure(Failure(3, None), now=NOW, due_since=since, due_by=due_by, jitter=0.1)
    before = after_failure(Failure(3, None), now=NOW - timedelta(seconds=1), due_since=since, due_by=due_by, jitter=0.1)

    assert at_half.person_must_act
    assert at_half.next_at is not None
    assert not before.person_must_act


def test_after_the_due_date_trying_goes_on_at_least_every_half_hour() -> None:
    late = after_failure(Failure(9, 503), now=NOW, due_since=SINCE, due_by=NOW - timedelta(seconds=1), jitter=0.999)

    assert late.next_at == NOW + timedelta(minutes=30)
    assert late.person_must_act


def test_a_recipient_that_asks_to_come_back_later_is_left_alone_until_then() -> None:
    asked = Failure(1, 429, retry_after_s=3_600)
    decided = after_failure(asked, now=NOW, due_since=SINCE, due_by=FAR, jitter=0.5)

    assert decided.next_at == NOW + timedelta(hours=1)


def test_a_person_is_told_at_once_when_the_recipient_asks_to_wait_past_the_due_date() -> None:
    due_by = NOW + timedelta(hours=14)
    asked = Failure(1, 503, retry_after_s=86_400)
    decided = after_failure(asked, now=NOW, due_since=NOW, due_by=due_by, jitter=0.5)
    in_time = after_failure(replace(asked, retry_after_s=3_600), now=NOW, due_since=NOW, due_by=due_by, jitter=0.5)

    assert decided.next_at == NOW + timedelta(days=1)
    assert (in_time.person_must_act, decided.person_must_act) == (False, True)


@pytest.mark.parametrize(
    ("header", "seconds"), [("120", 120.0), ("0", 0.0), (None, None), ("-1", None), ("soon", None), ("²", None)]
)
def test_retry_after_is_read_as_whole_seconds_only(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header) == seconds
