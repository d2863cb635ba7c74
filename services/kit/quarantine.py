"""Quarantine: records that could not be handled, and the later events of their case, which wait behind them in order.

The bytes stay in the owner's store, encrypted (AES-256-GCM) if the service has a key; what goes on the quarantine topic
is an id, a reason in our own words and a digest. A held record is due to be looked at within the hour.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, Literal, Protocol
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.identity import derived_event_id
from services.kit.outbox import decided_again
from services.kit.settings import decode_key

DUE_AFTER: Final = timedelta(hours=1)
_SEPARATOR: Final = "\x1f"
_NONCE_BYTES: Final = 12  # NIST SP 800-38D, 5.2.1.1
Outcome = Literal["retried", "discarded"]
Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """The bytes of one record and where they came from. `case_key` if they belong to a case.

    `sealed`: this service cannot open what it kept; key, payload and the value of a single header are as they stand there.
    """

    consumer: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    payload: bytes
    case_key: str | None = None
    headers: Headers = ()
    sealed: bool = False

    def quarantine_id(self) -> UUID:
        """Return the id under which this record is held: the same record, the same id."""
        place = (self.consumer, self.topic, self.partition, self.offset)
        return derived_event_id("quarantine", *place, self.digest())

    def digest(self) -> str:
        """Return the SHA-256 of the bytes, in hexadecimal."""
        return sha256(self.payload).hexdigest()


@dataclass(frozen=True, slots=True)
class Held:
    """A record in quarantine. `parks`: later events of its case wait behind it."""

    quarantine_id: UUID
    arrival: int
    record: Record
    reason: str
    parks: bool
    state: str
    attempts: int
    held_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Parked:
    """An event that waits behind a held record of its case."""

    arrival: int
    record: Record


class Quarantine(Protocol):
    """Keeps records aside inside a transaction. The caller holds the lock of each case concerned."""

    async def hold(
        self, record: Record, *, reason: str, parks: bool, now: datetime, arrival: int | None = None
    ) -> bool:
        """Put a record aside; return false if it is held already. `arrival`: its old place, if it has one.

        One that a person took out is held anew: it was read again, and cannot be handled all the same.
        """
        ...

    async def parking(self, consumer: str, case_keys: Sequence[str]) -> set[str]:
        """Return which of these cases have a held record that parks them."""
        ...

    async def park(self, records: Sequence[Record], *, now: datetime) -> None:
        """Let events wait behind the held record of their case, in the order given."""
        ...

    async def find(self, quarantine_id: UUID) -> Held | None:
        """Return one record. It gives the transaction no id, so cases can still be locked after it."""
        ...

    async def first_parking(self, consumer: str, case_key: str) -> Held | None:
        """Return the held record that a case waits behind: the one that came first."""
        ...

    async def waiting(self, consumer: str, case_key: str) -> list[Parked]:
        """Return the events of a case that wait, in order."""
        ...

    async def unpark(self, arrivals: Sequence[int]) -> None:
        """Remove events that no longer wait."""
        ...

    async def resolve(self, quarantine_id: UUID, *, outcome: Outcome, by: str, reason: str, now: datetime) -> None:
        """Take a record out of quarantine."""
        ...

    async def failed_again(self, quarantine_id: UUID, *, reason: str) -> None:
        """Count a retry that did not succeed."""
        ...


class DoesNotOpen(Exception):
    """What was put aside does not open with the quarantine key of this service."""


class Sealer:
    """Encrypts what is kept, if there is a key; the associated data binds the bytes to their record's place.

    Raises:
        ValueError: The key is not 32 bytes in base64.
    """

    def __init__(self, key: str | None) -> None:
        self._cipher = None if key is None else AESGCM(decode_key(key))

    @property
    def seals(self) -> bool:
        """Whether there is a key."""
        return self._cipher is not None

    def seal(self, payload: bytes, place: str) -> bytes:
        """Return the bytes as they may be kept."""
        if self._cipher is None:
            return payload
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, payload, place.encode())

    def open(self, kept: bytes, place: str, *, sealed: bool) -> bytes:
        """Return the bytes as they came.

        Raises:
            DoesNotOpen: They are sealed, and this service has another key or none.
        """
        if not sealed:
            return kept
        if self._cipher is None:
            raise DoesNotOpen
        try:
            return self._cipher.decrypt(kept[:_NONCE_BYTES], kept[_NONCE_BYTES:], place.encode())
        except InvalidTag:
            raise DoesNotOpen from None


_RECORD: Final = 'consumer, topic, partition, "offset", key, payload, headers, sealed, case_key'
_HELD: Final = f"quarantine_id, arrival, {_RECORD}, reason, parked, state, attempts, held_at, due_at"

_HOLD: Final = text(f"""
    INSERT INTO quarantine (arrival, quarantine_id, {_RECORD}, sha256, size_bytes, reason, parked, held_at, due_at)
    VALUES (coalesce(CAST(:arrival AS bigint), nextval('arrival')), :quarantine_id, :consumer, :topic, :partition, :offset, :key, :payload, :headers, :sealed, :case_key,
            :sha256, :size_bytes, :reason, :parked, :held_at, :due_at)
    ON CONFLICT (quarantine_id) DO UPDATE SET
        (arrival, key, payload, headers, sealed, case_key, reason, parked, held_at, due_at) = (EXCLUDED.arrival,
            EXCLUDED.key, EXCLUDED.payload, EXCLUDED.headers, EXCLUDED.sealed, EXCLUDED.case_key, EXCLUDED.reason,
            EXCLUDED.parked, EXCLUDED.held_at, EXCLUDED.due_at),
        state = 'held', attempts = 0, resolved_at = NULL, resolved_by = NULL, resolution = NULL
        WHERE quarantine.state <> 'held'
    RETURNING quarantine_id
""")  # noqa: S608 - only our own column names
_PARKING: Final = text("""
    SELECT DISTINCT case_key FROM quarantine
    WHERE consumer = :consumer AND state = 'held' AND parked AND case_key = ANY(CAST(:case_keys AS text[]))
""")
_PARK: Final = text(f"""
    INSERT INTO parked_event ({_RECORD}, parked_at)
    SELECT p.*, :now FROM unnest(CAST(:consumers AS text[]), CAST(:topics AS text[]), CAST(:partitions AS int[]),
        CAST(:offsets AS bigint[]), CAST(:keys AS bytea[]), CAST(:payloads AS bytea[]),
        CAST(:headers AS bytea[]), CAST(:sealed AS boolean[]), CAST(:case_keys AS text[])) AS p
""")  # noqa: S608
_FIND: Final = text(f"SELECT {_HELD} FROM quarantine WHERE quarantine_id = :quarantine_id")  # noqa: S608
_FIRST: Final = text(f"""
    SELECT {_HELD} FROM quarantine
    WHERE consumer = :consumer AND case_key = :case_key AND state = 'held' AND parked
    ORDER BY arrival LIMIT 1
""")  # noqa: S608
_WAITING: Final = text(f"""
    SELECT arrival, {_RECORD} FROM parked_event WHERE consumer = :consumer AND case_key = :case_key ORDER BY arrival
""")  # noqa: S608
_UNPARK: Final = text("DELETE FROM parked_event WHERE arrival = ANY(CAST(:arrivals AS bigint[]))")
_RESOLVE: Final = text("""
    UPDATE quarantine SET state = :outcome, resolved_at = :now, resolved_by = :by, resolution = :reason
    WHERE quarantine_id = :quarantine_id
""")
_FAILED_AGAIN: Final = text(
    "UPDATE quarantine SET attempts = attempts + 1, reason = :reason WHERE quarantine_id = :quarantine_id"
)


class PostgresQuarantine:
    """Quarantine in PostgreSQL."""

    def __init__(self, connection: AsyncConnection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer

    async def hold(
        self, record: Record, *, reason: str, parks: bool, now: datetime, arrival: int | None = None
    ) -> bool:
        """Put a record aside; return false if it is held already. `arrival`: its old place, if it has one."""
        values = {
            "arrival": arrival,
            "quarantine_id": record.quarantine_id(),
            "consumer": record.consumer,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "key": self._seal(record.key, record),
            "payload": self._seal(record.payload, record),
            "headers": self._seal(_pack(record), record),
            "sealed": self._sealer.seals or record.sealed,
            "case_key": record.case_key,
            "sha256": sha256(record.payload).digest(),
            "size_bytes": len(record.payload),
            "reason": reason,
            "parked": parks,
            "held_at": now,
            "due_at": now + DUE_AFTER,
        }
        return (await self._connection.execute(_HOLD, values)).first() is not None

    async def parking(self, consumer: str, case_keys: Sequence[str]) -> set[str]:
        """Return which of these cases have a held record that parks them."""
        found = await self._connection.execute(_PARKING, {"consumer": consumer, "case_keys": list(case_keys)})
        return set(found.scalars())

    async def park(self, records: Sequence[Record], *, now: datetime) -> None:
        """Let events wait behind the held record of their case, in the order given."""
        await self._connection.execute(
            _PARK,
            {
                "now": now,
                "consumers": [one.consumer for one in records],
                "topics": [one.topic for one in records],
                "partitions": [one.partition for one in records],
                "offsets": [one.offset for one in records],
                "keys": [self._seal(one.key, one) for one in records],
                "payloads": [self._seal(one.payload, one) for one in records],
                "headers": [self._seal(_pack(one), one) for one in records],
                "sealed": [self._sealer.seals or one.sealed for one in records],
                "case_keys": [one.case_key for one in records],
            },
        )

    async def find(self, quarantine_id: UUID) -> Held | None:
        """Return one record. It gives the transaction no id, so cases can still be locked after it."""
        row = (await self._connection.execute(_FIND, {"quarantine_id": quarantine_id})).mappings().first()
        return self._held(row) if row else None

    async def first_parking(self, consumer: str, case_key: str) -> Held | None:
        """Return the held record that a case waits behind: the one that came first."""
        found = await self._connection.execute(_FIRST, {"consumer": consumer, "case_key": case_key})
        row = found.mappings().first()
        return self._held(row) if row else None

    async def waiting(self, consumer: str, case_key: str) -> list[Parked]:
        """Return the events of a case that wait, in order."""
        rows = (await self._connection.execute(_WAITING, {"consumer": consumer, "case_key": case_key})).mappings()
        return [Parked(row["arrival"], self._record(row)) for row in rows]

    async def unpark(self, arrivals: Sequence[int]) -> None:
        """Remove events that no longer wait."""
        await self._connection.execute(_UNPARK, {"arrivals": list(arrivals)})

    async def resolve(self, quarantine_id: UUID, *, outcome: Outcome, by: str, reason: str, now: datetime) -> None:
        """Take a record out of quarantine."""
        values = {"quarantine_id": quarantine_id, "outcome": outcome, "by": by, "reason": reason, "now": now}
        await self._connection.execute(_RESOLVE, values)
        await decided_again(self._connection, "record.resolved.v1", quarantine_id=quarantine_id)

    async def failed_again(self, quarantine_id: UUID, *, reason: str) -> None:
        """Count a retry that did not succeed."""
        await self._connection.execute(_FAILED_AGAIN, {"quarantine_id": quarantine_id, "reason": reason})

    def _seal(self, value: bytes | None, record: Record) -> bytes | None:
        return value if value is None or record.sealed else self._sealer.seal(value, _place(record))

    def _held(self, row: Any) -> Held:
        return Held(
            row["quarantine_id"],
            row["arrival"],
            self._record(row),
            row["reason"],
            row["parked"],
            row["state"],
            row["attempts"],
            row["held_at"],
            row["due_at"],
        )

    def _record(self, row: Any) -> Record:
        bare = Record(row["consumer"], row["topic"], row["partition"], row["offset"], None, b"", row["case_key"])
        kept = [row[name] for name in ("key", "payload", "headers")]
        try:
            key, payload, headers = (
                None if one is None else self._sealer.open(one, _place(bare), sealed=row["sealed"]) for one in kept
            )
        except DoesNotOpen:
            return replace(bare, key=kept[0], payload=kept[1], headers=(("", kept[2]),), sealed=True)
        return replace(bare, key=key, payload=payload or b"", headers=_unpack(headers or b"[]"))


def _place(record: Record) -> str:
    return _SEPARATOR.join(map(str, (record.consumer, record.topic, record.partition, record.offset)))


def _pack(record: Record) -> bytes | None:
    if record.sealed:
        return record.headers[0][1]
    return orjson.dumps([(name, None if value is None else value.hex()) for name, value in record.headers])


def _unpack(packed: bytes) -> Headers:
    return tuple((name, None if value is None else bytes.fromhex(value)) for name, value in orjson.loads(packed))
