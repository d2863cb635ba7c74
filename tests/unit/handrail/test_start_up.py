"""Pins that a command starts without what only a few commands need: each is waited for by a person."""

from __future__ import annotations

import subprocess
import sys

SLOW = {"sqlalchemy", "alembic", "fastapi", "pydantic", "aiohttp", "aiokafka", "faststream"}


def loaded(module: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter holds after one import."""
    program = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(ended.stdout.split())


def test_the_command_line_loads_no_database_toolkit_web_framework_or_message_schema() -> None:
    assert loaded("handrail.cli.main") & SLOW == set()


def test_what_needs_the_database_toolkit_loads_it() -> None:
    assert {"sqlalchemy", "pydantic"} <= loaded("services.kit.database, pydantic")
