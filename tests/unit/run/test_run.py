"""Pins what `python -m tests.run` calls green: each way to thin out a run makes it fail, in several processes too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.run import PROCESSES, Layers
from tests.support.repository import ROOT

GREEN = "def test_one() -> None: pass\n"
SKIPPED = 'import pytest\n@pytest.mark.skip(reason="no")\ndef test_two() -> None: pass\n'
EXPECTED_TO_FAIL = "import pytest\n@pytest.mark.xfail\ndef test_two() -> None: assert False\n"
EXPECTED_BUT_PASSES = "import pytest\n@pytest.mark.xfail(strict=False)\ndef test_two() -> None: pass\n"
FAILING = "def test_two() -> None: assert False\n"
LEFT_OUT = """
def pytest_collection_modifyitems(config, items):
    config.hook.pytest_deselected(items=items[1:])
    del items[1:]
"""
SCRIPT = """
import sys
from tests.run import judged_run
sys.exit(judged_run(["-q", "-p", "no:cacheprovider", "-p", "tests.conftest", *sys.argv[1:], "tests"], {"unit": 1}))
"""


def run(folder: Path, *processes: str, **files: str) -> subprocess.CompletedProcess[str]:
    unit = folder / "tests" / "unit"
    unit.mkdir(parents=True)
    for name, content in files.items():
        (unit / f"{name}.py").write_text(content)
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *processes],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_whole_run_is_green_and_says_how_many_tests_of_each_layer_there_were(tmp_path: Path) -> None:
    done = run(tmp_path, *PROCESSES, test_a=GREEN)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "unit               1 tests" in done.stdout
    assert "Nothing was skipped, deselected or expected to fail." in done.stdout


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (SKIPPED, "not run: tests/unit/test_b.py::test_two"),
        (EXPECTED_TO_FAIL, "not run: tests/unit/test_b.py::test_two"),
        (EXPECTED_BUT_PASSES, "not run: tests/unit/test_b.py::test_two"),
        (FAILING, "1 failed"),
    ],
    ids=["skipped", "expected to fail", "expected to fail, but passes", "failing"],
)
def test_a_test_that_did_not_pass_makes_the_run_fail(tmp_path: Path, second: str, said: str) -> None:
    done = run(tmp_path, test_a=GREEN, test_b=second)

    assert done.returncode == 1
    assert said in done.stdout


def test_a_test_that_was_left_out_makes_the_run_fail(tmp_path: Path) -> None:
    done = run(tmp_path, *PROCESSES, conftest=LEFT_OUT, test_a=GREEN, test_b=FAILING)

    assert done.returncode == 1
    assert "not run: tests/unit/test_b.py::test_two" in done.stdout


def test_the_tests_of_one_file_go_to_one_process(tmp_path: Path) -> None:
    many = "import pytest\n@pytest.mark.parametrize('n', range(40))\ndef test_many(n) -> None: pass\n"
    done = run(tmp_path, *PROCESSES, test_a=many, test_b=many)

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_file_that_is_split_over_processes_makes_the_run_fail() -> None:
    layers = Layers()
    for worker in ("gw0", "gw1"):
        report = pytest.TestReport("tests/unit/test_a.py::test_many", ("", None, ""), {}, "passed", None, "call")
        vars(report)["worker_id"] = worker  # as pytest-xdist does
        layers.pytest_runtest_logreport(report)

    assert layers.problems({}) == ["ran in 2 processes, not in one: tests/unit/test_a.py"]


def test_fewer_tests_than_are_committed_make_the_run_fail(tmp_path: Path) -> None:
    done = run(tmp_path, conftest="")

    assert done.returncode != 0
    assert "unit: 0 tests ran, at least 1 are committed (tests/minimum.yaml)" in done.stdout


def test_without_a_browser_the_run_says_in_one_line_what_to_install(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.run"],
        cwd=ROOT,
        env={"HANDRAIL_CHROMIUM": str(tmp_path / "nothing"), "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 1
    assert done.stderr == (
        "handrail: Chromium is needed to test the pages: install the package `chromium`, "
        "or set HANDRAIL_CHROMIUM to its path.\n"
    )
