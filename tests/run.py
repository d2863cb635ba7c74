"""Run every test, say what they ran on, and refuse to call a thinned-out run green: `python -m tests.run [pytest args]`.

The tests run in three processes: a machine has at least two cores, and the tests wait for a third of their time. A run
passes only if nothing was skipped, deselected or expected to fail, and if each layer has at least as many tests as
`tests/minimum.yaml` says. With arguments of its own (a path, `-k`), it is a plain pytest run in one process.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.chromium import ChromiumMissingError, chromium
from tests.support.groups import group_of

TESTS = Path(__file__).parent
MINIMUM = TESTS / "minimum.yaml"
PROCESSES = ("--numprocesses=3", "--dist=loadscope", "--no-loadscope-reorder")


class Layers:
    """Counts what ran, by layer: the first folder below `tests/`; and remembers what it ran on."""

    def __init__(self) -> None:
        self.ran: Counter[str] = Counter()
        self.not_run: list[str] = []
        self.ran_on: list[str] = []
        self.processes: defaultdict[str, set[str]] = defaultdict(set)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one phase of one test."""
        if report.when == "call" and report.outcome != "skipped":
            self.ran[layer(report.nodeid)] += 1
            self.processes[group_of(report.nodeid)].add(getattr(report, "worker_id", ""))
        if report.outcome == "skipped" or hasattr(report, "wasxfail"):
            self.not_run.append(report.nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take in what a process tells at its end (`tests/conftest.py`); one that crashed tells nothing."""
        told = getattr(node, "workeroutput", {})
        self.not_run += told.get("deselected", [])
        if told.get("ran_on"):
            self.ran_on.append(told["ran_on"])

    def problems(self, minimum: dict[str, int]) -> list[str]:
        """Return one sentence for each thing that keeps the run from being a whole one."""
        split = [(name, len(ids)) for name, ids in self.processes.items() if len(ids) > 1]
        return [
            *shortfalls(self.ran, minimum),
            *(f"not run: {nodeid}" for nodeid in self.not_run),
            *(f"ran in {count} processes, not in one: {name}" for name, count in split),
        ]


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
    try:
        chromium()
    except ChromiumMissingError as missing:
        print(f"handrail: {missing}", file=sys.stderr)  # noqa: T201
        return 1
    return judged_run([*PROCESSES, "-q", str(TESTS)], yaml.safe_load(MINIMUM.read_text()))


def judged_run(arguments: list[str], minimum: dict[str, int]) -> int:
    """Run pytest, print what ran and on what, and return 0 only for a whole green run."""
    layers = Layers()
    code = int(pytest.main(arguments, plugins=[layers]))
    for place in layers.ran_on:
        print(f"Ran on {place}")  # noqa: T201
    for name, count in sorted(layers.ran.items()):
        print(f"  {name:<14} {count:>5} tests")  # noqa: T201
    problems = layers.problems(minimum)
    print("\n".join(problems) or "Nothing was skipped, deselected or expected to fail.")  # noqa: T201
    return code or (1 if problems else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
