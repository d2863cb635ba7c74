"""Fires due timers: each once, never early, with its effects in the same transaction.

Any number of copies may run; there is no leader. A pass reads which cases have due rungs without a lock, then takes the
cases' locks, claims the rungs that nobody else holds, and writes alerts and messages. Time is the legal clock's. A pass
does nothing while the clock is not trusted (`services.deadlines.watch`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

import structlog

from schemas import identity, topics
from schemas.calendar import Calendar
from services.deadlines import translate
from services.deadlines.alerting import raise_alerts
from services.deadlines.domain.alert import Alert
from services.deadlines.domain.catch_up import DueRung, plan
from services.deadlines.domain.duty import Duty
from services.deadlines.domain.guard import MAX_AHEAD, Tick
from services.deadlines.domain.standing import days_left
from services.deadlines.domain.words import breached_says, digest_says, due_soon_says, strictest_says
from services.deadlines.store import POSTGRES, Tables
from services.deadlines.watch import ClockWatch
from services.kit.database import Database
from services.kit.errors import is_infrastructure, summary
from services.kit.faults import faultpoint, register
from services.kit.logging import where
from services.kit.transaction import Transaction

BATCH: Final = 1000
DIGEST_OVER: Final = 10
MAX_SLEEP: Final = timedelta(milliseconds=250)  # a new rung or a moved clock is noticed within this
MIN_SLEEP: Final = timedelta(milliseconds=20)
SLACK: Final = timedelta(minutes=10)  # how far behind the low-water mark a poll still looks
SWEEP_EVERY: Final = timedelta(minutes=1)
LEFT_FOR: Final = timedelta(minutes=1)
"""How long a case is left alone that could not be fired: others may be due behind it."""
MOST_FAILURES: Final = 20
"""Cases that may fail in one pass: if it is everybody's fault and not theirs, taking each by itself would take for ever."""

_log = structlog.get_logger("services.deadlines.firing")

register("firing.claimed")  # due rungs are locked, nothing of their effects is written


class Firing:
    """One worker: a loop calls `step`; `one_pass` is a single look."""

    def __init__(self, database: Database, calendar: Calendar, watch: ClockWatch, tables: Tables = POSTGRES) -> None:
        self._database = database
        self._tables = tables
        self._calendar = calendar
        self._watch = watch
        self._low: datetime | None = None
        self._swept_at: datetime | None = None
        self._ahead: timedelta | None = None  # of the witness, when this worker last looked
        self._moved_at: datetime | None = None  # by the witness
        self._failing: dict[str, datetime] = {}  # cases that could not be fired, and when that was by the witness

    async def step(self) -> bool:
        """Make one pass; after one that found nothing, sleep to the next due rung, at most `MAX_SLEEP`."""
        if await self.one_pass():
            return True
        await asyncio.sleep((await self._pause()).total_seconds())
        return False

    async def one_pass(self) -> int:
        """Fire what is due, at most about `BATCH` rungs; return how many duties it fired for."""
        tick = await self._watch.trusted_tick()
        if tick is None:
            return 0
        low = self._bound(tick.legal_at, tick.witness_at)
        again = tick.witness_at - LEFT_FOR
        self._failing = {case: at for case, at in self._failing.items() if at > again}
        async with self._database.connect() as connection:
            cases = await self._tables.rungs.due_cases(
                connection, tick.legal_at, low=low, limit=BATCH, without=self._failing
            )
        if not cases:
            self._low = tick.legal_at
            if low is None:
                self._swept_at = tick.witness_at
            return 0
        return await self._fire_apart(cases, tick, most=len(self._failing) + MOST_FAILURES)

    async def _fire_apart(self, cases: Sequence[str], tick: Tick, *, most: int) -> int:
        """Fire what is due in some cases, in halves if that fails, so that a case with which something is wrong holds up no other.

        Once `most` cases fail, the rest is left to the next pass.
        """
        try:
            async with self._database.begin() as tx:
                await tx.lock_cases(cases)
                if tx.now - tick.legal_at > MAX_AHEAD:
                    return 0  # it has leapt since it was trusted: what is due would be told with a wrong time
                now = min(tick.legal_at, tx.now)  # nor by what it has gone on since
                return await self._fire(await self._tables.rungs.claim(tx.connection, cases, now), tx)
        except Exception as error:
            if is_infrastructure(error):
                raise
            if len(cases) == 1:
                self._failing[cases[0]] = tick.witness_at
                _log.error("firing.failed", case_key=cases[0], error=summary(error), where=where(error))
                return 0
        half, fired = len(cases) // 2, 0
        for some in (cases[:half], cases[half:]):
            if len(self._failing) < most:
                fired += await self._fire_apart(some, tick, most=most)
        return fired

    def failing(self) -> str | None:
        """Return how many cases have timers that cannot be fired, or nothing; each is tried again after a while."""
        number = len(self._failing)
        return f"cases whose timers cannot be fired: {number}; see firing.failed in the log" if number else None

    def _bound(self, now: datetime, witness_at: datetime) -> datetime | None:
        """Return the low-water bound of this poll; None when a full sweep is due.

        For a while after the clock was moved each poll sweeps: what a transaction armed by the time before may commit
        after it, far below the mark.
        """
        ahead = now - witness_at
        if self._ahead is not None and abs(ahead - self._ahead) > SLACK:
            self._moved_at = witness_at
        self._ahead = ahead
        if self._moved_at is not None and witness_at - self._moved_at < SWEEP_EVERY:
            return None
        if self._low is None or self._swept_at is None or witness_at - self._swept_at >= SWEEP_EVERY:
            return None
        return min(self._low, now) - SLACK  # a clock that was moved back has rungs before the old mark

    async def _pause(self) -> timedelta:
        if self._low is None:
            return MAX_SLEEP
        async with self._database.connect() as connection:
            wake_at = await self._tables.rungs.next_wake(connection, low=self._low - SLACK)
        left = MAX_SLEEP if wake_at is None else wake_at - self._low
        return min(max(left, MIN_SLEEP), MAX_SLEEP)

    async def _fire(self, due: Sequence[DueRung], tx: Transaction) -> int:
        """Write the effects of the claimed rungs."""
        if due:
            faultpoint("firing.claimed")
        known = await self._tables.duties.load(tx.connection, {item.duty_id for item in due})
        found = plan(due, digest_over=DIGEST_OVER, urgent=lambda item: self._left(known[item.duty_id], tx) <= 0)
        folded = {item.rung_id for items in found.digests.values() for item in items}
        references = [str(item.duty_id) for item in found.fire]
        await self._tables.alerts.close(tx.connection, references, "a later alert took its place", tx.now)
        fired = [item.duty_id for item in found.fire]
        await self._tables.alerts.leave_digests(tx.connection, fired, "later alerts took their place", tx.now)
        raised = [_digest(items, [known[item.duty_id] for item in items], tx) for items in found.digests.values()]
        for item in found.fire:
            duty = known[item.duty_id]
            self._announce(item, duty, tx)
            if item.rung_id not in folded:
                raised.append(self._alert(item, duty, tx))
        await raise_alerts(tx, raised, table=self._tables.alerts)
        await self._tables.rungs.settle(tx.connection, fired=found.fire, superseded=found.superseded, now=tx.now)
        return len(found.fire)

    def _announce(self, item: DueRung, duty: Duty, tx: Transaction) -> None:
        due_on = _due_on(duty)
        stamp = translate.Stamp(tx.now, duty.case_key, duty.partnership)
        if item.rung.kind == "breach":
            tx.emit(topics.DEADLINES, translate.breached(duty, due_on, item.rung.due_at, stamp))
        else:
            name = f"{item.rung.kind} {item.rung.days_left}"
            tx.emit(topics.DEADLINES, translate.due_soon(duty, due_on, self._left(duty, tx), name, stamp))

    def _alert(self, item: DueRung, duty: Duty, tx: Transaction) -> Alert:
        breach = item.rung.kind == "breach"
        return Alert(
            alert_id=identity.derived_event_id("alert deadline", *_of(item, duty)),
            kind="deadline.breached" if breach else "deadline.due-soon",
            severity="breach" if breach else "warning",
            reference=str(duty.duty_id),
            says=self._says(item, duty, tx),
            raised_at=tx.now,
            case_key=duty.case_key,
            partnership=duty.partnership,
        )

    def _says(self, item: DueRung, duty: Duty, tx: Transaction) -> str:
        due_on, warn_on = _due_on(duty), duty.dating.warn_on
        if item.rung.kind == "breach":
            return breached_says(duty, due_on)
        if item.rung.kind == "warn" and warn_on is not None:
            return strictest_says(duty, warn_on, due_on, tx.now, self._calendar)
        return due_soon_says(duty, due_on, tx.now, self._calendar)

    def _left(self, duty: Duty, tx: Transaction) -> int:
        return days_left(_due_on(duty), tx.now, self._calendar)


def _digest(items: Sequence[DueRung], duties: Sequence[Duty], tx: Transaction) -> Alert:
    return Alert(
        alert_id=identity.derived_event_id("alert digest", *_of(items[0], duties[0])),
        kind="deadline.digest",
        severity="warning",
        reference=items[0].duty_holder,
        says=digest_says(duties),
        raised_at=tx.now,
        partnership=items[0].partnership,
        duties=tuple(duty.duty_id for duty in duties),
    )


def _of(item: DueRung, duty: Duty) -> tuple[object, ...]:
    """Return what names a timer for ever; its number is given again once the database was restored from a backup."""
    return item.duty_id, duty.generation, item.rung.kind, item.rung.days_left


def _due_on(duty: Duty) -> date:
    """Return the date of a duty that has rungs; one without a date has none."""
    if duty.dating.due_on is None:
        raise ValueError("expected a duty with rungs to have a due date, got none")
    return duty.dating.due_on
