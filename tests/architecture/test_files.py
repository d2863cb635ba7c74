"""Every file can be read in one sitting, says what it is, and stands alone."""

from __future__ import annotations

import ast
import re
from pathlib import PurePosixPath

import pytest

from tests.support.repository import ROOT, committed, python_files

SOURCE = ("handrail", "services", "schemas", "deploy", "benchmarks")
GENERATED = ("services/kit/ui/static/app.css", "requirements.lock")
# A folder of the machine where this was written: the project stands alone.
FOREIGN = re.compile(r"(?<![\w.}/-])/(home|Users|work)/\w")


def lines_of(path: str) -> int:
    return len((ROOT / path).read_text().splitlines())


@pytest.mark.parametrize(("folders", "limit"), [(SOURCE, 400), (("tests",), 500)])
def test_no_file_is_longer_than_one_sitting(folders: tuple[str, ...], limit: int) -> None:
    too_long = {str(path): lines_of(str(path)) for path in python_files(*folders) if lines_of(str(path)) > limit}

    assert not too_long


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path)
        for path in python_files(*SOURCE, "tests")
        if not ast.get_docstring(ast.parse((ROOT / path).read_text()))
    ]

    assert not silent


def test_a_folder_of_a_machine_is_found_and_an_address_is_not() -> None:
    assert FOREIGN.search(f"see {PurePosixPath('/', 'home', 'somebody')}")
    assert not FOREIGN.search("https://handrail.example/work/1")


def test_nothing_committed_names_a_folder_of_a_machine() -> None:
    named = []
    for path in committed():
        if path.suffix in {".png", ".bin"}:
            continue
        if FOREIGN.search((ROOT / path).read_text(errors="replace")):
            named.append(str(path))

    assert not named


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    drawers = [
        str(path)
        for path in python_files(*SOURCE)
        if path.stem in {"utils", "helpers", "common", "misc", "manager", "app"} and path.parts[0] != "deploy"
    ]

    assert not drawers
