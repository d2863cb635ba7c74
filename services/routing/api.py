"""The HTTP API: decisions and their reasons, deliveries and redrive, and the keys that verify our webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from services.kit.asked import Moment, PlainText
from services.kit.auth import Principal, public, require
from services.kit.database import Database
from services.kit.errors import Conflict, NotFound
from services.kit.reach import reach_of
from services.routing.considering import Asked, ConsideredList, Considering, asked_for
from services.routing.dispatch import rows
from services.routing.dispatch.sign import public_key_pem, public_key_text
from services.routing.laws import Laws
from services.routing.migrating import MigratedView, Migrator
from services.routing.previewing import Preview, preview
from services.routing.reading import Reader
from services.routing.recorded import RecordedCases, Recorder
from services.routing.service import Move
from services.routing.store.saving import insert_history
from services.routing.views import AskView, CaseList, CaseView, DeliveryList, ExplanationView

Looker = Annotated[Principal, Depends(require("review_officer", "operations", "auditor", "service"))]
Anybody = Annotated[Principal, Depends(require("partner", "review_officer", "operations", "auditor", "service"))]
Operator = Annotated[Principal, Depends(require("operations"))]
CaseKey = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Recipient = Annotated[str, Query(pattern=r"^[a-z]+(:[A-Za-z0-9-]+)?$")]
DeliveryState = Annotated[
    str | None, Query(pattern=r"^(awaiting_release|due|sending|delivered|accepted|refused|withdrawn|superseded)$")
]
AsOf = Moment | None
_log = structlog.get_logger("services.routing.api")


class Redrive(BaseModel):
    """Why a delivery is tried again."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reason: PlainText = Field(min_length=1, max_length=200, description="Never anything about a person.")


class Redriven(BaseModel):
    """A delivery that is due again."""

    delivery_id: UUID
    at: datetime


class WebhookKey(BaseModel):
    """A public key that verifies webhooks, in both usual forms."""

    algorithm: str = "ed25519"
    public_key: str
    pem: str


class WebhookKeys(BaseModel):
    """Every live key; one good signature is enough."""

    keys: tuple[WebhookKey, ...]


def build_api(reader: Reader, database: Database, keys: Sequence[Ed25519PrivateKey]) -> APIRouter:
    """Return the routes under `/v1`."""
    router = APIRouter(prefix="/v1")
    published = WebhookKeys(
        keys=tuple(WebhookKey(public_key=public_key_text(key), pem=public_key_pem(key)) for key in keys)
    )

    @router.get("/cases")
    async def cases(
        who: Looker,
        prefix: Annotated[str, Query(pattern=r"^[0-9a-f]{0,32}$")] = "",
        after: Annotated[str, Query(max_length=80, description="`next` of the page before.")] = "",
    ) -> CaseList:
        """List the cases, those decided last first, a page at a time; `prefix` is the beginning of a case key."""
        return await reader.cases(reach_of(who), prefix, after)

    @router.get("/cases/{case_key}/decisions")
    async def decisions(who: Looker, case_key: CaseKey, as_of: AsOf = None) -> CaseView:
        """Give what is owed in a case and those linked to it, as at a time, by default now."""
        return await reader.case(reach_of(who), case_key, as_of)

    @router.get("/cases/{case_key}/ask")
    async def ask(who: Looker, case_key: CaseKey, recipient: Recipient, as_of: AsOf = None) -> AskView:
        """Say whether a recipient was told, as at a time, and if not, why not."""
        return await reader.ask(reach_of(who), case_key, recipient, as_of)

    @router.get("/cases/{case_key}/explanation")
    async def explanation(who: Looker, case_key: CaseKey, as_of: AsOf = None) -> ExplanationView:
        """Give each rule with its conditions, facts and duties, and for each recipient why it was told, or was not."""
        return await reader.explanation(reach_of(who), case_key, as_of)

    @router.get("/deliveries")
    async def deliveries(
        who: Looker,
        state: DeliveryState = None,
        recipient: Recipient | None = None,
        after: Annotated[int, Query(ge=0, lt=2**63, description="`next` of the page before.")] = 0,
    ) -> DeliveryList:
        """List deliveries, the oldest first, a page at a time."""
        return await reader.deliveries(reach_of(who), state, recipient, after)

    @router.post("/deliveries/{delivery_id}/redrive", status_code=202)
    async def redrive(who: Operator, delivery_id: UUID, why: Redrive) -> Redriven:
        """Try a delivery again at once: one that was refused, or one that waits for its next try."""
        async with database.begin() as tx:
            case_key = await rows.case_of(tx.connection, delivery_id)
            if case_key is None:
                raise NotFound
            await tx.lock_cases([case_key])
            if not await rows.redrive(tx.connection, [delivery_id], tx.now):
                raise Conflict("only a delivery that was refused, or that waits for its next try, can be redriven")
            await insert_history(tx.connection, [rows.redriven(delivery_id, tx.now, why.reason, who.subject)])
            _log.info("delivery.redriven", delivery_id=str(delivery_id), subject=who.subject)
            return Redriven(delivery_id=delivery_id, at=tx.now)

    @router.get("/webhook-keys")
    @public
    async def webhook_keys() -> WebhookKeys:
        """Give the public keys that verify our webhooks (Standard Webhooks `v1a`)."""
        return published

    return router


def build_preview(laws: Laws) -> APIRouter:
    """Return the route that decides supposed facts; it reads no case, so any role may use it."""
    router = APIRouter(prefix="/v1")

    @router.post("/decisions:preview")
    async def decisions_preview(_who: Anybody, wanted: Preview) -> ExplanationView:
        """Say who would be told if these facts were so, and why, and why others would not. Nothing is stored or sent."""
        return preview(wanted, laws.newest)

    return router


class Migrate(BaseModel):
    """By which version a case is to be decided from now on, and why."""

    model_config = ConfigDict(extra="forbid", strict=True)

    to: str = Field(pattern=r"^[0-9][0-9.]{0,30}$", description="A version that counts, such as 2026.12.0.")
    reason: PlainText = Field(min_length=1, max_length=200, description="Never anything about a person.")


def build_migrating(migrator: Migrator) -> APIRouter:
    """Return the route that moves a case to another version of the rulebook."""
    router = APIRouter(prefix="/v1")

    @router.post("/cases/{case_key}/rulebook")
    async def migrate(who: Operator, case_key: CaseKey, wanted: Migrate) -> MigratedView:
        """Decide a case, and those linked to it, again by another version of the rulebook; say what that changed."""
        return await migrator.migrate(case_key, Move(wanted.to, wanted.reason, who.subject))

    return router


def build_recorded(recorder: Recorder) -> APIRouter:
    """Return the route that gives out what was recorded, so that a draft of the rulebook can be tried on it."""
    router = APIRouter(prefix="/v1")

    @router.get("/recorded-cases")
    async def recorded_cases(
        who: Operator,
        since: Annotated[date, Query(description="The first day, in England, on which something was recorded.")],
        after: Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$", description="`next` of the page before.")] = "",
    ) -> RecordedCases:
        """Give the facts of cases by their keys, and what stands in them, a page at a time. Each reading is logged."""
        found = await recorder.page(reach_of(who), since, after)
        _log.info("cases.read_out", subject=who.subject, cases=len(found.cases))
        return found

    return router


def build_considering(considering: Considering) -> APIRouter:
    """Return the route that lists what was considered for notification."""
    router = APIRouter(prefix="/v1")

    @router.get("/considered")
    async def considered(who: Looker, asked: Annotated[Asked, Depends(asked_for)]) -> ConsideredList:
        """List the cases considered for notification: what was decided, why, who disagreed, and how long it took."""
        return await considering.find(reach_of(who), asked)

    return router
