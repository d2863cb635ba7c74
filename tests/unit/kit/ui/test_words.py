"""Dates, times and counts as people read them."""

from datetime import UTC, date, datetime

import pytest

from schemas.words import date_words
from services.kit.ui.words import datetime_words, days_left


def test_a_date_is_written_with_its_weekday() -> None:
    assert date_words(date(2026, 11, 23)) == "Monday 23 November 2026"
    assert date_words(date(2027, 1, 1)) == "Friday 1 January 2027"


@pytest.mark.parametrize(
    ("instant", "words"),
    [
        (datetime(2026, 11, 23, 9, 15, tzinfo=UTC), "23 November 2026 at 9:15am"),  # winter: London is UTC
        (datetime(2026, 7, 1, 9, 5, tzinfo=UTC), "1 July 2026 at 10:05am"),  # summer: UTC + 1
        (datetime(2026, 7, 1, 23, 30, tzinfo=UTC), "2 July 2026 at 12:30am"),  # 00:30 of the next day
        (datetime(2026, 7, 1, 23, 0, tzinfo=UTC), "2 July 2026 at midnight"),
        (datetime(2026, 11, 23, 12, 0, tzinfo=UTC), "23 November 2026 at midday"),
        (datetime(2026, 11, 23, 12, 1, tzinfo=UTC), "23 November 2026 at 12:01pm"),
        (datetime(2026, 11, 23, 17, 0, tzinfo=UTC), "23 November 2026 at 5:00pm"),
    ],
)
def test_an_instant_is_written_in_london_time(instant: datetime, words: str) -> None:
    assert datetime_words(instant) == words


def test_an_instant_without_a_zone_or_in_the_place_of_a_date_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        datetime_words(datetime(2026, 11, 23, 9, 15))  # noqa: DTZ001 (the point)
    with pytest.raises(TypeError, match="datetime_words"):
        date_words(datetime(2026, 11, 23, tzinfo=UTC))


@pytest.mark.parametrize(
    ("working_days", "words"),
    [
        (2, "2 working days left"),
        (1, "1 working day left"),
        (0, "due today"),
        (-1, "1 working day overdue"),
        (-3, "3 working days overdue"),
    ],
)
def test_days_left_are_said_in_words(working_days: int, words: str) -> None:
    assert days_left(working_days) == words
