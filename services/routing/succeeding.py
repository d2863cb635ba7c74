"""Passes on what is open when the register says otherwise who exists: without any event, whoever it names is told, asked, and owes.

A body ends and another stands in its place, a new one begins, or an area that nobody served has somebody at last. Which
register the open cases were decided by last is kept, so that a change is found whenever it came, also while nothing ran.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.calendar import london_date
from services.kit.database import Database, legal_now
from services.kit.transaction import Transaction
from services.routing.deciding_again import Again
from services.routing.domain.register import Register
from services.routing.laws import Laws
from services.routing.outcome.gathered import CORRECTED
from services.routing.service import RoutingService
from services.routing.store import loading

AGAIN_AFTER_S: Final = 3600.0
"""How long after a look what was decided across a midnight, or by a copy with an older register, is found at the latest."""
PASSES: Final = 2
"""How often everything open is decided by another register: once at once, and once when no copy has the older one any more."""
_LAST: Final = text("SELECT fingerprint, pass AS number, done FROM routing.register ORDER BY seq DESC LIMIT 1")
_KEEP: Final = text("""
    INSERT INTO routing.register (fingerprint, version, day, pass, done, at)
    VALUES (:fingerprint, :version, :day, :pass, :done, :at)
""")
_log = structlog.get_logger("services.routing.succeeding")


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over everything that is open: by which register, and the how manieth by it."""

    register: Register
    number: int


class Succession:
    """Looks whether the register of today is another, and has what is open decided again by it. `step` is for a supervised loop."""

    def __init__(self, database: Database, service: RoutingService, laws: Laws) -> None:
        self._database = database
        self._again = Again(database, service)
        self._laws = laws
        self._day: date | None = None
        self._pass: Pass | None = None
        """The one that is going on."""
        self._looked_at_s = time.monotonic()

    async def step(self) -> bool:
        """Look at each start, each day, and each hour; decide a few cases again; say if any are left."""
        await self._look()
        passed_on = await self._again.go_on()
        if passed_on:
            _log.info("cases.passed_on", cases=passed_on)
        if self._pass and not self._again.left:
            async with self._database.begin() as tx:
                await _keep(tx, self._pass, done=True)
            self._pass = None
        return self._again.left

    async def _look(self) -> None:
        async with self._database.connect() as connection:
            today, looked_at_s = london_date(await legal_now(connection)), time.monotonic()
        is_new_day = today != self._day
        if not is_new_day and looked_at_s - self._looked_at_s < AGAIN_AFTER_S:
            return
        register = self._laws.register.on(today)
        async with self._database.begin() as tx:
            begun = await self._begun(tx.connection, register, is_new_day=is_new_day)
            if begun:  # kept before anything is decided by it: to go back to the register before is another change
                await _keep(tx, begun, done=False)
                cases = await loading.open_cases(tx.connection)
            else:
                cases = await loading.cases_of_ended(tx.connection, register.ended)
        self._pass = begun or self._pass
        self._again.begin(cases, CORRECTED)
        self._day, self._looked_at_s = today, looked_at_s

    async def _begun(self, connection: AsyncConnection, register: Register, *, is_new_day: bool) -> Pass | None:
        """Return the pass that is to begin now, if one is.

        At a start and on a new day, by another register, or where a pass was not done. Not each hour: copies with two registers would
        undo each other's work all the time. After an hour, the next one by the same register.
        """
        last = (await connection.execute(_LAST)).first()
        if last is None or last.fingerprint != register.fingerprint:
            return Pass(register, 1) if is_new_day else None
        if not is_new_day:
            return Pass(register, last.number + 1) if last.done and last.number < PASSES else None
        goes_on = self._pass and self._pass.register.fingerprint == register.fingerprint
        return None if last.done or goes_on else Pass(register, last.number)


async def _keep(tx: Transaction, which: Pass, *, done: bool) -> None:
    row = {
        "fingerprint": which.register.fingerprint,
        "version": which.register.version,
        "day": which.register.day,
        "pass": which.number,
        "done": done,
        "at": tx.now,
    }
    await tx.connection.execute(_KEEP, row)
