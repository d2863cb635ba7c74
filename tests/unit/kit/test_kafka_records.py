"""Records whose header names are not UTF-8 are read like all others, and aiokafka still has the names that this needs."""

from __future__ import annotations

import asyncio
import gzip
import inspect
import struct
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import READ_COMMITTED, Fetcher, FetchResult
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c

from services.kit import kafka_compat, kafka_records
from services.kit.kafka_records import RecordsBeforeDamage, TolerantRecords

NAME = "zz"
AIOKAFKAS: Any = RecordsBeforeDamage.__base__
LATIN_1 = b"\xe9\xe8"
HEAD_BYTES = 61
LENGTH_AT, CRC_AT, ATTRIBUTES_AT = 8, 17, 21
GZIP = 1


def batch(*values: bytes, first_offset: int = 0, name: bytes = LATIN_1, compressed: bool = False) -> bytes:
    """Return a batch as a broker keeps it; its records have a header of this name."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=100_000,
    )
    for number, value in enumerate(values):
        builder.append(number, timestamp=1, key=b"key", value=value, headers=[(NAME, b"1"), ("none", None)])
    built = bytes(builder.build())
    records = built[HEAD_BYTES:].replace(NAME.encode(), name)
    raw = bytearray(built[:HEAD_BYTES] + (gzip.compress(records) if compressed else records))
    struct.pack_into(">q", raw, 0, first_offset)
    struct.pack_into(">i", raw, LENGTH_AT, len(raw) - 12)
    struct.pack_into(">h", raw, ATTRIBUTES_AT, GZIP if compressed else 0)
    struct.pack_into(">I", raw, CRC_AT, calc_crc32c(raw[ATTRIBUTES_AT:]))
    return bytes(raw)


def read(records: object, *, from_offset: int = 0) -> list[tuple[int, bytes, list[tuple[str, bytes | None]]]]:
    """Read as aiokafka's fetcher does, with its check of the sum."""
    found = AIOKAFKAS(
        TopicPartition("topic", 0),
        records,
        [],
        from_offset,
        None,
        None,
        check_crcs=True,
        isolation_level=READ_COMMITTED,
    )
    return [(one.offset, one.value, list(one.headers)) for one in found]


def test_aiokafka_itself_cannot_read_such_a_batch() -> None:
    with pytest.raises(UnicodeDecodeError):
        read(MemoryRecords(batch(b"one")))


@pytest.mark.parametrize("compressed", [False, True])
def test_a_header_name_that_is_not_utf_8_costs_nothing_but_its_look(*, compressed: bool) -> None:
    raw = (
        batch(b"before", name=b"ok")
        + batch(b"one", b"two", first_offset=1, compressed=compressed)
        + batch(b"after", first_offset=3, name=b"ok")
    )

    odd = [(r"\xe9\xe8", b"1"), ("none", None)]
    fine = [("ok", b"1"), ("none", None)]
    assert read(TolerantRecords(raw)) == [(0, b"before", fine), (1, b"one", odd), (2, b"two", odd), (3, b"after", fine)]


def test_reading_can_begin_in_the_middle_of_such_a_batch() -> None:
    assert [offset for offset, _, _ in read(TolerantRecords(batch(b"one", b"two", b"three")), from_offset=1)] == [1, 2]


def test_a_batch_that_was_damaged_is_still_refused() -> None:
    damaged = bytearray(batch(b"one"))
    damaged[-1] ^= 1

    with pytest.raises(CorruptRecordException):
        read(TolerantRecords(bytes(damaged)))


HEALTHY, HURT = TopicPartition("topic", 0), TopicPartition("topic", 1)


@pytest.mark.parametrize("first", [HEALTHY, HURT])
async def test_a_damaged_batch_pauses_its_partition_and_costs_no_record_of_that_or_another(
    first: TopicPartition,
) -> None:
    damaged = bytearray(batch(b"damaged", first_offset=1))
    damaged[-1] ^= 1
    arrived = {HEALTHY: batch(b"one", b"two"), HURT: batch(b"before") + damaged + batch(b"after", first_offset=2)}
    subscriptions = SubscriptionState()
    subscriptions.assign_from_user({HEALTHY, HURT})
    assignment = subscriptions.subscription.assignment
    reading: Any = Fetcher.__new__(Fetcher)  # without its task, which would ask a broker
    reading._subscriptions, reading._records, reading._closed = subscriptions, {}, False
    reading._wait_consume_future = asyncio.get_running_loop().create_future()
    for partition in (first, *({HEALTHY, HURT} - {first})):
        subscriptions.seek(partition, 0)
        records: Any = RecordsBeforeDamage(  # type: ignore[no-untyped-call]
            partition,
            TolerantRecords(arrived[partition]),
            [],
            0,
            None,
            None,
            check_crcs=True,
            isolation_level=READ_COMMITTED,
        )
        reading._records[partition] = FetchResult(
            partition, assignment=assignment, partition_records=records, backoff=0
        )

    found = await reading.fetched_records([])

    assert {tp: [record.offset for record in records] for tp, records in found.items()} == {HEALTHY: [0, 1], HURT: [0]}
    assert {tp: assignment.state_value(tp).position for tp in (HEALTHY, HURT)} == {HEALTHY: 2, HURT: 1}
    assert subscriptions.paused_partitions() == {HURT}
    assert isinstance(kafka_records.damage(SimpleNamespace(_subscription=subscriptions), HURT), CorruptRecordException)


def test_aiokafkas_consumers_read_with_this() -> None:
    assert vars(kafka_compat)["kafka_records"].TolerantRecords is vars(fetcher)["MemoryRecords"]
    assert "MemoryRecords(part_data[-1])" in inspect.getsource(fetcher.Fetcher)
    assert "partition_records = PartitionRecords(" in inspect.getsource(fetcher.Fetcher)
    assert vars(fetcher)["PartitionRecords"] is RecordsBeforeDamage
