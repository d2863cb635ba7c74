"""Ages in completed years, the birthday counted."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.ages import completed_years

_DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("born", "on", "years"),
    [
        (date(2008, 6, 1), date(2026, 5, 31), 17),  # the day before the 18th birthday
        (date(2008, 6, 1), date(2026, 6, 1), 18),  # the birthday itself
        (date(2026, 6, 1), date(2026, 6, 1), 0),  # the day of birth
        (date(2001, 9, 7), date(2026, 9, 6), 24),  # the last day of being 24
        (date(2001, 9, 7), date(2026, 9, 7), 25),
    ],
)
def test_a_year_is_completed_on_the_birthday(born: date, on: date, years: int) -> None:
    """Family Law Reform Act 1969, section 9: an age is attained at the start of the birthday."""
    assert completed_years(born, on) == years


def test_nobody_has_an_age_before_birth() -> None:
    assert completed_years(date(2026, 6, 2), date(2026, 6, 1)) is None


def test_a_leap_day_birthday_in_a_common_year_follows_the_named_setting() -> None:
    born = date(2008, 2, 29)

    assert completed_years(born, date(2026, 2, 28)) == 17
    assert completed_years(born, date(2026, 3, 1)) == 18
    assert completed_years(born, date(2026, 2, 28), leap_day_birthday="28_february") == 18


@pytest.mark.parametrize("setting", ["28_february", "1_march"])
def test_a_leap_day_birthday_in_a_leap_year_is_on_the_day(setting: str) -> None:
    assert completed_years(date(2004, 2, 29), date(2024, 2, 28), leap_day_birthday=setting) == 19  # type: ignore[arg-type]
    assert completed_years(date(2004, 2, 29), date(2024, 2, 29), leap_day_birthday=setting) == 20  # type: ignore[arg-type]
    assert completed_years(date(1896, 2, 29), date(1900, 2, 28)) == 3  # 1900 was no leap year


@given(_DAYS, _DAYS)
def test_an_age_never_falls_and_rises_by_one_at_most_from_day_to_day(born: date, on: date) -> None:
    today, tomorrow = completed_years(born, on), completed_years(born, on + timedelta(days=1))

    assert (today is None) == (on < born)
    if today is not None and tomorrow is not None:
        assert tomorrow - today in {0, 1}
        assert today * 365.2425 - 1.5 <= (on - born).days < (today + 1) * 365.2425 + 1.5
