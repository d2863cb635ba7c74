"""Counts open duties and questions again when the calendar of working days has changed, as after the proclamation of a bank holiday.

A calendar is data of a release of Handrail, so it can only have changed when a process starts. That it changed, and by which days,
is published once. Duties whose day moves are published with the new one and the reason, and whoever was told the old day gets a
notice that corrects it; a question whose day moves is put again with it. What is met, or was withdrawn, keeps the day that it had.
"""

from __future__ import annotations

from typing import Final

import structlog
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from schemas import topics
from schemas.calendar.days import Calendar
from schemas.decisions import CalendarUpdated, CalendarUpdatedData, HolidayOn
from schemas.identity import derived_event_id
from services.kit.database import Database
from services.kit.logging import allow
from services.routing.deciding_again import Again
from services.routing.laws import Laws
from services.routing.outcome.gathered import SOURCE
from services.routing.service import RoutingService
from services.routing.store import loading

_NEWEST: Final = text("SELECT seq, calendar, holidays FROM routing.calendar ORDER BY seq DESC LIMIT 1")
_TAKE: Final = text("""
    INSERT INTO routing.calendar (seq, calendar, holidays, taken_at)
    VALUES (:seq, :calendar, :holidays, :taken_at) ON CONFLICT DO NOTHING RETURNING seq
""").bindparams(bindparam("holidays", type_=JSONB))
allow("calendar", "calendar_before")
_log = structlog.get_logger("services.routing.recounting")


class Recount:
    """Looks once for what was counted with another calendar. `step` is for a supervised loop."""

    def __init__(self, database: Database, service: RoutingService, laws: Laws) -> None:
        self._database = database
        self._again = Again(database, service)
        self._laws = laws
        self._begun = False

    async def step(self) -> bool:
        """Publish that the calendar is another, once, and count a few of the cases again; say whether any are left."""
        if not self._begun and await self._take():
            await self._begin()
            self._begun = True
        moved = await self._again.go_on()
        if moved:
            _log.info("cases.recounted", calendar=self._laws.newest.calendar_ref, cases=moved)
        return self._again.left

    async def _begin(self) -> None:
        calendar = self._laws.newest.calendar_ref
        async with self._database.connect() as connection:
            cases = await loading.counted_otherwise(connection, calendar)
        self._again.begin(cases, f"working days are now counted with the calendar {calendar.partition(' ')[0]}")
        if cases:
            _log.info("cases.counted_otherwise", calendar=calendar, cases=len(cases))

    async def _take(self) -> bool:
        """Keep which calendar counts from now on; say whether it does, or another process was faster, with whichever it has."""
        calendar = self._laws.newest.calendar_ref
        async with self._database.begin() as tx:
            newest = (await tx.connection.execute(_NEWEST)).first()
            if newest and newest.calendar == calendar:
                return True
            seq = newest.seq + 1 if newest else 1
            holidays = _holidays(self._laws.newest.calendar)
            kept = [each.model_dump(mode="json") for each in holidays]
            row = {"seq": seq, "calendar": calendar, "holidays": kept, "taken_at": tx.now}
            if (await tx.connection.execute(_TAKE, row)).first() is None:
                return False
            if newest:
                before = [HolidayOn.model_validate(each, strict=False) for each in newest.holidays]
                data = CalendarUpdatedData(
                    calendar_before=newest.calendar,
                    calendar=calendar,
                    added=tuple(each for each in holidays if each not in before),
                    removed=tuple(each for each in before if each not in holidays),
                    open_duties=sum((await loading.counted_otherwise(tx.connection, calendar)).values()),
                )
                event = derived_event_id("calendar.updated", str(seq), calendar)
                message = CalendarUpdated(id=event, source=SOURCE, time=tx.now, recorded_at=tx.now, data=data)
                tx.emit(topics.DECISIONS, message)
                _log.info("calendar.updated", calendar=calendar, calendar_before=newest.calendar)
        return True


def _holidays(calendar: Calendar) -> list[HolidayOn]:
    """Return the holidays of a calendar, the earliest first."""
    return [
        HolidayOn(day=day, title=holiday.title, source=holiday.source)
        for day, holiday in sorted(calendar.holidays.items())
    ]
