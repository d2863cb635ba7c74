"""Set what a service keeps of its reading and publishing back to the start, in its own database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.cursor import rewind as rewind_cursor
from services.kit.database import Database
from services.kit.fence import rewind as rewind_fence


def _change(change: Callable[[AsyncConnection], Awaitable[None]], service: str, address: str) -> None:
    async def run() -> None:
        database = Database(address, service)
        try:
            async with database.begin() as transaction:
                await change(transaction.connection)
        finally:
            await database.close()

    asyncio.run(run())


async def _read_again(connection: AsyncConnection) -> None:
    read = await connection.execute(text("SELECT DISTINCT consumer, topic FROM consumer_offset"))
    for consumer, topic in read.all():
        await rewind_fence(connection, consumer, topic)


rewind_relay: Final = partial(_change, rewind_cursor)
"""Publish the whole outbox again: `rewind_relay(service, address)`."""

rewind_consumers: Final = partial(_change, _read_again)
"""Read every topic again: `rewind_consumers(service, address)`."""
