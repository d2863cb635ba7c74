"""The index: derived from the log, rebuilt at will, and the numbers that producers are missing."""

from sqlalchemy import text

from services.audit.store import projection
from tests.support.audit import TestLog, records


async def test_a_missing_number_of_a_producer_shows_as_a_gap_until_it_comes(log: TestLog) -> None:
    numbered = records(10)
    await log.append([numbered[place] for place in (0, 1, 4, 5, 9)])
    await log.index()
    assert await gaps(log) == [("routing", 3, 4), ("routing", 7, 9)]

    await log.append([numbered[place] for place in (3, 2)])
    await log.index()
    assert await gaps(log) == [("routing", 7, 9)]

    await log.append(numbered)
    await log.index()
    assert await gaps(log) == []


async def gaps(log: TestLog) -> list[tuple[str, int, int]]:
    async with log.database.connect() as connection:
        return [(gap.producer, gap.first_missing, gap.last_missing) for gap in await projection.gaps(connection)]


async def test_the_index_can_be_thrown_away_and_made_again(log: TestLog) -> None:
    await log.append(records(5))
    await log.index()
    async with log.database.begin() as tx:
        for statement in ("DELETE FROM entry_index", "DELETE FROM producer_head", "UPDATE projection SET size = 0"):
            await tx.connection.execute(text(statement))
    await log.index()

    async with log.database.connect() as connection:
        count = await connection.execute(text("SELECT count(*), max(producer_seq) FROM entry_index"))
        assert tuple(count.one()) == (5, 5)
    assert await gaps(log) == []


async def test_what_a_process_of_the_release_before_has_filled_is_filled_again_once_by_one_that_has_more(
    log: TestLog,
) -> None:
    await log.append(records(5))
    await log.index()
    async with log.database.begin() as tx:
        for statement in ("UPDATE entry_index SET rules = '{}', duty_id = NULL", "UPDATE projection SET has = 0"):
            await tx.connection.execute(text(statement))
    rules = text("SELECT array_agg(rules ORDER BY seq), (SELECT has FROM projection) FROM entry_index")

    await log.index()
    async with log.database.connect() as connection:
        found, has = (await connection.execute(rules)).one()
    assert (len(found), all(found), has) == (5, True, projection.HAS)

    async with log.database.begin() as tx:
        await tx.connection.execute(text("UPDATE entry_index SET rules = '{left}'"))
    await log.append(records(6))
    await log.index()
    async with log.database.connect() as connection:
        found, _ = (await connection.execute(rules)).one()
    assert found[:5] == [["left"]] * 5
