"""Pages: a partner's receipts, and what each event may contain. Server-rendered, no script."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, get_args
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from fastapi.templating import Jinja2Templates

from services.intake import guide
from services.intake.receipts import Receipts
from services.intake.store import clients
from services.intake.store.clients import Client
from services.kit.auth import Principal, Role, require_page
from services.kit.database import Database
from services.kit.errors import Forbidden, NotFound

TEMPLATES: Final = Path(__file__).parent / "templates"
PAGE: Final = 50

Reporter = Annotated[Principal, Depends(require_page("partner", "operations", "review_officer"))]
Anybody = Annotated[Principal, Depends(require_page(*get_args(Role)))]


def build_pages(database: Database, receipts: Receipts, templates: Jinja2Templates) -> APIRouter:
    """Return the routes of the pages."""
    router = APIRouter(include_in_schema=False)

    async def client_of(who: Principal) -> Client:
        if who.client is not None:
            async with database.connect() as connection:
                found = await clients.by_name(connection, [who.client])
            if who.client in found:
                return found[who.client]
        raise Forbidden("This account acts for no client, so it has no receipts.")

    @router.get("/receipts")
    async def list_receipts(request: Request, who: Reporter, before: str | None = None) -> Response:
        request.state.principal = who  # the layout shows who is signed in
        client = await client_of(who)
        page = await receipts.list(client, before, PAGE)
        shown = {"client": client, "page": page, "first": before is None}
        return templates.TemplateResponse(request, "receipts.html", shown)

    @router.get("/receipts/{receipt_id}")
    async def one_receipt(request: Request, who: Reporter, receipt_id: UUID) -> Response:
        request.state.principal = who
        receipt = await receipts.progress(receipt_id, await client_of(who))
        return templates.TemplateResponse(request, "receipt.html", {"receipt": receipt})

    @router.get("/docs/events")
    async def event_types(request: Request, who: Anybody) -> Response:
        request.state.principal = who
        return templates.TemplateResponse(request, "events.html", {"pages": guide.pages().values()})

    @router.get("/docs/events/{type_}")
    async def event_type(request: Request, who: Anybody, type_: str) -> Response:
        request.state.principal = who
        page = guide.pages().get(type_)
        if page is None:
            raise NotFound
        return templates.TemplateResponse(request, "event.html", {"page": page})

    return router
