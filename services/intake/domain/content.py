"""What a recipient gets to read: exactly the fields of its grant, each cut as its disclosure profile says.

Of the facts what stands is given (`stated`), of what is personal the latest word of each reporting case. Where the cases say the
same there is one value, where they differ there are all of them: it is not intake's to choose. What cannot be given is listed
with the reason.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

AGE_BANDS: Final = ((0, "0"), (4, "1-4"), (9, "5-9"), (15, "10-15"), (17, "16-17"), (24, "18-24"))
"""Highest age of each band, with its name; above the last: 25 and over."""

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PSEUDONYM_BYTES: Final = 10
REFERENCE: Final = "personal.child.reference"


@dataclass(frozen=True, slots=True)
class Said:
    """One value that one case has for one field. `child` is empty for what is about the incident."""

    case_key: str
    field: str
    child: str
    value: Any


@dataclass(frozen=True, slots=True)
class Content:
    """What is given: fields of the incident, fields of each child by child key, and what is withheld and why."""

    incident: dict[str, Any] = field(default_factory=dict)
    children: dict[str, dict[str, Any]] = field(default_factory=dict)
    withheld: dict[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> list[str]:
        """Names of the fields that were given, sorted."""
        return sorted({*self.incident, *(name for child in self.children.values() for name in child)})


@dataclass(frozen=True, slots=True)
class Asker:
    """Who reads, and for whom: `participant` is the named person, if the grant names one. `key` makes pseudonyms."""

    recipient: str
    participant: str | None
    key: bytes


class Withheld(Exception):
    """A field is not given; the text says why."""


def disclose(said: Iterable[Said], give: Mapping[str, str], asker: Asker, only_child: str | None) -> Content:
    """Return what may be read.

    Args:
        said: Facts that stand, and personal fields, oldest first.
        give: How much of each field the profile gives.
        asker: Who reads.
        only_child: The child that the notice is about; None if it is about the whole incident.
    """
    content = Content()
    for (name, child), values in _standing(said, give).items():
        if only_child is not None and child not in {"", only_child}:
            continue
        try:
            given = [cut(value, give[name], child, asker) for value in values]
        except Withheld as reason:
            content.withheld[name] = str(reason)
            continue
        place = content.children.setdefault(child, {}) if child else content.incident
        distinct = list({orjson.dumps(value): value for value in given}.values())  # a list cannot be a key
        place[name] = distinct[0] if len(distinct) == 1 else distinct
    return content


def _standing(said: Iterable[Said], give: Mapping[str, str]) -> dict[tuple[str, str], list[Any]]:
    """Return, per field and child, the latest value of each case, in the order in which the cases first spoke."""
    latest: dict[tuple[str, str], dict[str, Any]] = {}
    for one in said:
        if one.field in give:
            latest.setdefault((one.field, one.child), {})[one.case_key] = one.value
    standing = {place: [value for value in cases.values() if value is not None] for place, cases in latest.items()}
    return {place: values for place, values in standing.items() if values}


def cut(value: Any, treatment: str, child: str, asker: Asker) -> Any:
    """Return as much of a value as the profile gives.

    Raises:
        Withheld: Nothing of it may be given to this asker.
    """
    match treatment:
        case "in full":
            return value
        case "in full under a grant to a named participant":
            if asker.participant is None:
                raise Withheld("given only under a grant to a named participant of the review")
            return value
        case "as month" if isinstance(value, str) and _DATE.fullmatch(value):
            return value[:7]
        case "as age band" if isinstance(value, int):
            return next((band for highest, band in AGE_BANDS if value <= highest), "25 and over")
        case "as recipient pseudonym":
            place = f"pseudonym\x1f{asker.recipient}\x1f{child}".encode()
            return hmac.digest(asker.key, place, hashlib.sha256)[:_PSEUDONYM_BYTES].hex()
        case _:
            raise Withheld("the profile cuts this field in a way that this version does not know")
