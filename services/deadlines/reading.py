"""Reads for the API and the desk: duties with how they stand now, by the legal clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from schemas.calendar import Calendar
from services.deadlines.domain.duty import Duty
from services.deadlines.store import clock, duties, rungs
from services.deadlines.store.duties import Place, Wanted
from services.deadlines.views import ObligationPage, views
from services.kit.database import Database
from services.kit.errors import Refused
from services.kit.reach import Reach


class BadPlace(Refused):
    """`after` is not the `next` of an earlier page: leave it out to start from the first."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A page of duties and the instant, by the legal clock, at which it was true."""

    page: ObligationPage
    now: datetime


class Reader:
    """Reads duties page by page."""

    def __init__(self, database: Database, calendar: Calendar) -> None:
        self._database = database
        self._calendar = calendar

    async def duties(self, reach: Reach, wanted: Wanted, *, limit: int, after: str | None) -> Reading:
        """Return the page of duties that may be read and follow `after`, by due date, those without a date last.

        Raises:
            BadPlace: `after` cannot be read.
        """
        async with self._database.connect() as connection:
            now, _ = await clock.now_and_offset(connection)
            place = _place(after) if after else None
            found = await duties.find(connection, reach, wanted, limit=limit + 1, after=place)
            shown, more = found[:limit], found[limit:]
            undated = {duty.case_key for duty in shown if duty.dating.due_on is None}
            asked = await duties.open_questions(connection, undated) if undated else []
            raised = await rungs.breaches(connection, shown)
        page = ObligationPage(
            obligations=views(shown, asked, raised, now, self._calendar), next=_after(shown[-1]) if more else None
        )
        return Reading(page, now)


def _after(duty: Duty) -> str:
    return f"{(duty.dating.due_on or date.max).isoformat()}~{duty.duty_id}"


def _place(after: str) -> Place:
    due_on, _, duty_id = after.partition("~")
    try:
        return Place(date.fromisoformat(due_on), UUID(duty_id))
    except ValueError:
        raise BadPlace from None
