"""Memory twins of the tables that timers live on; tests/contract/deadlines runs on them and on PostgreSQL.

Rows are kept by a `MemoryTransaction`, which is its own connection (`tests.support.self_connected`): what it wrote it
alone sees until it commits.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from schemas.envelope import Envelope
from schemas.parties import parties_of
from services.deadlines.domain.alert import Alert
from services.deadlines.domain.catch_up import DueRung
from services.deadlines.domain.duty import Duty
from services.deadlines.domain.guard import Tick
from services.deadlines.domain.ladder import Rung, RungKind
from services.deadlines.store import Tables
from services.deadlines.tables import FIRED, PENDING, SUPERSEDED
from services.kit.memory import MemoryTransaction
from services.kit.reach import Reach

_TICK: Final = ("tick", None)


@dataclass(frozen=True)
class RungRow:
    """One timer."""

    rung_id: int
    duty_id: UUID
    case_key: str
    generation: int
    rung: Rung
    wake_at: datetime
    state: int = PENDING

    @property
    def unique(self) -> tuple[UUID, int, RungKind, int]:
        """Return what no two timers share."""
        return self.duty_id, self.generation, self.rung.kind, self.rung.days_left


def rows(tx: MemoryTransaction, table: str) -> Iterator[Any]:
    """Yield what a transaction sees of a table."""
    return (value for key, value in list(tx.view("kept").items()) if key[0] == table)


class MemoryDuties:
    """Duties in memory."""

    async def load(self, tx: Any, ids: Collection[UUID]) -> dict[UUID, Duty]:
        """Return the known duties among `ids`."""
        kept = tx.view("kept")
        return {each: kept["duty", each] for each in ids if ("duty", each) in kept}

    async def save(self, tx: Any, duties: Iterable[Duty]) -> None:
        """Write each duty as it stands."""
        tx.written()
        tx.view("kept").update({("duty", duty.duty_id): duty for duty in duties})


class MemoryRungs:
    """Timers in memory."""

    async def arm(self, tx: Any, ladders: Iterable[tuple[Duty, Sequence[Rung]]], now: datetime) -> None:
        """Insert the rungs of some duties; one that is there already stays as it is."""
        tx.written()
        taken = {row.unique for row in rows(tx, "rung")}
        for duty, rungs in ladders:
            for rung in rungs:
                number = tx.store.following("rung")
                row = RungRow(number, duty.duty_id, duty.case_key, duty.generation, rung, max(rung.due_at, now))
                if row.unique not in taken:
                    tx.view("kept")["rung", number] = row

    async def supersede(self, tx: Any, duty_ids: Collection[UUID], now: datetime) -> None:
        """Make every pending rung of some duties unable to fire."""
        del now
        await self._set(tx, [row.rung_id for row in rows(tx, "rung") if row.duty_id in duty_ids], SUPERSEDED)

    async def due_cases(
        self, tx: Any, now: datetime, *, low: datetime | None, limit: int, without: Collection[str] = ()
    ) -> tuple[str, ...]:
        """Return the cases of the first due rungs, in due order, but for those in `without`."""
        pending = [row for row in _pending(tx, low) if row.case_key not in without]
        due = [row for row in pending if (row.rung.due_at if low is None else row.wake_at) <= now]
        due.sort(key=lambda row: (row.wake_at, row.rung_id))
        return tuple(dict.fromkeys(row.case_key for row in due[:limit]))

    async def claim(self, tx: Any, case_keys: Collection[str], now: datetime) -> list[DueRung]:
        """Lock and return every due rung of open duties, of their present generation; what is held is left alone."""
        kept, claimed = tx.view("kept"), []
        for row in sorted(_pending(tx, None), key=lambda row: (row.rung.due_at, row.rung_id)):
            duty: Duty = kept["duty", row.duty_id]
            of_now = row.generation == duty.generation and duty.state == "open"
            free = not tx.store.lock(("rung", row.rung_id)).locked()
            if row.case_key in case_keys and row.rung.due_at <= now and of_now and free:
                tx.written()
                await tx.hold_rows([("rung", row.rung_id)])
                claimed.append(DueRung(row.rung_id, row.duty_id, duty.partnership, duty.duty_holder, row.rung))
        return claimed

    async def settle(self, tx: Any, *, fired: Sequence[DueRung], superseded: Sequence[DueRung], now: datetime) -> None:
        """Mark claimed rungs as fired or superseded."""
        del now
        await self._set(tx, [item.rung_id for item in fired], FIRED)
        await self._set(tx, [item.rung_id for item in superseded], SUPERSEDED)

    async def next_wake(self, tx: Any, *, low: datetime | None) -> datetime | None:
        """Return when the next pending rung wakes."""
        return min((row.wake_at for row in _pending(tx, low)), default=None)

    async def _set(self, tx: MemoryTransaction, numbers: Sequence[int], state: int) -> None:
        if not numbers:
            return
        tx.written()
        await tx.hold_rows(("rung", number) for number in numbers)
        kept = tx.view("kept")
        for number in numbers:
            if kept["rung", number].state == PENDING:  # looked at again, now that it is held
                kept["rung", number] = replace(kept["rung", number], state=state)


def _pending(tx: MemoryTransaction, low: datetime | None) -> list[RungRow]:
    return [row for row in rows(tx, "rung") if row.state == PENDING and (low is None or row.wake_at > low)]


class MemoryAlerts:
    """Alerts in memory."""

    async def add(self, tx: Any, alerts: Iterable[Alert]) -> list[Alert]:
        """Insert alerts; return those that were new."""
        kept, new = tx.view("kept"), []
        for alert in alerts:
            tx.written()
            await tx.hold_rows([("alert", alert.alert_id)])
            if ("alert", alert.alert_id) not in kept:
                kept["alert", alert.alert_id] = alert
                new.append(alert)
        return new

    async def close(
        self,
        tx: Any,
        references: Collection[str],
        because: str,
        now: datetime,
        *,
        severities: Sequence[str] = ("warning", "fault"),
    ) -> None:
        """Close the open alerts about some duties or notices."""
        kept = tx.view("kept")
        for alert in list(rows(tx, "alert")):
            closes = alert.reference in references and alert.severity in severities
            if closes and alert.acknowledged_at is None and alert.closed_at is None:
                tx.written()
                kept["alert", alert.alert_id] = replace(alert, closed_at=now, closed_because=because)

    async def leave_digests(self, tx: Any, duty_ids: Collection[UUID], because: str, now: datetime) -> None:
        """Take duties out of the open digests that stand for them; one that stands for none any more is closed."""
        kept = tx.view("kept")
        for alert in list(rows(tx, "alert")):
            left = tuple(one for one in alert.duties if one not in duty_ids)
            if left != alert.duties and alert.acknowledged_at is None and alert.closed_at is None:
                tx.written()
                over = {} if left else {"closed_at": now, "closed_because": because}
                kept["alert", alert.alert_id] = replace(alert, duties=left, **over)

    async def tell_since(self, tx: Any, says: Mapping[str, str]) -> None:
        """Say beside the open breaches of some duties what has become of those since."""
        kept = tx.view("kept")
        for alert in list(rows(tx, "alert")):
            is_open = alert.acknowledged_at is None and alert.closed_at is None
            if alert.reference in says and alert.severity == "breach" and is_open:
                tx.written()
                kept["alert", alert.alert_id] = replace(alert, since_then=says[alert.reference])

    async def acknowledge(self, tx: Any, alert_id: UUID, *, by: str, name: str, now: datetime) -> bool:
        """Record who took an alert on; the first stands."""
        tx.written()
        await tx.hold_rows([("alert", alert_id)])
        kept = tx.view("kept")
        alert: Alert | None = kept.get(("alert", alert_id))
        if alert is None or alert.acknowledged_at is not None:
            return False
        kept["alert", alert_id] = replace(alert, acknowledged_at=now, acknowledged_by=by, acknowledged_name=name)
        return True

    async def get(self, tx: Any, reach: Reach, alert_id: UUID) -> Alert | None:
        """Return one alert, none if it may not be read."""
        found: Alert | None = tx.view("kept").get(("alert", alert_id))
        return found if found and (reach.everything or _may_read(tx, found, reach)) else None


def _may_read(tx: MemoryTransaction, alert: Alert, reach: Reach) -> bool:
    kept, duties = tx.view("kept"), {duty.duty_id: duty for duty in rows(tx, "duty")}

    def of_case(case_key: str | None) -> bool:
        return any(("party", (case_key, one)) in kept for one in reach.parties)

    def reads(duty: Duty) -> bool:
        return of_case(duty.case_key) or (duty.kind == "question" and duty.duty_holder in reach.parties)

    about = [duty for duty in duties.values() if str(duty.duty_id) == alert.reference]
    its_own = bool(alert.duties) and alert.reference in reach.parties
    return of_case(alert.case_key) or any(map(reads, about)) or its_own


class MemoryParties:
    """The parties to each case in memory."""

    async def add(self, tx: Any, messages: Iterable[Envelope]) -> None:
        """Keep the parties that messages make to their cases."""
        found = {("party", (message.case_key, party)): party for message in messages for party in parties_of(message)}
        if found:
            tx.written()
            tx.view("kept").update(found)


class MemoryClock:
    """The legal clock in memory: `read_legal` returns its time, and by how many seconds the log says it is ahead."""

    def __init__(self, read_legal: Callable[[], tuple[datetime, int]]) -> None:
        self._read_legal = read_legal

    async def read(self, tx: Any, witness_at: datetime) -> Tick:
        """Return the clocks as they stand."""
        del tx
        legal_at, logged_offset_s = self._read_legal()
        return Tick(legal_at, witness_at, logged_offset_s)

    async def last_tick(self, tx: Any) -> Tick | None:
        """Return the last tick that was trusted."""
        found: Tick | None = tx.view("kept").get(_TICK)
        return found

    async def save_tick(self, tx: Any, current: Tick) -> None:
        """Keep a trusted tick."""
        tx.written()
        tx.view("kept")[_TICK] = current


def memory_tables(read_legal: Callable[[], tuple[datetime, int]]) -> Tables:
    """Return the twins of all tables."""
    return Tables(MemoryDuties(), MemoryRungs(), MemoryAlerts(), MemoryClock(read_legal), MemoryParties())
