"""Days and instants: both clock changes, both sides of midnight."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.calendar import end_of_day, london_date

FIRST, LAST = datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2090-12-31")


@pytest.mark.parametrize(
    ("day", "late_at"),
    [
        (date(2026, 3, 28), datetime(2026, 3, 29, 0, 0, tzinfo=UTC)),  # last winter day
        (date(2026, 3, 29), datetime(2026, 3, 29, 23, 0, tzinfo=UTC)),  # 23 hours long
        (date(2026, 3, 30), datetime(2026, 3, 30, 23, 0, tzinfo=UTC)),  # 5 wd from Mon 23 March end here
        (date(2026, 10, 24), datetime(2026, 10, 24, 23, 0, tzinfo=UTC)),  # last full summer day
        (date(2026, 10, 25), datetime(2026, 10, 26, 0, 0, tzinfo=UTC)),  # 25 hours long
    ],
)
def test_a_day_ends_at_the_next_midnight_in_england(day: date, late_at: datetime) -> None:
    assert end_of_day(day) == late_at
    assert end_of_day(day).tzinfo is UTC


@given(st.dates(date(1990, 1, 1), date(2090, 12, 31)))
def test_the_last_instant_of_a_day_is_that_day_and_the_next_one_is_not(day: date) -> None:
    end = end_of_day(day)

    assert london_date(end - timedelta(microseconds=1)) == day
    assert london_date(end) == day + timedelta(days=1)
    assert end - end_of_day(day - timedelta(days=1)) in {timedelta(hours=hours) for hours in (23, 24, 25)}


@given(st.datetimes(FIRST, LAST, timezones=st.timezones()))
def test_any_instant_lies_before_the_end_of_its_day_in_england(instant: datetime) -> None:
    day = london_date(instant)

    assert end_of_day(day - timedelta(days=1)) <= instant.astimezone(UTC) < end_of_day(day)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="got the naive 2026-01-01T00:00:00"):
        london_date(datetime.fromisoformat("2026-01-01"))
