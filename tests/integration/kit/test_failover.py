"""After a failover a pool keeps its connections to the server that was the primary: nobody may stay with it."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.kit.errors import Unavailable, is_infrastructure
from services.kit.settings import KitSettings
from tests.support import kit


async def test_a_server_that_may_only_be_read_is_away_and_its_connections_are_given_up(settings: KitSettings) -> None:
    database = kit.database(settings.database_url.get_secret_value())
    async with database.begin() as tx:
        await tx.connection.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))

    with pytest.raises(DBAPIError) as refused:
        async with database.begin() as tx:
            await tx.connection.execute(text("UPDATE relay_cursor SET epoch = epoch"))
    async with database.begin() as tx:
        written = await tx.connection.execute(text("UPDATE relay_cursor SET epoch = epoch"))

    assert is_infrastructure(refused.value)
    assert written.rowcount == 1
    await database.close()


async def test_a_connection_to_another_server_than_the_one_compared_is_given_up(settings: KitSettings) -> None:
    database = kit.database(settings.database_url.get_secret_value())
    refusals = [Unavailable("it is not known yet whether this database was restored from a backup")]

    async def admit(server: datetime | None) -> None:
        if server and refusals:
            raise refusals.pop()

    async def session() -> int:
        async with database.begin() as tx:
            return int((await tx.connection.execute(text("SELECT pg_backend_pid()"))).scalar_one())

    first, same = await session(), await session()
    database.admit = admit
    with pytest.raises(Unavailable):
        await session()
    other = await session()

    assert (same == first, other == first) == (True, False)
    await database.close()
