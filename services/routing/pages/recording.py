"""Recording what happened, from a case's page: a form per event type, posted through intake like everyone else's events.

The person's own access token goes along, so intake decides whether they may report it, and for which client. What was
typed is neither kept nor logged here.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final

import aiohttp
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from fastapi.templating import Jinja2Templates

from schemas.envelope import iso
from schemas.submission import Submission, only
from schemas.submissions import SUBMISSIONS
from schemas.words import event_title
from services.kit.auth import COOKIE, Principal, SignInNeeded, own_guard, require_page
from services.kit.errors import NotFound
from services.kit.reach import reach_of
from services.routing.domain.register import Register
from services.routing.pages.form import FormError, Section, errors_of, read, sections
from services.routing.reading import Reader

MOST_CHILDREN: Final = 4
TIMEOUT: Final = aiohttp.ClientTimeout(total=15)
SOURCE: Final = "/handrail/case-page"
_TAKEN: Final = frozenset({200, 202})
_require_recorder: Final = require_page("review_officer", "operations")
Recorder = Annotated[Principal, Depends(_require_recorder)]
CaseKey = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Children = Annotated[int, Query(ge=1, le=MOST_CHILDREN)]
SESSION_ENDED: Final = FormError(None, "Your session has ended. Sign in in another tab, then send this again.")
KEPT_OTHERWISE: Final = FormError(
    None,
    "This form was recorded before, with other answers. Those stand; what you have changed since is not recorded. To put "
    "something right, record “Fact corrected”. To record something new, open its form anew.",
)
AWAY: Final = {
    "detail": "Handrail's intake did not answer. It may or may not have been kept; send the same again in a minute."
}


@own_guard
def _sender(request: Request) -> Principal | None:
    """Return who sends a form, None where the session has ended: what was typed is then handed back, and nothing read."""
    try:
        return _require_recorder(request)
    except SignInNeeded:
        return None


Sender = Annotated[Principal | None, Depends(_sender)]


class Intake:
    """Posts events to intake. `session` is set when the process's event loop runs."""

    session: aiohttp.ClientSession

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    async def post(self, event: Mapping[str, Any], token: str) -> tuple[int, dict[str, Any]]:
        """Return intake's status and answer; 503 with a sentence of ours if there is none."""
        headers = {"authorization": f"Bearer {token}", "content-type": "application/cloudevents+json"}
        try:
            async with self.session.post(
                f"{self._url}/v1/events", json=event, headers=headers, timeout=TIMEOUT, allow_redirects=False
            ) as response:
                return response.status, await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return 503, dict(AWAY)


def build_recording(reader: Reader, templates: Jinja2Templates, intake: Intake, register: Register) -> APIRouter:
    """Return the routes of the forms."""
    router = APIRouter(include_in_schema=False)
    templates.env.globals["registered"] = sorted(
        ({"value": body.id, "text": body.name} for body in register.bodies.values() if body.exists_on(None)),
        key=lambda each: each["text"],
    )

    @router.get("/case/{case_key}/record")
    async def choose(request: Request, who: Recorder, case_key: CaseKey) -> Response:
        request.state.principal = who
        await reader.require(reach_of(who), case_key)
        kinds = [(kind, event_title(kind), _says(model)) for kind, model in SUBMISSIONS.items()]
        shown = {"current": "cases", "case_key": case_key, "kinds": kinds, "client": who.client}
        return templates.TemplateResponse(request, "record_choose.html", shown)

    @router.get("/case/{case_key}/record/{kind}")
    async def show(request: Request, who: Recorder, case_key: CaseKey, kind: str, children: Children = 1) -> Response:
        request.state.principal = who
        await reader.require(reach_of(who), case_key)
        values = {
            "linked_case.case_key": case_key,
            "event.id": secrets.token_hex(16),  # made once, so that sending the form twice records one event
        }
        return _page(templates, request, case_key, kind, _form(kind, children), values, ())

    @router.post("/case/{case_key}/record/{kind}")
    async def record(request: Request, who: Sender, case_key: CaseKey, kind: str, children: Children = 1) -> Response:
        request.state.principal = who
        shown = _form(kind, children)
        values = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        if who is None:
            return _page(templates, request, case_key, kind, shown, values, (SESSION_ENDED,), HTTPStatus.UNAUTHORIZED)
        await reader.require(reach_of(who), case_key)
        data, errors = read(values, shown)
        if errors:
            return _page(templates, request, case_key, kind, shown, values, errors)
        event = {
            "specversion": "1.0",
            "id": values.get("event.id", ""),
            "source": SOURCE,
            "type": kind,
            "time": iso(await reader.now()),  # not when the form was opened: of two decisions the one sent later stands
            "data": data,
        }
        status, answer = await intake.post(event, _token(request))
        kept_before = _differs_in_time_alone(status, answer)
        if status not in _TAKEN and not kept_before:
            refused = _refused(status, answer, shown, values)
            return _page(templates, request, case_key, kind, shown, values, refused, status, answer.get("receipt_id"))
        told = {
            "current": "cases",
            "case_key": case_key,
            "title": event_title(kind),
            "kept_before": kept_before,
            "receipt_id": answer.get("receipt_id"),
            "event_id": answer.get("event_id"),
            "missing": answer.get("missing", ()),
        }
        return templates.TemplateResponse(request, "recorded.html", told)

    return router


def _says(model: type[Submission]) -> str:
    return f"{(model.__doc__ or '').strip()} {only(model.reported_by)}".strip()


def _differs_in_time_alone(status: int, answer: Mapping[str, Any]) -> bool:
    """Say whether intake kept the same form before: sent again, nothing but the time of sending is another."""
    pointers = [error.get("pointer") for error in answer.get("errors", ())]
    return status == HTTPStatus.CONFLICT and pointers == ["/time"]


def _refused(
    status: int, answer: Mapping[str, Any], shown: Sequence[Section], values: Mapping[str, str]
) -> list[FormError]:
    """Return what is wrong. Of a form that was kept before with other answers that is said, and not that it needs a new id."""
    if status != HTTPStatus.CONFLICT or not answer.get("receipt_id"):
        return errors_of(dict(answer), shown, values)
    differs = [
        {"pointer": error.get("pointer"), "detail": "this is not what was recorded"}
        for error in answer.get("errors", ())
    ]
    return [KEPT_OTHERWISE, *(each for each in errors_of({"errors": differs}, shown, values) if each.field)]


def _form(kind: str, children: int) -> tuple[Section, ...]:
    model = SUBMISSIONS.get(kind)
    if model is None:
        raise NotFound
    return sections(model, children)


def _page(
    templates: Jinja2Templates,
    request: Request,
    case_key: str,
    kind: str,
    shown: Sequence[Section],
    values: Mapping[str, str],
    errors: Sequence[FormError],
    status: int = 422,
    receipt_id: str | None = None,
) -> Response:
    ids = {field.name: field.id for section in shown for field in section.fields}
    first = shown[0].fields[0].id
    context = {
        "current": "cases",
        "case_key": case_key,
        "kind": kind,
        "title": event_title(kind),
        "sections": shown,
        "values": values,
        "errors": [{"text": each.text, "href": f"#{ids.get(each.field or '', first)}"} for each in errors],
        "receipt_id": receipt_id,
        "may_be_kept": status >= HTTPStatus.INTERNAL_SERVER_ERROR or receipt_id is not None,
        "wrong_fields": {each.field: {"text": each.text} for each in errors if each.field},
        "can_add": any(field.name.startswith("children.0") for section in shown for field in section.fields),
        "action": str(request.url.path) + (f"?{request.url.query}" if request.url.query else ""),
    }
    return templates.TemplateResponse(request, "record.html", context, status_code=status if errors else 200)


def _token(request: Request) -> str:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE, "")
