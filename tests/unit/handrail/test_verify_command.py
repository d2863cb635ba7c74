"""`handrail verify` says by its exit code whether the log is wrong, or could not be read."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from handrail.cli import verify as command
from handrail.verify import Head, Report

HEAD = Head("log.example/test", 1, b"", "")


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (Report(HEAD, 1, ["entry 0: wrong"]), 1),
        (Report(None, 0, ["http://127.0.0.1:9 does not answer"]), 2),
    ],
)
def test_a_wrong_log_and_one_that_cannot_be_read_are_told_apart(
    report: Report, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "log.pub"
    key.write_bytes(b"")
    audit = SimpleNamespace(base_url="http://127.0.0.1:9", token=None)
    monkeypatch.setattr(command, "find_running", lambda _: SimpleNamespace(web=lambda _: audit, log_public_key=key))
    monkeypatch.setattr(command, "verify_log", lambda *_: report)

    with pytest.raises(typer.Exit) as ended:
        command.verify()

    assert ended.value.exit_code == code
