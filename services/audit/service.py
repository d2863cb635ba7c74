"""What audit does with a batch of records: each becomes an entry, once, in one transaction with where it was read.

Nothing is refused and nothing is parked: what is not an event becomes an entry of kind `poison`, an event id that comes
back with other content one of kind `conflict`. Signing happens elsewhere (`services.audit.publisher`), after the commit.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.identity import derived_event_id
from services.audit.domain.entry import Entry, NotAnEvent, Record, index_of, message_entry, message_of, poison_entry
from services.audit.store import POSTGRES, Log, projection
from services.kit import reach
from services.kit.errors import Unavailable

INDEX_BATCH = 1000


class OtherLog(Unavailable):
    """The database holds the log of another name: nothing is appended until the settings are right."""


class Sequencer:
    """Appends records to the log of one name.

    `draw_salt` returns 32 random bytes.
    """

    def __init__(self, origin: str, draw_salt: Callable[[], bytes], log: Log = POSTGRES) -> None:
        self._origin = origin
        self._draw_salt = draw_salt
        self._log = log

    async def append(self, records: Sequence[Record], connection: AsyncConnection, now: datetime) -> list[Entry]:
        """Append what the log does not have yet, in the order of the records, and return it.

        Args:
            records: What was read from Kafka.
            connection: A connection inside the transaction that also moves the consumer's offsets.
            now: The legal clock.

        Raises:
            OtherLog: The database holds the log of another name.
        """
        head = await self._log.lock_head(connection, self._origin)
        if head.origin != self._origin:
            message = f"expected the log {self._origin}, the database holds {head.origin}: set HANDRAIL_LOG_ORIGIN"
            raise OtherLog(message)
        entries = [self._entry(record, now) for record in records]
        fresh, repeated = await self._without_known(entries, connection)
        conflicts = [_conflict(entry, now) for entry in repeated]
        fresh_conflicts, _ = await self._without_known(conflicts, connection)
        if added := [*fresh, *fresh_conflicts]:
            await self._log.add(connection, head, added)
        return added

    def _entry(self, record: Record, now: datetime) -> Entry:
        try:
            return message_entry(record, salt=self._draw_salt(), logged_at=now)
        except NotAnEvent:
            entry_id = derived_event_id("poison", record.topic, record.partition, record.offset, record.value.hex())
            return poison_entry(record, entry_id=entry_id, kind="poison", logged_at=now)

    async def _without_known(
        self, entries: Sequence[Entry], connection: AsyncConnection
    ) -> tuple[list[Entry], list[Entry]]:
        """Return the entries that the log lacks, and those whose id it has with another content."""
        if not entries:
            return [], []
        seen = await self._log.known(connection, {entry.event_id for entry in entries})
        fresh, repeated = [], []
        for entry in entries:
            if entry.event_id not in seen:
                seen[entry.event_id] = entry.payload
                fresh.append(entry)
            elif seen[entry.event_id] not in (None, entry.payload):
                repeated.append(entry)
        return fresh, repeated


def _conflict(entry: Entry, now: datetime) -> Entry:
    entry_id = derived_event_id("conflict", entry.event_id, entry.record.value.hex())
    return poison_entry(entry.record, entry_id=entry_id, kind="conflict", logged_at=now)


async def index_more(connection: AsyncConnection, now: datetime) -> bool:
    """Index the next entries of the log; say whether there may be more.

    Args:
        connection: A connection inside a transaction of its own.
        now: The wall clock; from it on, a number that others have overtaken is waited for.
    """
    tail = await projection.tail(connection, INDEX_BATCH)
    if not tail:
        return False
    messages = [message_of(row.payload) for row in tail]
    indexed = [(row.seq, index_of(row.entry, message)) for row, message in zip(tail, messages, strict=True)]
    await projection.add(connection, indexed, now)
    await reach.add(connection, [message for message in messages if message])
    return len(tail) == INDEX_BATCH
