"""Watches the legal clock: says whether it may be trusted now, and alerts a person when it may not.

While it is not trusted nothing fires. It is trusted again when it comes back to where it should be, or when a signed-in
person acknowledges the alert: from then on its present time counts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from schemas import identity
from services.deadlines.alerting import raise_alerts
from services.deadlines.domain.alert import Alert
from services.deadlines.domain.guard import Tick, behind, distrust
from services.deadlines.store import POSTGRES, Tables
from services.kit.clock import Clock, since_boot_s
from services.kit.database import Database
from services.kit.reach import EVERYTHING

SAVE_EVERY: Final = timedelta(seconds=5)


def witness(wall: Clock) -> Callable[[], datetime]:
    """Return a second source of time: the wall clock once, at the start, then what this machine has seen pass since."""
    started_at, started = wall.wall_now(), since_boot_s()
    return lambda: started_at + timedelta(seconds=since_boot_s() - started)


class ClockWatch:
    """The guard of one worker; all copies share the last trusted tick through the database."""

    def __init__(self, database: Database, witness_now: Callable[[], datetime], tables: Tables = POSTGRES) -> None:
        self._database = database
        self._tables = tables
        self._witness_now = witness_now
        self._own: Tick | None = None
        self._distrusted_since: Tick | None = None  # names the alert: what other copies trust meanwhile must not
        self._saved_at: datetime | None = None

    async def trusted_tick(self) -> Tick | None:
        """Return the clocks as they stand, or None while the legal clock is not trusted."""
        async with self._database.connect() as connection:
            shared = await self._tables.clock.last_tick(connection)  # first: what is saved later looks like a step back
            current = await self._tables.clock.read(connection, self._witness_now())
        known = [tick for tick in (self._own, shared) if tick is not None]
        why = distrust(max(known, key=lambda tick: tick.witness_at), current) if known else None
        if why is None and self._distrusted_since and self._own:
            why = behind(self._own, current)
        if why is not None:
            self._distrusted_since = self._distrusted_since or shared or current
            if not await self._confirmed(why, self._distrusted_since):
                return None
        # At once: should it go wrong again, that has an alert of its own.
        await self._accept(current, at_once=self._distrusted_since is not None)
        self._distrusted_since = None
        return current

    async def _accept(self, current: Tick, *, at_once: bool) -> None:
        self._own = current
        if at_once or self._saved_at is None or current.witness_at - self._saved_at >= SAVE_EVERY:
            async with self._database.begin() as tx:
                await self._tables.clock.save_tick(tx.connection, current)
            self._saved_at = current.witness_at

    async def _confirmed(self, why: str, since: Tick) -> bool:
        """Say whether a person has accepted the clock as it is; raise the alert, once, if nobody was told yet."""
        alert_id = identity.derived_event_id("alert clock", since.legal_at.isoformat())
        async with self._database.connect() as connection:
            alert = await self._tables.alerts.get(connection, EVERYTHING, alert_id)
        if alert is not None:
            return alert.acknowledged_at is not None
        async with self._database.begin() as tx:
            said = f"{why} No timer fires until this is acknowledged or the clock is right again."
            found = Alert(alert_id, "clock.distrusted", "fault", since.legal_at.isoformat(), said, tx.now)
            await raise_alerts(tx, [found], table=self._tables.alerts)
        return False
