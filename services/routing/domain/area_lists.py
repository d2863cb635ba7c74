"""The register extended by published lists of the Office for National Statistics and the DfE: areas, and who serves them.

A list is a table with names and codes. One of the Office has columns such as `LAD23CD, LAD23NM, PFA23CD, PFA23NM` (which police
force area a district lies in); a data file of the DfE's statistics has `new_la_code, la_name` for the authorities that have
children's services (explore-education-statistics.service.gov.uk): its newest period counts, for it names councils of before as
well. Other columns are passed over. Nothing that stands in the register is changed, but for the areas that its police forces and
integrated care boards serve. Every entry is `verified: false`, because a list has names and no law.
Pure: texts come in, the text of the register goes out.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from services.routing.domain.register import Body, BodyKind, Register, parse_register
from services.routing.domain.rulebook import tree

_COLUMN: Final = re.compile(r"(?P<what>LTLA|LAD|UTLA|CTYUA|CSP|PFA|ICB)\d\d(?P<part>CD|NM)")
_DFE: Final[Mapping[str, tuple[str, str]]] = {"new_la_code": ("UTLA", "CD"), "la_name": ("UTLA", "NM")}
_CODE: Final = re.compile(r"[EWSN]\d{8}")
_LEVEL: Final = "geographic_level"
_PERIOD: Final = "time_period"
_DISTRICTS: Final = ("LTLA", "LAD")
_UPPER: Final = ("UTLA", "CTYUA")
_ENGLISH: Final = re.compile(
    r"E(06|08|09|10)\d{6}"
)  # unitary, metropolitan, London borough, county: who has children's services
_IN_A_COUNTY: Final = re.compile(r"E07\d{6}")
_OTHER_WORDS: Final = re.compile(r"\b(nhs|integrated care board|police|service|constabulary|city of)\b|[^a-z ]")
_KINDS: Final[Mapping[str, BodyKind]] = {"PFA": "police", "ICB": "icb", "CSP": "csp"}
_OWN: Final[tuple[tuple[str, BodyKind, str], ...]] = (
    ("la:{code}", "authority", "{name} Council"),
    ("lscp:{code}", "lscp", "Safeguarding children partnership of {name}"),
    ("sab:{code}", "sab", "Safeguarding adults board of {name}"),
    ("cdr:{code}", "cdr", "Child death review partners of {name}"),
)
"""What every area has by statute, under names that describe it."""


class ListRefused(ValueError):
    """A list cannot be used; the text says which, and what was expected."""


@dataclass(frozen=True, slots=True)
class AreaList:
    """A list as it was read: its file's name, and in each row the code and name of what its columns are about."""

    file: str
    rows: tuple[Mapping[str, tuple[str, str]], ...]


@dataclass(slots=True)
class Extension:
    """What lists add: areas (code to name), bodies by id, and areas that a body of the register serves as well.

    `nobody` has, per kind of body, the new areas that none was found for; `several` those with several community safety
    partnerships; `unplaced` the districts of which no list says in which county they lie.
    """

    areas: dict[str, str] = field(default_factory=dict)
    bodies: dict[str, Body] = field(default_factory=dict)
    served: dict[str, list[str]] = field(default_factory=dict)
    nobody: dict[BodyKind, list[str]] = field(default_factory=dict)
    several: list[str] = field(default_factory=list)
    unplaced: dict[str, str] = field(default_factory=dict)


def read_list(text: str, file: str) -> AreaList:
    """Return a list.

    Raises:
        ListRefused: It has no districts or areas with code and name, or a row lacks one.
    """
    table = csv.DictReader(text.removeprefix("\ufeff").splitlines())
    table.fieldnames = [name.strip() for name in table.fieldnames or ()]
    parts: dict[str, dict[str, str]] = defaultdict(dict)
    for name in table.fieldnames:
        if match := _COLUMN.fullmatch(name):
            parts[match["what"]][match["part"]] = name
        elif name in _DFE:
            what, part = _DFE[name]
            parts[what][part] = name
    whole = {what: (found["CD"], found["NM"]) for what, found in parts.items() if len(found) == len(("CD", "NM"))}
    if not whole.keys() & {*_DISTRICTS, *_UPPER}:
        raise ListRefused(
            f"{file}: expected columns with code and name of districts or areas, such as LAD23CD and LAD23NM, "
            f"or new_la_code and la_name; found {', '.join(table.fieldnames) or 'none'}"
        )
    rows = [(table.line_num, {name: (row[name] or "").strip() for name in table.fieldnames or ()}) for row in table]
    if _DFE.keys() <= set(table.fieldnames):
        rows = _of_authorities_now(rows)
    return AreaList(file, tuple(_rows(rows, whole, file)))


def _of_authorities_now(rows: list[tuple[int, dict[str, str]]]) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a data file of the DfE that are about an authority, in the newest period that it has."""
    newest = max((row[_PERIOD] for _, row in rows if _PERIOD in row), default=None)
    return [
        (line, row)
        for line, row in rows
        if row.get(_LEVEL, "Local authority") == "Local authority"
        and row.get(_PERIOD) == newest
        and _CODE.fullmatch(row["new_la_code"])  # not the row of what is not recorded
    ]


def _rows(
    rows: Iterable[tuple[int, Mapping[str, str]]], whole: Mapping[str, tuple[str, str]], file: str
) -> Iterator[Mapping[str, tuple[str, str]]]:
    for line, row in rows:
        found = {what: (row[code], row[name]) for what, (code, name) in whole.items()}
        empty = next((what for what, pair in found.items() if not all(pair)), None)
        if empty is not None:
            raise ListRefused(f"{file}, line {line}: expected a code and a name for {empty}")
        yield found


def extend(register: Register, lists: Iterable[AreaList]) -> Extension:
    """Return what the lists add to a register. England alone; districts count for the county that they lie in."""
    rows = [(each.file, row) for each in lists for row in each.rows]
    above = {
        _first(row, _DISTRICTS)[0]: _first(row, _UPPER)
        for _, row in rows
        if row.keys() & _DISTRICTS and row.keys() & _UPPER
    }
    found = Extension()
    serving: dict[tuple[BodyKind, str], dict[str, tuple[str, str]]] = defaultdict(dict)
    for file, row in rows:
        district = _first(row, (*_DISTRICTS, *_UPPER))
        code, name = above.get(district[0], district)
        if _IN_A_COUNTY.fullmatch(code):
            found.unplaced[code] = name
        if not _ENGLISH.fullmatch(code) or code in register.areas or code in register.former_areas:
            continue
        found.areas.setdefault(code, name)
        for what, kind in _KINDS.items():
            if what in row:
                serving[kind, code][row[what][0]] = (row[what][1], file)
    for code, name in found.areas.items():
        _serve(found, register, code, name, serving)
    return found


def _first(row: Mapping[str, tuple[str, str]], columns: Iterable[str]) -> tuple[str, str]:
    return next((row[each] for each in columns if each in row), ("", ""))


def _serve(
    found: Extension,
    register: Register,
    code: str,
    name: str,
    serving: Mapping[tuple[BodyKind, str], Mapping[str, tuple[str, str]]],
) -> None:
    """Add everybody who serves a new area."""
    for identifier, kind, called in _OWN:
        source = "every area has one by statute; its name is to be checked"
        _put(found, identifier.format(code=code), called.format(name=name), kind, code, source)
    for kind in _KINDS.values():
        named = serving.get((kind, code), {})
        if not named:
            found.nobody.setdefault(kind, []).append(code)
        elif kind == "csp" and len(named) > 1:
            # Which of them is told depends on the district, which no fact says: telling one of them would be a guess.
            found.several.append(code)
        else:
            for called, file in named.values():
                _add(found, register, kind, called, code, f"list {file}")


def _add(found: Extension, register: Register, kind: BodyKind, name: str, code: str, source: str) -> None:
    """Let a body serve an area: the one of the register with that name, one that was added before, or a new one."""
    wanted = _plain(name)
    known = (body for body in register.bodies.values() if body.kind == kind and body.exists_on(None))
    same = next((body.id for body in known if kind != "csp" and _plain(body.name) == wanted), None)
    if same is not None:
        found.served.setdefault(same, []).append(code)
        return
    _put(found, f"{kind}:{code if kind == 'csp' else wanted.replace(' ', '-')}", name, kind, code, source)


def _put(found: Extension, identifier: str, name: str, kind: BodyKind, code: str, source: str) -> None:
    """Add a body, or an area to one that was added before."""
    body = found.bodies.get(identifier) or Body(identifier, name, kind, (), source, verified=False)
    found.bodies[identifier] = replace(body, areas=(*body.areas, code))


def _plain(name: str) -> str:
    """Return the words of a name by which a force or a board is told from others."""
    return " ".join(_OTHER_WORDS.sub(" ", name.lower().replace("-", " ").replace("&", "and")).split())


def written(register: Register, text: tree.Text, extension: Extension, sources: Iterable[str]) -> str:
    """Return the text of a register with what was added: comments and the order of what stands there are kept.

    Args:
        register: What the text says.
        text: The file of the register.
        extension: What is added to it.
        sources: The files of the lists.

    Raises:
        ListRefused: A body that gets an area has no list of areas, or somebody would serve others than the extension says.
        RulebookRefused: What would be written is no register.
    """
    lines = text.text.rstrip("\n").splitlines()
    root = tree.read(text.text, text.file).entries()
    _serve_as_well(lines, root["bodies"], extension.served)
    source = f"list {', '.join(sources)}"
    areas = [line for code, name in extension.areas.items() for line in _area_lines(code, name, source)]
    place = root["bodies"].line - 1
    while not lines[place - 1].strip():
        place -= 1
    lines[place:place] = areas
    found = "\n".join([*lines, *(line for body in extension.bodies.values() for line in _body_lines(body))]) + "\n"
    _require_announced(register, parse_register(found, text.file), extension, text.file)
    return found


def _serve_as_well(lines: list[str], bodies: tree.Node, served: Mapping[str, Iterable[str]]) -> None:
    """Put areas below the last that a body has, where the reader of the register found it: a line may have a comment."""
    entries = (node.entries() for node in bodies.items())
    ends = {entry["id"].text(): entry["areas"].items()[-1].line for entry in entries if "areas" in entry}
    for identifier in served:
        if identifier not in ends:
            raise ListRefused(
                f"{bodies.file}: {identifier} has no `areas:`, expected a list of one or more; write it, and try again"
            )
    # From below, so that the lines above keep their numbers.
    for identifier, end in sorted(ends.items(), key=lambda each: each[1], reverse=True):
        indent = lines[end - 1].partition("-")[0]
        lines[end:end] = [f"{indent}- {code}" for code in served.get(identifier, ())]


def _require_announced(before: Register, after: Register, extension: Extension, file: str) -> None:
    """See that everybody serves what it did and what the extension says: an area of the wrong body tells the wrong people."""
    expected = {each.id: (*each.areas, *extension.served.get(each.id, ())) for each in before.bodies.values()}
    expected |= {identifier: body.areas for identifier, body in extension.bodies.items()}
    found = {each.id: each.areas for each in after.bodies.values()}
    for identifier in (*expected, *found):
        if expected.get(identifier) != found.get(identifier):
            raise ListRefused(
                f"{file}: {identifier} would serve {_told(found.get(identifier))}; expected {_told(expected.get(identifier))}: "
                "write its entry as the others are, or add its areas by hand"
            )


def _told(areas: tuple[str, ...] | None) -> str:
    return ", ".join(areas or ()) or "no area"


def _area_lines(code: str, name: str, source: str) -> Iterator[str]:
    yield from (f"  - code: {code}", f"    name: {name}", f"    source: {source}", "    verified: false")


def _body_lines(body: Body) -> Iterator[str]:
    yield from (f"  - id: {body.id}", f"    name: {body.name}", f"    kind: {body.kind}", "    areas:")
    yield from (f"      - {code}" for code in body.areas)
    yield from (f"    source: {body.source}", "    verified: false")
