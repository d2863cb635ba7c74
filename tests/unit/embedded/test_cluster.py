"""Pins how long the administration waits for a cluster to show what it accepted: as long as it gets on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest

from handrail.embedded.cluster import wait_to_show
from handrail.embedded.errors import EmbeddedError


@dataclass
class Slow:
    """A cluster on a clock of its own: what it lacks at each look, and how long a look takes."""

    missing: Iterator[int]
    look_s: float
    now_s: float = 0.0
    looks: int = 0
    pauses: list[float] = field(default_factory=list)

    def look(self) -> int:
        self.now_s += self.look_s
        self.looks += 1
        return next(self.missing)

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.pauses.append(seconds)


def wait(missing: Iterable[int], look_s: float) -> Slow:
    cluster = Slow(iter(missing), look_s)
    wait_to_show("users", cluster.look, clock=lambda: cluster.now_s, sleep=cluster.sleep)
    return cluster


def forever(number: int) -> Iterator[int]:
    while True:
        yield number


def test_what_is_there_already_is_not_waited_for() -> None:
    assert wait([0], 1.0).pauses == []


def test_a_cluster_that_gets_on_is_waited_for_however_slow_it_is() -> None:
    assert wait([4, 3, 2, 1, 0], 100.0).now_s > 500  # 5 looks of 100 s; more than one standstill allows


def test_a_cluster_that_stands_still_is_given_up_and_the_line_says_how_much_is_missing() -> None:
    with pytest.raises(EmbeddedError, match="accepted the users but for 120 seconds has not shown 2 of them"):
        wait(forever(2), 1.0)


def test_a_cluster_that_shows_less_again_has_not_got_on() -> None:
    with pytest.raises(EmbeddedError):
        wait((1 + number % 2 for number in range(10_000)), 61.0)


def test_the_cluster_is_looked_at_less_and_less_often() -> None:
    cluster = Slow(forever(1), 0.0)

    with pytest.raises(EmbeddedError):
        wait_to_show("users", cluster.look, clock=lambda: cluster.now_s, sleep=cluster.sleep)

    assert cluster.pauses[0] == 0.02
    assert cluster.pauses[-1] == 0.5
    assert cluster.looks < 260  # 120 s / 0.5 s, and the short pauses at the beginning
