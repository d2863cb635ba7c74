"""Counting working days: worked examples with their arithmetic, properties, and the days that moved."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import process_time

import holidays as holidays_library
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.calendar import (
    Calendar,
    CalendarExhausted,
    add_months,
    add_working_days,
    count,
    is_working_day,
    load_england,
    london_date,
    working_days_before,
    working_days_between,
)

ENGLAND = load_england()
DATA = Path(__file__).parents[2] / "data/calendar/worked_examples.json"
CASES = {case["id"]: case for case in json.loads(DATA.read_text("utf-8"))["cases"]}
covered_days = st.dates(date(2018, 2, 1), date(2028, 6, 30))
periods = st.integers(1, 60)


def day(case: str, name: str) -> date:
    """Return a date of a worked example; instants become the day in England."""
    text = CASES[case][name]
    return london_date(datetime.fromisoformat(text)) if "T" in text else date.fromisoformat(text)


@pytest.mark.parametrize(
    ("case", "start", "days", "due"),
    [
        ("AT-01", "aware", 5, "panel_due"),
        ("AT-01", "submitted", 15, "rr_due"),
        ("AT-01", "submitted", 14, "rr_due_if_day1_inclusive"),  # the day itself is day 1
        ("AT-01", "aware", 15, "rr_due_if_clock_is_awareness"),
        ("AT-02", "aware", 5, "panel_due"),
        ("AT-02", "submitted", 15, "rr_due"),
        ("AT-04", "aware", 5, "panel_due"),
        ("AT-04", "submitted", 15, "rr_due"),
        ("AT-05", "aware", 5, "panel_due"),
        ("AT-07", "aware", 5, "lac_due"),
        ("AT-09a", "aware", 5, "due"),
        ("AT-10", "aware", 5, "due"),
        ("AT-12", "la_aware", 5, "panel_due"),
        ("AT-14", "aware", 5, "due"),
        ("AT-14", "submitted", 15, "rr_due"),
        ("AT-19", "aware", 5, "due_after_proclamation"),
        ("AT-21", "aware_b", 5, "due_b"),
        ("AT-23", "aware", 5, "due"),
    ],
)
def test_worked_example_in_working_days(case: str, start: str, days: int, due: str) -> None:
    assert add_working_days(day(case, start), days, ENGLAND) == day(case, due)
    assert count(day(case, start), days, ENGLAND).due_on == day(case, due)


@pytest.mark.parametrize(
    ("case", "start", "months", "due"),
    [
        ("AT-01", "lcspr_decision", 6, "publish_due"),
        ("AT-01", "publication", 12, "available_until"),
        ("AT-12", "csp_aware", 1, "decision_due"),  # 31 January + 1 = 28 February, a Saturday, not rolled
        ("AT-12", "decision", 6, "dhr_due"),
    ],
)
def test_worked_example_in_months(case: str, start: str, months: int, due: str) -> None:
    assert add_months(day(case, start), months) == day(case, due)


@pytest.mark.parametrize(
    ("case", "calendar", "working"), [("AT-01", "copy_due_reg16", "copy_due_wt"), ("AT-15", "reg16", "wt")]
)
def test_worked_example_counted_backwards_from_publication(case: str, calendar: str, working: str) -> None:
    publication = day(case, "publication")

    assert publication - timedelta(days=7) == day(case, calendar)
    assert working_days_before(publication, 7, ENGLAND) == day(case, working)


def test_a_late_answer_says_how_many_working_days_it_took_and_how_late_it_was() -> None:
    aware, due, submitted = (day("AT-14", name) for name in ("aware", "due", "submitted"))

    assert working_days_between(aware, submitted, ENGLAND) == CASES["AT-14"]["wd_taken"]
    assert working_days_between(due, submitted, ENGLAND) == CASES["AT-14"]["wd_late"]
    assert working_days_between(submitted, due, ENGLAND) == -CASES["AT-14"]["wd_late"]


def test_a_calendar_without_the_coronation_gives_the_date_that_was_believed_before() -> None:
    before = {on: holiday for on, holiday in ENGLAND.holidays.items() if on != date(2023, 5, 8)}

    assert add_working_days(day("AT-19", "aware"), 5, replace(ENGLAND, holidays=before)) == day("AT-19", "due_before")


def test_the_state_funeral_moved_ten_fifteen_day_clocks_that_were_already_running() -> None:
    before = replace(ENGLAND, holidays={on: h for on, h in ENGLAND.holidays.items() if on != date(2022, 9, 19)})
    starts = (date(2022, 8, 1) + timedelta(days=offset) for offset in range(60))
    moved = [
        start
        for start in starts
        if is_working_day(start, before) and add_working_days(start, 15, before) != add_working_days(start, 15, ENGLAND)
    ]

    assert (moved[0], moved[-1], len(moved)) == (date(2022, 8, 26), date(2022, 9, 16), 15)
    assert sum(start < date(2022, 9, 10) for start in moved) == 10  # announced on 10 September


def test_each_day_of_a_count_is_explained() -> None:
    counted = count(date(2026, 4, 2), 5, ENGLAND)  # Maundy Thursday

    assert [(step.on.day, step.number, step.reason) for step in counted.explanation] == [
        (2, 0, "day 0: the day of the event is not counted"),
        (3, None, "Good Friday: common law holiday"),
        (4, None, "Saturday: weekend"),
        (5, None, "Sunday: weekend"),
        (6, None, "Easter Monday: bank holiday"),
        (7, 1, "Tuesday"),
        (8, 2, "Wednesday"),
        (9, 3, "Thursday"),
        (10, 4, "Friday"),
        (11, None, "Saturday: weekend"),
        (12, None, "Sunday: weekend"),
        (13, 5, "Monday"),
    ]
    assert (counted.calendar_version, counted.calendar_sha256) == (ENGLAND.version, ENGLAND.sha256)


def test_a_date_inside_the_verified_data_is_final() -> None:
    assert not count(date(2028, 12, 21), 4, ENGLAND).provisional  # Fri 22, Wed 27, Thu 28, Fri 29


def test_a_date_beyond_the_verified_data_is_provisional_and_counted_by_the_usual_rule() -> None:
    counted = count(date(2028, 12, 28), 3, ENGLAND)  # Fri 29, (30, 31, 1 January off), Tue 2, Wed 3

    assert counted.due_on == date(2029, 1, 3)
    assert counted.provisional
    assert counted.provisional_because == (
        "bank holidays are verified from 2018-01-01 to 2028-12-31 only;"
        " the other days were counted by the usual rule and a proclamation can still move the date"
    )


def test_a_start_before_the_verified_data_is_provisional_too() -> None:
    assert count(date(2017, 12, 28), 5, ENGLAND).provisional
    assert not count(date(2017, 12, 31), 5, ENGLAND).provisional  # day 0 needs no data


@pytest.mark.parametrize(("start", "days"), [(date(2028, 12, 28), 3), (date(2017, 12, 30), 1), (date(2035, 1, 1), 1)])
def test_a_bare_date_is_refused_where_it_would_be_provisional(start: date, days: int) -> None:
    with pytest.raises(CalendarExhausted, match="covers 2018-01-01 to 2028-12-31"):
        add_working_days(start, days, ENGLAND)


@pytest.mark.parametrize("end", [date(2018, 1, 2), date(2029, 1, 2)])
def test_a_lead_time_outside_the_verified_data_is_refused(end: date) -> None:
    with pytest.raises(CalendarExhausted):
        working_days_before(end, 1, ENGLAND)


def test_a_negative_period_is_refused() -> None:
    for counted in (add_working_days, count, working_days_before):
        with pytest.raises(ValueError, match="got -1"):
            counted(date(2026, 1, 5), -1, ENGLAND)


def test_no_working_days_end_on_the_day_of_the_event() -> None:
    assert add_working_days(date(2026, 8, 29), 0, ENGLAND) == date(2026, 8, 29)
    assert count(date(2026, 8, 29), 0, ENGLAND).due_on == date(2026, 8, 29)
    assert working_days_before(date(2026, 8, 29), 0, ENGLAND) == date(2026, 8, 29)


def test_periods_of_one_to_twenty_days_equal_the_holidays_library_from_every_day() -> None:
    oracle = holidays_library.country_holidays("GB", subdiv="ENG", years=range(2018, 2030))
    start = date(2018, 1, 1)
    while start <= date(2028, 11, 15):
        on = start
        expected: list[date] = []
        while len(expected) < 20:
            on += timedelta(days=1)
            if on.weekday() < 5 and on not in oracle:
                expected.append(on)
        assert [add_working_days(start, days, ENGLAND) for days in range(1, 21)] == expected
        start += timedelta(days=1)


@given(covered_days, periods)
def test_the_explained_count_equals_the_fast_one(start: date, days: int) -> None:
    counted = count(start, days, ENGLAND)

    assert counted.due_on == add_working_days(start, days, ENGLAND)
    numbers = [step.number for step in counted.explanation if step.number is not None]
    assert numbers == list(range(days + 1))
    assert [step.on for step in counted.explanation] == [
        start + timedelta(days=offset) for offset in range((counted.due_on - start).days + 1)
    ]


@given(covered_days, periods)
def test_counting_and_adding_are_inverse(start: date, days: int) -> None:
    due = add_working_days(start, days, ENGLAND)

    assert working_days_between(start, due, ENGLAND) == days
    assert is_working_day(due, ENGLAND)
    assert working_days_between(due, start, ENGLAND) == -days


@given(covered_days, periods)
def test_leading_back_from_a_due_day_returns_to_the_same_working_day(start: date, days: int) -> None:
    due = add_working_days(start, days, ENGLAND)

    back = working_days_before(due, days, ENGLAND)
    assert back == start if is_working_day(start, ENGLAND) else back < start


@given(covered_days, periods)
def test_a_weekend_start_gives_no_extra_day(start: date, days: int) -> None:
    """Awareness on a Sunday counts as that day: the period ends as if it had begun on the last working day before."""
    last_working = start
    while not is_working_day(last_working, ENGLAND):
        last_working -= timedelta(days=1)

    assert add_working_days(start, days, ENGLAND) == add_working_days(last_working, days, ENGLAND)


@given(covered_days, st.integers(0, 500), periods, st.integers(0, 20))
def test_starting_later_or_counting_longer_never_ends_earlier(start: date, later: int, days: int, more: int) -> None:
    assert count(start + timedelta(days=later), days + more, ENGLAND).due_on >= count(start, days, ENGLAND).due_on


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(-240, 240))
def test_months_keep_the_day_or_clamp_to_the_end(start: date, months: int) -> None:
    end = add_months(start, months)

    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert end.day == start.day or (end.day < start.day and (end + timedelta(days=1)).day == 1)


def test_a_holiday_outside_the_span_is_refused() -> None:
    with pytest.raises(ValueError, match="widen the span"):
        Calendar("v", "0", dict(ENGLAND.holidays), date(2018, 1, 1), date(2027, 12, 31))


def test_an_event_at_night_falls_on_the_day_in_england_not_in_utc() -> None:
    assert london_date(datetime(2026, 5, 11, 23, 30, tzinfo=UTC)) == date(2026, 5, 12)  # 00:30 BST


@given(st.dates(date(1900, 1, 1), date(9998, 1, 1)), st.integers(0, 900))
@example(date(2017, 12, 25), 30)  # into the verified span
@example(date(2028, 12, 20), 30)  # and out of it
@example(date(2017, 6, 1), 4500)  # over all of it
def test_working_days_between_any_two_days_are_those_that_a_walk_finds(start: date, days: int) -> None:
    end = start + timedelta(days=days)

    walk = sum(is_working_day(start + timedelta(days=offset), ENGLAND) for offset in range(1, days + 1))
    assert working_days_between(start, end, ENGLAND) == walk
    assert working_days_between(end, start, ENGLAND) == -walk


def test_a_mistyped_year_is_counted_as_fast_as_any() -> None:
    """Whoever counts holds up everybody else: duties are counted in the loop that fires the timers of all cases."""
    started_s = process_time()

    assert working_days_between(date(2026, 11, 29), date(9998, 12, 20), ENGLAND) == 2_016_034
    assert working_days_between(date(2026, 11, 29), date(1900, 1, 1), ENGLAND) == -32_093
    assert process_time() - started_s < 0.1
