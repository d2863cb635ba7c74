"""The fixture that runs `handrail rules`."""

from __future__ import annotations

import sys

import pytest

from handrail.cli import main as command_line
from tests.support.rules_command import Ran, Rules


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rules:
    """Give a function that runs `handrail rules` with arguments."""

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["handrail", "rules", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            command_line.main()
        told = capsys.readouterr()
        return Ran(int(end.value.code or 0), told.out, told.err)

    return run
