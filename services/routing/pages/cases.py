"""The pages `/case` and `/case/<key>`: what is owed, to whom, why and since when; and the question about any recipient.

Who was asked something in a case that they may not read sees that and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.templating import Jinja2Templates

from schemas.calendar.london import LONDON, london_date
from schemas.words import STRENGTH_WORDS
from services.kit.auth import Principal, require_page
from services.kit.errors import NotFound
from services.kit.reach import Reach, reach_of
from services.routing.domain import reasons
from services.routing.domain.decide import Decision
from services.routing.domain.register import Register
from services.routing.domain.rulebook.compile import YES
from services.routing.pages.form import FormError, day_of, time_of
from services.routing.reading import NoSuchCase, Reader
from services.routing.views import STATE_WORDS, AskView, CaseList, ObligationView

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
STATE_COLOURS: Final = {
    "open": "blue",
    "overdue": "red",
    "overdue, explained": "orange",
    "met": "green",
    "withdrawn": "grey",
    "superseded": "grey",
}


@dataclass(frozen=True, slots=True)
class Why:
    """One condition of a rule, its answer, and the fact that it rests on."""

    depth: int
    condition: str
    answer: str
    found: str
    sources: tuple[tuple[str, datetime], ...]


def build_pages(reader: Reader, templates: Jinja2Templates, register: Register) -> APIRouter:
    """Return the routes of the pages."""
    router = APIRouter(include_in_schema=False)
    bodies = [{"value": body.id, "text": f"{body.name} ({body.id})"} for body in register.bodies.values()]

    @router.get("/case")
    async def cases(request: Request, who: Looker, key: Text = "", after: Text = "") -> Response:
        request.state.principal = who
        wanted = key.strip().lower()
        known = set(wanted) <= set("0123456789abcdef")
        if len(wanted) == len("0" * 32) and known:
            return RedirectResponse(f"/case/{wanted}", status_code=303)
        reach = reach_of(who)
        found = await reader.cases(reach, wanted, after) if known else CaseList(cases=(), next=None)
        shown = {
            "current": "cases",
            "cases": found.cases,
            "key": key,
            "searched": bool(wanted),
            "own_only": not reach.everything,
            "first": _list_address(key) if after else "",
            "next": _list_address(key, found.next) if found.next else "",
        }
        return templates.TemplateResponse(request, "cases.html", shown)

    @router.get("/case/{case_key}")
    async def case(request: Request, who: Looker, case_key: CaseKey, recipient: Text = "") -> Response:
        request.state.principal = who
        reach = reach_of(who)
        try:
            shown, decision = await reader.decision(reach, case_key)
        except NoSuchCase:
            put = {"current": "cases", "case_key": case_key, "put": await reader.put(reach, case_key)}
            return templates.TemplateResponse(request, "put.html", put)
        found, error = await _asked(reader, reach, case_key, recipient, request.query_params)
        context = {
            "current": "cases",
            "case": shown,
            "name": register.name,
            "why": {
                obligation.obligation_id: tuple(_why(obligation, decision, register))
                for obligation in shown.obligations
            },
            "unserved": {each.obligation_id: _unserved(each, decision) for each in shown.obligations},
            "standing": {each.obligation_id: standing(each, decision, shown.as_of) for each in shown.obligations},
            "strengths": STRENGTH_WORDS,
            "editions": {each.id: each for each in decision.evaluation.book.book.editions},
            "notice_colours": NOTICE_COLOURS,
            "state_colours": STATE_COLOURS,
            "states": STATE_WORDS,
            "bodies": bodies,
            "recipient": recipient,
            "values": request.query_params,
            "asked_error": error,
            "answer": found,
            "subjects": decision.evaluation.facts.subjects,
            "may_record": who.role in {"review_officer", "operations"},
        }
        return templates.TemplateResponse(request, "case.html", context, status_code=422 if error else 200)

    return router


def _list_address(key: str, after: str = "") -> str:
    said = urlencode({name: value for name, value in (("key", key), ("after", after)) if value})
    return f"/case?{said}" if said else "/case"


async def _asked(
    reader: Reader, reach: Reach, case_key: str, recipient: str, form: Mapping[str, str]
) -> tuple[AskView | None, FormError | None]:
    """Return the answer to what was asked, or what is wrong with the question; neither if nothing was asked."""
    try:
        as_of = _moment(form, await reader.now())
        return (await reader.ask(reach, case_key, recipient, as_of) if recipient else None), None
    except ValueError as wrong:
        return None, FormError("on", str(wrong))
    except NoSuchCase:
        return None, FormError("on", "Handrail knew nothing of this case then")
    except NotFound as unknown:
        return None, FormError("recipient", unknown.detail)


def _moment(form: Mapping[str, str], now: datetime) -> datetime | None:
    """Return the instant in England that was typed (end of the day without a time), None if nothing was.

    Raises:
        ValueError: It cannot be read, or is still to come: nobody can know yet what will be known then.
    """
    day, clock = day_of("on", "The day", form), form.get("on-time", "").strip()
    if day is None:
        if clock:
            raise ValueError("Enter a day as well as the time")
        return None
    typed = datetime.combine(day, time_of("The day", clock) if clock else time.max, LONDON)
    if typed > now and (clock or day > london_date(now)):
        raise ValueError("The day and time must not be in the future")
    return min(typed, now)


def standing(obligation: ObligationView, decision: Decision, as_of: datetime) -> str:
    """Return an obligation's state, which is `overdue` from the day after it was due, or `overdue, explained`.

    It is explained where a rule applies that gives the reasons (L-05 for L-04).
    """
    due_on = obligation.due_on
    if obligation.state != "open" or due_on is None or london_date(as_of) <= due_on:
        return obligation.state
    rules = decision.evaluation.book.rules
    explained = any(
        trace.answer == YES and trace.holder and trace.holder.id == obligation.duty_holder
        for trace in decision.traces
        if obligation.rule in rules[trace.rule].rule.explains
    )
    return "overdue, explained" if explained else "overdue"


def _unserved(obligation: ObligationView, decision: Decision) -> tuple[str, ...]:
    """Return the areas that an open obligation is towards, too, and in which the register has nobody."""
    place = (obligation.rule, obligation.position, obligation.subject, obligation.duty_holder)
    for each in decision.obligations:
        slot = each.slot
        if (slot.rule, slot.position, slot.subject, slot.duty_holder) == place and obligation.state == "open":
            return tuple(map(decision.words.area, each.unserved_areas))
    return ()


def _why(obligation: ObligationView, decision: Decision, register: Register) -> Iterator[Why]:
    """Yield the conditions of the rule behind an obligation, as they stand now."""
    for trace in decision.traces:
        holder = trace.holder.id if trace.holder else None
        if (trace.rule, trace.subject, holder) != (obligation.rule, obligation.subject, obligation.duty_holder):
            continue
        words = decision.words
        for line in reasons.lines(decision.evaluation, trace):
            statements = line.found.statements if line.found else ()
            sources = tuple((register.name(fact.authority), fact.recorded_at) for fact in statements)
            found = words.found(line.found) if line.found else ""
            yield Why(line.depth, words.asked(line.condition), line.answer, found, sources)
