"""The day by the legal clock, outside a transaction that knows it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.calendar.london import london_date

_NOW: Final = text("SELECT clock.legal_now()")


async def today(connection: AsyncConnection) -> date:
    """Return the day of England."""
    now: datetime = (await connection.execute(_NOW)).scalar_one()
    return london_date(now)
