"""The desk's groups and its words about time left."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.calendar import load_england
from services.deadlines.domain.ladder import ladder
from services.deadlines.domain.standing import GROUPS, days_left, group_of, grouped
from services.deadlines.domain.words import left_words
from tests.support.deadlines import duty

ENGLAND = load_england()
NOWS = st.datetimes(datetime(2018, 1, 1), datetime(2028, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001 (Hypothesis adds the zone)
FRIDAY = date(2026, 11, 6)


@pytest.mark.parametrize(
    ("due_on", "now", "group", "words"),
    [
        (FRIDAY, "2026-11-02T12:00", "later", "4 working days left"),  # Mon: Tue, Wed, Thu, Fri
        (FRIDAY, "2026-11-03T12:00", "later", "3 working days left"),
        (FRIDAY, "2026-11-04T00:00", "soon", "2 working days left"),  # Wed: Thu, Fri
        (FRIDAY, "2026-11-05T12:00", "soon", "1 working day left"),
        (FRIDAY, "2026-11-06T23:59", "soon", "due today"),
        (FRIDAY, "2026-11-07T00:00", "overdue", "1 working day overdue"),  # Saturday: late, no working day passed
        (FRIDAY, "2026-11-09T12:00", "overdue", "1 working day overdue"),  # Mon 9
        (FRIDAY, "2026-11-10T12:00", "overdue", "2 working days overdue"),  # Mon 9, Tue 10
        (date(2026, 11, 8), "2026-11-07T12:00", "soon", "no working day left"),  # due on a Sunday, today Saturday
        (date(2026, 6, 8), "2026-06-08T22:59", "soon", "due today"),  # summer: 23:59 in London
        (date(2026, 6, 8), "2026-06-08T23:00", "overdue", "1 working day overdue"),  # summer: midnight in London
        (None, "2026-11-02T12:00", "undated", "no date yet"),
    ],
)
def test_a_duty_stands_in_the_group_and_words_of_its_date(
    due_on: date | None, now: str, group: str, words: str
) -> None:
    instant = datetime.fromisoformat(now).replace(tzinfo=UTC)

    assert group_of(due_on, instant, ENGLAND) == group
    assert left_words(due_on, instant, ENGLAND) == words


@given(st.lists(st.one_of(st.none(), st.dates(date(2018, 1, 1), date(2028, 12, 31))), max_size=30), NOWS)
def test_groups_hold_each_duty_once_and_equal_the_engine_s_answer(dues: list[date | None], now: datetime) -> None:
    duties = [duty(number, due_on) for number, due_on in enumerate(dues)]

    found = grouped(duties, now, ENGLAND)

    assert tuple(found) == GROUPS
    assert sorted(item.duty_id for items in found.values() for item in items) == [item.duty_id for item in duties]
    for group, items in found.items():
        assert [item.dating.due_on or date.max for item in items] == sorted(
            item.dating.due_on or date.max for item in items
        )
        for item in items:
            due_on = item.dating.due_on
            breached = due_on is not None and ladder(due_on, 5, None, ENGLAND)[-1].due_at <= now
            assert (group == "overdue") is breached
            assert (group == "undated") is (due_on is None)


@given(st.dates(date(2018, 1, 1), date(2028, 12, 1)), NOWS)
def test_days_left_only_fall_as_time_passes(due_on: date, now: datetime) -> None:
    later = days_left(due_on, now + timedelta(hours=20), ENGLAND)

    assert later <= days_left(due_on, now, ENGLAND)
