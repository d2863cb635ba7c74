"""Which bodies and areas there are, and which body stands in the place of which. Pure.

A council with two codes is one, and who has ended is its successor.

Reads nothing else of the register. Routing, which decides by all of it, says the same of every body on every day; a test
compares them. Source: docs/decisions/0015.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import yaml

_AUTHORITY: Final = "la:"


class NoRegister(ValueError):
    """The text is not YAML, or not a mapping with a list of areas and one of bodies."""


class Bodies:
    """The bodies of a register, by the text of its file; one that is not registered stands for itself.

    An entry that routing would refuse counts only for what can be read of it: keeping reports must not hang on it.

    Raises:
        NoRegister: It is no register at all.
    """

    def __init__(self, register: str) -> None:
        areas, bodies = _lists(register)
        codes = (code for area in areas for code in (area.get("code"), *_formerly(area)))
        self.areas: Final[frozenset[str]] = frozenset(code for code in codes if isinstance(code, str))
        """The codes of all areas, former ones too."""
        ids = (body["id"] for body in bodies if isinstance(body.get("id"), str))
        self._present: Final[dict[str, str]] = {
            _AUTHORITY + old: _AUTHORITY + area["code"]
            for area in areas
            if isinstance(area.get("code"), str)
            for old in _formerly(area)
        }
        self.ids: Final[frozenset[str]] = frozenset((*ids, *self._present))
        """The ids of all bodies, also of those that have ended, and of a council by its former code."""
        self._heirs: Final[dict[str, tuple[date, str]]] = {
            body["id"]: (until, body["succeeded by"])
            for body in bodies
            if isinstance(body.get("id"), str) and isinstance(body.get("succeeded by"), str)
            if (until := _day(body.get("until"))) is not None
        }

    def in_place_of(self, body: str, on: date) -> str:
        """Return the body that stands in the place of another on a day of England; mostly it is that one itself."""
        body = self._present.get(body, body)
        seen = set[str]()
        while body not in seen and body in self._heirs and self._heirs[body][0] < on:
            seen.add(body)
            body = self._heirs[body][1]
        return body

    def stands_for(self, body: str, on: date) -> frozenset[str]:
        """Return a body and all in whose place it stands on a day; of one that has ended itself alone."""
        present = self._present.get(body, body)
        others = (other for other in (*self._present, *self._heirs) if self.in_place_of(other, on) == present)
        return frozenset({body, present, *others})


def _lists(register: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    try:
        page = yaml.load(register, Loader=yaml.CBaseLoader)  # noqa: S506 - only text
    except yaml.YAMLError:
        raise NoRegister from None
    if not (isinstance(page, dict) and all(isinstance(page.get(name), list) for name in ("areas", "bodies"))):
        raise NoRegister
    areas, bodies = ([each for each in page[name] if isinstance(each, dict)] for name in ("areas", "bodies"))
    return areas, bodies


def _formerly(area: dict[str, Any]) -> list[str]:
    codes = area.get("formerly")
    return [code for code in codes if isinstance(code, str)] if isinstance(codes, list) else []


def _day(until: object) -> date | None:
    try:
        return date.fromisoformat(until) if isinstance(until, str) else None
    except ValueError:
        return None


NONE: Final = Bodies("{areas: [], bodies: []}")
"""Of a register that cannot be read: each body stands for itself."""
