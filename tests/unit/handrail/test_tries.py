"""How long whoever gives wrong passwords has to wait."""

from __future__ import annotations

from handrail.front.tries import FREE, LONGEST_S, MOST, Tries


class Clock:
    """A clock that stands still until it is moved; in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_the_wait_doubles_with_each_wrong_try_up_to_a_minute() -> None:
    tries, waits = Tries(Clock()), []
    for _ in range(FREE + 8):
        tries.was_wrong("ada")
        waits.append(tries.wait_s("ada"))

    assert waits == [*[0.0] * (FREE - 1), 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_wait_is_over_after_its_time_and_nobody_else_has_to_wait() -> None:
    clock = Clock()
    tries = Tries(clock)
    for _ in range(FREE + 20):
        tries.was_wrong("ada")
    others = tries.wait_s("otto")
    clock.now = LONGEST_S

    assert (others, tries.wait_s("ada")) == (0.0, 0.0)


def test_the_right_password_makes_the_wrong_ones_before_it_be_forgotten() -> None:
    tries = Tries(Clock())
    for _ in range(FREE - 1):
        tries.was_wrong("ada")
    tries.was_right("ada")
    tries.was_wrong("ada")

    assert tries.wait_s("ada") == 0.0


def test_of_no_more_than_so_many_the_wrong_tries_are_kept() -> None:
    tries = Tries(Clock())
    for _ in range(FREE):
        tries.was_wrong("ada")
    for number in range(MOST):
        tries.was_wrong(number)

    assert tries.wait_s("ada") == 0.0
