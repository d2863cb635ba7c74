"""What a test run must stop and delete at its end: last started, first stopped.

pytest's last hook closes it (`tests/conftest.py`), because a worker of pytest-xdist that is slow to exit is killed. A program
that uses the same support outside pytest is covered by `atexit`.
"""

from __future__ import annotations

import atexit
from contextlib import ExitStack

ENDING = ExitStack()
atexit.register(ENDING.close)
