"""What a test run must stop and delete at its end: last started, first stopped.

pytest's last hook closes it (`tests/conftest.py`), because a worker of pytest-xdist that is slow to exit is killed. A program
that uses the same support outside pytest is covered by `atexit`.
"""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

ENDING = ExitStack()
GROUP_ENDING = ExitStack()
"""What is stopped already with the last test of a group that one process runs (`tests/conftest.py`): idle, it costs time."""

atexit.register(ENDING.close)


def folder_of_the_run(prefix: str) -> Path:
    """Return a new folder that is deleted at the end."""
    return Path(ENDING.enter_context(TemporaryDirectory(prefix=prefix)))
