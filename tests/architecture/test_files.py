"""Every file can be read in one sitting, says what it is, and stands alone."""

from __future__ import annotations

import ast
import re

import pytest

from tests.support.repository import ROOT, committed, python_files

SOURCE = ("handrail", "services", "schemas", "deploy", "benchmarks")
GENERATED = ("services/kit/ui/static/app.css", "requirements.lock")
# Hosts of package registries and words of the place where this was written: the project stands alone.
FOREIGN = re.compile(
    r"pypi\.org|pythonhosted|repo1?\.maven|registry\.npmjs|proxy\.golang|deb\.debian|/work/(main|shared|plan)",
    re.IGNORECASE,
)


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


def test_nothing_committed_names_a_registry_or_a_machine() -> None:
    named = []
    for path in committed():
        if path.suffix in {".png", ".bin"} or str(path) == "tests/architecture/test_files.py":
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
