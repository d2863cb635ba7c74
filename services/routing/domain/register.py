"""The register: which bodies exist and existed, which areas they serve, and who the safeguarding partners of an area are.

Source of the partners: Children Act 2004, section 16E: the local authority, every integrated care board and every chief
officer of police any part of whose area falls within it. Pure: the file is read elsewhere and its text passed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, cast, get_args

from services.routing.domain.rulebook import tree

BodyKind = Literal[
    "authority",
    "lscp",
    "police",
    "icb",
    "sab",
    "csp",
    "cdr",
    "panel",
    "ofsted",
    "dfe",
    "homeoffice",
    "nspcc",
    "foundations",
]
GROUPS: Final[Mapping[str, tuple[BodyKind, ...]]] = {
    "la": ("authority",),
    "lscp": ("lscp",),
    "police": ("police",),
    "icb": ("icb",),
    "sab": ("sab",),
    "csp": ("csp",),
    "cdr": ("cdr",),
    "safeguarding-partners": ("authority", "police", "icb"),
}
"""Word before `-of(area)` in a rule, and the kinds of body that it means."""


@dataclass(frozen=True, slots=True)
class FormerName:
    """What a body was called until a day, included."""

    name: str
    until: date


@dataclass(frozen=True, slots=True)
class Body:
    """Somebody who can be told, or who can owe a duty. National bodies have no areas.

    It exists from `since` to `until`, both included; None has no bound. `formerly` is in order of time.
    """

    id: str
    name: str
    kind: BodyKind
    areas: tuple[str, ...]
    source: str
    verified: bool
    since: date | None = None
    until: date | None = None
    formerly: tuple[FormerName, ...] = ()

    def exists_on(self, day: date | None) -> bool:
        """Say whether it exists on a day; None: whether it has no end."""
        if day is None:
            return self.until is None
        return (self.since or date.min) <= day <= (self.until or date.max)

    def name_on(self, day: date) -> str:
        """Return what it was called on a day."""
        return next((each.name for each in self.formerly if day <= each.until), self.name)


@dataclass(frozen=True, slots=True)
class Area:
    """An authority area by its present code, with the codes that it had before."""

    code: str
    name: str
    formerly: tuple[str, ...]
    verified: bool


class Register:
    """Bodies and areas. Bodies are returned in the order of the file, which is the order in which they are told."""

    def __init__(self, version: str, areas: Iterable[Area], bodies: Iterable[Body]) -> None:
        self.version: Final = version
        self.areas: Final = {area.code: area for area in areas}
        self.bodies: Final = {body.id: body for body in bodies}
        self.former_areas: Final = {old: area.code for area in self.areas.values() for old in area.formerly}
        self._serving: Final[dict[tuple[str, str], tuple[str, ...]]] = {
            (group, area): tuple(body.id for body in self.bodies.values() if body.kind in kinds and area in body.areas)
            for group, kinds in GROUPS.items()
            for area in self.areas
        }
        self._order: Final = {identifier: place for place, identifier in enumerate(self.bodies)}

    def serving(self, group: str, area: str, on: date | None = None) -> tuple[str, ...]:
        """Return the ids of the bodies of a group (`la`, `safeguarding-partners` ...) that serve an area; may be empty.

        Args:
            group: Word before `-of` in a rule.
            area: Present code of the area.
            on: The day on which they serve it; None: those that have no end.
        """
        return tuple(body for body in self._serving.get((group, area), ()) if self.bodies[body].exists_on(on))

    def serving_all(self, group: str, areas: Iterable[str], on: date | None = None) -> tuple[str, ...]:
        """Return the bodies of a group that serve any of the areas on a day, each once, in register order."""
        found = {body for area in areas for body in self.serving(group, area, on)}
        return tuple(sorted(found, key=self._order.__getitem__))

    def only_area_of(self, identifier: str) -> str | None:
        """Return the area that a body serves; None if it serves several or none, or is not registered."""
        areas = self.bodies[identifier].areas if identifier in self.bodies else ()
        return areas[0] if len(areas) == 1 else None

    def name(self, identifier: str) -> str:
        """Return a body's name, or the id itself for one that is not registered."""
        body = self.bodies.get(identifier)
        return body.name if body else identifier


def parse_register(text: str, file: str) -> Register:
    """Return the register that a file's text describes.

    Raises:
        RulebookRefused: With file and line: a key or kind is unknown, an id or code stands twice, an area is not listed.
    """
    root = tree.read(text, file).fields(("register", "version", "areas", "bodies"))
    areas: dict[str, Area] = {}
    for node in root["areas"].items():
        entry = node.fields(("code", "name", "source", "verified"), ("formerly",))
        code = entry["code"].text()
        formerly = tuple(tree.scalars(entry["formerly"])) if "formerly" in entry else ()
        if code in areas:
            raise entry["code"].refuse(f"area {code} stands twice")
        areas[code] = Area(code, entry["name"].text(), formerly, _verified(entry["verified"]))
    bodies: dict[str, Body] = {}
    for node in root["bodies"].items():
        body = _body(node, areas)
        if body.id in bodies:
            raise node.refuse(f"{body.id} stands twice")
        bodies[body.id] = body
    return Register(root["version"].text(), areas.values(), bodies.values())


def _body(node: tree.Node, areas: Mapping[str, Area]) -> Body:
    entry = node.fields(("id", "name", "kind", "source", "verified"), ("areas", "from", "until", "formerly"))
    since, until = (entry[key].day() if key in entry else None for key in ("from", "until"))
    if since and until and until < since:
        raise entry["until"].refuse(f"expected {since} or a later day, found {until}: it would never have existed")
    served = entry["areas"].items() if "areas" in entry else []
    return Body(
        id=entry["id"].text(),
        name=entry["name"].text(),
        kind=cast("BodyKind", entry["kind"].one_of(get_args(BodyKind))),
        areas=tuple(area.one_of(areas) for area in served),
        source=entry["source"].text(),
        verified=_verified(entry["verified"]),
        since=since,
        until=until,
        formerly=tuple(_former_names(entry["formerly"])) if "formerly" in entry else (),
    )


def _former_names(node: tree.Node) -> Iterator[FormerName]:
    before = date.min
    for each in node.items():
        entry = each.fields(("name", "until"))
        until = entry["until"].day()
        if until <= before:
            raise entry["until"].refuse(f"expected a day after {before}: the former names stand in order of time")
        before = until
        yield FormerName(entry["name"].text(), until)


def _verified(node: tree.Node) -> bool:
    return node.one_of(("true", "false")) == "true"
