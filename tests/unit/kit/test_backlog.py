"""A backlog while the database may not be written to: nobody reads then, so that no time of waiting may run."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import pytest

from services.kit.backlog import Backlog
from services.kit.consume import Worker
from services.kit.database import Database
from services.kit.errors import Unavailable


async def test_whether_it_is_read_is_not_said_while_the_database_may_not_be_written_to() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none", "deadlines")

    async def refuses(_server: datetime | None) -> None:
        raise Unavailable

    database.admit = refuses

    with pytest.raises(Unavailable):
        await Backlog(database, cast("Worker", None)).is_read()
    await database.close()
