"""A relay whose process hangs while its machine goes on answering for it: the one that stands by takes over from it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit import cursor
from services.kit.cursor import Fenced, PostgresCursor
from services.kit.fence import Place
from services.kit.publisher import KafkaPublisher, Outgoing, Published
from services.kit.restored import catch_up, compare
from services.kit.runtime import kafka_connection
from services.kit.settings import KitSettings
from tests.support import kit
from tests.support.eventually import eventually


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take whoever is not just asking something for silent."""
    monkeypatch.setattr(cursor, "SILENT_AFTER_S", 0.0)


@asynccontextmanager
async def cursors(settings: KitSettings) -> AsyncIterator[tuple[PostgresCursor, PostgresCursor]]:
    """Open the cursor of the service in two processes."""
    stores = [kit.database(settings.database_url.get_secret_value()) for _ in range(2)]
    first, second = (PostgresCursor(store.engine, "kit") for store in stores)
    try:
        yield first, second
    finally:
        for store in stores:
            await store.close()


async def last_use(settings: KitSettings) -> datetime:
    """Return when the session that holds the relay's lock last began or ended something."""
    store = kit.database(settings.database_url.get_secret_value())
    try:
        async with store.connect() as connection:
            holder = """SELECT state_change FROM pg_locks JOIN pg_stat_activity USING (pid)
                WHERE locktype = 'advisory' AND datname = current_database()"""
            found: datetime = (await connection.execute(text(holder))).scalar_one()
        return found
    finally:
        await store.close()


class SomebodyElses:
    """Topics on which another service said something."""

    async def after(
        self, _topics: Iterable[str], _acknowledged: Mapping[Place, int]
    ) -> AsyncGenerator[Sequence[Published]]:
        yield [Published(Place("topic", 0), 0, b"key", b'{"producer": "another"}')]

    async def publish(self, records: Sequence[Outgoing]) -> dict[Place, tuple[int, int]]:
        raise NotImplementedError

    async def ends(self, places: Iterable[Place]) -> dict[Place, int]:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError


@pytest.mark.usefixtures("at_once")
async def test_a_relay_that_is_silent_is_ended_and_replaced_and_saves_nothing_more(settings: KitSettings) -> None:
    async with cursors(settings) as (silent, second):
        old = await silent.acquire()
        assert old is not None

        new = await eventually(second.acquire, "taken over")

        assert new.epoch == old.epoch + 1
        with pytest.raises(DBAPIError):
            await silent.save(replace(old, producer_seq=7))
        with pytest.raises(Fenced):  # whoever still reaches the database under the old epoch
            await second.save(replace(old, producer_seq=7))
        await second.save(replace(new, producer_seq=1))
        assert (await second.look()).producer_seq == 1
        await silent.release()
        await second.release()


async def test_a_relay_that_is_at_work_is_left_alone(settings: KitSettings) -> None:
    async with cursors(settings) as (first, second):
        position = await first.acquire()
        assert position is not None

        assert await second.acquire() is None

        await first.save(replace(position, producer_seq=1))
        await first.release()


@pytest.mark.usefixtures("at_once")
async def test_who_catches_up_after_a_restore_is_left_alone(settings: KitSettings) -> None:
    store = kit.database(settings.database_url.get_secret_value())
    publisher = KafkaPublisher(kafka_connection(settings), "test")
    async with cursors(settings) as (relay, _):

        async def meanwhile(_connection: object) -> None:
            assert await relay.acquire() is None

        found = await catch_up(store, publisher, meanwhile)
    await publisher.close()
    await store.close()

    assert found.lacking == []


async def test_a_relay_that_compares_for_long_is_not_silent_even_if_nothing_is_its_own(settings: KitSettings) -> None:
    async with cursors(settings) as (first, _):
        position = await first.acquire()
        assert position is not None
        before = await last_use(settings)

        await compare("kit", position, first, SomebodyElses(), alive=lambda: None)

        assert await last_use(settings) > before
        await first.release()


async def test_a_relay_whose_last_question_has_no_answer_keeps_no_lock(
    settings: KitSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_answer(*_: object) -> None:
        raise TimeoutError  # asyncpg's, which SQLAlchemy lets out as it is

    async with cursors(settings) as (first, second):
        assert await first.acquire()

        with monkeypatch.context() as hanging:
            hanging.setattr(AsyncConnection, "execute", no_answer)
            await first.release()

        await eventually(second.acquire, "the other relay at work")
        await second.release()
