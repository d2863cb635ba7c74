"""Counts open duties again when the calendar of working days has changed, as after the proclamation of a bank holiday.

A calendar is data of a release of Handrail, so it can only have changed when a process starts. Duties whose day moves are
published with the new one and the reason, and whoever was told the old day gets a notice that corrects it. What is met,
or was withdrawn, keeps the day that it had.
"""

from __future__ import annotations

import structlog

from services.kit.database import Database
from services.routing.deciding_again import decide_again
from services.routing.laws import Laws
from services.routing.service import RoutingService
from services.routing.store import loading

_log = structlog.get_logger("services.routing.recounting")


class Recount:
    """Looks once for duties that were counted with another calendar. `step` is for a supervised loop."""

    def __init__(self, database: Database, service: RoutingService, laws: Laws) -> None:
        self._database = database
        self._service = service
        self._laws = laws
        self._done = False

    async def step(self) -> None:
        """Count again what was counted with another calendar, the first time that this is called."""
        if self._done:
            return
        calendar = self._laws.newest.calendar_ref
        async with self._database.connect() as connection:
            cases = await loading.cases_counted_otherwise(connection, calendar)
        because = f"working days are now counted with the calendar {calendar.partition(' ')[0]}"
        moved = await decide_again(self._database, self._service, cases, because)
        if cases:
            _log.info("cases.recounted", calendar=calendar, looked_at=len(cases), changed=moved)
        self._done = True
