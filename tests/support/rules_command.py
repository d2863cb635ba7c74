"""`handrail rules` as a person runs it, in this process: what it prints, what it complains of, and its exit code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import yaml

from services.routing.law import FOLDER, texts_of

FILE: Final = FOLDER / "england" / "2026.11.0.yaml"
_NATIONAL, *_LOCAL = (yaml.safe_load(each.text) for each in texts_of(FILE))
_RULES: Final = [rule for each in (_NATIONAL, *_LOCAL) for rule in each["rules"]]
_CHAPTERS: Final = [rule["id"].partition("-")[0] for rule in _RULES]
BOOK: Final[dict[str, Any]] = {
    **_NATIONAL,
    "rules": [
        rule for chapter in dict.fromkeys(_CHAPTERS) for rule in _RULES if rule["id"].partition("-")[0] == chapter
    ],
}
"""The national rulebook with the rules of its overlays, each chapter's local ones behind its national ones."""


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Return what it printed, line by line, without the spaces at the ends."""
        return [line.strip() for line in self.out.splitlines()]


Rules = Callable[..., Ran]


def conditions(node: Any) -> int:
    """Return how many conditions a `when` of the file has, those of definitions included."""
    match node:
        case {"all of": parts} | {"any of": parts} | {"none of": parts}:
            return 1 + sum(map(conditions, parts))
        case {"meets": name}:
            return 1 + conditions(BOOK["definitions"][name]["when"])
        case _:
            return 1
