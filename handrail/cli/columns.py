"""Lists in columns, one line an entry: no word is cut, wrapped or read as markup, so that each can be copied and searched."""

from __future__ import annotations

from collections.abc import Sequence


def in_columns(*rows: Sequence[str]) -> str:
    """Return rows of equally many cells as lines, the first row for the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
