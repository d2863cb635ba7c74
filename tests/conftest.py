"""What holds for every test: properties are not timed, files stay together, long layers start first, nothing outlives the run.

`python -m tests.run` runs the tests in several processes (pytest-xdist). Tests of one file go to one process, and so do all
that look at the one played demo, because it is started once in a process. Each process tells the first one what it ran on.
"""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.support.ending import ENDING
from tests.support.stack import stack

settings.register_profile("handrail", deadline=None)
settings.load_profile("handrail")

LONGEST_FIRST = ("e2e", "integration", "contract")
ON_THE_PLAYED_DEMO = (
    "tests/e2e/test_story.py",
    "tests/e2e/test_command_line.py",
    "tests/e2e/test_docs.py",
    "tests/e2e/pages/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests together that share what is slow to start, and start with those that take longest."""
    for item in items:
        file = item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group("demo" if file.startswith(ON_THE_PLAYED_DEMO) else file))
    items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> int:
    layer = nodeid.split("/")[1]
    return LONGEST_FIRST.index(layer) if layer in LONGEST_FIRST else len(LONGEST_FIRST)


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Remember what was left out, for the process that judges the run."""
    items[0].config.stash.setdefault(DESELECTED, []).extend(item.nodeid for item in items)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell what this process ran on, then stop it."""
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["ran_on"] = stack().description if stack.cache_info().currsize else None
        told["deselected"] = session.config.stash.get(DESELECTED, [])
    ENDING.close()


DESELECTED = pytest.StashKey[list[str]]()
