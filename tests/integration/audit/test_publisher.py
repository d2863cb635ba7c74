"""Signing: only what was committed, only forwards, and never against what has already left the building."""

# ruff: noqa: S608 - statements of an attacker, put together by the test

import shutil

import asyncpg
import pytest

from services.audit.domain.note import BadNote, Checkpoint, open_checkpoint
from services.audit.publisher import RefusedToSign
from services.audit.store import log as store
from tests.support.audit import KEY, NOON, NOTE_KEY, ORIGIN, TestLog, records


async def signed_sizes(log: TestLog) -> list[int]:
    async with log.database.connect() as connection:
        notes = await store.checkpoints(connection, 100)
    return [open_checkpoint(note, [NOTE_KEY]).size for note in notes]


def files(log: TestLog) -> list[str]:
    return sorted(path.name for path in log.folder.iterdir())


async def superuser(log: TestLog, *statements: str) -> None:
    connection = await asyncpg.connect(log.address.url())
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def roll_back_to(log: TestLog, head: store.Head) -> None:
    """Make the database what an older copy of it would be."""
    edge = "ARRAY[" + ",".join(f"'\\x{part.hex()}'::bytea" for part in head.edge.partial) + "]::bytea[]"
    await superuser(
        log,
        "ALTER TABLE audit.entry DISABLE TRIGGER ALL",
        "ALTER TABLE audit.log DISABLE TRIGGER ALL",
        "ALTER TABLE audit.checkpoint DISABLE TRIGGER ALL",
        f"DELETE FROM audit.entry WHERE seq >= {head.size}",
        "ALTER TABLE audit.record DISABLE TRIGGER ALL",
        f"DELETE FROM audit.record WHERE seq >= {head.size}",
        f"DELETE FROM audit.checkpoint WHERE size > {head.size}",
        f"UPDATE audit.log SET size = {head.size}, root = '\\x{head.root.hex()}', edge = {edge}",
        "ALTER TABLE audit.entry ENABLE TRIGGER ALL",
        "ALTER TABLE audit.log ENABLE TRIGGER ALL",
    )


async def test_the_head_is_signed_once_and_kept_in_both_places(log: TestLog) -> None:
    await log.append(records(3))
    checkpoint = await log.publish()
    assert await log.publish() == checkpoint

    assert checkpoint == Checkpoint(ORIGIN, 3, (await log.head()).root)
    assert await signed_sizes(log) == [3]
    assert files(log) == [f"{3:020d}.note"]
    assert open_checkpoint((log.folder / files(log)[0]).read_text(), [NOTE_KEY]) == checkpoint


async def test_an_empty_log_has_a_checkpoint_too(log: TestLog) -> None:
    assert (await log.publish()).size == 0
    await log.append(records(1))
    assert (await log.publish()).size == 1


async def test_a_crash_between_folder_and_database_is_repaired_by_signing_again(log: TestLog) -> None:
    await log.append(records(2))
    publisher = log.publisher
    async with log.database.engine.connect() as connection:  # rolled back: the file stays, the row does not
        await publisher.publish(connection, NOON)
    assert (await signed_sizes(log), len(files(log))) == ([], 1)

    async with log.database.begin() as tx:
        await publisher.publish(tx.connection, NOON)
    assert (await signed_sizes(log), len(files(log))) == ([2], 1)


@pytest.mark.parametrize("left", [0, 2], ids=["an empty folder", "an older folder"])
async def test_a_log_is_not_signed_into_another_folder_until_its_newest_checkpoint_is_put_there(
    log: TestLog, left: int
) -> None:
    """The mount of the folder is away after a start: what is signed into its place leaves the machine no more."""
    for size in (2, 5):
        await log.append(records(size))
        await log.publish()
    mount = log.folder.rename(log.folder.parent / "mount")
    if left:
        log.folder.mkdir()
        shutil.copy(mount / f"{left:020d}.note", log.folder)
    await log.append(records(6))

    with pytest.raises(RefusedToSign, match=r"the folder of checkpoints lacks the one of 5 entries .* is it mounted\?"):
        await log.publish()
    assert (await signed_sizes(log), len(files(log))) == ([2, 5], left and 1)

    shutil.copy(mount / f"{5:020d}.note", log.folder)
    await log.publish()
    assert (await signed_sizes(log), files(log)[-1]) == ([2, 5, 6], f"{6:020d}.note")


async def test_a_database_restored_from_a_backup_is_not_signed(log: TestLog) -> None:
    await log.append(records(300))
    old = await log.head()
    await log.append(records(50, start=301))
    await log.publish()
    await roll_back_to(log, old)

    with pytest.raises(
        RefusedToSign, match="has 300 entries, the newest checkpoint in the folder of checkpoints has 350"
    ):
        await log.publish()
    assert files(log) == [f"{350:020d}.note"]


@pytest.mark.parametrize("signed", [0, 300], ids=["nothing was signed before", "it knows what it was signed as"])
async def test_a_restored_database_that_has_read_on_is_told_from_one_that_was_changed(
    log: TestLog, signed: int
) -> None:
    await log.append(records(300))
    if signed:
        await log.publish()
    old = await log.head()
    await log.append(records(50, start=301))
    await log.publish()
    await roll_back_to(log, old)
    await log.append(records(60, start=400))  # it grows past the signed size, with another history

    with pytest.raises(
        RefusedToSign,
        match=f"lacks the checkpoint of 350 entries in the folder .* went on from {signed} .* was an older copy of it restored",
    ):
        await log.publish()
    assert files(log)[-1] == f"{350:020d}.note"


async def test_a_copy_that_stood_still_sees_what_another_has_signed_before_it_signs_again(log: TestLog) -> None:
    await log.append(records(3))
    still, old = log.publisher, await log.head()
    async with log.database.begin() as tx:
        await still.publish(tx.connection, NOON)
    await log.append(records(5, start=4))
    await log.publish()
    await roll_back_to(log, old)
    await log.append(records(2, start=20))

    with pytest.raises(RefusedToSign, match="has 5 entries, the newest checkpoint in the folder of checkpoints has 8"):
        async with log.database.begin() as tx:
            await still.publish(tx.connection, NOON)


async def test_a_rewritten_tree_is_not_signed(log: TestLog) -> None:
    await log.append(records(300))
    await log.publish()
    await superuser(
        log,
        "ALTER TABLE audit.log DISABLE TRIGGER ALL",
        "UPDATE audit.log SET edge[1] = set_byte(edge[1], 5, 255 - get_byte(edge[1], 5))",
        "ALTER TABLE audit.log ENABLE TRIGGER ALL",
    )
    await log.append(records(1, start=301))

    with pytest.raises(RefusedToSign, match="the first 300 entries do not have the root that was signed"):
        await log.publish()


async def test_another_log_is_not_signed(log: TestLog) -> None:
    await log.append(records(1))
    await superuser(
        log, "ALTER TABLE audit.log DISABLE TRIGGER ALL", "UPDATE audit.log SET origin = 'another.example/log'"
    )

    with pytest.raises(RefusedToSign, match="the database holds another"):
        await log.publish()


async def test_a_folder_of_another_key_is_refused(log: TestLog) -> None:
    log.folder.mkdir()
    forged = Checkpoint("another.example/log", 1, bytes(32)).sign(KEY)
    (log.folder / f"{1:020d}.note").write_text(forged)

    with pytest.raises(BadNote):
        await log.publish()
