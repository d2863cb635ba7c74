"""Reads `coverage.md`: which row of the law is which rule, and why a row has none. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from services.routing.domain.rulebook.model import Rulebook

_ROW: Final = re.compile(r"^\| ([A-Z]-\d\d[A-Z]?) \|([^|]+)\|([^|]*)\|([^|]*)\|$")


@dataclass(frozen=True, slots=True)
class Row:
    """One duty, time limit, exclusion or step of the law, the rules that encode it, and why if there are none."""

    id: str
    rules: tuple[str, ...]
    why: str
    line: int


def read_coverage(text: str) -> tuple[Row, ...]:
    """Return the rows of the page, in order."""
    found = ((line, _ROW.match(words)) for line, words in enumerate(text.splitlines(), 1))
    return tuple(
        Row(row[1], tuple(filter(None, row[3].strip().split(", "))), row[4].strip(), line) for line, row in found if row
    )


def gaps(rows: Sequence[Row], book: Rulebook, file: str) -> Iterator[str]:
    """Yield what the page and a rulebook do not say of each other."""
    known = {rule.id for rule in book.rules}
    for row in rows:
        for rule in row.rules:
            if rule not in known:
                yield f"{file}, line {row.line}: {row.id} names rule {rule}, which {book.version} does not have"
        if not row.rules and not row.why:
            yield f"{file}, line {row.line}: {row.id} names no rule and does not say why"
    for rule in sorted(known - {rule for row in rows for rule in row.rules}):
        yield f"{file}: no row of the law names rule {rule}"
