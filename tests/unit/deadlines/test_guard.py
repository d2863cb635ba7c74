"""The clock guard: a clock that steps without a logged move fires nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from services.deadlines.domain.guard import Tick, behind, distrust

LEGAL = datetime(2026, 11, 2, 9, tzinfo=UTC)
WITNESS = datetime(2026, 11, 2, 8, 59, 59, tzinfo=UTC)  # the two clocks need not agree, only go alike
HOUR = 3600
WEEK = 7 * 24 * HOUR
BEFORE = Tick(LEGAL, WITNESS, 0)


def later(legal_s: float, witness_s: float, logged_s: int) -> Tick:
    """Return the tick after `BEFORE` in which each clock has gone so many seconds, of which so many were logged."""
    return Tick(LEGAL + timedelta(seconds=legal_s), WITNESS + timedelta(seconds=witness_s), logged_s)


@pytest.mark.parametrize(
    ("legal_s", "witness_s", "logged_s", "trusted"),
    [
        (5, 5, 0, True),
        (-2, 5, 0, True),  # back by 2 s: within the tolerance
        (-2.1, 5, 0, False),  # back by more than 2 s
        (HOUR + 5, 5, 0, True),  # ahead of the witness by 1 h
        (HOUR + 6, 5, 0, False),  # ahead by 1 h and 1 s
        (WEEK, WEEK, 0, True),  # an outage: the witness saw the week pass
        (WEEK, 5, 0, False),  # a leap
        (WEEK + 5, 5, WEEK, True),  # a logged move
        (-WEEK + 5, 5, -WEEK, True),  # a logged move back
        (5, -2 * HOUR, 0, True),  # the tick before was another machine's, whose wall clock is ahead: no time ran back
        (HOUR + 1, -2 * HOUR, 0, False),  # whatever has passed, it was less than an hour before
        (5, 5, WEEK, False),  # logged, but the clock did not move: it lags behind the log by a week
    ],
)
def test_a_step_that_nobody_logged_is_not_trusted(
    legal_s: float, witness_s: float, logged_s: int, *, trusted: bool
) -> None:
    assert (distrust(BEFORE, later(legal_s, witness_s, logged_s)) is None) is trusted


def test_the_reason_says_by_how_much() -> None:
    assert distrust(BEFORE, later(-30, 0, 0)) == "The legal clock went back by 30 seconds and no move was logged."


@pytest.mark.parametrize(
    ("legal_s", "witness_s", "logged_s", "trusted"),
    [
        (0, 2 * HOUR, 0, False),  # back by two hours, and two hours later: it shows again what it showed last
        (5 * HOUR, 7 * HOUR, 0, False),
        (7 * HOUR, 7 * HOUR, 0, True),  # somebody put it right
        (HOUR - 300, HOUR, 0, True),  # a time server's own step
        (HOUR - 301, HOUR, 0, False),
        (5 * HOUR, 7 * HOUR, -2 * HOUR, True),  # it was logged after all
    ],
)
def test_a_clock_that_went_back_is_not_right_again_by_growing_older(
    legal_s: float, witness_s: float, logged_s: int, *, trusted: bool
) -> None:
    assert (behind(BEFORE, later(legal_s, witness_s, logged_s)) is None) is trusted
