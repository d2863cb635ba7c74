"""Which body stands in the place of which: a council with two codes is one, and who has ended is its successor. Pure.

Reads nothing else of the register. Routing, which decides by all of it, says the same of every body on every day; a test
compares them. Source: docs/decisions/0015.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import yaml

_AUTHORITY: Final = "la:"


class Bodies:
    """The bodies of a register, by the text of its file; one that is not registered stands for itself."""

    def __init__(self, register: str) -> None:
        page: dict[str, Any] = yaml.load(register, Loader=yaml.CBaseLoader)  # noqa: S506 - only text
        self._present: Final[dict[str, str]] = {
            _AUTHORITY + old: _AUTHORITY + area["code"] for area in page["areas"] for old in area.get("formerly", ())
        }
        self._heirs: Final[dict[str, tuple[date, str]]] = {
            body["id"]: (date.fromisoformat(body["until"]), body["succeeded by"])
            for body in page["bodies"]
            if "succeeded by" in body
        }

    def in_place_of(self, body: str, on: date) -> str:
        """Return the body that stands in the place of another on a day of England; mostly it is that one itself."""
        body = self._present.get(body, body)
        while body in self._heirs and self._heirs[body][0] < on:
            body = self._heirs[body][1]
        return body

    def stands_for(self, body: str, on: date) -> frozenset[str]:
        """Return a body and all in whose place it stands on a day; of one that has ended itself alone."""
        present = self._present.get(body, body)
        others = (other for other in (*self._present, *self._heirs) if self.in_place_of(other, on) == present)
        return frozenset({body, present, *others})
