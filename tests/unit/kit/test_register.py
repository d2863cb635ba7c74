"""A service that keeps what is reported starts also where the register cannot be read, and says so."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from services.kit.clock import SystemClock
from tests.support.kit_http import bare_runtime


@pytest.mark.parametrize("content", [None, b"areas: [", b"\xff", b"- areas"])
def test_without_a_register_a_service_starts_and_each_body_stands_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    register = tmp_path / "register" / "areas.yaml"
    register.parent.mkdir()
    if content is not None:
        register.write_bytes(content)
    monkeypatch.setenv("HANDRAIL_RULEBOOKS", str(tmp_path))

    runtime = bare_runtime(tmp_path / "key.pem", SystemClock())

    assert runtime.bodies.in_place_of("ccg:sutton", date(2026, 6, 10)) == "ccg:sutton"
    (line,) = "".join(capfd.readouterr()).splitlines()
    assert "register.unreadable" in line
    assert "error" in line
