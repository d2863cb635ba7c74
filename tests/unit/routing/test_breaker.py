"""Pins the circuit breaker: it opens after failures in a row, probes with one request, and closes on an answer."""

from __future__ import annotations

from services.routing.dispatch.breaker import Breakers


def fail(breakers: Breakers, times: int, now_s: float = 0.0) -> None:
    for _ in range(times):
        breakers.started("panel")
        breakers.finished("panel", now_s, reached=False)


def test_failures_in_a_row_open_it_and_others_are_not_concerned() -> None:
    breakers = Breakers(failures_to_open=3, open_s=20)

    fail(breakers, 2)
    assert breakers.rooms(0) == {}
    fail(breakers, 1)

    assert breakers.rooms(19.9) == {"panel": 0}
    assert breakers.room("ofsted", 0) == breakers.cap


def test_after_a_while_one_probe_is_let_through_and_decides() -> None:
    breakers = Breakers(failures_to_open=1, open_s=20)
    fail(breakers, 1)

    assert breakers.rooms(20) == {"panel": 1}
    breakers.started("panel")
    assert breakers.rooms(20) == {"panel": 0}
    breakers.finished("panel", 21, reached=False)
    assert breakers.rooms(40) == {"panel": 0}
    breakers.started("panel")
    breakers.finished("panel", 41, reached=True)

    assert breakers.room("panel", 41) == breakers.cap


def test_an_answer_in_between_starts_the_count_again() -> None:
    breakers = Breakers(failures_to_open=2)
    fail(breakers, 1)
    breakers.started("panel")
    breakers.finished("panel", 0, reached=True)

    fail(breakers, 1)

    assert breakers.rooms(0) == {}


def test_one_recipient_never_gets_more_requests_at_once_than_its_cap() -> None:
    breakers = Breakers(cap=2)
    breakers.started("panel")
    assert breakers.rooms(0) == {"panel": 1}
    breakers.started("panel")

    assert breakers.rooms(0) == {"panel": 0}
