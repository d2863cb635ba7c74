"""The page `/desk`: alerts on top, then every open duty by how soon it is due. Server-rendered, no script."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.templating import Jinja2Templates

from schemas.words import body_words
from services.deadlines.alerting import acknowledge, may_acknowledge
from services.deadlines.domain.standing import GROUPS
from services.deadlines.domain.words import GROUP_WORDS
from services.deadlines.reading import Reader, Reading
from services.deadlines.store import alerts, duties
from services.deadlines.store.duties import Wanted
from services.kit.asked import PlainText
from services.kit.auth import Principal, require_page
from services.kit.database import Database
from services.kit.reach import reach_of

TEMPLATES: Final = Path(__file__).parent / "templates"
PAGE: Final = 50
ALERTS: Final = 50
ACKNOWLEDGED_FOR: Final = timedelta(days=1)  # how long the desk shows who took an alert on

Worker = Annotated[Principal, Depends(require_page("operations", "review_officer"))]
Filter = Annotated[PlainText, Query(max_length=80)]


def build_desk(database: Database, reader: Reader, templates: Jinja2Templates) -> APIRouter:
    """Return the routes of the page and of its one form."""
    router = APIRouter(include_in_schema=False)

    @router.get("/desk")
    async def desk(
        request: Request,
        who: Worker,
        holder: Filter = "",
        rule: Filter = "",
        after: str = "",
        alerts_after: str = "",
    ) -> Response:
        request.state.principal = who  # the layout shows who is signed in
        wanted = Wanted(state="open", duty_holder=holder or None, rule=rule or None)
        reach = reach_of(who)
        reading = await reader.duties(reach, wanted, limit=PAGE, after=after)
        raised = await reader.alerts(reach, limit=ALERTS, after=alerts_after)
        async with database.connect() as connection:
            since = reading.now - ACKNOWLEDGED_FOR
            taken = await alerts.find(connection, reach, acknowledged_since=since, limit=ALERTS)
            all_taken = await alerts.count(connection, reach, acknowledged_since=since)
            holders, rules = await duties.choices(connection, reach)
        shown = {
            "current": "desk",
            "alerts": raised.alerts,
            "all_alerts": raised.total,
            "for_others": {one.alert_id for one in raised.alerts if not may_acknowledge(who, one.kind)},
            "first_alerts": _address(holder, rule, after) if alerts_after else "",
            "next_alerts": _address(holder, rule, after, raised.next) if raised.next else "",
            "asked": _query(holder, rule, after, alerts_after),
            "taken": taken,
            "more_taken": all_taken - len(taken),
            "groups": _groups(reading),
            "now": reading.now,
            "holders": _choices(
                {one: name or body_words(one) for one, name in holders.items()}, holder, body_words(holder)
            ),
            "rules": _choices({one: one for one in rules}, rule, rule),
            "holder": holder,
            "rule": rule,
            "first": _address(holder, rule, "", alerts_after) if after else "",
            "next": _address(holder, rule, reading.page.next, alerts_after) if reading.page.next else "",
        }
        return templates.TemplateResponse(request, "desk.html", shown)

    @router.post("/desk/alerts/{alert_id}/acknowledge")
    async def take_on(
        alert_id: UUID, who: Worker, holder: Filter = "", rule: Filter = "", after: str = "", alerts_after: str = ""
    ) -> Response:
        await acknowledge(database, alert_id, who)
        return RedirectResponse(_address(holder, rule, after, alerts_after), status_code=303)

    return router


def _groups(reading: Reading) -> list[tuple[str, list[object]]]:
    """Return the duties of the page by group, in the desk's order, with each group's heading."""
    return [
        (GROUP_WORDS[group], [view for view in reading.page.obligations if view.group == group]) for group in GROUPS
    ]


def _choices(known: Mapping[str, str], asked: str, words: str) -> list[dict[str, str]]:
    """Return what a filter may be set to, and what it is set to: no open duty may have that any more."""
    found = {asked: words, **known} if asked else known
    return [{"value": value, "text": found[value]} for value in sorted(found)]


def _address(holder: str, rule: str, after: str, alerts_after: str = "") -> str:
    return "/desk" + _query(holder, rule, after, alerts_after)


def _query(holder: str, rule: str, after: str, alerts_after: str) -> str:
    """Return what a page of the desk is asked with, empty for the first one of all."""
    given = {"holder": holder, "rule": rule, "after": after, "alerts_after": alerts_after}
    said = urlencode({name: value for name, value in given.items() if value})
    return f"?{said}" if said else ""
