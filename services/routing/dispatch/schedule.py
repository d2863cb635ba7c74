"""When to try a delivery again, and when a person must be told. Pure: values in, a `RetryDecision` out.

The schedule follows the example of Standard Webhooks with full jitter, but never waits through the legal due date: a
wait is at most half of what is left, and after the due date at most `LATE_S`. Times are legal-clock times.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

DELAYS_S: Final = (5.0, 30.0, 120.0, 600.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)
"""Longest wait after the first, second ... failed attempt; the last one repeats."""
SHORTEST_S: Final = 1.0
LATE_S: Final = 1_800.0
UNDATED: Final = timedelta(days=1)
"""After how long a person is told of what fails and has no date: a withdrawal, or a notice whose clock has not started."""
LONGEST_RETRY_AFTER_S: Final = 86_400.0
FINAL_STATUSES_FROM, FINAL_STATUSES_TO = 400, 499
WORTH_TRYING_AGAIN: Final = frozenset({408, 409, 425, 429})


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """What follows a failed attempt. `next_at` None: not tried again until a person says so."""

    next_at: datetime | None
    person_must_act: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt: its number from 1 since the waiting began, the answer's status (None: no answer), and Retry-After."""

    nth: int
    http_status: int | None
    retry_after_s: float | None = None


def is_final(http_status: int | None) -> bool:
    """Say whether an answer means that trying again is of no use: 4xx, but those that ask to come back."""
    return (
        http_status is not None
        and FINAL_STATUSES_FROM <= http_status <= FINAL_STATUSES_TO
        and http_status not in WORTH_TRYING_AGAIN
    )


def after_failure(
    failure: Failure,
    *,
    now: datetime,
    due_since: datetime,
    due_by: datetime | None,
    jitter: float,
    delays_s: tuple[float, ...] = DELAYS_S,
) -> RetryDecision:
    """Decide what follows a failed attempt.

    Args:
        failure: The attempt.
        now: Legal clock.
        due_since: When the notice could first be sent.
        due_by: First instant at which it is late; None when no date is known.
        jitter: A draw from [0, 1).
        delays_s: Longest waits after the first, second ... attempt.
    """
    if is_final(failure.http_status):
        return RetryDecision(next_at=None, person_must_act=True)
    wait_s = max(delays_s[min(failure.nth, len(delays_s)) - 1] * jitter, min(SHORTEST_S, *delays_s))
    if due_by is not None:
        left_s = (due_by - now).total_seconds()
        wait_s = min(wait_s, max(left_s / 2, SHORTEST_S) if left_s > 0 else LATE_S)
    if failure.retry_after_s is not None:  # the recipient knows best, even past the due date: the person is told
        wait_s = max(wait_s, min(failure.retry_after_s, LONGEST_RETRY_AFTER_S))
    next_at = now + timedelta(seconds=wait_s)
    waits_past = due_by is not None and next_at >= due_by  # by the next failure it would be late
    return RetryDecision(next_at, person_must_act=waits_past or half_gone(now, due_since, due_by))


def half_gone(now: datetime, due_since: datetime, due_by: datetime | None) -> bool:
    """Say whether half of the time between being sendable and being late has passed; of what has no date, a day."""
    return now - due_since >= (UNDATED if due_by is None else (due_by - due_since) / 2)


def retry_after_s(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for; its date form is rare and not used here."""
    if header is None or not (header.isascii() and header.isdigit()):
        return None
    return float(header)
