"""What the sequencer and the publisher rely on in the log and the folder of checkpoints, on both kinds of store."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import pytest

from services.audit.domain.merkle import inclusion_ranges, leaf_hash, verify_inclusion
from services.audit.domain.note import BadNote, Checkpoint
from services.audit.domain.tiles import range_hashes
from services.audit.service import OtherLog
from services.audit.store.log import Head, Signed
from tests.support.audit import KEY, NOON, ORIGIN, event, record, records
from tests.support.audit_backends import Backend
from tests.support.locks import waits_for_a_lock
from tests.support.merkle_reference import tree_hash


async def head(audit: Backend) -> Head | None:
    async with audit.store.begin() as tx:
        return await audit.log.read_head(tx.connection)


async def publish(audit: Backend) -> Checkpoint:
    async with audit.store.begin() as tx:
        return await audit.publisher().publish(tx.connection, NOON)


async def test_a_new_log_has_no_head_and_takes_its_name_from_the_first_batch(audit: Backend) -> None:
    assert await head(audit) is None
    await audit.append(records(1))

    async with audit.store.begin() as tx:
        with pytest.raises(OtherLog, match=r"expected the log another\.example/log, the database holds log\.example"):
            await audit.sequencer("another.example/log").append(records(2), tx.connection, NOON)
    found = await head(audit)
    assert found is not None
    assert (found.origin, found.size) == (ORIGIN, 1)


async def test_entries_stand_in_the_order_of_the_records_and_give_the_root_of_the_rfc(audit: Backend) -> None:
    await audit.append(records(300))
    await audit.append(records(500, start=301))

    texts, found = await audit.texts(), await head(audit)
    assert [json.loads(one)["event"]["producerseq"] for one in texts] == list(range(1, 801))
    assert found is not None
    assert (found.size, found.root) == (800, tree_hash(texts))


async def test_the_same_event_again_changes_nothing(audit: Backend) -> None:
    assert await audit.append([*records(2), *records(2)]) == 2  # nor twice in one batch
    before = await head(audit)

    assert await audit.append([*records(2), *records(2)]) == 0
    assert await head(audit) == before


async def test_what_the_log_knows_of_an_event_is_its_record_and_of_poison_nothing(audit: Backend) -> None:
    poison = record(b"\xff poison", 9)
    async with audit.store.begin() as tx:
        message, other = await audit.sequencer().append([*records(1), poison], tx.connection, NOON)

    async with audit.store.begin() as tx:
        found = await audit.log.known(tx.connection, {message.event_id, other.event_id, UUID(int=9)})
    assert found == {message.event_id: records(1)[0].value, other.event_id: None}


async def test_an_id_that_comes_back_with_other_content_is_an_entry_of_its_own_once(audit: Backend) -> None:
    await audit.append(records(1))
    forged = record(event(1, data={"rule": "N-01", "recipient": "nobody"}), 99)

    assert [await audit.append([forged]), await audit.append([forged])] == [1, 0]
    first, second = map(json.loads, await audit.texts())
    assert (first["about"]["recipients"], second["kind"]) == (["panel"], "conflict")


async def test_two_writers_at_once_lose_and_repeat_nothing(audit: Backend) -> None:
    batches = [records(20, start=1 + 10 * number) for number in range(12)]  # each overlaps the next by half
    await asyncio.gather(*(audit.append(batch) for batch in batches))

    texts, found = await audit.texts(), await head(audit)
    assert sorted(json.loads(one)["event"]["producerseq"] for one in texts) == list(range(1, 131))
    assert found is not None
    assert found.root == tree_hash(texts)


async def test_a_second_writer_waits_for_the_first(audit: Backend) -> None:
    await audit.append(records(1))
    async with audit.store.begin() as tx:
        await audit.log.lock_head(tx.connection, ORIGIN)
        second = asyncio.create_task(audit.append(records(1, start=2)))
        waited = await waits_for_a_lock(audit.store, second)

    assert waited
    assert await second == 1


async def test_a_batch_that_fails_leaves_no_trace(audit: Backend) -> None:
    async def crash() -> None:
        async with audit.store.begin() as tx:
            await audit.sequencer().append(records(300), tx.connection, NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await crash()

    assert await audit.append(records(2)) == 2
    assert len(await audit.texts()) == 2


async def test_a_proof_made_from_stored_tiles_is_accepted(audit: Backend) -> None:
    await audit.append(records(600))
    texts, found = await audit.texts(), await head(audit)
    assert found is not None

    async with audit.store.begin() as tx:
        ranges = inclusion_ranges(258, 600)
        proof = range_hashes(ranges, await audit.log.tiles_for(tx.connection, found, ranges))
    verify_inclusion(leaf=leaf_hash(texts[258]), index=258, size=600, proof=proof, root=found.root)


async def test_what_was_not_committed_is_not_signed(audit: Backend) -> None:
    async with audit.store.begin() as tx:
        await audit.sequencer().append(records(2), tx.connection, NOON)
        assert (await publish(audit)).size == 0

    assert (await publish(audit)).size == 2
    assert audit.folder.newest() == await publish(audit)


async def test_the_folder_is_looked_through_only_when_the_head_has_moved(
    audit: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Checkpoint | None] = []
    newest, publisher = audit.folder.newest, audit.publisher()

    def counted() -> Checkpoint | None:
        looks.append(newest())
        return looks[-1]

    monkeypatch.setattr(audit.folder, "newest", counted)
    for size in (1, 2):
        await audit.append(records(1, start=size))
        for _ in range(3):
            async with audit.store.begin() as tx:
                assert (await publisher.publish(tx.connection, NOON)).size == size

    assert [one and one.size for one in looks] == [None, 1]


async def test_a_copy_that_another_overtakes_while_it_looks_for_the_first_checkpoint_finds_no_fault(
    audit: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, newest = asyncio.get_running_loop(), audit.folder.newest

    def overtaken() -> Checkpoint | None:
        found = newest()
        monkeypatch.undo()
        asyncio.run_coroutine_threadsafe(publish(audit), running).result()
        return found

    await audit.append(records(3))
    monkeypatch.setattr(audit.folder, "newest", overtaken)

    assert (await publish(audit)).size == 3


async def test_the_newest_checkpoint_is_the_one_of_the_greatest_size(audit: Backend) -> None:
    signed = [Signed(size, leaf_hash(b"%d" % size), f"note {size}") for size in (3, 7, 5)]
    async with audit.store.begin() as tx:
        assert await audit.log.newest_checkpoint(tx.connection) is None
        for one in (*signed, Signed(7, leaf_hash(b"again"), "what stands there stays")):
            await audit.log.add_checkpoint(tx.connection, one, NOON)

    async with audit.store.begin() as tx:
        assert await audit.log.newest_checkpoint(tx.connection) == signed[1]


async def test_two_heads_of_one_size_are_never_both_kept(audit: Backend) -> None:
    checkpoint, other = (Checkpoint(ORIGIN, 7, leaf_hash(text)) for text in (b"one", b"two"))
    audit.folder.keep(checkpoint, checkpoint.sign(KEY))
    audit.folder.keep(checkpoint, checkpoint.sign(KEY))

    with pytest.raises(BadNote, match="two different checkpoints of size 7"):
        audit.folder.keep(other, other.sign(KEY))
    assert audit.folder.newest() == checkpoint
