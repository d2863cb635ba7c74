"""The HTTP API: duties, alerts, and the legal clock."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from schemas import topics
from schemas.deadlines import ClockMovedData
from services.deadlines import translate
from services.deadlines.alerting import acknowledge
from services.deadlines.domain.duty import Kind, State
from services.deadlines.reading import Reader
from services.deadlines.store import clock
from services.deadlines.store.duties import Wanted
from services.deadlines.views import AlertPage, AlertView, ObligationPage
from services.kit.asked import PlainText
from services.kit.auth import Principal, require
from services.kit.database import Database
from services.kit.errors import Forbidden
from services.kit.reach import reach_of

Watcher = Annotated[Principal, Depends(require("operations", "review_officer", "auditor", "service"))]
Worker = Annotated[Principal, Depends(require("operations", "review_officer"))]
Operator = Annotated[Principal, Depends(require("operations"))]
CaseKey = Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")]
Limit = Annotated[int, Query(ge=1, le=200)]
_YEAR_S: Final = 366 * 24 * 3600
_CLOCK: Final = "clock"  # the lock and the Kafka key of clock moves: one after the other


class ClockMove(BaseModel):
    """By how many seconds to move the legal clock, and why."""

    model_config = ConfigDict(extra="forbid", strict=True)

    seconds: int = Field(ge=-_YEAR_S, le=_YEAR_S)
    reason: PlainText = Field(min_length=1, max_length=200, description="Never anything about a person.")


class ClockView(BaseModel):
    """The legal clock, which duties and timers go by."""

    legal_now: datetime
    offset_seconds: int
    movable: bool


def build_api(database: Database, reader: Reader, *, clock_movable: bool) -> APIRouter:
    """Return the routes under `/v1`."""
    router = APIRouter(prefix="/v1")

    @router.get("/obligations")
    async def obligations(
        who: Watcher,
        kind: Kind = "obligation",
        state: State | None = None,
        due_before: date | None = None,
        case: CaseKey = None,
        after: str | None = None,
        limit: Limit = 100,
    ) -> ObligationPage:
        """List duties by due date, those without a date last. `due_before` is exclusive; `after` is a page's `next`."""
        wanted = Wanted(kind=kind, state=state, due_before=due_before, case_key=case)
        return (await reader.duties(reach_of(who), wanted, limit=limit, after=after)).page

    @router.get("/alerts")
    async def list_alerts(who: Watcher, after: str | None = None, limit: Limit = 100) -> AlertPage:
        """List the open alerts: breaches and faults first, then the newest. `after` is a page's `next`."""
        return await reader.alerts(reach_of(who), limit=limit, after=after)

    @router.post("/alerts/{alert_id}/acknowledge")
    async def acknowledge_alert(alert_id: UUID, who: Worker) -> AlertView:
        """Take an alert on; the first person to do so stands, a repeat answers with who that was."""
        return AlertView.of(await acknowledge(database, alert_id, who))

    @router.get("/clock")
    async def read_clock(_who: Watcher) -> ClockView:
        """Say what time it is by the legal clock."""
        return await _clock_view(database, movable=clock_movable)

    @router.post("/clock")
    async def move_clock(move: ClockMove, who: Operator) -> ClockView:
        """Move the legal clock, where this installation allows it."""
        if not clock_movable:
            raise Forbidden("The legal clock of this installation cannot be moved.")
        async with database.begin() as tx:
            await tx.lock_cases([_CLOCK])
            offset = await clock.move(tx.connection, move.seconds, by=who.subject, reason=move.reason, now=tx.now)
            data = ClockMovedData(seconds=move.seconds, offset_seconds=offset, by=who.subject, reason=move.reason)
            tx.emit(topics.DEADLINES, translate.clock_moved(data, translate.Stamp(tx.now)), key=_CLOCK)
        return await _clock_view(database, movable=clock_movable)

    return router


async def _clock_view(database: Database, *, movable: bool) -> ClockView:
    async with database.connect() as connection:
        now, offset = await clock.now_and_offset(connection)
    return ClockView(legal_now=now, offset_seconds=offset, movable=movable)
