"""The domain is pure: it reads no clock, file, network or environment, and knows no other part but the contract."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from services.routing import domain

OURS = ("services.routing.domain", "schemas")
IMPURE = {"time", "random", "secrets", "os", "io", "pathlib", "socket", "subprocess", "asyncio", "logging", "threading"}
PARSER = "yaml"  # turns a text into a tree; reads nothing by itself


def imports() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield file, module and names of every import in the domain."""
    for path in Path(next(iter(domain.__path__))).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                yield path.name, node.module or "", tuple(alias.name for alias in node.names)
            elif isinstance(node, ast.Import):
                yield from ((path.name, alias.name, ()) for alias in node.names)


def test_the_domain_imports_only_itself_the_contract_and_pure_parts_of_the_standard_library() -> None:
    for file, module, _ in imports():
        top = module.split(".")[0]
        pure = top in sys.stdlib_module_names and top not in IMPURE
        assert pure or module.startswith(OURS) or top == PARSER, f"{file} imports {module}"


def test_the_domain_draws_no_ids() -> None:
    drawn = {name for _, module, names in imports() if module == "uuid" for name in names}

    assert drawn <= {"UUID"}
