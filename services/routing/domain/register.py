"""The register: which bodies exist and existed, which areas they serve, and who the safeguarding partners of an area are.

Source of the partners: Children Act 2004, section 16E: the local authority, every integrated care board and every chief
officer of police any part of whose area falls within it. Pure: the file is read elsewhere and its text passed in.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
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
_WHEN: Final = ("from", "until", "succeeded by")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FormerName:
    """What a body was called until a day, included."""

    name: str
    until: date


@dataclass(frozen=True, slots=True)
class Body:
    """Somebody who can be told, or who can owe a duty. National bodies have no areas.

    It exists from `since` to `until`, both included; None has no bound. `formerly` is in order of time. `successor` is the
    body that stands in its place afterwards, if there is one.
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
    successor: str | None = None

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
    """Bodies and areas. Bodies are returned in the order of the file, which is the order in which they are told.

    `day` is that on which bodies have to exist; None: those that have no end. `ended` are the ids of those that had ended by then,
    `successors` has who stands in the place of which of them.
    """

    def __init__(self, version: str, areas: Iterable[Area], bodies: Iterable[Body], day: date | None = None) -> None:
        self.version: Final = version
        self.day: Final = day
        self.areas: Final = {area.code: area for area in areas}
        self.bodies: Final = {body.id: body for body in bodies}
        self.former_areas: Final = {old: area.code for area in self.areas.values() for old in area.formerly}
        self._serving: Final[defaultdict[tuple[str, str], list[str]]] = defaultdict(list)
        for body in self.bodies.values():
            for group, kinds in GROUPS.items():
                if body.kind in kinds and body.exists_on(day):
                    for area in body.areas:
                        self._serving[group, area].append(body.id)
        self._order: Final = {identifier: place for place, identifier in enumerate(self.bodies)}
        self.ended: Final = frozenset(body.id for body in self.bodies.values() if self._has_ended(body))
        self.successors: Final = {
            ended: heir for ended in sorted(self.ended) if (heir := self._heir(self.bodies[ended])) != ended
        }
        self._last: Register | None = None

    def on(self, day: date | None) -> Register:
        """Return the register of a day: who exists on it, and who stands in the place of those that had ended."""
        if day == self.day:
            return self
        if self._last is None or self._last.day != day:
            self._last = Register(self.version, self.areas.values(), self.bodies.values(), day)
        return self._last

    @property
    def fingerprint(self) -> str:
        """Return a digest of who exists on the day, whom they serve, and who stands in whose place: all that decides who is told."""
        bodies = sorted(
            (each.id, each.kind, sorted(each.areas)) for each in self.bodies.values() if each.exists_on(self.day)
        )
        said = [bodies, sorted(self.successors.items()), sorted(self.ended), sorted(self.former_areas.items())]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    def exists(self, identifier: str) -> bool:
        """Say whether a body exists on the day; of one that is not registered no end is known."""
        body = self.bodies.get(identifier)
        return body is None or body.exists_on(self.day)

    def has(self, identifier: str) -> bool:
        """Say whether a body is registered, and exists on the day."""
        return identifier in self.bodies and self.exists(identifier)

    def serving(self, group: str, area: str) -> tuple[str, ...]:
        """Return the ids of the bodies of a group that serve an area on the day; may be empty.

        Args:
            group: Word before `-of` in a rule: `la`, `safeguarding-partners` ...
            area: Present code of the area.
        """
        return tuple(self._serving.get((group, area), ()))

    def serving_all(self, group: str, areas: Iterable[str]) -> tuple[str, ...]:
        """Return the bodies of a group that serve any of the areas on the day, each once, in register order."""
        found = {body for area in areas for body in self.serving(group, area)}
        return tuple(sorted(found, key=self._order.__getitem__))

    def _heir(self, body: Body) -> str:
        """Return who stands in the place of a body: the first in the line of its successors that has not ended, else the last."""
        while body.successor is not None and self._has_ended(body):
            body = self.bodies[body.successor]
        return body.id

    def _has_ended(self, body: Body) -> bool:
        return body.until is not None and (self.day is None or body.until < self.day)

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
    for node in root["bodies"].items():
        _require_successor(node, bodies)
    return Register(root["version"].text(), areas.values(), bodies.values())


def _body(node: tree.Node, areas: Mapping[str, Area]) -> Body:
    entry = node.fields(("id", "name", "kind", "source", "verified"), ("areas", *_WHEN, "formerly"))
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
        successor=entry["succeeded by"].text() if "succeeded by" in entry else None,
    )


def _require_successor(node: tree.Node, bodies: Mapping[str, Body]) -> None:
    """See that whoever stands in the place of a body can: it exists the day after, so that no line of them goes round."""
    entry = node.entries()
    if "succeeded by" not in entry:
        return
    line, ended = entry["succeeded by"], bodies[entry["id"].text()]
    heir = bodies[line.one_of(bodies)]
    if ended.until is None:
        raise line.refuse(f"{ended.id} has no end: give `until:` its last day")
    if not heir.exists_on(ended.until + _DAY):
        raise line.refuse(f"{heir.id} does not exist on {ended.until + _DAY}, the day after {ended.id} ended")
    if heir.kind != ended.kind:
        raise line.refuse(f"{heir.id} is of kind {heir.kind}, expected {ended.kind} as {ended.id} was")
    lost = next((area for area in ended.areas if area not in heir.areas), None)
    if lost is not None:
        raise line.refuse(f"{heir.id} does not serve {lost}, which {ended.id} served")


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
