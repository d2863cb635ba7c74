"""Each bench of the Makefile has its script and its row of results."""

from __future__ import annotations

import re

import pytest

from tests.support.repository import ROOT, python_files

TARGETS = dict(
    re.findall(
        r"^(bench-[a-z]+): setup ## .+\n\t@\$\(BIN\)/python -m (benchmarks\.[a-z]+)$",
        (ROOT / "Makefile").read_text(),
        re.MULTILINE,
    )
)
ROWS = re.findall(
    r"^\| `make (bench-[a-z]+)` \|[^|]+\|[^|]+\|[^|]+\|$",
    (ROOT / "benchmarks" / "results.md").read_text(),
    re.MULTILINE,
)


def test_every_bench_of_the_makefile_is_seen_here() -> None:
    assert list(TARGETS) == re.findall(r"^(bench[^:]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("target", TARGETS)
def test_each_bench_has_a_script_that_is_committed(target: str) -> None:
    path = TARGETS[target].replace(".", "/") + ".py"

    assert path in map(str, python_files("benchmarks"))
    assert target.removeprefix("bench-") == TARGETS[target].removeprefix("benchmarks.")


def test_each_bench_has_one_row_of_results() -> None:
    assert sorted(ROWS) == sorted(TARGETS)
