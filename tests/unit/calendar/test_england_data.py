"""The holiday data: equal to GOV.UK's list and to two independent libraries, day by day, and fixed by version."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import holidays as holidays_library
import pytest
import QuantLib
import yaml

from schemas.calendar import Basis, is_working_day, load_england
from schemas.calendar.england import parse
from schemas.calendar.rule import holidays_by_rule

ENGLAND = load_england()
ROOT = Path(__file__).parents[3]
EXAMPLES = json.loads((ROOT / "tests/data/calendar/worked_examples.json").read_text("utf-8"))
RELEASED = {"2026.11.0": "6269d8ff9c4da8494aae508d8aea6d33d72507da273940189f4fe9301125e625"}


def every_day() -> Iterator[date]:
    day = ENGLAND.covers_from
    while day <= ENGLAND.covers_to:
        yield day
        day += timedelta(days=1)


def test_the_data_of_a_released_version_never_changes() -> None:
    assert RELEASED[ENGLAND.version] == ENGLAND.sha256


def test_the_data_covers_2018_to_2028() -> None:
    assert (ENGLAND.covers_from, ENGLAND.covers_to) == (date(2018, 1, 1), date(2028, 12, 31))


def test_holidays_equal_the_list_on_gov_uk() -> None:
    assert sorted(day.isoformat() for day in ENGLAND.holidays) == sorted(EXAMPLES["bank_holidays"])


def test_every_day_equals_the_holidays_library() -> None:
    oracle = holidays_library.country_holidays("GB", subdiv="ENG", years=range(2018, 2029))

    for day in every_day():
        assert is_working_day(day, ENGLAND) == (day.weekday() < 5 and day not in oracle), day


def test_every_day_equals_quantlib() -> None:
    oracle = QuantLib.UnitedKingdom(QuantLib.UnitedKingdom.Settlement)

    for day in every_day():
        assert is_working_day(day, ENGLAND) == oracle.isBusinessDay(QuantLib.Date(day.day, day.month, day.year)), day


def test_the_rule_beyond_the_data_equals_both_libraries() -> None:
    library = holidays_library.country_holidays("GB", subdiv="ENG", years=range(2029, 2041))
    quantlib = QuantLib.UnitedKingdom(QuantLib.UnitedKingdom.Settlement)
    day = date(2029, 1, 1)
    while day.year < 2041:
        ours = is_working_day(day, ENGLAND)
        assert ours == (day.weekday() < 5 and day not in library), day
        assert ours == quantlib.isBusinessDay(QuantLib.Date(day.day, day.month, day.year)), day
        day += timedelta(days=1)


def test_the_rule_misses_exactly_what_was_proclaimed_for_one_year() -> None:
    by_rule = {day for year in range(2018, 2029) for day in holidays_by_rule(year)}

    assert set(ENGLAND.holidays) ^ by_rule == {
        date(2020, 5, 4),  # moved away
        date(2020, 5, 8),  # VE Day
        date(2022, 5, 30),  # moved away
        date(2022, 6, 2),  # Jubilee
        date(2022, 6, 3),  # Jubilee
        date(2022, 9, 19),  # State Funeral
        date(2023, 5, 8),  # Coronation
    }


@pytest.mark.parametrize(
    ("day", "basis", "announced_on"),
    [
        (date(2022, 9, 19), "proclamation", date(2022, 9, 10)),
        (date(2023, 5, 8), "proclamation", date(2022, 11, 6)),
        (date(2026, 4, 3), "common_law", None),
        (date(2026, 4, 6), "rule", None),
        (date(2026, 12, 28), "substitute", None),
        (date(2027, 12, 27), "substitute", None),
    ],
)
def test_a_holiday_says_what_makes_it_one(day: date, basis: Basis, announced_on: date | None) -> None:
    holiday = ENGLAND.holidays[day]

    assert (holiday.basis, holiday.announced_on) == (basis, announced_on)


def test_every_holiday_has_a_title_and_a_source() -> None:
    assert all(holiday.title and holiday.source for holiday in ENGLAND.holidays.values())


def test_one_changed_word_changes_the_hash_and_a_comment_does_not() -> None:
    text = (ROOT / "schemas/calendar/england.yaml").read_text("utf-8")

    assert parse(yaml.safe_load(text + "\n# a comment\n")).sha256 == ENGLAND.sha256
    assert parse(yaml.safe_load(text.replace("Good Friday", "Great Friday", 1))).sha256 != ENGLAND.sha256


@pytest.mark.parametrize("day", ["2018-01-01", "2026-08-29", "2029-01-01"], ids=["twice", "a Saturday", "outside"])
def test_a_day_that_cannot_be_a_holiday_is_refused(day: str) -> None:
    document = yaml.safe_load((ROOT / "schemas/calendar/england.yaml").read_text("utf-8"))
    row = {"day": date.fromisoformat(day), "title": "Invented", "basis": "rule", "source": "act_1971"}
    document["holidays"].append(row)

    with pytest.raises(ValueError, match="got 20"):
        parse(document)


def test_the_holidays_of_a_loaded_calendar_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        ENGLAND.holidays[date(2026, 1, 5)] = ENGLAND.holidays[date(2026, 1, 1)]  # type: ignore[index]
