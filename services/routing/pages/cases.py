"""The pages `/case` and `/case/<key>`: what is owed, to whom, why and since when; and the question about any recipient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.templating import Jinja2Templates

from schemas.calendar.london import LONDON
from schemas.words import STRENGTH_WORDS
from services.kit.auth import Principal, require_page
from services.kit.errors import NotFound
from services.routing.domain import reasons
from services.routing.domain.decide import Decision
from services.routing.law import Law
from services.routing.reading import NoSuchCase, Reader
from services.routing.views import STATE_WORDS, ObligationView

Looker = Annotated[Principal, Depends(require_page("review_officer", "operations", "auditor"))]
CaseKey = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Text = Annotated[str, Query(max_length=80)]
NOTICE_COLOURS: Final = {
    "owed": "yellow",
    "sending": "yellow",
    "awaiting_release": "orange",
    "delivered": "blue",
    "accepted": "green",
    "refused": "red",
    "withdrawn": "grey",
    "superseded": "grey",
}
STATE_COLOURS: Final = {"open": "blue", "met": "green", "withdrawn": "grey", "superseded": "grey"}


@dataclass(frozen=True, slots=True)
class Why:
    """One condition of a rule, its answer, and the fact that it rests on."""

    depth: int
    condition: str
    answer: str
    found: str
    sources: tuple[tuple[str, datetime], ...]


def build_pages(reader: Reader, templates: Jinja2Templates, law: Law) -> APIRouter:
    """Return the routes of the pages."""
    router = APIRouter(include_in_schema=False)
    bodies = [{"value": body.id, "text": f"{body.name} ({body.id})"} for body in law.register.bodies.values()]

    @router.get("/case")
    async def cases(request: Request, who: Looker, key: Text = "") -> Response:
        request.state.principal = who
        wanted = key.strip().lower()
        known = set(wanted) <= set("0123456789abcdef")
        if len(wanted) == len("0" * 32) and known:
            return RedirectResponse(f"/case/{wanted}", status_code=303)
        found = (await reader.cases(wanted)).cases if known else ()
        shown = {"current": "cases", "cases": found, "key": key, "searched": bool(wanted)}
        return templates.TemplateResponse(request, "cases.html", shown)

    @router.get("/case/{case_key}")
    async def case(
        request: Request, who: Looker, case_key: CaseKey, recipient: Text = "", on: Text = "", at: Text = ""
    ) -> Response:
        request.state.principal = who
        as_of, error = _moment(on, at)
        shown, decision = await reader.decision(case_key)
        context = {
            "current": "cases",
            "case": shown,
            "name": law.register.name,
            "why": {
                obligation.obligation_id: tuple(_why(obligation, decision, law)) for obligation in shown.obligations
            },
            "strengths": STRENGTH_WORDS,
            "notice_colours": NOTICE_COLOURS,
            "state_colours": STATE_COLOURS,
            "states": STATE_WORDS,
            "bodies": bodies,
            "recipient": recipient,
            "on": on,
            "at": at,
            "asked_error": error,
            "answer": None,
            "children": decision.evaluation.facts.children,
            "may_record": who.role in {"review_officer", "operations"},
        }
        if recipient and not error:
            try:
                context["answer"] = await reader.ask(case_key, recipient, as_of)
            except NoSuchCase:
                context["asked_error"] = "Handrail knew nothing of this case then"
            except NotFound as unknown:
                context["asked_error"] = unknown.detail
        return templates.TemplateResponse(request, "case.html", context, status_code=422 if error else 200)

    return router


def _moment(on: str, at: str) -> tuple[datetime | None, str | None]:
    """Return the instant in England that was typed (end of the day without a time), or what is wrong with it."""
    if not on.strip():
        return None, None
    try:
        day = date.fromisoformat(on.strip())
        clock = time.fromisoformat(at.strip()) if at.strip() else time.max
    except ValueError:
        return None, "Enter a date such as 2026-11-23 and, if you like, a time such as 09:30"
    return datetime.combine(day, clock, LONDON), None


def _why(obligation: ObligationView, decision: Decision, law: Law) -> Iterator[Why]:
    """Yield the conditions of the rule behind an obligation, as they stand now."""
    for trace in decision.traces:
        holder = trace.holder.id if trace.holder else None
        if (trace.rule, trace.subject, holder) != (obligation.rule, obligation.subject, obligation.duty_holder):
            continue
        for line in reasons.lines(decision.evaluation, trace):
            sources = tuple((law.register.name(fact.authority), fact.recorded_at) for fact in line.statements)
            yield Why(line.depth, line.condition, line.answer, line.found, sources)
