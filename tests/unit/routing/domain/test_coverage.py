"""`rulebooks/coverage.md` says of each row of the law what encodes it, and leaves out no rule."""

from __future__ import annotations

import re

from tests.support.rulebooks import FOLDER, england

ROW = re.compile(r"^\| ([A-Z]-\d\d[A-Z]?) \|([^|]+)\|([^|]*)\|([^|]*)\|$", re.MULTILINE)
ROWS = [tuple(part.strip() for part in found) for found in ROW.findall((FOLDER / "coverage.md").read_text("utf-8"))]
LAW = {
    "N": ["01", "02", "03", "04", "04D", "05", "06", "06H", "06X", "06P", "07", "08", "09", *map(str, range(10, 20))],
    "R": [f"{number:02}" for number in range(1, 12)],
    "L": [f"{number:02}" for number in range(1, 7)],
    "P": [f"{number:02}" for number in range(1, 8)],
    "A": ["01", "02", "03"],
    "X": ["01", "02"],
    "S": ["01", "02"],
    "H": [f"{number:02}" for number in range(1, 6)],
    "O": ["01", "02", "03"],
    "C": ["01"],
    "E": ["01", "02"],
}
LOCAL = ["N-20", "N-21", "N-22", "R-12", "R-13", "A-04", "A-05"]


def test_every_row_of_the_law_is_there_once() -> None:
    law = [f"{letter}-{number}" for letter, numbers in LAW.items() for number in numbers]

    assert [row[0] for row in ROWS] == law + LOCAL


def test_each_row_names_rules_that_exist_or_says_why_there_is_none() -> None:
    rules = set(england().rules)

    assert [row for row in ROWS if not set(filter(None, row[2].split(", "))) <= rules] == []
    assert [row[0] for row in ROWS if not row[2] and not row[3]] == []


def test_no_rule_is_without_a_row() -> None:
    named = {rule for row in ROWS for rule in row[2].split(", ")}

    assert set(england().rules) - named == set()
