"""A port that is chosen for a server stays free until the server binds it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from handrail.embedded import process
from handrail.embedded.errors import PortTaken
from handrail.embedded.process import LOOPBACK, choose_port

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")  # Linux; others begin at 49152


def test_no_connection_that_is_opened_meanwhile_can_get_the_port() -> None:
    first = int(RANGE.read_text().split()[0]) if RANGE.exists() else 49_152

    assert max(choose_port("a server", None) for _ in range(500)) < first


def test_a_port_on_which_somebody_listens_is_refused_and_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((LOOPBACK, choose_port("a server", None))) as server:
        port = server.getsockname()[1]
        free = choose_port("a server", None)
        monkeypatch.setattr(process, "_drawn", set())
        monkeypatch.setattr(process, "_NEVER_GIVEN", [*[port] * 20, free])

        with pytest.raises(PortTaken):
            choose_port("a server", port)
        assert choose_port("a server", None) == free


def test_no_port_is_drawn_twice_by_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation draws all its ports before the first is bound."""
    first, second = _next_draws_are_twice_the_first_of_two(monkeypatch)

    assert [choose_port("a service", None), choose_port("another", None)] == [first, second]


def test_no_port_is_drawn_that_another_process_has_drawn_and_not_bound_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = _next_draws_are_twice_the_first_of_two(monkeypatch)
    draw = f"from handrail.embedded import process; print(process._draw({first}), flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", draw], stdin=PIPE, stdout=PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "True\n"

        assert choose_port("a service", None) == second
        other.communicate("\n")
    assert choose_port("a service", None) == first


def test_ports_are_drawn_where_the_file_of_draws_cannot_be_opened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / f"handrail-ports-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    process._draws.cache_clear()
    try:
        assert len({choose_port("a service", None) for _ in range(20)}) == 20
        assert not (tmp_path / "elsewhere").exists()
    finally:
        process._draws.cache_clear()


def _next_draws_are_twice_the_first_of_two(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return two free ports, given back, which the next draws of this process try: first, first, second, first."""
    free = [choose_port("a service", None) for _ in range(2)]
    if (opened := process._draws()) is not None:
        os.close(opened)
    process._draws.cache_clear()
    process._drawn.clear()
    draws = iter([free[0], free[0], free[1], free[0]])
    monkeypatch.setattr("random.choice", lambda _: next(draws))
    return free
