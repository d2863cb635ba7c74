"""A database restored from an older backup, or moved to another cluster: noticed before anything is written, and mended."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import orjson
import pytest
from sqlalchemy import text

from services.kit.cursor import PostgresCursor, rewind
from services.kit.errors import Unavailable
from services.kit.publisher import KafkaPublisher
from services.kit.restored import Found, NotSettled, RelayAtWork, catch_up
from services.kit.runtime import Runtime, kafka_connection
from services.kit.settings import KitSettings
from tests.support import kit
from tests.support.backup import Backup
from tests.support.eventually import eventually
from tests.support.kit import NOON, aware, case
from tests.support.kit_kafka import compared, make_topic, read_all, running
from tests.support.stack import stack

COMMAND = "handrail relay catch-up kit"
LATER_CLUSTER = 1_000_000_000  # far more transactions than the tests' server has had
SPREAD = 500  # transaction ids from now on: the next migration has one of them


def later(column: str) -> str:
    """Return the transaction id of a cluster that has had many more, in SQL."""
    return f"CAST(CAST(CAST(CAST({column} AS text) AS bigint) + {LATER_CLUSTER} AS text) AS xid8)"


def nothing_to_read(_runtime: Runtime) -> list[Any]:
    return []


def admin_url(settings: KitSettings) -> str:
    return stack().database.url(database=urlsplit(settings.database_url.get_secret_value()).path.strip("/"))


async def emit(settings: KitSettings, topic: str, *names: str) -> None:
    store = kit.database(settings.database_url.get_secret_value())
    async with store.begin() as tx:
        await tx.lock_cases([case(1)])
        for name in names:
            tx.emit(topic, aware(name, case(1)))
    await store.close()


async def publish_all(settings: KitSettings) -> None:
    async with running(settings, nothing_to_read) as runtime:
        cursor = PostgresCursor(runtime.database.engine, "kit")

        async def nothing_waits() -> bool:
            return (await cursor.backlog())[0] == 0

        await eventually(nothing_waits, "published")


async def publish(settings: KitSettings, topic: str, *names: str) -> None:
    await emit(settings, topic, *names)
    await publish_all(settings)


async def restored(settings: KitSettings, topic: str) -> None:
    """Publish `a`, restore a backup from then after `b` and `c` were published, too."""
    backup = Backup(admin_url(settings), "kit")
    await publish(settings, topic, "a")
    await backup.take()
    await publish(settings, topic, "b", "c")
    await backup.restore()


async def mend(settings: KitSettings) -> Found:
    database = kit.database(settings.database_url.get_secret_value())
    publisher = KafkaPublisher(kafka_connection(settings), "test")
    try:
        return await catch_up(database, publisher)
    finally:
        await publisher.close()
        await database.close()


async def mend_if_free(settings: KitSettings) -> Found | None:
    """Mend, unless a relay that refuses is just looking again."""
    try:
        return await mend(settings)
    except RelayAtWork:
        return None


async def is_ready(runtime: Runtime) -> bool:
    return await runtime.relay.unready() is None


async def is_said(settings: KitSettings, topic: str, name: str) -> bool:
    return name in {how for _, _, how in await said(settings, topic)}


async def said(settings: KitSettings, topic: str) -> list[tuple[int, int, str]]:
    bodies = [orjson.loads(record.value) for record in await read_all(settings, topic)]
    return [(body["producerseq"], body["caseseq"], body["data"]["how"]) for body in bodies]


async def say_all_again(settings: KitSettings) -> None:
    store = kit.database(settings.database_url.get_secret_value())
    async with store.engine.begin() as connection:
        await rewind(connection)
    await store.close()
    await publish_all(settings)


async def still_lacking(settings: KitSettings) -> list[str]:
    store = kit.database(settings.database_url.get_secret_value())
    async with store.connect() as connection:
        rows = await connection.execute(text("SELECT payload FROM published_before WHERE NOT in_outbox"))
        found = [orjson.loads(payload)["data"]["how"] for payload in rows.scalars()]
    await store.close()
    return found


async def count_outbox(settings: KitSettings) -> tuple[int, ...]:
    """Count rows, messages and transactions."""
    store = kit.database(settings.database_url.get_secret_value())
    async with store.connect() as connection:
        counts = text("SELECT count(*), count(DISTINCT event_id), count(DISTINCT xid) FROM outbox")
        found = tuple((await connection.execute(counts)).one())
    await store.close()
    return found


async def as_administrator(settings: KitSettings, statements: str) -> None:
    connection = await asyncpg.connect(admin_url(settings))
    await connection.execute(statements)
    await connection.close()


async def test_a_database_that_lacks_what_kafka_has_is_refused_with_the_way_out(settings: KitSettings) -> None:
    topic = make_topic()
    await restored(settings, topic)
    await emit(settings, topic, "new")

    async with running(settings, nothing_to_read) as runtime:
        refusal = await eventually(runtime.relay.unready, "refused")

    assert COMMAND in refusal
    assert "its number 2" in refusal
    assert await said(settings, topic) == [(1, 1, "a"), (2, 2, "b"), (3, 3, "c")]


async def test_a_database_that_lacks_what_kafka_has_is_not_written_to(settings: KitSettings) -> None:
    topic = make_topic()
    await restored(settings, topic)

    async with running(settings, nothing_to_read) as first, running(settings, nothing_to_read) as second:
        for runtime in (first, second):
            with pytest.raises(Unavailable, match=COMMAND):
                async with runtime.database.begin():
                    pass


async def test_a_transaction_on_another_server_than_the_one_that_was_compared_writes_nothing(
    settings: KitSettings,
) -> None:
    topic = make_topic()
    async with running(settings, nothing_to_read) as runtime:
        await runtime.relay.admit()
        runtime.relay._server = NOON  # as if the pool's connections led elsewhere now

        with pytest.raises(Unavailable):
            async with runtime.database.begin() as tx:
                tx.emit(topic, aware("a", case(1)))
        await compared(runtime)
        async with runtime.database.begin() as tx:
            await tx.lock_cases([case(1)])
            tx.emit(topic, aware("b", case(1)))

        await eventually(lambda: is_said(settings, topic, "b"), "published")

    assert await said(settings, topic) == [(1, 1, "b")]


async def test_services_that_refuse_are_mended_while_they_run(settings: KitSettings) -> None:
    topic = make_topic()
    await restored(settings, topic)

    async with running(settings, nothing_to_read) as first, running(settings, nothing_to_read) as second:
        for runtime in (first, second):
            await eventually(runtime.relay.unready, "refused")
        found = await eventually(lambda: mend_if_free(settings), "caught up")
        for runtime in (first, second):
            await eventually(partial(is_ready, runtime), "ready again")
        async with second.database.begin() as tx:
            await tx.lock_cases([case(1)])
            tx.emit(topic, aware("d", case(1)))
        await eventually(lambda: is_said(settings, topic, "d"), "published")

    assert len(found.lacking) == 2


async def test_what_kafka_has_is_counted_named_and_announced(settings: KitSettings) -> None:
    topic = make_topic()
    await restored(settings, topic)

    found = await mend(settings)

    assert found.lacking == [(aware(name, case(1)).id, "la.became_aware.v1") for name in ("b", "c")]
    assert (found.published, found.moved) == (0, False)
    store = kit.database(settings.database_url.get_secret_value())
    async with store.connect() as connection:
        announced = (
            await connection.execute(text("SELECT payload FROM outbox WHERE topic LIKE '%quarantine%'"))
        ).scalar_one()
    await store.close()
    message = orjson.loads(announced)
    assert message["type"] == "database.restored.v1"
    assert message["data"] == {"service": "kit", "after_producer_seq": 1, "lacking": 2, "moved": False}


async def test_after_catching_up_no_number_is_given_twice_and_nothing_is_said_twice(settings: KitSettings) -> None:
    topic = make_topic()
    await restored(settings, topic)
    await mend(settings)

    await publish(settings, topic, "b", "d")  # `b` comes again from what the service reads again

    assert await said(settings, topic) == [(1, 1, "a"), (2, 2, "b"), (3, 3, "c"), (5, 4, "d")]  # 4 is the announcement
    assert await still_lacking(settings) == ["c"]


async def test_a_relay_that_is_rewound_after_a_restore_says_all_again_under_the_same_numbers(
    settings: KitSettings,
) -> None:
    topic = make_topic()
    await restored(settings, topic)
    await mend(settings)
    await publish(settings, topic, "b", "d")
    before = await said(settings, topic)

    await say_all_again(settings)

    assert await said(settings, topic) == before * 2


async def test_what_was_said_before_a_restore_keeps_its_place_in_another_cluster(settings: KitSettings) -> None:
    topic = make_topic()
    await restored(settings, topic)
    await mend(settings)
    await publish(settings, topic, "b", "d")
    before = await said(settings, topic)
    await as_administrator(
        settings,
        f"""UPDATE kit.outbox SET xid = {later("xid")};
        UPDATE kit.published_before SET after_xid = {later("after_xid")};
        UPDATE kit.relay_cursor SET database_identity = 'elsewhere/1', xid = {later("xid")}""",  # noqa: S608
    )
    kit.migrate_again(admin_url(settings))
    await mend(settings)

    await say_all_again(settings)

    assert [number for number, _, _ in before] == [1, 2, 3, 5]
    assert await said(settings, topic) == before * 2


async def test_catching_up_twice_finds_nothing_more(settings: KitSettings) -> None:
    topic = make_topic()
    await restored(settings, topic)
    await mend(settings)

    again = await mend(settings)

    assert (again.lacking, again.published) == ([], 0)


async def test_what_the_backup_had_and_had_not_published_yet_is_not_published_again(settings: KitSettings) -> None:
    topic = make_topic()
    backup = Backup(admin_url(settings), "kit")
    await publish(settings, topic, "a")
    await emit(settings, topic, "waiting")
    await backup.take()
    await publish(settings, topic, "later")
    await backup.restore()

    found = await mend(settings)
    await publish_all(settings)

    assert (len(found.lacking), found.published) == (1, 1)
    assert await said(settings, topic) == [(1, 1, "a"), (2, 2, "waiting"), (3, 3, "later")]


async def test_a_relay_that_died_before_it_saved_is_not_taken_for_a_restored_database(settings: KitSettings) -> None:
    topic = make_topic()
    await publish(settings, topic, "a")
    store = kit.database(settings.database_url.get_secret_value())
    async with store.engine.begin() as connection:
        before = (await connection.execute(text("SELECT xid::text, id, acknowledged::text FROM relay_cursor"))).one()
    await publish(settings, topic, "b")
    async with store.engine.begin() as connection:
        await connection.execute(
            text(
                "UPDATE relay_cursor SET xid = CAST(CAST(:xid AS text) AS xid8), id = :id, producer_seq = 1,"
                " acknowledged = CAST(CAST(:acknowledged AS text) AS jsonb)"
            ),
            before._asdict(),
        )
    await store.close()

    await publish_all(settings)

    assert await said(settings, topic) == [(1, 1, "a"), (2, 2, "b"), (2, 2, "b")]


async def test_a_database_moved_to_another_cluster_says_all_that_waits_and_all_that_comes(
    settings: KitSettings,
) -> None:
    """Transaction ids begin anew in another cluster: what came from the old one must not be taken for the future."""
    topic = make_topic()
    await publish(settings, topic, "a", "b")
    await emit(settings, topic, "waiting")
    await as_administrator(
        settings,
        f"""UPDATE kit.outbox SET xid = {later("xid")};
        UPDATE kit.relay_cursor SET database_identity = 'elsewhere/1', xid = {later("xid")}""",  # noqa: S608
    )
    async with running(settings, nothing_to_read) as runtime:
        refusal = await eventually(runtime.relay.unready, "refused")
        with pytest.raises(Unavailable, match=COMMAND):
            async with runtime.database.begin():
                pass

    with pytest.raises(NotSettled):
        await mend(settings)
    kit.migrate_again(admin_url(settings))
    found = await mend(settings)
    await publish(settings, topic, "new")

    assert COMMAND in refusal
    assert (found.lacking, found.moved) == ([], True)
    assert await said(settings, topic) == [(1, 1, "a"), (2, 2, "b"), (3, 3, "waiting"), (5, 4, "new")]


async def test_an_old_transaction_id_that_the_move_itself_has_in_the_new_cluster_is_an_old_one(
    settings: KitSettings,
) -> None:
    """Found by the fault table: that row was taken for one already written again, and stayed, the same message twice."""
    topic, names = make_topic(), [f"m{number}" for number in range(SPREAD)]
    await publish(settings, topic, *names)
    await emit(settings, topic, "waiting")
    await as_administrator(
        settings,
        f"""UPDATE kit.outbox SET xid = CAST(CAST(CAST(CAST(pg_current_xact_id() AS text) AS bigint) + id AS text) AS xid8);
        UPDATE kit.relay_cursor AS c SET database_identity = 'elsewhere/1', xid = o.xid FROM kit.outbox AS o WHERE o.id = c.id;
        UPDATE kit.outbox SET xid = {later("xid")} WHERE id > (SELECT id FROM kit.relay_cursor)""",  # noqa: S608
    )
    kit.migrate_again(admin_url(settings))
    await mend(settings)
    await publish(settings, topic, "new")

    messages = SPREAD + 3  # what waited, the announcement and the new one
    assert await count_outbox(settings) == (messages, messages, 3)  # moved, mended, published
    assert [how for _, _, how in await said(settings, topic)] == [*names, "waiting", "new"]


async def test_a_relay_at_work_has_nothing_to_catch_up(settings: KitSettings) -> None:
    topic = make_topic()
    await publish(settings, topic, "a")

    async with running(settings, nothing_to_read) as runtime:
        await runtime.relay.admit()
        with pytest.raises(RelayAtWork):
            await mend(settings)
