"""What an answer says of the log holds together, although the log, its index and its checkpoints grow all the time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.audit.reader import Reader
from services.audit.store import log as store
from services.audit.store import projection, reading
from services.kit.reach import EVERYTHING
from tests.support.audit import TestLog, records


class Overtaken:
    """The database of a log whose index catches up right after one statement of a reader."""

    def __init__(self, log: TestLog, statement: Any) -> None:
        self._log, self._statement = log, statement

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Any]:
        async with self._log.database.connect() as connection:
            self._connection = connection
            yield self

    async def execute(self, statement: Any, values: Any = None) -> Any:
        answer = await self._connection.execute(statement, values)
        if statement is self._statement:
            await self._log.index()
        return answer


@pytest.mark.parametrize(
    "statement",
    [store.NEWEST_CHECKPOINT, projection.INDEXED_TO, reading.SEARCH],
    ids=["checkpoint", "indexed", "found"],
)
async def test_a_search_finds_exactly_what_it_says_was_indexed(log: TestLog, statement: Any) -> None:
    await log.append(records(3))
    await log.index()
    await log.append(records(3, start=4))
    await log.publish()
    database: Any = Overtaken(log, statement)

    found = await Reader(database).search(EVERYTHING, reading.Search())

    assert [one.row.index for one in found.entries] == [*range(found.indexed_to)]


async def test_what_follows_on_the_newest_checkpoint_is_counted_also_under_an_earlier_one(log: TestLog) -> None:
    counted = []
    for size in (2, 5, 9):
        await log.append(records(size))
        if size < 9:
            await log.publish()
        found = await Reader(log.database).search(EVERYTHING, reading.Search(), 2)
        counted.append((found.checkpoint.size, found.unsigned))

    assert counted == [(2, 0), (2, 0), (2, 4)]


async def test_a_page_that_holds_the_last_entry_promises_no_other(log: TestLog) -> None:
    await log.append(records(4))
    await log.index()
    await log.publish()
    reader = Reader(log.database)

    first = await reader.search(EVERYTHING, reading.Search(limit=2))
    last = await reader.search(EVERYTHING, reading.Search(limit=2, after=1))

    assert ([one.row.index for one in first.entries], first.next_after) == ([0, 1], 1)
    assert ([one.row.index for one in last.entries], last.next_after) == ([2, 3], None)
