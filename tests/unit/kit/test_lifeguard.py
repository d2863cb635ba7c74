"""When a process ends itself, judged look by look."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from services.kit import lifeguard as lifeguard_module
from services.kit.health import Health
from services.kit.lifeguard import DEAD, LOOKS, Lifeguard


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def ends() -> list[int]:
    return []


@pytest.fixture
def lifeguard(health: Health, ends: list[int]) -> Lifeguard:
    return Lifeguard(health, end=ends.append)


def dead() -> str:
    return "the task has ended"


def look(lifeguard: Lifeguard, times: int) -> None:
    for _ in range(times):
        lifeguard.look()


def test_a_process_that_stays_dead_is_ended(lifeguard: Lifeguard, health: Health, ends: list[int]) -> None:
    health.live["task relay"] = dead

    look(lifeguard, LOOKS - 1)
    assert ends == []
    look(lifeguard, 1)

    assert ends == [DEAD]


def test_a_process_that_was_frozen_has_time_to_show_that_it_lives(
    lifeguard: Lifeguard, health: Health, ends: list[int]
) -> None:
    health.live["loop x"] = dead
    look(lifeguard, LOOKS - 1)
    health.live["loop x"] = lambda: None
    look(lifeguard, 1)
    health.live["loop x"] = dead

    look(lifeguard, LOOKS - 1)

    assert ends == []


def test_a_consumer_that_waits_for_a_person_ends_no_process(
    lifeguard: Lifeguard, health: Health, ends: list[int]
) -> None:
    health.going["consumer x"] = lambda: "its topic was made again"

    look(lifeguard, LOOKS + 1)

    assert ends == []


def test_a_process_that_is_stopping_is_left_alone(lifeguard: Lifeguard, health: Health, ends: list[int]) -> None:
    health.live["task relay"] = dead
    health.stopping.set()

    lifeguard.run()  # returns

    assert ends == []


def test_a_process_whose_health_cannot_be_asked_is_ended(lifeguard: Lifeguard, health: Health, ends: list[int]) -> None:
    def fails() -> str:
        raise ZeroDivisionError

    health.live["consumer x"] = fails

    look(lifeguard, LOOKS)

    assert ends == [DEAD]


def test_a_process_that_cannot_even_say_so_is_ended(health: Health, monkeypatch: pytest.MonkeyPatch) -> None:
    may_write, ended = threading.Event(), threading.Event()
    monkeypatch.setattr(lifeguard_module, "SAYING_S", 0.01)
    monkeypatch.setattr(
        lifeguard_module, "_log", SimpleNamespace(critical=lambda *_args, **_fields: may_write.wait(60))
    )
    health.live["task relay"] = dead
    hangs = threading.Thread(target=look, args=(Lifeguard(health, end=lambda _code: ended.set()), LOOKS))

    hangs.start()

    assert ended.wait(60)
    assert hangs.is_alive(), "the line is not written yet"
    may_write.set()
    hangs.join()


def test_a_process_without_memory_for_another_thread_is_ended(
    lifeguard: Lifeguard, health: Health, ends: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Timer, "start", refused)
    health.live["task relay"] = dead

    look(lifeguard, LOOKS)

    assert ends == [DEAD]
