"""The vault's tables: wrapped data keys, and encrypted fields under them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake import tables
from services.intake.store.inserting import Rows


@dataclass(frozen=True, slots=True)
class Item:
    """One encrypted field. `child_key` is empty for what is about the incident."""

    event_id: UUID
    case_key: str
    child_key: str
    field: str
    sealed: bytes


_KEYS: Final = text("""
    SELECT case_key, child_key, wrapped_key FROM vault_key WHERE case_key = ANY(CAST(:keys AS text[]))
""")
_ITEMS: Final = text("""
    SELECT event_id, case_key, child_key, field, sealed FROM vault_item
    WHERE case_key = ANY(CAST(:keys AS text[])) AND field = ANY(CAST(:fields AS text[])) ORDER BY seq
""")


async def wrapped_keys(connection: AsyncConnection, case_keys: Collection[str]) -> dict[tuple[str, str], bytes]:
    """Return the wrapped data keys of these cases, by case and child key."""
    if not case_keys:
        return {}
    rows = await connection.execute(_KEYS, {"keys": list(case_keys)})
    return {(row.case_key, row.child_key): row.wrapped_key for row in rows}


async def items(connection: AsyncConnection, case_keys: Collection[str], fields: Collection[str]) -> list[Item]:
    """Return these fields of these cases, oldest first."""
    rows = await connection.execute(_ITEMS, {"keys": list(case_keys), "fields": list(fields)})
    return [Item(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it


def added(keys: Mapping[tuple[str, str], bytes], fields: Sequence[Item]) -> tuple[Rows, Rows]:
    """Return the rows of new wrapped keys and of new encrypted fields."""
    wrapped = [{"case_key": case, "child_key": child, "wrapped_key": key} for (case, child), key in keys.items()]
    items = [{name: getattr(item, name) for name in Item.__slots__} for item in fields]
    return Rows(tables.vault_key, wrapped), Rows(tables.vault_item, items)
