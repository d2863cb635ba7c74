"""A port that is chosen for a server stays free until the server binds it."""

from __future__ import annotations

import socket
from pathlib import Path

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
        monkeypatch.setattr(process, "_NEVER_GIVEN", [port, free])

        with pytest.raises(PortTaken):
            choose_port("a server", port)
        assert {choose_port("a server", None) for _ in range(20)} == {free}
