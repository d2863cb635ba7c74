"""Periods of days and months, on from a day and back from it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.calendar import (
    Length,
    add_months,
    count_period,
    last_day,
    load_england,
    working_days_before,
    working_days_between,
)

ENGLAND = load_england()


@pytest.mark.parametrize(
    ("start_on", "length", "due_on"),
    [
        (date(2026, 2, 2), Length(5), date(2026, 2, 9)),
        (date(2026, 2, 4), Length(15), date(2026, 2, 25)),
        (date(2026, 2, 4), Length(15, counted="beginning with"), date(2026, 2, 24)),  # as Devon counts
        (date(2026, 2, 20), Length(6, "months"), date(2026, 8, 20)),
        (date(2026, 8, 29), Length(6, "months"), date(2027, 2, 28)),  # a Sunday: not moved
        (date(2026, 1, 31), Length(1, "months"), date(2026, 2, 28)),
        # Police, Crime, Sentencing and Courts Act 2022, section 27(8): "one month beginning with the day"
        (date(2026, 7, 10), Length(1, "months", "beginning with"), date(2026, 8, 9)),
        (date(2026, 1, 31), Length(1, "months", "beginning with"), date(2026, 2, 28)),
        (date(2026, 1, 29), Length(1, "months", "beginning with"), date(2026, 2, 28)),
        (date(2026, 1, 28), Length(1, "months", "beginning with"), date(2026, 2, 27)),
        (date(2026, 6, 1), Length(7, "calendar days"), date(2026, 6, 8)),
        (date(2026, 6, 1), Length(7, "calendar days", "beginning with"), date(2026, 6, 7)),
        # SI 2018/789, regulation 16: "no later than 7 days prior to the date of publication"
        (date(2026, 8, 14), Length(7, "calendar days", "before"), date(2026, 8, 7)),
        (date(2027, 1, 4), Length(7, "calendar days", "before"), date(2026, 12, 28)),  # a bank holiday: not moved
        (date(2026, 8, 14), Length(7, counted="before"), date(2026, 8, 5)),
        (date(2027, 1, 4), Length(7, counted="before"), date(2026, 12, 21)),
        (date(2026, 3, 31), Length(1, "months", "before"), date(2026, 2, 28)),
    ],
)
def test_a_period_ends_on_the_day_that_the_law_gives(start_on: date, length: Length, due_on: date) -> None:
    counted = count_period(start_on, length, ENGLAND)

    assert counted.due_on == due_on
    assert counted.explanation[-1].on == due_on
    assert counted.provisional is False


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (Length(5), "5 working days after"),
        (Length(1), "1 working day after"),
        (Length(1, "months", "beginning with"), "1 month beginning with"),
        (Length(7, "calendar days", "before"), "7 calendar days before"),
    ],
)
def test_a_length_is_said_in_words(length: Length, words: str) -> None:
    assert str(length) == words


@given(st.dates(date(2019, 1, 1), date(2027, 6, 30)), st.integers(0, 60))
def test_a_lead_time_of_working_days_leaves_that_many_before_the_date(end_on: date, days: int) -> None:
    counted = count_period(end_on, Length(days, counted="before"), ENGLAND)

    assert counted.due_on == working_days_before(end_on, days, ENGLAND)
    assert working_days_between(counted.due_on, end_on - timedelta(days=1), ENGLAND) == max(days - 1, 0) or days == 0


@given(st.dates(date(2019, 1, 1), date(2027, 6, 30)), st.integers(1, 36))
def test_months_that_begin_with_a_day_join_without_a_gap(start_on: date, months: int) -> None:
    """The day after such a period is the corresponding date, unless the month has none."""
    last = count_period(start_on, Length(months, "months", "beginning with"), ENGLAND).due_on

    assert (last + timedelta(days=1)).day in {start_on.day, 1}
    assert last <= add_months(start_on, months)


def test_a_lead_time_beyond_the_published_holidays_is_provisional() -> None:
    counted = count_period(date(2040, 6, 1), Length(7, counted="before"), ENGLAND)

    assert counted.provisional


@pytest.mark.parametrize("unit", ["working days", "calendar days", "months"])
def test_a_negative_length_is_refused(unit: str) -> None:
    with pytest.raises(ValueError, match=f"expected 0 or more {unit}, got -1"):
        count_period(date(2026, 6, 1), Length(-1, unit), ENGLAND)  # type: ignore[arg-type]


@given(
    st.dates(date(2010, 1, 1), date(2045, 12, 31)),  # on both sides of the verified days, too
    st.integers(0, 60),
    st.sampled_from(["working days", "calendar days", "months"]),
    st.sampled_from(["after", "beginning with", "before"]),
)
def test_the_last_day_alone_is_that_of_the_explained_count(
    start_on: date, amount: int, unit: Any, counted: Any
) -> None:
    length = Length(amount, unit, counted)

    explained = count_period(start_on, length, ENGLAND)

    assert last_day(start_on, length, ENGLAND) == (explained.due_on, explained.provisional)
