"""After a failover the old primary may only be read, and a pool keeps its connections: nobody may stay with it."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.kit.errors import is_infrastructure
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
