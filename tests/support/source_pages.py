"""`docs/reference/source-pages.md` as data, what its rows may point at, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Final

from schemas.submissions import SUBMISSIONS
from tests.support.repository import ROOT, committed, python_files
from tests.support.rulebooks import england, register

COLUMNS: Final = ("id", "what the page says", "rule", "event", "page", "shown by", "what is missing")
EVIDENCE: Final = ("tests/", "rulebooks/scenarios/")
_TABLE = re.compile(r"^## (?P<area>\w+)$(?P<body>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_MISSING = re.compile(r"(not yet|context only): \S")
_NAMED = re.compile(r"`([^`]+)`")
_PAGE_MODULE = "APIRouter(include_in_schema=False)"  # pages are what stands in no OpenAPI document
_PAGE = re.compile(r'@router\.get\("([^"]+)"')
_PARAMETER = re.compile(r"\{\w+\}")


@dataclass(frozen=True, slots=True)
class Row:
    """One statement of a page; `missing` is empty when all of it is done."""

    id: str
    says: str
    rules: tuple[str, ...]
    events: tuple[str, ...]
    pages: tuple[str, ...]
    shown_by: tuple[str, ...]
    missing: str

    @property
    def targets(self) -> tuple[str, ...]:
        """What the row points at, but for what shows it."""
        return self.rules + self.events + self.pages


@dataclass(frozen=True, slots=True)
class There:
    """What exists: rules, events that may be reported, and pages, each with every value that its address may take."""

    rules: AbstractSet[str]
    events: AbstractSet[str]
    pages: AbstractSet[str]

    @property
    def everything(self) -> AbstractSet[str]:
        """All of it."""
        return self.rules | self.events | self.pages


@cache
def there() -> There:
    """Return what the newest rulebook, the schemas, the register and the services' routes have."""
    rules, events = frozenset(england().rules), frozenset(SUBMISSIONS)
    values = {
        "{identifier}": rules,
        "{name}": {area.name.lower() for area in register().areas.values()},
        "{kind}": events,
        "{type_}": events,
        "{case_key}": {"<key>"},
        "{receipt_id}": {"<receipt>"},
        "{index}": {"<entry>"},
    }
    return There(rules, events, frozenset(page for route in routes() for page in _filled(route, values)))


def routes() -> tuple[str, ...]:
    """Return the address of every page that a service serves, as its route says it."""
    modules = ((ROOT / path).read_text("utf-8") for path in python_files("services"))
    return tuple(route for module in modules if _PAGE_MODULE in module for route in _PAGE.findall(module))


def _filled(route: str, values: Mapping[str, AbstractSet[str]]) -> Iterator[str]:
    parameters = _PARAMETER.findall(route)
    for chosen in product(*(values[each] for each in parameters)):
        page = route
        for parameter, value in zip(parameters, chosen, strict=True):
            page = page.replace(parameter, value)
        yield page


def tables(text: str) -> dict[str, list[list[str]]]:
    """Return the lines of each area's table, cell by cell, without its heading."""
    return {found["area"]: list(_lines(found["body"])) for found in _TABLE.finditer(text)}


def _lines(body: str) -> Iterator[list[str]]:
    for line in body.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        ruled = not set(line) - set("|-")
        if line.startswith("|") and not ruled and cells != [*COLUMNS]:
            yield cells


def faults(text: str, statements: Mapping[str, int], exists: There) -> list[str]:
    """Return a sentence for each thing that is wrong with the page `text`.

    Args:
        text: The page, a table under the heading of each area.
        statements: How many statements the page of each area has, by the area's name, in the page's order.
        exists: What a row may point at.
    """
    found = tables(text)
    wrong = [] if [*found] == [*statements] else [f"expected the areas {', '.join(statements)}, got {', '.join(found)}"]
    for area, lines in found.items():
        expected = [f"{area.upper()}-{number:02}" for number in range(1, statements.get(area, 0) + 1)]
        if (got := [cells[0] for cells in lines]) != expected:
            slip = next((pair for pair in zip(got, expected, strict=False) if pair[0] != pair[1]), None)
            wrong.append(f"{area}: expected {len(expected)} rows in order, got {len(got)}, first slip {slip}")
        for cells in lines:
            if len(cells) != len(COLUMNS):
                wrong.append(f"{cells[0]}: expected {len(COLUMNS)} cells, got {len(cells)}")
            else:
                wrong += [f"{cells[0]}: {each}" for each in _faults_of(_row(cells), exists)]
    return wrong


def _row(cells: list[str]) -> Row:
    identifier, says, rules, events, pages, shown_by, missing = cells
    return Row(identifier, says, _names(rules), _names(events), _names(pages), _names(shown_by), missing)


def _names(cell: str) -> tuple[str, ...]:
    return tuple(each.strip().strip("`") for each in cell.split(",")) if cell else ()


def _faults_of(row: Row, exists: There) -> Iterator[str]:
    if not row.says:
        yield "says nothing"
    yield from (f"no rule {each}" for each in row.rules if each not in exists.rules)
    yield from (f"no event {each}" for each in row.events if each not in exists.events)
    yield from (f"no page {each}" for each in row.pages if each not in exists.pages)
    yield from _evidence_faults(row)
    if row.missing and not _MISSING.match(row.missing):
        yield f"expected `not yet: ...` or `context only: ...`, got {row.missing}"
    if not row.missing and not row.targets:
        yield "points at nothing and gives no reason"
    if row.missing.startswith("context only") and (row.targets or row.shown_by):
        yield "is context only and points at something"
    yield from (
        f"says that {each} is missing, but it is there"
        for each in _NAMED.findall(row.missing)
        if each in exists.everything
    )


def _evidence_faults(row: Row) -> Iterator[str]:
    """Yield what is wrong with the scenarios and tests of a row: a file or a test that is gone, a rule that none of them names."""
    if row.targets and not row.shown_by:
        yield "nothing shows it"
    named = ""
    for each in row.shown_by:
        path, _, test = each.partition("::")
        if not path.startswith(EVIDENCE) or path not in _files():
            yield f"no test or scenario {path}"
            continue
        content = (ROOT / path).read_text("utf-8")
        named += content
        if test and f"def {test}(" not in content:
            yield f"no test {each}"
    for rule in row.rules:
        if not re.search(rf"(?<![\w-]){rule}(?![\w-])", named):
            yield f"no test or scenario of the row names {rule}"


@cache
def _files() -> frozenset[str]:
    return frozenset(map(str, committed()))
