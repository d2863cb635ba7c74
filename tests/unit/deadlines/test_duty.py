"""How a duty changes: dated again, closed, opened again, and how late it was met."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from schemas.calendar import end_of_day, load_england
from services.deadlines.domain.duty import Dating, closed, opened, redated, working_days_late
from tests.support.deadlines import NOON, dating, duty

ENGLAND = load_england()
FRIDAY = date(2026, 11, 6)


@pytest.mark.parametrize(
    ("met_on", "late"),
    [
        (date(2026, 11, 5), 0),
        (FRIDAY, 0),  # on the due day: in time
        (date(2026, 11, 7), 1),  # Saturday: late, although no working day lies between
        (date(2026, 11, 9), 1),  # Mon 9
        (date(2026, 11, 12), 4),  # Mon 9, Tue 10, Wed 11, Thu 12
    ],
)
def test_lateness_is_counted_in_working_days_and_never_rounded_down_to_in_time(met_on: date, late: int) -> None:
    assert working_days_late(FRIDAY, met_on, ENGLAND) == late


def test_a_new_date_begins_a_new_generation() -> None:
    moved = redated(duty(), dating(FRIDAY), "the day of awareness was corrected", NOON, ENGLAND)

    assert (moved.generation, moved.dating.due_on) == (2, FRIDAY)


def test_a_closed_duty_is_not_closed_alike() -> None:
    met = closed(duty(), "met", "the reference was recorded", at=NOON, met_on=FRIDAY)

    assert closed(met, "met", "told again", at=NOON + timedelta(days=1), met_on=FRIDAY) is met


def test_a_withdrawn_duty_that_is_met_after_all_is_in_time_or_late_by_the_date_that_it_has_then() -> None:
    withdrawn = closed(duty(), "withdrawn", "decided not to notify", at=NOON)

    moved = redated(withdrawn, dating(FRIDAY), "the day of awareness was corrected", NOON, ENGLAND)
    met = closed(moved, "met", "the reference was recorded", at=NOON, met_on=FRIDAY)

    assert moved == replace(withdrawn, dating=dating(FRIDAY), generation=2)
    assert (met.dating.due_on, met.met_on) == (FRIDAY, FRIDAY)


@pytest.mark.parametrize(("due_on", "generation"), [(date(2026, 10, 30), 2), (date(2026, 11, 9), 1)])
def test_a_met_duty_that_counts_from_another_day_stays_met_and_is_told_with_its_day(
    due_on: date, generation: int
) -> None:
    """Its generation goes on only with another due date: a breach of the one that stands was told of it."""
    known = duty(due_on=date(2026, 11, 9))
    met = closed(known, "met", "the reference was recorded", at=NOON, met_on=FRIDAY)

    moved = redated(met, dating(due_on), "the day of awareness was corrected", NOON, ENGLAND)
    again = closed(moved, "met", met.reason, at=NOON + timedelta(days=1), met_on=FRIDAY)

    assert (moved.state, moved.met_on) == ("met", None)
    assert again == replace(met, dating=dating(due_on), generation=generation)


def test_a_duty_that_was_met_on_another_day_says_so_and_was_closed_when_it_was_first_told() -> None:
    met = closed(duty(), "met", "the reference was recorded", at=NOON, met_on=FRIDAY)

    again = closed(met, "met", met.reason, at=NOON + timedelta(days=9), met_on=date(2026, 11, 12))

    assert again == replace(met, met_on=date(2026, 11, 12))


def test_a_closed_duty_may_be_closed_otherwise() -> None:
    later, last = NOON + timedelta(days=4), NOON + timedelta(days=5)
    withdrawn = closed(duty(), "withdrawn", "decided not to notify", at=NOON)

    met = closed(withdrawn, "met", "notified after all", at=later, met_on=later.date())
    again = closed(met, "withdrawn", "the notification was withdrawn", at=last)

    assert (met.state, met.generation, met.closed_at, met.met_on) == ("met", 1, later, later.date())
    assert (again.state, again.reason, again.closed_at, again.met_on) == (
        "withdrawn",
        "the notification was withdrawn",
        last,
        None,
    )


def test_a_duty_that_is_opened_again_goes_on_with_the_next_generation() -> None:
    withdrawn = closed(duty(), "withdrawn", "decided not to notify", at=NOON)

    again = opened(duty(), withdrawn, NOON, ENGLAND)

    assert (again.state, again.generation, again.closed_at) == ("open", 2, None)


STANDS = dating(FRIDAY, date(2026, 10, 30))
STRICTER = replace(STANDS, warn_on=date(2026, 11, 4))
LONGER = dating(FRIDAY, date(2026, 10, 16), 15)  # 15 working days to the same day
OVER = end_of_day(FRIDAY)


@pytest.mark.parametrize(
    ("new", "now", "generation"),
    [
        (STANDS, NOON, 1),
        (replace(STANDS, calendar="2027.1.0", provisional=True), NOON, 1),
        (STRICTER, NOON, 2),  # to be warned of
        (STRICTER, OVER - timedelta(seconds=1), 2),
        (STRICTER, OVER, 1),  # it is overdue already
        (LONGER, NOON, 2),  # to be reminded of earlier
        (LONGER, OVER, 1),
        (dating(date(2026, 11, 9), date(2026, 11, 2)), OVER, 2),
        (dating(FRIDAY, date(2026, 10, 31)), NOON, 1),  # counted from the Saturday: on the same days
        (dating(None), NOON, 2),
    ],
)
def test_an_open_duty_begins_a_new_generation_only_if_there_is_something_new_to_tell(
    new: Dating, now: datetime, generation: int
) -> None:
    known = replace(duty(), dating=STANDS, reason="the day of awareness was corrected")

    again = opened(replace(duty(), dating=new, recipients=("ofsted",), opened_at=now), known, now, ENGLAND)
    moved = redated(known, new, "counted otherwise", now, ENGLAND)

    assert (again.generation, again.recipients, again.dating) == (generation, ("ofsted",), new)
    assert (moved.generation, moved.dating) == (generation, new)
    if generation == known.generation:
        assert (again.opened_at, again.reason) == (known.opened_at, known.reason)


def test_an_undated_duty_that_is_opened_again_waits_on() -> None:
    assert opened(duty(due_on=None), duty(due_on=None), NOON, ENGLAND).generation == 1
