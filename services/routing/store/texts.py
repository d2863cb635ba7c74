"""The texts of the rulebooks that cases were decided by, by their digests.

A notice may wait for months, and the first version of a folder may be changed meanwhile: the guard checks it by the text that it
rests on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_KEPT: Final = text("SELECT sha256 FROM routing.rulebook_text WHERE sha256 = ANY(CAST(:digests AS text[]))")
_KEEP: Final = text("""
    INSERT INTO routing.rulebook_text (sha256, text, taken_at) VALUES (:sha256, :text, :taken_at) ON CONFLICT DO NOTHING
""")
_TEXTS: Final = text("SELECT text FROM routing.rulebook_text WHERE sha256 = ANY(CAST(:digests AS text[]))")


async def keep(connection: AsyncConnection, texts: Mapping[str, str], now: datetime) -> None:
    """Keep texts by their digests. Asked of the database each time, which may have been restored to before one was kept."""
    kept = set(await connection.scalars(_KEPT, {"digests": [*texts]}))
    for digest in sorted(texts.keys() - kept):
        await connection.execute(_KEEP, {"sha256": digest, "text": texts[digest], "taken_at": now})


async def read(connection: AsyncConnection, digests: Collection[str]) -> list[str]:
    """Return the texts that are kept under some digests."""
    return list(await connection.scalars(_TEXTS, {"digests": [*digests]})) if digests else []
