"""The page `/considered`: cases that were considered for notification, what was decided and why, and who disagreed.

As of now. It says which things nobody recorded, and where the reasons in people's own words are kept.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from fastapi.templating import Jinja2Templates

from services.kit.auth import Principal, require_page
from services.kit.reach import reach_of
from services.routing.considering import OUTCOME_WORDS, Asked, BadQuestion, Considering, asked_for
from services.routing.domain.register import Register

Looker = Annotated[Principal, Depends(require_page("review_officer", "operations", "auditor"))]


def build_considered(considering: Considering, templates: Jinja2Templates, register: Register) -> APIRouter:
    """Return the route of the page."""
    router = APIRouter(include_in_schema=False)
    areas = sorted(register.areas.values(), key=lambda area: area.name)
    choices = {
        "areas": _choices([(area.code, area.name) for area in areas], "All areas"),
        "outcomes": _choices([*OUTCOME_WORDS.items()], "All of them"),
    }

    @router.get("/considered")
    async def considered(request: Request, who: Looker, asked: Annotated[Asked, Depends(asked_for)]) -> Response:
        request.state.principal = who
        reach = reach_of(who)
        given = {"area": asked.area, "outcome": asked.outcome, "from": asked.first, "to": asked.last}
        filters = {name: value for name, value in given.items() if value}
        shown: dict[str, Any] = {
            "current": "considered",
            "given": given,
            "filtered": bool(filters),
            "own_only": not reach.everything,
            "outcome_words": OUTCOME_WORDS,
            **choices,
        }
        try:
            found = await considering.find(reach, asked)
        except BadQuestion as bad:
            errors = {each["parameter"]: each["detail"] for each in bad.errors}
            return templates.TemplateResponse(
                request, "considered.html", {**shown, "found": None, "errors": errors}, status_code=422
            )
        pages = {
            "first": f"/considered?{urlencode(filters)}" if asked.after else "",
            "next": f"/considered?{urlencode({**filters, 'after': found.next})}" if found.next else "",
        }
        return templates.TemplateResponse(request, "considered.html", {**shown, **pages, "found": found, "errors": {}})

    return router


def _choices(names: list[tuple[str, str]], every: str) -> list[dict[str, str]]:
    """Return the choices of a filter, the first of which is not to filter."""
    return [{"value": "", "text": every}, *({"value": value, "text": text} for value, text in names)]
