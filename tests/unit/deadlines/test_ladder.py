"""The ladder: when a person is told about a due date. All dates are England dates; 09:00 in London unless said."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.calendar import add_working_days, end_of_day, load_england, london_date, working_days_between
from services.deadlines.domain.ladder import ladder

ENGLAND = load_england()
STARTS = st.dates(date(2018, 1, 1), date(2028, 11, 1))
LENGTHS = st.integers(1, 20)


def _told(due_on: date, length: int, warn_on: date | None = None) -> list[tuple[str, int, str]]:
    return [
        (rung.kind, rung.days_left, f"{rung.due_at:%Y-%m-%dT%H:%MZ}")
        for rung in ladder(due_on, length, warn_on, ENGLAND)
    ]


@pytest.mark.parametrize(
    ("due_on", "length", "expected"),
    [
        (  # 5 working days after Mon 23 Mar 2026 end Mon 30 Mar; clocks change on Sun 29 Mar, so 09:00 is 08:00Z after it
            date(2026, 3, 30),
            5,
            [
                ("soon", 3, "2026-03-25T09:00Z"),  # Wed 25: Thu 26, Fri 27, Mon 30 left
                ("soon", 1, "2026-03-27T09:00Z"),  # Fri 27: Mon 30 left
                ("soon", 0, "2026-03-30T08:00Z"),
                ("breach", -1, "2026-03-30T23:00Z"),  # midnight in London in summer
            ],
        ),
        (  # 5 working days after Wed 23 Dec 2026: 24, 29, 30, 31, Mon 4 Jan (25 and 28 Dec, 1 Jan are holidays)
            date(2027, 1, 4),
            5,
            [
                ("soon", 3, "2026-12-29T09:00Z"),  # Tue 29: 30, 31, 4 left
                ("soon", 1, "2026-12-31T09:00Z"),
                ("soon", 0, "2027-01-04T09:00Z"),
                ("breach", -1, "2027-01-05T00:00Z"),
            ],
        ),
        (  # 15 working days after Mon 4 Jan 2027 end Mon 25 Jan: told on working days 5, 10, 14 and 15
            date(2027, 1, 25),
            15,
            [
                ("soon", 10, "2027-01-11T09:00Z"),  # Mon 11: 4 in that week, 5 in the next, Mon 25
                ("soon", 5, "2027-01-18T09:00Z"),
                ("soon", 1, "2027-01-22T09:00Z"),
                ("soon", 0, "2027-01-25T09:00Z"),
                ("breach", -1, "2027-01-26T00:00Z"),
            ],
        ),
        (  # a question: 1 working day after Fri 20 Nov 2026 is Mon 23 Nov
            date(2026, 11, 23),
            1,
            [("soon", 0, "2026-11-23T09:00Z"), ("breach", -1, "2026-11-24T00:00Z")],
        ),
        (  # due on Sat 28 Feb 2026 (a month period): told on the last working day before it, breached after the Saturday
            date(2026, 2, 28),
            2,
            [("soon", 0, "2026-02-27T09:00Z"), ("breach", -1, "2026-03-01T00:00Z")],
        ),
    ],
)
def test_people_are_told_by_working_days_left(due_on: date, length: int, expected: list[tuple[str, int, str]]) -> None:
    assert _told(due_on, length) == expected


def test_the_strictest_reading_is_told_as_a_warning_on_its_own_day() -> None:
    told = _told(date(2026, 6, 12), 5, warn_on=date(2026, 6, 10))  # Fri 12 and Wed 10 June; summer: 09:00 is 08:00Z

    assert ("warn", 2, "2026-06-10T08:00Z") in told  # Thu 11, Fri 12 left
    assert [kind for kind, _, _ in told] == ["soon", "warn", "soon", "soon", "breach"]


def test_a_warning_on_the_day_of_another_rung_or_on_the_due_day_is_not_told_twice() -> None:
    same_day_as_one_left = _told(date(2026, 6, 12), 5, warn_on=date(2026, 6, 11))
    same_as_due = _told(date(2026, 6, 12), 5, warn_on=date(2026, 6, 12))

    assert same_day_as_one_left == same_as_due == _told(date(2026, 6, 12), 5)


@given(STARTS, LENGTHS)
def test_every_rung_lies_after_the_start_and_before_the_breach_at_the_end_of_the_due_day(
    start_on: date, length: int
) -> None:
    due_on = add_working_days(start_on, length, ENGLAND)

    *steps, breach = ladder(due_on, length, None, ENGLAND)

    assert breach.due_at == end_of_day(due_on)
    assert steps[-1].due_at < breach.due_at
    assert [step.due_at for step in steps] == sorted({step.due_at for step in steps})
    for step in steps:
        day = london_date(step.due_at)
        assert day > start_on
        assert working_days_between(day, due_on, ENGLAND) == step.days_left


@given(STARTS, LENGTHS, st.integers(0, 20))
def test_the_instants_do_not_depend_on_where_the_strict_reading_lies(start_on: date, length: int, earlier: int) -> None:
    due_on = add_working_days(start_on, length, ENGLAND)

    with_warning = ladder(due_on, length, due_on - timedelta(days=earlier), ENGLAND)

    assert [rung for rung in with_warning if rung.kind != "warn"] == list(ladder(due_on, length, None, ENGLAND))
    assert sum(rung.kind == "warn" for rung in with_warning) <= 1


def test_a_ladder_beyond_the_verified_calendar_still_stands() -> None:
    told = ladder(date(2031, 1, 3), 5, None, ENGLAND)  # Fri 3 Jan 2031; 1 Jan is a holiday by the usual rule

    assert told[0].due_at == datetime(2030, 12, 30, 9, tzinfo=UTC)  # Mon 30: 31, 2, 3 left
