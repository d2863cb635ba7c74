"""Reads for the API and the desk: duties with how they stand now, by the legal clock, and the open alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from schemas.calendar import Calendar
from schemas.envelope import iso
from services.deadlines.domain.alert import Alert
from services.deadlines.domain.duty import Duty
from services.deadlines.store import alerts, clock, duties, rungs
from services.deadlines.store.alerts import AlertPlace
from services.deadlines.store.duties import Place, Wanted
from services.deadlines.views import AlertPage, AlertView, ObligationPage, views
from services.kit.database import Database
from services.kit.errors import BadPlace
from services.kit.reach import Reach


@dataclass(frozen=True, slots=True)
class Reading:
    """A page of duties and the instant, by the legal clock, at which it was true."""

    page: ObligationPage
    now: datetime


class Reader:
    """Reads duties and alerts page by page."""

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

    async def alerts(self, reach: Reach, *, limit: int, after: str | None) -> AlertPage:
        """Return the page of open alerts that may be read and follow `after`.

        Raises:
            BadPlace: `after` cannot be read.
        """
        place = _alert_place(after) if after else None
        async with self._database.connect() as connection:
            found = await alerts.find(connection, reach, limit=limit + 1, after=place)
            total = await alerts.count(connection, reach)
        shown = found[:limit]
        return AlertPage(
            alerts=tuple(map(AlertView.of, shown)),
            total=total,
            next=_after_alert(shown[-1]) if len(found) > limit else None,
        )


def _after_alert(alert: Alert) -> str:
    return f"{int(alert.severity == 'warning')}~{iso(alert.raised_at)}~{alert.alert_id}"


def _alert_place(after: str) -> AlertPlace:
    try:
        warning, instant, alert_id = after.split("~")
        return AlertPlace(bool(int(warning)), datetime.fromisoformat(instant).astimezone(UTC), UUID(alert_id))
    except (ValueError, OverflowError):
        raise BadPlace from None


def _after(duty: Duty) -> str:
    return f"{(duty.dating.due_on or date.max).isoformat()}~{duty.duty_id}"


def _place(after: str) -> Place:
    due_on, _, duty_id = after.partition("~")
    try:
        return Place(date.fromisoformat(due_on), UUID(duty_id))
    except ValueError:
        raise BadPlace from None
