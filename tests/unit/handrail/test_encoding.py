"""Pins that the command line speaks in any locale."""

from __future__ import annotations

import io
import sys

import pytest
import typer

from handrail.cli import main as command_line


def test_a_terminal_that_lacks_a_character_is_told_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin-1", write_through=True))
    monkeypatch.setattr(command_line, "app", lambda _arguments: typer.echo("→ The Panel · 6 March"))

    command_line.main()

    assert written.getvalue().decode("latin-1") == "? The Panel · 6 March\n"
