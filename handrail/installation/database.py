"""Make the installation's own database on the embedded server; on a given server, the one that its address names is used."""

from __future__ import annotations

import asyncio
from typing import Final

import asyncpg

from handrail.embedded.postgres import DatabaseAddress

DATABASE: Final = "handrail"


def ensure_database(server: DatabaseAddress) -> None:
    """Create the database if the server lacks it."""
    asyncio.run(_ensure(server))


async def _ensure(server: DatabaseAddress) -> None:
    connection = await asyncpg.connect(server.url())
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()
