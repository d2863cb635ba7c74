"""The HTTP API for partners and recipients: events, receipts, keys, content.

Annotations are evaluated here: FastAPI could not look up by name the guards that are built inside the functions.
"""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from services.intake import guide
from services.intake.contents import Contents, Grant, Grants
from services.intake.letterbox import Letterbox
from services.intake.posting import Posting
from services.intake.receipts import Receipt, ReceiptList, ReceiptProgress, Receipts
from services.intake.senders import Sender
from services.intake.store.clients import Client
from services.kit.auth import own_guard, public
from services.kit.database import Database
from services.kit.errors import PROBLEM_JSON, NotFound, NotSignedIn

_EVENTS: Final = guide.request_body()  # once, where processes are forked: it takes as long as all the rest of a start
_GRANT: Final = HTTPBearer(auto_error=False, description="The grant of a notice, from its `content.grant`.")


class FieldProblem(BaseModel):
    """One place in the event that has to change (RFC 6901 pointer)."""

    pointer: str
    detail: str
    expected: str
    hint: str


class Problem(BaseModel):
    """What was wrong (RFC 9457). `returned_id` names what was kept of it, `receipt_id` the event that was accepted before."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[FieldProblem] | None = None
    returned_id: UUID | None = None
    receipt_id: UUID | None = None
    kept: str | None = None


class ContentView(BaseModel):
    """The fields that the recipient may see. A field on which reports differ has a list; what is withheld has a reason."""

    notice_id: UUID
    recipient: str
    profile: str
    purpose: str
    incident: dict[str, Any]
    children: list[dict[str, Any]]
    withheld: dict[str, str]


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _WORDS[status], "content": content} for status in statuses}


_WORDS: Final = {
    400: "The body is not strict JSON.",
    401: "No valid token.",
    403: "Not yours: another body reports this, or another recipient answers it.",
    404: "There is nothing here that you may see.",
    409: "The same source and id were accepted before with other content; `errors` names the fields.",
    413: "The body is larger than 256 kB.",
    415: "Not a CloudEvents content type.",
    422: "Some fields have to change; `errors` says which, and to what.",
    503: "It may or may not have been kept; send the same again after the seconds in Retry-After.",
}


_SAME_AGAIN: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": Receipt, "description": "The same event again: the same receipt."}
}


def build_api(*, posting: Posting, receipts: Receipts, letterbox: Letterbox, sender: Sender) -> APIRouter:
    """Return the routes under `/v1` that partners use."""
    router = APIRouter(prefix="/v1")
    by_client = Annotated[Client, Depends(sender)]

    @router.post(
        "/events",
        status_code=202,
        response_model=Receipt,
        responses=_SAME_AGAIN | _problems(400, 401, 403, 409, 413, 415, 422, 503),
        openapi_extra=_EVENTS,
    )
    async def post_event(request: Request, client: by_client) -> Response:
        """Report an event (CloudEvents 1.0, structured or binary). 202 means: it is kept, and stays kept."""
        return await posting.take(request, client)

    @router.get("/receipts", responses=_problems(401, 403, 503))
    async def list_receipts(
        client: by_client, before: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
    ) -> ReceiptList:
        """List your receipts, newest first. `before` is a page's `next`, or an instant."""
        return await receipts.list(client, before, limit)

    @router.get("/receipts/{receipt_id}", responses=_problems(401, 403, 404, 503))
    async def read_receipt(receipt_id: UUID, client: by_client) -> ReceiptProgress:
        """Say how far an event has come: kept, decided, who was told, which questions are open."""
        return await receipts.progress(receipt_id, client)

    @router.get("/keys")
    @public
    async def keys() -> dict[str, Any]:
        """Give the key to which personal blocks are encrypted (JWK set)."""
        return letterbox.public_keys()

    return router


def build_content_api(database: Database, contents: Contents, grants: Grants) -> APIRouter:
    """Return the route that recipients use."""
    router = APIRouter(prefix="/v1")

    def granted(bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_GRANT)] = None) -> Grant:
        if bearer is None:
            raise NotSignedIn
        return grants.verify(bearer.credentials)

    by_grant = Annotated[Grant, Depends(own_guard(granted))]

    @router.get("/content/{notice_id}", responses=_problems(401, 403, 404, 503))
    async def read_content(notice_id: UUID, grant: by_grant) -> ContentView:
        """Give the content of a notice, cut to its disclosure profile. Every read is logged."""
        if grant.notice_id != notice_id:
            raise NotFound
        async with database.begin() as tx:
            content = await contents.read(grant, tx)
        return ContentView(
            notice_id=notice_id,
            recipient=grant.recipient,
            profile=grant.profile,
            purpose=grant.purpose,
            incident=content.incident,
            children=list(content.children.values()),
            withheld=content.withheld,
        )

    return router
