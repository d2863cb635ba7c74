"""`docs/reference/source-pages.md` has every statement of the five area pages, and points at what is there."""

from __future__ import annotations

import re

import pytest

from tests.support.docs import ROOT, Document
from tests.support.source_pages import COLUMNS, There, faults, routes, tables, there

PAGE = ROOT / "docs" / "reference" / "source-pages.md"
# How many statements each page was found to make, counted with the page beside the table. The pages are not part of the repository.
STATEMENTS = {"Leeds": 65, "Barnsley": 68, "Halton": 32, "Wandsworth": 44, "Sutton": 17}

GOOD = """
## Leeds
| id | what the page says | rule | event | page | shown by | what is missing |
|---|---|---|---|---|---|---|
| LEEDS-01 | the Panel is told | N-01 | `la.became_aware.v1` | `/rules/N-01`, `/case/<key>` | `rulebooks/scenarios/at-02-leeds.yaml` |  |
| LEEDS-02 | it promptly reviews | R-01 |  | `/desk` | `tests/unit/docs/test_source_pages.py::test_a_row_without_fault_passes` | not yet: needs `N-97` |

## Sutton
| id | what the page says | rule | event | page | shown by | what is missing |
|---|---|---|---|---|---|---|
| SUTTON-01 | why it is done |  |  |  |  | context only: nothing to do |
"""
FEW = {"Leeds": 2, "Sutton": 1}
EXISTS = There(
    {"N-01", "N-02", "R-01"}, {"la.became_aware.v1"}, {"/rules/N-01", "/case/<key>", "/desk", "/areas/leeds"}
)


def test_the_page_is_complete_and_nothing_in_it_dangles() -> None:
    assert faults(PAGE.read_text("utf-8"), STATEMENTS, there()) == []


def test_a_row_without_fault_passes() -> None:
    assert faults(GOOD, FEW, EXISTS) == []


@pytest.mark.parametrize(
    ("good", "bad", "fault"),
    [
        ("| LEEDS-02 |", "| LEEDS-03 |", "Leeds: expected 2 rows in order, got 2"),
        ("| LEEDS-02 |", "| LEEDS-01 |", "Leeds: expected 2 rows in order, got 2"),
        ("| SUTTON-01 |", "| LEEDS-03 |", "Sutton: expected 1 rows in order, got 1"),
        ("## Sutton", "Sutton", "expected the areas Leeds, Sutton, got Leeds"),
        (" |  |\n| LEEDS-02", " |\n| LEEDS-02", "LEEDS-01: expected 7 cells, got 6"),
        ("it promptly reviews", "", "LEEDS-02: says nothing"),
        ("| N-01 |", "| N-99 |", "LEEDS-01: no rule N-99"),
        ("| N-01 |", "| N-02 |", "LEEDS-01: no test or scenario of the row names N-02"),
        ("`la.became_aware.v1`", "`la.became_awake.v1`", "LEEDS-01: no event la.became_awake.v1"),
        ("`/rules/N-01`", "`/rules/N-99`", "LEEDS-01: no page /rules/N-99"),
        ("`/case/<key>`", "`/cases/<key>`", "LEEDS-01: no page /cases/<key>"),
        ("at-02-leeds.yaml", "at-99-leeds.yaml", "LEEDS-01: no test or scenario rulebooks/scenarios/at-99-leeds.yaml"),
        ("`rulebooks/scenarios/at-02-leeds.yaml`", "`README.md`", "LEEDS-01: no test or scenario README.md"),
        ("`rulebooks/scenarios/at-02-leeds.yaml`", "", "LEEDS-01: nothing shows it"),
        ("::test_a_row", "::test_no_row", "LEEDS-02: no test tests/unit/docs/test_source_pages.py::test_no_row"),
        ("not yet: needs `N-97`", "not yet:", "LEEDS-02: expected `not yet: ...` or `context only: ...`"),
        ("not yet: needs", "later: needs", "LEEDS-02: expected `not yet: ...` or `context only: ...`"),
        ("needs `N-97`", "needs `N-02`", "LEEDS-02: says that N-02 is missing, but it is there"),
        ("needs `N-97`", "needs `/areas/leeds`", "LEEDS-02: says that /areas/leeds is missing, but it is there"),
        ("not yet: needs", "context only: needs", "LEEDS-02: is context only and points at something"),
        ("context only: nothing to do", "", "SUTTON-01: points at nothing and gives no reason"),
    ],
)
def test_a_planted_fault_is_found(good: str, bad: str, fault: str) -> None:
    assert good in GOOD

    found = faults(GOOD.replace(good, bad, 1), FEW, EXISTS)

    assert [each for each in found if each.startswith(fault)], found


@pytest.mark.parametrize("area", STATEMENTS)
def test_a_row_that_is_dropped_is_missed_in_each_table(area: str) -> None:
    lines = PAGE.read_text("utf-8").splitlines(keepends=True)
    last = max(place for place, line in enumerate(lines) if line.startswith(f"| {area.upper()}-"))

    found = faults("".join(lines[:last] + lines[last + 1 :]), STATEMENTS, there())

    assert found == [f"{area}: expected {STATEMENTS[area]} rows in order, got {STATEMENTS[area] - 1}, first slip None"]


def test_every_line_of_a_table_is_read() -> None:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if re.match(r"\| [A-Z]+-\d", line)]

    assert len(lines) == sum(map(len, tables(PAGE.read_text("utf-8")).values())) == sum(STATEMENTS.values())
    assert all(len(cells) == len(COLUMNS) for table in tables(PAGE.read_text("utf-8")).values() for cells in table)


def test_the_pages_of_every_service_that_has_some_are_known() -> None:
    assert {"/case/{case_key}", "/rules/{identifier}", "/areas/{name}", "/desk", "/log", "/receipts"} <= set(routes())


def test_the_page_and_each_area_are_reached_from_the_readme() -> None:
    readme = Document(ROOT / "README.md")

    assert "docs/reference/source-pages.md" in {link.target for link in readme.links()}
    assert [area for area in STATEMENTS if f"/areas/{area.lower()}" not in readme.text] == []
