"""Who read personal data, of which notice and for what: for auditors. What was read stands nowhere but in the vault."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel

from services.intake.store import access
from services.kit.auth import Principal, require, require_page
from services.kit.database import Database

PAGE: Final = 50
_KEY: Final = r"[0-9a-f]{32}"
CaseKey = Annotated[str, Query(pattern=rf"^({_KEY})?$", description="Empty for reads of every case.")]
Before = Annotated[int | None, Query(ge=1, lt=2**63, description="`next` of the page before.")]


class Read(BaseModel):
    """One read of a notice's content. `participant`: the person that the grant named, if it did. `fields`: what was given."""

    number: int
    read_at: datetime
    recipient: str
    participant: str | None
    notice_id: UUID
    profile: str
    purpose: str
    case_keys: Sequence[str]
    fields: Sequence[str]


class ReadList(BaseModel):
    """Reads, the newest first. `next` is the `before` of the page that follows, absent on the last."""

    reads: tuple[Read, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class Reads:
    """The log of reads."""

    database: Database

    async def list(self, case_key: str, before: int | None, limit: int) -> ReadList:
        """Return a page of the reads of one case, or of all if `case_key` is empty."""
        async with self.database.connect() as connection:
            rows = await access.reads(connection, case_key or None, before, limit + 1)
        reads = tuple(Read(**row) for row in rows[:limit])
        return ReadList(reads=reads, next=reads[-1].number if len(rows) > limit else None)


def build_reads(reads: Reads) -> APIRouter:
    """Return the route for programs."""
    router = APIRouter(prefix="/v1")

    @router.get("/reads")
    async def list_reads(
        _who: Annotated[Principal, Depends(require("auditor"))],
        case: CaseKey = "",
        before: Before = None,
        limit: Annotated[int, Query(ge=1, le=200)] = PAGE,
    ) -> ReadList:
        """List who read the content of notices, newest first: when, of which notice and cases, for what, and which fields."""
        return await reads.list(case, before, limit)

    return router


def build_reads_page(reads: Reads, templates: Jinja2Templates) -> APIRouter:
    """Return the route of the page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/reads")
    async def reads_page(
        request: Request,
        who: Annotated[Principal, Depends(require_page("auditor"))],
        case: Annotated[str, Query(max_length=80)] = "",
        before: Before = None,
    ) -> Response:
        request.state.principal = who
        key = case.strip().lower()
        is_key = not key or re.fullmatch(_KEY, key) is not None
        page = await reads.list(key, before, PAGE) if is_key else ReadList(reads=(), next=None)
        shown = {"current": "reads", "page": page, "case": key, "is_key": is_key, "first": before is None}
        return templates.TemplateResponse(request, "reads.html", shown)

    return router
