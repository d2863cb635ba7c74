"""How a duty changes: dated again, closed once, opened again, and how late it was met."""

from datetime import date, timedelta

import pytest

from schemas.calendar import load_england
from services.deadlines.domain.duty import closed, opened, redated, working_days_late
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
    moved = redated(duty(), dating(FRIDAY), "the day of awareness was corrected")

    assert (moved.generation, moved.dating.due_on) == (2, FRIDAY)


def test_the_first_closing_counts_and_a_closed_duty_is_not_dated_again() -> None:
    met = closed(duty(), "met", "the reference was recorded", at=NOON, met_on=FRIDAY)

    assert closed(met, "withdrawn", "too late", at=NOON + timedelta(days=1)) is met
    assert redated(met, dating(FRIDAY), "too late") is met


def test_a_duty_that_is_opened_again_goes_on_with_the_next_generation() -> None:
    withdrawn = closed(duty(), "withdrawn", "decided not to notify", at=NOON)

    again = opened(duty(), withdrawn)

    assert (again.state, again.generation, again.closed_at) == ("open", 2, None)
