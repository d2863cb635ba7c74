"""Pins how `handrail demo --check` ends where it is told to."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from handrail.cli import demo


def test_sigterm_ends_a_check_in_good_order(monkeypatch: pytest.MonkeyPatch) -> None:
    left_in_order = []

    @contextmanager
    def told_to_end(_console: object, _data: object) -> Iterator[object]:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            yield object()
        finally:
            left_in_order.append(True)

    monkeypatch.setattr(demo, "_installation", told_to_end)
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # else a check that does not listen ends the tests
    try:
        with pytest.raises(KeyboardInterrupt):
            demo.demo(check=True)
    finally:
        signal.signal(signal.SIGTERM, before)

    assert left_in_order == [True]
