"""Which tests belong together, because they share what is slow to start: those of one file, and all on the played demo."""

from __future__ import annotations

ON_THE_PLAYED_DEMO = (
    "tests/e2e/test_story.py",
    "tests/e2e/test_command_line.py",
    "tests/e2e/test_docs.py",
    "tests/e2e/test_operating.py",
    "tests/e2e/pages/",
)


def group_of(nodeid: str) -> str:
    """Return the group of a test by its id: `demo`, or its file."""
    file = nodeid.partition("::")[0]
    return "demo" if file.startswith(ON_THE_PLAYED_DEMO) else file
