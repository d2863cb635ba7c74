"""What an answer says of the log holds together, although the log, its index and its checkpoints grow all the time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from schemas.deadlines import Breached, BreachedData
from schemas.envelope import Envelope
from services.audit.reader import Reader
from services.audit.store import log as store
from services.audit.store import projection, reading
from services.kit.reach import EVERYTHING
from tests.support.audit import NOON, TestLog, record, records
from tests.support.deadlines import (
    envelope,
    notice_delivered,
    obligation_met,
    obligation_opened,
    obligation_redated,
    obligation_withdrawn,
    question_closed,
    question_opened,
)


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


@pytest.mark.parametrize("indexed_after", [range(10), (2, 5, 8, 9), (9,)], ids=["each entry", "a few", "all"])
async def test_a_search_by_rule_or_recipient_finds_all_that_became_of_a_duty(
    log: TestLog, indexed_after: Collection[int]
) -> None:
    told, asked, ahead = UUID(int=1), UUID(int=2), UUID(int=3)
    given = [
        breached(1, asked, "N-01, N-03"),  # another topic may be ahead of the one that says which rules there are
        obligation_opened(2, told, date(2026, 11, 9), recipients=("panel", "ofsted")),
        question_opened(3, asked, date(2026, 11, 3), date(2026, 11, 2)),
        obligation_redated(4, told, date(2026, 11, 10), date(2026, 11, 3)),
        notice_delivered(5),  # of this duty, to the police
        obligation_met(6, told, NOON),
        obligation_withdrawn(7, told),
        question_closed(8, asked),
        obligation_withdrawn(9, ahead),  # so may a partition, where a new log is filled from the beginning
        obligation_opened(10, ahead, date(2026, 11, 9), recipients=("ofsted",)),
    ]
    for place, message in enumerate(given):
        await log.append([record(message.wire(), place)])
        if place in indexed_after:
            await log.index()
    await log.publish()

    async def found(**wanted: Any) -> list[int]:
        entries = await Reader(log.database).search(EVERYTHING, reading.Search(**wanted))
        return [one.row.index for one in entries.entries]

    assert await found(rule="N-01") == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert await found(rule="N-03") == [0, 2, 4, 7]
    assert await found(recipient="ofsted") == [1, 3, 5, 6, 8, 9]
    assert await found(recipient="police:west-yorkshire") == [4]


def breached(number: int, duty_id: UUID, rule: str) -> Envelope:
    data = BreachedData(
        duty_id=duty_id,
        kind="question",
        rule=rule,
        duty_holder="la:E08000035",
        due_on=date(2026, 11, 3),
        generation=1,
        breached_at=NOON,
    )
    return Breached(**envelope(number), data=data)
