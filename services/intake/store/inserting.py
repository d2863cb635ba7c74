"""Inserts whole sets of rows into several tables with one statement: one round trip, however many rows and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Table, TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows for a table, in order; all have the same keys, and no value is an array."""

    table: Table
    rows: Sequence[Mapping[str, Any]]


async def insert(connection: AsyncConnection, *wanted: Rows) -> None:
    """Insert rows. Tables may refer to each other: that is checked at the end of the statement.

    Raises:
        IntegrityError: A row is there already.
    """
    given = [each for each in wanted if each.rows]
    if not given:
        return
    values = {
        _name(place, column): [row[column] for row in each.rows]
        for place, each in enumerate(given)
        for column in each.rows[0]
    }
    await connection.execute(_statement(tuple((each.table, tuple(each.rows[0])) for each in given)), values)


@cache
def _statement(kinds: tuple[tuple[Table, tuple[str, ...]], ...]) -> TextClause:
    parts = [_part(place, *kind) for place, kind in enumerate(kinds)]
    before = ", ".join(f"part_{place} AS ({part})" for place, part in enumerate(parts[:-1]))
    return text(f"WITH {before} {parts[-1]}" if before else parts[-1])


def _part(place: int, table: Table, columns: tuple[str, ...]) -> str:
    types = (table.c[column].type.compile(_DIALECT) for column in columns)
    arrays = ", ".join(
        f"CAST(:{_name(place, column)} AS {kind}[])" for column, kind in zip(columns, types, strict=True)
    )
    names = ", ".join(columns)
    return f"""
        INSERT INTO {table.fullname} ({names})
        SELECT {names} FROM unnest({arrays}) WITH ORDINALITY AS given({names}, place) ORDER BY place
    """  # noqa: S608 - only our own names


def _name(place: int, column: str) -> str:
    return f"{column}_{place}"
