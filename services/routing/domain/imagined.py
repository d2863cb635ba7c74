"""A register of areas that only differ from one another, to compare rules over all areas with a few. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from services.routing.domain.register import Area, Body, BodyKind, Register

_LETTERS: Final = "ABCDEFGHIJKL"
_KINDS: Final[dict[BodyKind, tuple[str, str]]] = {
    "authority": ("la", "the local authority"),
    "lscp": ("lscp", "the children's partnership"),
    "police": ("police", "the police"),
    "icb": ("icb", "the integrated care board"),
    "sab": ("sab", "the adults' board"),
    "csp": ("csp", "the community safety partnership"),
    "cdr": ("cdr", "the child death review partners"),
}


def imagined_register(register: Register, named: tuple[str, ...]) -> Register:
    """Return a register with the areas that rules name, and `area A`, `area B` ... for all others, each with all bodies.

    There are as many others as a vocabulary has facts that are areas, and more, so that all of them can differ.
    """
    areas = [
        Area(code, register.areas[code].name if code in register.areas else code, (), verified=False) for code in named
    ]
    areas += [Area(f"E000000{place:02}", f"area {letter}", (), verified=False) for place, letter in enumerate(_LETTERS)]
    national = [body for body in register.bodies.values() if not body.areas]
    return Register("imagined", areas, [*national, *(body for area in areas for body in _bodies(area))])


def _bodies(area: Area) -> Iterator[Body]:
    for kind, (prefix, words) in _KINDS.items():
        yield Body(f"{prefix}:{area.code}", f"{words} of {area.name}", kind, (area.code,), "imagined", verified=False)
