"""How long whoever gives wrong passwords has to wait."""

from __future__ import annotations

import tracemalloc

from handrail.front.tries import FREE, LONGEST_S, MOST, Tries


class Clock:
    """A clock that stands still until it is moved; in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_the_wait_doubles_with_each_wrong_try_up_to_a_minute() -> None:
    clock, waits = Clock(), list[float]()
    tries = Tries(clock)
    for _ in range(FREE + 8):
        assert tries.begin("ada") == 0.0
        waits.append(tries.begin("ada") if len(waits) >= FREE - 1 else 0.0)
        clock.now += waits[-1]

    assert waits == [*[0.0] * (FREE - 1), 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_try_a_minute_for_some_days_waits_a_minute_each() -> None:
    clock = Clock()
    tries = Tries(clock)
    for _ in range(5_000):
        assert tries.begin("ada") == 0.0
        clock.now += LONGEST_S
    tries.begin("ada")

    assert tries.begin("ada") == LONGEST_S


def test_of_many_tries_at_once_no_more_are_made_than_one_after_the_other() -> None:
    tries = Tries(Clock())

    begun = [tries.begin("ada") for _ in range(FREE + 20)]

    assert begun == [*[0.0] * FREE, *[1.0] * 20]


def test_a_wait_is_over_after_its_time_and_nobody_else_has_to_wait() -> None:
    clock = Clock()
    tries = Tries(clock)
    for _ in range(FREE + 20):
        tries.begin("ada")
    others = tries.begin("otto")
    clock.now = LONGEST_S

    assert (others, tries.begin("ada")) == (0.0, 0.0)


def test_the_right_password_makes_the_wrong_ones_before_it_be_forgotten() -> None:
    tries = Tries(Clock())
    for _ in range(FREE):
        tries.begin("ada")
    tries.was_right("ada")

    assert [tries.begin("ada") for _ in range(FREE)] == [0.0] * FREE


def test_of_no_more_than_so_many_the_wrong_tries_are_kept() -> None:
    tries = Tries(Clock())
    for _ in range(FREE):
        tries.begin("ada")
    for number in range(MOST):
        tries.begin(number)

    assert tries.begin("ada") == 0.0


def test_of_a_name_of_any_length_little_is_kept() -> None:
    tries = Tries(Clock())
    tracemalloc.start()
    for number in range(20):
        tries.begin((f"{number}" + "x" * 1_000_000, "192.0.2.1"))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert kept < 100_000
