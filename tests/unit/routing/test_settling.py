"""Pins what an answer leads to: whether the notice may have arrived, and what is published of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from schemas.deliveries import NoticeAttempted, NoticeWithdrawn
from services.routing.dispatch.rows import Claimed
from services.routing.dispatch.sender import Answer
from services.routing.dispatch.settling import NO_ADDRESS, Attempt, messages, settle

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def claimed(**changes: Any) -> Claimed:
    given: dict[str, Any] = {
        "delivery_id": UUID(int=1),
        "kind": "notice",
        "notice_id": UUID(int=1),
        "obligation_id": UUID(int=2),
        "case_key": "a" * 32,
        "rule": "N-11",
        "recipient": "la:E08000035",
        "profile": "thin",
        "revision": 1,
        "attempt": 1,
        "nth": 1,
        "lease_epoch": 1,
        "next_at": NOW,
        "due_by": None,
        "due_since": NOW,
        "person_told": False,
        "granted_at": NOW,
        "payload": {},
        "obligation": None,
        "statements": [],
    }
    return Claimed(**given | changes)


@pytest.mark.parametrize(
    ("http_status", "maybe"),
    [(None, True), (200, True), (302, False), (403, False), (404, False), (429, False), (500, True), (504, True)],
)
def test_a_notice_may_have_arrived_unless_the_answer_says_that_it_was_turned_away(
    *, http_status: int | None, maybe: bool
) -> None:
    found = settle(Attempt(claimed(), Answer(http_status, problem="no receipt")), NOW, 0.5)

    assert found.maybe_arrived == maybe


@pytest.mark.parametrize("http_status", [403, 503])
@pytest.mark.parametrize("state", ["withdrawn", "accepted", "awaiting_release"])
def test_nobody_is_told_of_a_failure_to_send_what_need_not_be_sent_any_more(state: str, http_status: int) -> None:
    attempt = Attempt(claimed(), Answer(http_status, problem="no receipt"))

    assert messages(attempt, settle(attempt, NOW, 0.5), state, NOW) == []


def test_nobody_reads_that_a_notice_is_not_tried_again_which_was_released_again_while_it_was_on_its_way() -> None:
    attempt = Attempt(claimed(), Answer(403, problem="answered 403"))

    assert messages(attempt, settle(attempt, NOW, 0.5), "due", NOW) == []


def test_a_failure_to_send_what_still_stands_is_published() -> None:
    attempt = Attempt(claimed(), Answer(403, problem="answered 403"))
    [message] = messages(attempt, settle(attempt, NOW, 0.5), "refused", NOW)

    assert isinstance(message, NoticeAttempted)
    assert message.data.outcome == "refused"
    assert message.data.reason == "answered 403; it is not tried again until a person says so"


@pytest.mark.parametrize(("attempt", "said"), [(1, []), (2, [NoticeWithdrawn])])
def test_a_withdrawal_that_is_taken_is_said_only_if_a_person_may_have_been_told_that_it_failed(
    attempt: int, said: list[type]
) -> None:
    taken = Attempt(claimed(kind="withdrawal", attempt=attempt), Answer(200, reference="LSCP-1"))

    found = messages(taken, settle(taken, NOW, 0.5), "delivered", NOW)

    assert [type(each) for each in found] == said
    assert all(isinstance(each, NoticeWithdrawn) and each.data.taken for each in found)


@pytest.mark.parametrize("kind", ["notice", "withdrawal"])
def test_what_is_said_of_an_attempt_says_what_was_tried(kind: str) -> None:
    attempt = Attempt(claimed(kind=kind), Answer(403))

    [message] = messages(attempt, settle(attempt, NOW, 0.5), "refused", NOW)

    assert isinstance(message, NoticeAttempted)
    assert message.data.of == kind


def test_of_what_has_no_address_a_person_reads_what_it_waits_for() -> None:
    attempt = Attempt(claimed(), Answer(None), NO_ADDRESS)
    [message] = messages(attempt, settle(attempt, NOW, 0.5), "refused", NOW)

    assert isinstance(message, NoticeAttempted)
    assert message.data.reason == f"not sent: {NO_ADDRESS}; it is sent once there is one"


@pytest.mark.parametrize(
    ("since", "due_by", "retry_after_s", "still"),
    [
        (NOW, NOW + timedelta(hours=14), 86_400, "the next try comes only after it is due; it is still being tried"),
        (
            NOW - timedelta(hours=14),
            NOW + timedelta(hours=1),
            None,
            "half of the time until it is due is gone; it is still being tried",
        ),
        (NOW - timedelta(hours=1), NOW, None, "it is overdue; it is still being tried"),
        (NOW, NOW - timedelta(hours=1), 86_400, "it is overdue; it is still being tried"),
        (NOW - timedelta(days=1), None, None, "it has been tried for a day; it is still being tried"),
    ],
)
def test_a_person_reads_why_they_must_act_on_what_is_still_being_tried(
    since: datetime, due_by: datetime | None, retry_after_s: float | None, still: str
) -> None:
    answer = Answer(503, problem="answered 503", retry_after_s=retry_after_s)
    attempt = Attempt(claimed(due_since=since, due_by=due_by), answer)
    [message] = messages(attempt, settle(attempt, NOW, 0.5), "due", NOW)

    assert isinstance(message, NoticeAttempted)
    assert (message.data.outcome, message.data.reason) == ("refused", f"answered 503; {still}")


@pytest.mark.parametrize(("retry_after_s", "waits"), [(None, timedelta(hours=9)), (86_400, timedelta(days=1))])
def test_what_fails_goes_on_as_soon_as_may_be_once_something_waits_behind_it(
    retry_after_s: float | None, waits: timedelta
) -> None:
    answer = Answer(503, problem="no receipt", retry_after_s=retry_after_s)
    unhurried, hurried = (settle(Attempt(claimed(nth=8, hurried=each), answer), NOW, 0.9) for each in (False, True))

    assert (unhurried.next_at, hurried.next_at) == (NOW + waits, NOW + timedelta(seconds=1))


def test_what_a_person_sends_again_after_many_attempts_waits_as_shortly_as_at_first() -> None:
    failed = Attempt(claimed(attempt=9, nth=1), Answer(503, problem="no receipt"))

    assert settle(failed, NOW, 0.9).next_at == NOW + timedelta(seconds=4.5)  # of five at most, by the draw
