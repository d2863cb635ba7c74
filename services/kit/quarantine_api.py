"""What is in quarantine, and what a person does with it: `GET /v1/quarantine`, `POST .../retry`, `POST .../discard`.

Mounted by every service; `handrail quarantine` uses it. The bytes are never shown: id, place, reason, digest, times.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import text

from services.kit.asked import PlainText
from services.kit.auth import Principal, require
from services.kit.errors import Conflict, NotFound
from services.kit.quarantine import Outcome
from services.kit.release import Released, release
from services.kit.runtime import Runtime

_log = structlog.get_logger("services.kit.quarantine")

_LIST: Final = text("""
    SELECT q.quarantine_id, q.consumer, q.topic, q.partition, q."offset", q.case_key, encode(q.sha256, 'hex') AS sha256,
        q.size_bytes, q.reason, q.parked, q.state, q.attempts, q.held_at, q.due_at,
        (SELECT count(*) FROM parked_event AS p WHERE p.consumer = q.consumer AND p.case_key = q.case_key) AS waiting,
        q.arrival
    FROM quarantine AS q WHERE q.state = 'held' AND q.arrival > :after ORDER BY q.arrival LIMIT :limit
""")
_COUNT: Final = text("SELECT count(*) FROM quarantine WHERE state = 'held'")
_CONSUMER: Final = text("SELECT consumer FROM quarantine WHERE quarantine_id = :quarantine_id")


class HeldRecord(BaseModel):
    """One record in quarantine. `waiting`: events of its case that wait behind it."""

    quarantine_id: UUID
    consumer: str
    topic: str
    partition: int
    offset: int
    case_key: str | None
    sha256: str
    size_bytes: int
    reason: str
    parked: bool
    state: str
    attempts: int
    held_at: datetime
    due_at: datetime
    waiting: int


class HeldPage(BaseModel):
    """A page of what is in quarantine, in the order in which it came; `total` counts all of it.

    `next` is the `after` of the page that follows, absent on the last.
    """

    records: list[HeldRecord]
    total: int
    next: int | None


class Resolve(BaseModel):
    """Why a person decided so."""

    model_config = ConfigDict(extra="forbid", strict=True)

    # Bounds within `Annotated` would come after the check, and let half of a surrogate pair through.
    reason: PlainText = Field(min_length=3, max_length=500, description="Never put anything personal here.")


class Resolved(BaseModel):
    """What came of it. `state` is still `held` if the record failed again."""

    quarantine_id: UUID
    state: str
    reason: str
    released: int


Operator = Annotated[Principal, Depends(require("operations", "service"))]


def quarantine_router(runtime: Runtime) -> APIRouter:
    """Return the routes for one service."""
    router = APIRouter(prefix="/v1/quarantine", tags=["quarantine"])

    @router.get("")
    async def held(
        _by: Operator,
        after: Annotated[int, Query(ge=-1, lt=2**63)] = -1,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> HeldPage:
        """List what is in quarantine, what came first at the top. `after` is a page's `next`."""
        async with runtime.database.connect() as connection:
            rows = (await connection.execute(_LIST, {"after": after, "limit": limit + 1})).mappings().all()
            total = (await connection.execute(_COUNT)).scalar_one()
        page = rows[:limit]
        return HeldPage(
            records=[HeldRecord.model_validate(dict(row)) for row in page],
            total=total,
            next=page[-1]["arrival"] if len(rows) > limit else None,
        )

    @router.post("/{quarantine_id}/retry")
    async def retry(quarantine_id: UUID, body: Resolve, by: Operator) -> Resolved:
        return await resolve(quarantine_id, body, by, "retried")

    @router.post("/{quarantine_id}/discard")
    async def discard(quarantine_id: UUID, body: Resolve, by: Operator) -> Resolved:
        return await resolve(quarantine_id, body, by, "discarded")

    async def resolve(quarantine_id: UUID, body: Resolve, by: Principal, resolution: Outcome) -> Resolved:
        async with runtime.database.connect() as connection:
            consumer: Any = (await connection.execute(_CONSUMER, {"quarantine_id": quarantine_id})).scalar()
        if consumer is None:
            raise NotFound
        worker = runtime.consume.workers.get(consumer)
        if worker is None:
            raise Conflict(f"this version has no consumer {consumer!r} to handle the record")
        released: Released = await release(
            runtime.database,
            worker.consumer,
            quarantine_id,
            resolution=resolution,
            by=by.subject,
            reason=body.reason,
        )
        _log.info(
            "quarantine.resolved",
            quarantine_id=str(quarantine_id),
            state=released.state,
            subject=by.subject,
            count=released.released,
        )
        return Resolved(
            quarantine_id=quarantine_id, state=released.state, reason=released.reason, released=released.released
        )

    return router
