"""Drives the deadlines service on a real database: feeds it messages, moves its clock, reads what it would publish."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from sqlalchemy import text

from schemas.calendar import load_england
from schemas.deadlines import DeadlineMessage
from schemas.envelope import Envelope
from schemas.messages import parse
from services.deadlines.firing import Firing
from services.deadlines.service import DeadlinesService
from services.deadlines.store import clock
from services.deadlines.watch import ClockWatch, witness
from services.kit.clock import SystemClock
from services.kit.codec import Event
from services.kit.database import Database
from services.kit.transaction import Transaction


async def feed(database: Database, *messages: Envelope) -> None:
    """Hand messages of routing to the service in one transaction, as the consume path does."""
    await _hand(database, DeadlinesService(load_england()).follow, messages)


async def feed_quarantines(database: Database, *messages: Envelope) -> None:
    """Hand messages of the quarantine topics to the service in one transaction, as the consume path does."""
    await _hand(database, DeadlinesService(load_england()).follow_quarantines, messages)


async def _hand(
    database: Database,
    handler: Callable[[Sequence[Event], Transaction], Awaitable[None]],
    messages: Sequence[Envelope],
) -> None:
    events = [Event(message, b"", "topic", 0, offset) for offset, message in enumerate(messages)]
    async with database.begin() as tx:
        await tx.lock_cases({message.case_key for message in messages if message.case_key})
        await handler(events, tx)


def worker(database: Database) -> Firing:
    """Return one copy of the firing loop."""
    return Firing(database, load_england(), ClockWatch(database, witness(SystemClock())))


async def drain(firing: Firing) -> int:
    """Fire until nothing is due; return for how many duties it fired."""
    total = 0
    while fired := await firing.one_pass():
        total += fired
    return total


async def move_clock_to(database: Database, instant: datetime) -> None:
    """Move the legal clock, logged, so that it shows `instant` now (to the second)."""
    async with database.begin() as tx:
        seconds = round((instant - tx.now).total_seconds())
        await clock.move(tx.connection, seconds, by="test", reason="the test needs another time", now=tx.now)


async def step_clock(database: Database, seconds: int) -> None:
    """Step the legal clock without a word in the log, as a fault would."""
    async with database.begin() as tx:
        await tx.connection.execute(text("UPDATE clock.legal_clock SET offset_s = offset_s + :s"), {"s": seconds})


async def published(database: Database, *types: str) -> list[DeadlineMessage]:
    """Return the messages in the outbox, in order, of the given types (all without any)."""
    async with database.connect() as connection:
        rows = await connection.scalars(text("SELECT payload FROM deadlines.outbox ORDER BY xid, id"))
        found = [parse(row) for row in rows]
    return [message for message in found if not types or message.type in types]  # type: ignore[misc]


async def rungs_of(database: Database) -> list[tuple[int, str, int, int]]:
    """Return (generation, kind, days left, state) of every rung, by generation and due time."""
    async with database.connect() as connection:
        rows = await connection.execute(
            text("SELECT generation, kind, days_left, state FROM deadlines.rung ORDER BY generation, due_at, rung_id")
        )
        return [tuple(row) for row in rows]
