"""Passes on what is open when the register says otherwise who exists: without any event, whoever it names is told, asked, and owes.

A body ends and another stands in its place, a new one begins, or an area that nobody served has somebody at last. Which
register the open cases were decided by last is kept, so that a change is found whenever it came, also while nothing ran.
"""

from __future__ import annotations

import time
from datetime import date
from typing import Final

import structlog
from sqlalchemy import text

from schemas.calendar import london_date
from services.kit.database import Database, legal_now
from services.routing.deciding_again import Again
from services.routing.domain.register import Register
from services.routing.laws import Laws
from services.routing.outcome.gathered import CORRECTED
from services.routing.service import RoutingService
from services.routing.store import loading

AGAIN_AFTER_S: Final = 3600.0
"""How long after a look what was decided across a midnight, or by a process with an older register, is found at the latest."""
_DECIDED_BY: Final = text("SELECT fingerprint FROM routing.register ORDER BY seq DESC LIMIT 1")
_NOW_BY: Final = text(
    "INSERT INTO routing.register (fingerprint, version, day, done_at) VALUES (:fingerprint, :version, :day, :done_at)"
)
_log = structlog.get_logger("services.routing.succeeding")


class Succession:
    """Looks whether the register of today is another, and has what is open decided again by it. `step` is for a supervised loop."""

    def __init__(self, database: Database, service: RoutingService, laws: Laws) -> None:
        self._database = database
        self._again = Again(database, service)
        self._laws = laws
        self._day: date | None = None
        self._by: Register | None = None
        """By which everything that is open is being decided, until that is done."""
        self._looked_at_s = time.monotonic()

    async def step(self) -> bool:
        """Look at each start, each day, and now and then; decide a few cases again; say if any are left."""
        await self._look()
        passed_on = await self._again.go_on()
        if passed_on:
            _log.info("cases.passed_on", cases=passed_on)
        if self._by and not self._again.left:
            await self._keep(self._by)
            self._by = None
        return self._again.left

    async def _look(self) -> None:
        async with self._database.connect() as connection:
            today, looked_at_s = london_date(await legal_now(connection)), time.monotonic()
            is_new_day = today != self._day
            if not is_new_day and (self._by or looked_at_s - self._looked_at_s < AGAIN_AFTER_S):
                return
            register = self._laws.register.on(today)
            # Only at a start and once a day: a copy with an older register must not decide everything back each hour.
            is_other = is_new_day and await connection.scalar(_DECIDED_BY) != register.fingerprint
            cases = await (
                loading.open_cases(connection) if is_other else loading.cases_of_ended(connection, register.ended)
            )
        await self._again.begin(cases, CORRECTED)
        self._by = register if is_other else None
        self._day, self._looked_at_s = today, looked_at_s

    async def _keep(self, register: Register) -> None:
        async with self._database.begin() as tx:
            row = {
                "fingerprint": register.fingerprint,
                "version": register.version,
                "day": register.day,
                "done_at": tx.now,
            }
            await tx.connection.execute(_NOW_BY, row)
