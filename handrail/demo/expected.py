"""What a story must lead to, read from `expected.yaml`: literal values, worked out by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from handrail.demo.figures import NO_FIGURES, Figures
from handrail.demo.story import StoryError, laid_out


@dataclass(frozen=True, slots=True, order=True)
class Told:
    """One recipient of one case: under which rule, by which date (empty when withdrawn), in which state."""

    case: str
    who: str
    under: str
    by: str
    state: str


@dataclass(frozen=True, slots=True, order=True)
class Overdue:
    """An obligation of a case that is overdue, or was met late."""

    case: str
    under: str
    due: str


@dataclass(frozen=True, slots=True)
class Expected:
    """Everything that is expected; each part is compared as a whole. `kinds`: of recipients; none where it does not matter."""

    told: Counter[Told]
    never_told: Counter[Told]
    overdue: Counter[Overdue]
    quarantined: dict[str, int]
    kinds: frozenset[str] | None
    log: str
    late: Counter[Overdue] = field(default_factory=Counter)
    figures: Figures = NO_FIGURES


def load_expected(path: Path) -> Expected:
    """Read the expectations.

    Raises:
        StoryError: The file is missing or lacks a part.
    """
    if not path.exists():
        raise StoryError(f"there is no {path}; a story needs its expectations beside it")
    with laid_out(path) as page:
        return Expected(
            told=Counter(_told(case, entry) for case in page["cases"] for entry in case["told"]),
            never_told=Counter(_told(case, entry) for case in page["cases"] for entry in case.get("never told", [])),
            overdue=Counter(
                {
                    Overdue(entry["case"], entry["under"], entry["due"]): int(entry.get("how many", "1"))
                    for entry in page["overdue"]
                }
            ),
            quarantined={entry["service"]: int(entry["how many"]) for entry in page["quarantined"]},
            kinds=frozenset(page["kinds told"]),
            log=page["log"],
        )


def _told(case: dict[str, Any], entry: dict[str, str]) -> Told:
    return Told(case["reference"], entry["who"], entry["under"], entry.get("by", ""), entry["state"])
