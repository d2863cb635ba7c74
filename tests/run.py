"""Run every test, say what they ran on, and refuse to call a thinned-out run green: `python -m tests.run [pytest args]`.

A run passes only if nothing was skipped, deselected or expected to fail, and if each layer has at least as many tests
as `tests/minimum.yaml` says. With arguments of its own (a path, `-k`), it is a plain pytest run.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.support.chromium import chromium
from tests.support.stack import stack

TESTS = Path(__file__).parent
MINIMUM = TESTS / "minimum.yaml"


class Layers:
    """Counts what ran, by layer: the first folder below `tests/`."""

    def __init__(self) -> None:
        self.ran: Counter[str] = Counter()
        self.not_run: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one phase of one test."""
        if report.when == "call" and report.outcome != "skipped":
            self.ran[layer(report.nodeid)] += 1
        if report.outcome == "skipped" or hasattr(report, "wasxfail"):
            self.not_run.append(report.nodeid)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Remember what was left out."""
        self.not_run += [item.nodeid for item in items]


def layer(nodeid: str) -> str:
    """Return the layer of a test, for example `unit`."""
    return nodeid.split("/")[1]


def shortfalls(ran: Counter[str], minimum: dict[str, int]) -> list[str]:
    """Return one sentence for each layer with fewer tests than are committed."""
    return [
        f"{name}: {ran[name]} tests ran, at least {least} are committed (tests/minimum.yaml)"
        for name, least in minimum.items()
        if ran[name] < least
    ]


def main(arguments: list[str]) -> int:
    """Run the tests and judge the run."""
    if arguments:
        return int(pytest.main(arguments))
    chromium()
    layers = Layers()
    code = int(pytest.main(["-q", str(TESTS)], plugins=[layers]))
    print(f"Ran on {stack().description}")  # noqa: T201
    for name, count in sorted(layers.ran.items()):
        print(f"  {name:<14} {count:>5} tests")  # noqa: T201
    problems = shortfalls(layers.ran, yaml.safe_load(MINIMUM.read_text()))
    problems += [f"not run: {nodeid}" for nodeid in layers.not_run]
    print("\n".join(problems) or "Nothing was skipped, deselected or expected to fail.")  # noqa: T201
    return code or (1 if problems else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
