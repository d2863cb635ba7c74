"""Reads past what aiokafka stumbles over, so that one batch does not stop every topic of its consumer group.

Kafka takes any bytes as the name of a header. At one that is not UTF-8 aiokafka raises `UnicodeDecodeError` in the middle
of a fetch, and does so again at each. Here such a batch is read by aiokafka's own Python reader, over bytes whose text is
always readable.

A batch that cannot be read at all (its sum is wrong, say) pauses its own partition. Where aiokafka raises, what the look
had taken of this partition and of others is lost, and it stands behind that.

Private names of aiokafka; canary tests pin them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

_MAGIC_OFFSET: Final = _MemoryRecordsPy.MAGIC_OFFSET
_WITH_HEADERS: Final = 2


class TolerantRecords:
    """The batches of one fetch."""

    def __init__(self, raw: bytes) -> None:
        self._records = _MemoryRecordsPy(raw)

    def has_next(self) -> bool:
        """Return whether there is another whole batch."""
        return self._records.has_next()

    def size_in_bytes(self) -> int:
        """Return the size of the fetch."""
        return self._records.size_in_bytes()

    def next_batch(self) -> Any:
        """Return the next batch."""
        raw = self._records._next_slice  # noqa: SLF001
        batch = self._records.next_batch()
        return batch if raw is None or raw[_MAGIC_OFFSET] < _WITH_HEADERS else _TolerantBatch(batch, raw)


class _TolerantBatch:
    """A batch as aiokafka has it, but for how its records are read."""

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter(list(self._batch))
        except UnicodeDecodeError:
            reader = _DefaultRecordBatchPy(self._raw)
            reader._maybe_uncompress()  # noqa: SLF001
            reader._buffer = _Readable(reader._buffer)  # noqa: SLF001
            return iter(reader)


class _Readable(bytearray):
    """Bytes that are text in any case: what is not UTF-8 is shown escaped."""

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return _Readable(found) if isinstance(index, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        del errors
        return super().decode(encoding, "backslashreplace")


class RecordsBeforeDamage(PartitionRecords):
    """The records that one fetch has of a partition, up to a batch that cannot be read."""

    damage: Exception | None = None

    def __next__(self) -> Any:
        try:
            return super().__next__()  # type: ignore[no-untyped-call]
        except StopIteration:
            raise
        except Exception as damage:  # noqa: BLE001 - whatever it is, the partition waits
            self.damage = damage
            raise StopIteration from None


_getall: Final = FetchResult.getall


def getall(result: Any, max_records: int | None = None) -> Any:
    """Return what a fetch has of a partition, and pause the partition where a batch follows that cannot be read."""
    records = result._partition_records  # noqa: SLF001
    taken = _getall(result, max_records)  # type: ignore[no-untyped-call]
    if records and records.damage:
        state = result._assignment.state_value(result._topic_partition)  # noqa: SLF001
        state.damage = records.damage
        state.pause()
    return taken


def damage(consumer: Any, partition: TopicPartition) -> Exception:
    """Return why the next batch of a paused partition cannot be read."""
    found: Exception = consumer._subscription.subscription.assignment.state_value(partition).damage  # noqa: SLF001
    return found


def install() -> None:
    """Have aiokafka's consumers read with this."""
    fetcher.MemoryRecords = TolerantRecords  # type: ignore[attr-defined] # imported there, for itself
    fetcher.PartitionRecords = RecordsBeforeDamage  # type: ignore[misc]
    FetchResult.getall = getall  # type: ignore[method-assign]
