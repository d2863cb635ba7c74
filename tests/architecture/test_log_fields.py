"""Each field of a line that our own code logs is on the list: any other is dropped, and the line says less than was meant."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from services.kit.logging import ALLOWED
from tests.support.repository import ROOT, python_files

LEVELS = {"debug", "info", "warning", "error", "critical"}
SOURCE = python_files("services", "handrail", "deploy")


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in SOURCE:
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if isinstance(node, ast.Call):
                yield str(path), node


def allowed() -> set[str]:
    """Return what is on the list of the kit, and what a service adds to it with `allow`."""
    added = (node for _, node in calls() if isinstance(node.func, ast.Name) and node.func.id == "allow")
    return {*ALLOWED, *(ast.literal_eval(field) for node in added for field in node.args)}


def test_every_field_that_is_logged_is_on_the_list() -> None:
    known, lines, dropped = allowed(), 0, []
    for path, node in calls():
        match node.func:
            case ast.Attribute(value=ast.Name(id="_log"), attr=level) if level in LEVELS:
                lines += 1
                dropped += [
                    f"{path}:{node.lineno} {each.arg}" for each in node.keywords if each.arg and each.arg not in known
                ]

    assert lines > 30
    assert dropped == []
