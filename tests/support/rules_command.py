"""`handrail rules` as a person runs it, in this process: what it prints, what it complains of, and its exit code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import yaml

from services.routing.law import FOLDER

FILE: Final = FOLDER / "england" / "2026.11.0.yaml"
BOOK: Final[dict[str, Any]] = yaml.safe_load(FILE.read_text("utf-8"))


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
