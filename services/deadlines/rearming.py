"""Moves reminders to the working days of another calendar, as after the proclamation of a bank holiday.

A calendar is data of a release of Handrail, so it can only have changed when a process starts. A duty whose due date moves is
published with the new one, by routing; of one whose date stays the reminders that have not fired move here, to the last working
days before. Nothing is kept of it: at each start every open duty with a date is looked at once, which changes nothing where all is so already.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import structlog

from schemas.calendar import Calendar
from services.deadlines.domain.duty import rungs
from services.deadlines.store import duties
from services.deadlines.store import rungs as timers
from services.kit.database import Database
from services.kit.logging import allow

AT_A_STEP: Final = 200
"""Duties in one transaction, which holds their cases."""
allow("reminders")
_log = structlog.get_logger("services.deadlines.rearming")


class Rearming:
    """Looks once at every open duty. `step` is for a supervised loop."""

    def __init__(self, database: Database, calendar: Calendar) -> None:
        self._database = database
        self._calendar = calendar
        self._after: UUID | None = UUID(int=0)  # None once all were looked at

    async def step(self) -> bool:
        """Move the reminders of the next few duties; say whether any are left."""
        if self._after is None:
            return False
        async with self._database.connect() as connection:
            page = await duties.dated(connection, after=self._after, limit=AT_A_STEP)
        if page:
            await self._move(dict(page))
        self._after = page[-1][0] if len(page) == AT_A_STEP else None
        return self._after is not None

    async def _move(self, cases: dict[UUID, str]) -> None:
        async with self._database.begin() as tx:
            await tx.lock_cases(set(cases.values()))
            found = await duties.load(tx.connection, cases)  # as they are now that they are held
            wanted = [(duty, rungs(duty.dating, duty.opened_at, self._calendar)) for duty in found.values()]
            moved = await timers.move(tx.connection, wanted, tx.now)
        if moved:
            _log.info("reminders.moved", reminders=moved)
