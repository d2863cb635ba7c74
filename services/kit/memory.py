"""Memory twins of everything that the kit keeps in PostgreSQL, for tests without a database.

They behave like the real ones where it matters: what a transaction wrote is seen by itself alone until it commits,
locks are held to its end and waited for, its id is given by its first write, and the relay reads below the oldest
transaction still running. One contract suite (tests/contract/kit) runs on these and on PostgreSQL.
"""

from __future__ import annotations

import asyncio
from collections import ChainMap, Counter
from collections.abc import AsyncIterator, Hashable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from services.kit.cursor import Fenced, OtherDatabase, OutboxRow, Position
from services.kit.fence import Place
from services.kit.outbox import Pending, number
from services.kit.quarantine import DUE_AFTER, Held, Outcome, Parked, Record
from services.kit.transaction import LateLock, TransactionBase


@dataclass
class _State:
    """All tables, as dictionaries by primary key."""

    outbox: dict[tuple[int, int], OutboxRow] = field(default_factory=dict)
    inbox: dict[tuple[str, UUID], bool] = field(default_factory=dict)
    offsets: dict[tuple[str, Place], int] = field(default_factory=dict)
    heads: dict[str, int] = field(default_factory=dict)
    held: dict[UUID, Held] = field(default_factory=dict)
    parked: dict[int, Parked | None] = field(default_factory=dict)  # nothing: no longer waiting
    kept: dict[Hashable, Any] = field(default_factory=dict)  # what a service keeps for itself

    def copy(self) -> _State:
        return _State(**{each.name: dict(getattr(self, each.name)) for each in fields(self)})

    def update(self, other: _State) -> None:
        for each in fields(self):
            getattr(self, each.name).update(getattr(other, each.name))


class MemoryStore:
    """The database of one service, in memory."""

    def __init__(self, service: str, now: datetime, *, identity: str = "memory/1") -> None:
        self.service = service
        self.now = now
        self.identity = identity
        self.committed = asyncio.Event()
        self.state = _State()
        self.cursor = Position()
        self.relay_lock = asyncio.Lock()
        self.running: set[int] = set()
        self.next_xid = 1
        self.sequences: Counter[str] = Counter()
        self._locks: dict[Hashable, asyncio.Lock] = {}

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[MemoryTransaction]:
        """Open a transaction; it commits when the block ends, and has no effect if it raises."""
        transaction = self.opened()
        try:
            yield transaction
            await transaction.flush()
            self.state.update(transaction.own)
        finally:
            self.running.discard(transaction.xid)
            transaction.release()
        if transaction.emitted:
            self.committed.set()

    def opened(self) -> MemoryTransaction:
        """Return a new transaction; it is for `begin` to commit."""
        return MemoryTransaction(self)

    def lock(self, name: Hashable) -> asyncio.Lock:
        """Return the lock of a name."""
        return self._locks.setdefault(name, asyncio.Lock())

    def following(self, sequence: str) -> int:
        """Return the next number; like a sequence's, it does not come back if the transaction fails."""
        self.sequences[sequence] += 1
        return self.sequences[sequence]


class MemoryTransaction(TransactionBase):
    """A transaction in memory; made by `MemoryStore.begin`."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(
            store.service,
            store.now,
            outbox=_Outbox(self),
            fence=_Fence(self),
            inbox=_Inbox(self),
            held=_Quarantine(self),
        )
        self.store = store
        self.own = _State()
        self.xid = 0
        self._held_locks: dict[Hashable, asyncio.Lock] = {}

    @property
    def connection(self) -> NoReturn:
        """There is none."""
        raise AttributeError("a transaction in memory has no database connection")

    async def lock_cases(self, keys: Iterable[str], *, minted: bool = False) -> None:
        """Hold cases until the end of the transaction, waiting for whoever holds them now."""
        wanted = set(keys) - self._locked
        if wanted and not minted:
            if self.xid:
                raise LateLock(LateLock.__doc__)
            await self.hold_rows(("case", key) for key in sorted(wanted))
        self._locked |= wanted

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo everything inside, messages too, if it raises."""
        pending, own = len(self._pending), self.own.copy()
        try:
            yield
        except BaseException:
            del self._pending[pending:]
            self.own = own
            raise

    def view(self, table: str) -> ChainMap[Any, Any]:
        """Return a table as this transaction sees it; what is written to the view is the transaction's own."""
        return ChainMap(getattr(self.own, table), getattr(self.store.state, table))

    def written(self) -> None:
        """The first write gives the transaction its id."""
        if not self.xid:
            self.xid = self.store.next_xid
            self.store.next_xid += 1
            self.store.running.add(self.xid)

    async def hold_rows(self, names: Iterable[Hashable]) -> None:
        """Lock rows until the end of the transaction."""
        for name in names:
            if name not in self._held_locks:
                lock = self.store.lock(name)
                await lock.acquire()
                self._held_locks[name] = lock

    def release(self) -> None:
        """Let go of every lock; again, and nothing happens."""
        while self._held_locks:
            self._held_locks.popitem()[1].release()


class _Outbox:
    def __init__(self, tx: MemoryTransaction) -> None:
        self._tx = tx

    async def append(self, pending: Sequence[Pending], producer: str) -> None:
        tx = self._tx
        tx.written()
        counts = Counter(one.case_key for one in pending if one.case_key)
        await tx.hold_rows(("head", case_key) for case_key in sorted(counts))
        heads = tx.view("heads")
        for case_key, count in counts.items():
            heads[case_key] = heads.get(case_key, 0) + count
        payloads = number(pending, {case_key: heads[case_key] for case_key in counts}, producer)
        for one, payload in zip(pending, payloads, strict=True):
            each = tx.store.following("outbox")
            tx.own.outbox[tx.xid, each] = OutboxRow(tx.xid, each, one.topic, one.key, payload, one.event_id)


class _Fence:
    def __init__(self, tx: MemoryTransaction) -> None:
        self._tx = tx

    async def hold(self, consumer: str, places: Sequence[Place]) -> dict[Place, int]:
        await self._tx.hold_rows(("offset", consumer, place) for place in sorted(places))
        offsets = self._tx.view("offsets")
        found = {place: offsets[consumer, place] for place in places if (consumer, place) in offsets}
        if found:
            self._tx.written()  # locking a row is a write in PostgreSQL too
        return found

    async def look(self, consumer: str) -> dict[Place, int]:
        offsets = self._tx.view("offsets")
        return {place: offset for (owner, place), offset in offsets.items() if owner == consumer}

    async def advance(self, consumer: str, next_offsets: Mapping[Place, int]) -> None:
        if not next_offsets:
            return
        self._tx.written()
        await self._tx.hold_rows(("offset", consumer, place) for place in sorted(next_offsets))
        offsets = self._tx.view("offsets")
        for place, offset in next_offsets.items():
            offsets[consumer, place] = max(offset, offsets.get((consumer, place), 0))


class _Inbox:
    def __init__(self, tx: MemoryTransaction) -> None:
        self._tx = tx

    async def known(self, consumer: str, ids: Sequence[UUID]) -> set[UUID]:
        inbox = self._tx.view("inbox")
        return {each for each in ids if inbox.get((consumer, each))}

    async def admit(self, consumer: str, ids: Sequence[UUID]) -> set[UUID]:
        self._tx.written()
        await self._tx.hold_rows(("inbox", consumer, each) for each in sorted(set(ids)))
        new = set(ids) - await self.known(consumer, ids)
        self._tx.own.inbox.update({(consumer, each): True for each in new})
        return new

    async def forget(self, consumer: str, event_id: UUID) -> None:
        self._tx.written()
        self._tx.own.inbox[consumer, event_id] = False


class _Quarantine:
    def __init__(self, tx: MemoryTransaction) -> None:
        self._tx = tx

    async def hold(
        self, record: Record, *, reason: str, parks: bool, now: datetime, arrival: int | None = None
    ) -> bool:
        quarantine_id = record.quarantine_id()
        self._tx.written()
        await self._tx.hold_rows([("held", quarantine_id)])
        held = self._tx.view("held")
        if quarantine_id in held and held[quarantine_id].state == "held":
            return False
        arrival = arrival or self._tx.store.following("arrival")
        held[quarantine_id] = Held(
            quarantine_id, arrival, record, reason, parks, "held", attempts=0, held_at=now, due_at=now + DUE_AFTER
        )
        return True

    async def parking(self, consumer: str, case_keys: Sequence[str]) -> set[str]:
        return {one.record.case_key for one in self._parking(consumer) if one.record.case_key} & set(case_keys)

    async def park(self, records: Sequence[Record], *, now: datetime) -> None:
        del now
        self._tx.written()
        for record in records:
            arrival = self._tx.store.following("arrival")
            self._tx.own.parked[arrival] = Parked(arrival, record)

    async def find(self, quarantine_id: UUID) -> Held | None:
        found: Held | None = self._tx.view("held").get(quarantine_id)
        return found

    async def first_parking(self, consumer: str, case_key: str) -> Held | None:
        found = [one for one in self._parking(consumer) if one.record.case_key == case_key]
        return min(found, key=lambda one: one.arrival) if found else None

    async def waiting(self, consumer: str, case_key: str) -> list[Parked]:
        parked = [one for one in self._tx.view("parked").values() if one is not None]
        mine = [one for one in parked if (one.record.consumer, one.record.case_key) == (consumer, case_key)]
        return sorted(mine, key=lambda one: one.arrival)

    async def unpark(self, arrivals: Sequence[int]) -> None:
        self._tx.written()
        self._tx.own.parked.update(dict.fromkeys(arrivals))

    async def resolve(self, quarantine_id: UUID, *, outcome: Outcome, by: str, reason: str, now: datetime) -> None:
        del by, reason, now
        self._change(quarantine_id, state=outcome)

    async def failed_again(self, quarantine_id: UUID, *, reason: str) -> None:
        attempts = self._tx.view("held")[quarantine_id].attempts + 1
        self._change(quarantine_id, reason=reason, attempts=attempts)

    def _change(self, quarantine_id: UUID, **changes: Any) -> None:
        self._tx.written()
        held = self._tx.view("held")
        held[quarantine_id] = replace(held[quarantine_id], **changes)

    def _parking(self, consumer: str) -> list[Held]:
        held: Iterable[Held] = self._tx.view("held").values()
        return [one for one in held if one.record.consumer == consumer and one.state == "held" and one.parks]


class MemoryCursor:
    """The relay's cursor on a `MemoryStore`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._leads = False

    async def acquire(self) -> Position | None:
        """Become the relay: return the position under a new epoch, or nothing while somebody else is."""
        await self.release()
        if self._store.relay_lock.locked():
            return None
        await self.look()
        await self._store.relay_lock.acquire()
        self._leads = True
        self._store.cursor = replace(
            self._store.cursor, epoch=self._store.cursor.epoch + 1, database_identity=self._store.identity
        )
        return replace(self._store.cursor, acknowledged=self._store.cursor.acknowledged or {})

    async def look(self) -> Position:
        """Return the position without becoming the relay."""
        if self._store.cursor.database_identity not in {None, self._store.identity}:
            raise OtherDatabase
        return replace(self._store.cursor, acknowledged=self._store.cursor.acknowledged or {})

    async def unknown(self, position: Position, ids: Sequence[UUID]) -> set[UUID]:
        """Return those ids that are not in the outbox after a position; nothing is ever restored here."""
        rows = self._store.state.outbox.items()
        return set(ids) - {row.event_id for at, row in rows if at > (position.xid, position.id)}

    async def read(self, position: Position, limit: int) -> list[OutboxRow]:
        """Return the next rows after a position, in commit order."""
        if not self._leads:
            raise Fenced("this process is not the relay")
        if position.epoch != self._store.cursor.epoch:
            raise Fenced(Fenced.__doc__)
        oldest = min(self._store.running, default=self._store.next_xid)
        rows = sorted(self._store.state.outbox.items())
        return [row for at, row in rows if (position.xid, position.id) < at and row.xid < oldest][:limit]

    async def save(self, position: Position, passed: Sequence[UUID] = ()) -> None:
        """Keep the position."""
        del passed
        if position.epoch != self._store.cursor.epoch:
            raise Fenced(Fenced.__doc__)
        self._store.cursor = position

    async def backlog(self) -> tuple[int, float]:
        """Return how many messages wait, and for how many seconds the oldest has waited (always 0 here)."""
        at = (self._store.cursor.xid, self._store.cursor.id)
        return sum(each > at for each in self._store.state.outbox), 0.0

    async def release(self) -> None:
        """Stop being the relay."""
        if self._leads:
            self._leads = False
            self._store.relay_lock.release()
