"""What holds for every test: properties are not timed, files stay together, long layers start first, nothing outlives the run.

`python -m tests.run` runs the tests in several processes (pytest-xdist). Tests of one file go to one process, and so do all
that look at the one played demo, because it is started once in a process. Each process tells the first one what it ran on.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from tests.support.ending import ENDING, GROUP_ENDING
from tests.support.groups import group_of
from tests.support.stack import stack

# The same examples in each run: whoever changes a page does not have to mend a property. `make test-properties` looks for others.
settings.register_profile("handrail", deadline=None, derandomize=True)
settings.register_profile("exploring", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HANDRAIL_PROPERTIES", "handrail"))

LONGEST_FIRST = ("tests/e2e/", "tests/integration/faults/", "tests/integration/", "tests/contract/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the tests that take longest."""
    items.sort(key=lambda item: _rank(item.nodeid))


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Gives each group of tests to one process.

    pytest-xdist's own marker for that (`xdist_group`) has no effect under pytest 9.2, which no longer reads what it sets.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByGroup:
    """Keep tests together that share what is slow to start."""
    return ByGroup(config, log)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Stop what only this group of tests looked at."""
    if nextitem is None or group_of(nextitem.nodeid) != group_of(item.nodeid):
        GROUP_ENDING.close()


def _rank(nodeid: str) -> int:
    return next((rank for rank, start in enumerate(LONGEST_FIRST) if nodeid.startswith(start)), len(LONGEST_FIRST))


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
