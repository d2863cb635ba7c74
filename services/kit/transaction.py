"""One transaction: the cases it holds, the messages it will emit, and its connection.

Order matters and is enforced. Locks come first: they give the transaction no id, whereas every write does, and a
transaction that got its id before it held the case could enter the outbox in the wrong order. So a lock after a write
is refused, and so is a message about a case that is not held.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.envelope import Envelope
from schemas.identity import derived_event_id
from schemas.quarantines import Quarantined, QuarantinedData
from schemas.topics import quarantine as quarantine_topic
from services.kit.fence import Fence, PostgresFence
from services.kit.inbox import Inbox, PostgresInbox
from services.kit.outbox import Outbox, Pending, PostgresOutbox, prepare
from services.kit.quarantine import PostgresQuarantine, Quarantine, Record, Sealer


class LateLock(RuntimeError):
    """A case was locked after the transaction had written: lock first, or the outbox may come out in the wrong order."""


class CaseNotHeld(RuntimeError):
    """A message about a case was emitted by a transaction that does not hold the case: call `lock_cases` first."""


class Transaction(Protocol):
    """What a handler works in. It never commits or rolls back for itself."""

    service: str
    now: datetime
    fence: Fence
    inbox: Inbox
    held: Quarantine
    traces: dict[UUID, str]

    def instant(self) -> datetime:
        """Return `now`, and each time a microsecond later: what one transaction records has an order."""
        ...

    @property
    def connection(self) -> AsyncConnection:
        """The database connection, inside this transaction (PostgreSQL only); the search path is the service's schema."""
        ...

    async def lock_cases(self, keys: Iterable[str], *, minted: bool = False) -> None:
        """Hold cases until the end of the transaction, waiting for whoever holds them now.

        Args:
            keys: Case keys, or any names that stand for what must be serialised.
            minted: This transaction made the keys, so nobody else can know them: nothing to wait for.

        Raises:
            LateLock: The transaction has already written.
        """
        ...

    def emit(self, topic: str, message: Envelope, key: str | None = None) -> None:
        """Publish a message if, and only if, this transaction commits. `key` defaults to the case key.

        Raises:
            CaseNotHeld: The message is about a case that this transaction has not locked.
        """
        ...

    async def quarantine(self, record: Record, *, reason: str, parks: bool = False, arrival: int | None = None) -> UUID:
        """Put a record aside, announce it on the service's quarantine topic, and return its id.

        Args:
            record: What to keep. With `parks`, its `case_key` is set and held.
            reason: One of our own sentences; it never quotes the record.
            parks: Later events of its case wait behind it.
            arrival: Its place among those that wait, if it had one before.
        """
        ...

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """Undo everything inside, messages too, if it raises."""
        ...


class TransactionBase:
    """What both kinds of transaction do alike."""

    def __init__(
        self, service: str, now: datetime, *, outbox: Outbox, fence: Fence, inbox: Inbox, held: Quarantine
    ) -> None:
        self.service = service
        self.now = now
        self.outbox = outbox
        self.fence = fence
        self.inbox = inbox
        self.held = held
        self.traces: dict[UUID, str] = {}
        self.emitted = 0
        self._instants = 0
        self._pending: list[Pending] = []
        self._locked: set[str] = set()

    def instant(self) -> datetime:
        """Return `now`, and each time a microsecond later; also across savepoints that are undone."""
        self._instants += 1
        return self.now + timedelta(microseconds=self._instants - 1)

    def emit(self, topic: str, message: Envelope, key: str | None = None) -> None:
        """Publish a message if, and only if, this transaction commits."""
        if message.case_key and message.case_key not in self._locked:
            raise CaseNotHeld(CaseNotHeld.__doc__)
        self._pending.append(prepare(topic, message, key, self.traces))

    async def quarantine(self, record: Record, *, reason: str, parks: bool = False, arrival: int | None = None) -> UUID:
        """Put a record aside, announce it on the service's quarantine topic, and return its id."""
        quarantine_id = record.quarantine_id()
        before = await self.held.find(quarantine_id)
        if not await self.held.hold(record, reason=reason, parks=parks, now=self.now, arrival=arrival):
            return quarantine_id
        if record.topic == quarantine_topic(self.service):
            return quarantine_id  # announcing that an announcement was put aside would never end
        # What a person took out and is held anew is said anew; what a restored database does again was said before.
        anew = () if before is None else (before.held_at.isoformat(),)
        message = Quarantined(
            id=derived_event_id("quarantined", quarantine_id, *anew),
            source=f"/handrail/{self.service}",
            time=self.now,
            recorded_at=self.now,
            case_key=record.case_key if parks else None,
            data=QuarantinedData(
                quarantine_id=quarantine_id,
                service=self.service,
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                sha256=record.digest(),
                size_bytes=len(record.payload),
                reason=reason,
                parked=parks,
            ),
        )
        self.emit(quarantine_topic(self.service), message, key=message.case_key or str(quarantine_id))
        return quarantine_id

    async def flush(self) -> None:
        """Write the messages to the outbox; the last thing before the commit."""
        pending, self._pending = self._pending, []
        if pending:
            await self.outbox.append(pending, self.service)
            self.emitted += len(pending)


# The hash, and not the key, is what is sorted: two keys may share a hash, and every transaction must meet the hashes
# in one order or two of them can wait for each other. MATERIALIZED keeps the sort below the locking.
_LOCK: Final = text("""
    WITH sorted AS MATERIALIZED (
        SELECT DISTINCT hashtextextended(:service || ':' || key, 0) AS hash
        FROM unnest(CAST(:keys AS text[])) AS k(key) ORDER BY hash
    ), held AS MATERIALIZED (SELECT pg_advisory_xact_lock(hash) FROM sorted)
    SELECT count(*) AS held, pg_current_xact_id_if_assigned() IS NOT NULL AS has_written FROM held
""")


class PostgresTransaction(TransactionBase):
    """A transaction in PostgreSQL; made by `Database.begin`."""

    def __init__(self, service: str, now: datetime, connection: AsyncConnection, sealer: Sealer) -> None:
        super().__init__(
            service,
            now,
            outbox=PostgresOutbox(connection),
            fence=PostgresFence(connection),
            inbox=PostgresInbox(connection),
            held=PostgresQuarantine(connection, sealer),
        )
        self._connection = connection

    @property
    def connection(self) -> AsyncConnection:
        """The database connection, inside this transaction."""
        return self._connection

    async def lock_cases(self, keys: Iterable[str], *, minted: bool = False) -> None:
        """Hold cases until the end of the transaction, waiting for whoever holds them now."""
        wanted = set(keys) - self._locked
        if wanted and not minted:
            locked = await self._connection.execute(_LOCK, {"service": self.service, "keys": sorted(wanted)})
            if locked.one().has_written:
                raise LateLock(LateLock.__doc__)
        self._locked |= wanted

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo everything inside, messages too, if it raises."""
        before = len(self._pending)
        try:
            async with self._connection.begin_nested():
                yield
        except BaseException:
            del self._pending[before:]
            raise
