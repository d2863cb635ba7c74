"""What the law says of the one report that loads send, read from the rulebook's text and nothing else."""

from __future__ import annotations

import hashlib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from tests.support.reports import REPORTED_ON
from tests.support.repository import ROOT

RULE: Final = "N-11"
DUE_ON: Final[dict[date | None, date]] = {
    REPORTED_ON: date(2026, 6, 2),  # Monday, so Tuesday
    date(2026, 6, 8): date(2026, 6, 9),
    date(2027, 3, 25): date(2027, 3, 30),  # Thursday before Easter, so Tuesday after it
    date(2027, 10, 29): date(2027, 11, 1),  # Friday, so Monday
    date(2028, 3, 24): date(2028, 3, 27),
    date(2028, 10, 27): date(2028, 10, 30),
}
"""By day of a report, on which day its recipients must have been told: counted by hand, one working day."""
_FOLDER: Final = ROOT / "rulebooks"


@cache
def in_force() -> frozenset[str]:
    """Return the digests of the rulebooks in which the rule was in force on the day of the report."""
    return frozenset(digest for digest, book in _books().items() if _stands(_rule(book)))


@cache
def given() -> frozenset[str]:
    """Return the fields that the rule's recipients may be given, unless one is kept for a person whom nobody has named."""
    profiles = [book["disclosure"][then["send"]] for book in _books().values() for then in _rule(book)["then"]]
    return frozenset(
        field for profile in profiles for field, how in profile["give"].items() if "named participant" not in how
    )


@cache
def _books() -> dict[str, Any]:
    return dict(map(_book, sorted((_FOLDER / "england").glob("*.yaml"))))


def _book(national: Path) -> tuple[str, Any]:
    """Return the digest of a rulebook, its local overlays included, and the national rules."""
    texts = [path.read_text() for path in (national, *sorted((_FOLDER / "local").glob(f"*/{national.name}")))]
    digest = hashlib.sha256("\n---\n".join(texts).encode()).hexdigest()
    return digest, yaml.load(texts[0], Loader=yaml.BaseLoader)  # noqa: S506 - only text


def _rule(book: Any) -> Any:
    return next(rule for rule in book["rules"] if rule["id"] == RULE)


def _stands(rule: Any) -> bool:
    period, on = rule["in force"], str(REPORTED_ON)
    return bool(period["from"] <= on <= period.get("until", on))
