"""What a problem document (RFC 9457) says, for whoever has to put it right: what was wrong, where, and what was expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def told(problem: Mapping[str, Any]) -> str:
    """Return it in a line, with another for each place and for what was kept; members that are no text are left out."""
    sentence = " - ".join(_texts(problem, "title", "detail"))
    errors = problem.get("errors")
    places = [_place(error) for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    kept = " ".join(_texts(problem, "kept"))
    named = ", ".join(f"{name} {problem[name]}" for name in ("returned_id", "receipt_id") if problem.get(name))
    last = f"{kept} ({named})" if kept and named else kept or named
    return "\n  ".join(part for part in (sentence, *places, last) if part)


def _place(error: Mapping[str, Any]) -> str:
    said = [
        *_texts(error, "detail"),
        *(f"expected {text}" for text in _texts(error, "expected")),
        *_texts(error, "hint"),
    ]
    return ": ".join(filter(None, (*_texts(error, "pointer"), "; ".join(said))))


def _texts(of: Mapping[str, Any], *names: str) -> Iterator[str]:
    return (text for name in names if isinstance(text := of.get(name), str) and text)
