"""How many rows a transaction has read, for tests that show that a query does not read all that was ever there."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def keep_first_plans(connection: AsyncConnection) -> None:
    """Let this session plan each statement once, when it first meets it: in a service, on tables that are empty still."""
    await connection.execute(text("SET plan_cache_mode = force_generic_plan"))


async def rows_read(connection: AsyncConnection, *tables: str) -> int:
    """Return how many rows of these tables this session has read lately: the difference of two looks in a transaction counts."""
    query = text("""
        SELECT coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0) FROM pg_stat_xact_user_tables
        WHERE relname = ANY(:tables)
    """)
    return int((await connection.execute(query, {"tables": list(tables)})).scalar_one())
