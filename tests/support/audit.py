"""A log on real PostgreSQL for tests of the audit service, and events to put into it. All cases are invented."""

import itertools
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handrail.embedded.postgres import DatabaseAddress
from schemas import topics
from services.audit.domain.entry import Entry, Record
from services.audit.domain.note import Checkpoint, NoteKey
from services.audit.publisher import Publisher
from services.audit.service import Sequencer, index_more
from services.audit.sink import CheckpointFolder
from services.audit.store import log
from services.kit.database import Database
from services.kit.migrate import migrate_all
from tests.support.stack import SERVICE_PASSWORDS, fresh_database

ORIGIN = "log.example/test"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NOTE_KEY = NoteKey(ORIGIN, KEY.public_key().public_bytes_raw())
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
CASE = "c" * 32
_numbers = itertools.count(1)
EVENTS = UUID("6a6f2c4e-0000-4000-8000-000000000000")


def event(number: int, case: str = CASE, **changes: Any) -> dict[str, Any]:
    """Return message `number` of the producer `routing` about a case, as a CloudEvent."""
    return {
        "specversion": "1.0",
        "type": "notice.owed.v1",
        "id": str(uuid5(EVENTS, f"{case}/{number}")),
        "source": "/handrail/routing",
        "time": "2026-11-02T11:59:00Z",
        "recordedat": "2026-11-02T12:00:00Z",
        "casekey": case,
        "caseseq": number,
        "producer": "routing",
        "producerseq": number,
        "data": {"rule": "N-01", "recipient": "panel"},
        **changes,
    }


def record(content: dict[str, Any] | bytes, offset: int, topic: str = topics.DECISIONS, partition: int = 0) -> Record:
    """Return a Kafka record that holds an event, or any bytes."""
    return Record(topic, partition, offset, content if isinstance(content, bytes) else json.dumps(content).encode())


def records(count: int, start: int = 1) -> list[Record]:
    """Return records of `count` events, numbered on from `start`."""
    return [record(event(number), number) for number in range(start, start + count)]


@dataclass
class TestLog:
    """A log and everything that works on it."""

    __test__ = False  # not a test, whatever its name

    address: DatabaseAddress
    database: Database
    sequencer: Sequencer
    folder: Path

    @property
    def publisher(self) -> Publisher:
        """Return a publisher as a service that has just been started would have."""
        return Publisher(ORIGIN, KEY, CheckpointFolder(self.folder, NOTE_KEY))

    async def append(self, batch: Sequence[Record]) -> list[Entry]:
        """Append a batch in a transaction of its own."""
        async with self.database.begin() as tx:
            return await self.sequencer.append(batch, tx.connection, tx.now)

    async def publish(self) -> Checkpoint:
        """Sign what was committed."""
        async with self.database.begin() as tx:
            return await self.publisher.publish(tx.connection, NOON)

    async def index(self) -> None:
        """Bring the index up to the log."""
        more = True
        while more:
            async with self.database.begin() as tx:
                more = await index_more(tx.connection, NOON)

    async def head(self) -> log.Head:
        """Return the committed head."""
        async with self.database.connect() as connection:
            return await log.read_head(connection) or log.Head(ORIGIN)


@cache
def _migrated() -> DatabaseAddress:
    """Return a database with the audit service's tables, to be copied: a copy takes a fraction of a migration."""
    address = fresh_database("audit_template")
    migrate_all(address.url(), {"audit": SERVICE_PASSWORDS["audit"]})
    return address


async def _copy() -> DatabaseAddress:
    template = _migrated()
    name = f"{template.database}_{next(_numbers)}"
    connection = await asyncpg.connect(template.url(database="postgres"))
    try:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template.database}"')
    finally:
        await connection.close()
    return replace(template, database=name)


@asynccontextmanager
async def open_log(folder: Path) -> AsyncIterator[TestLog]:
    """Make a database with an empty log and connect to it as the audit service does."""
    address = await _copy()
    database = Database(address.url(user="handrail_audit", password=SERVICE_PASSWORDS["audit"]), "audit")
    numbers = iter(range(1, 1_000_000))
    try:
        yield TestLog(address, database, Sequencer(ORIGIN, lambda: next(numbers).to_bytes(32)), folder)
    finally:
        await database.close()
