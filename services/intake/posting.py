"""`POST /v1/events`: bytes in, a receipt after the commit, or a problem that says what to change and what was kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import unquote
from uuid import UUID

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import IntegrityError

from services.intake.domain.cloudevent import BINARY, STRUCTURED, RawEvent, media_type
from services.intake.domain.problems import Cause, Refusal
from services.intake.keeping import seal_whole
from services.intake.reading import Incoming
from services.intake.receipts import Receipts
from services.intake.service import Accepted, IntakeService
from services.intake.store import submissions
from services.intake.store.clients import Client
from services.intake.store.submissions import Returned
from services.intake.together import Together
from services.intake.vault import Vault
from services.kit.database import Database
from services.kit.errors import PROBLEM_JSON, problem
from services.kit.http import note
from services.kit.tracing import traceparent_for
from services.kit.transaction import Transaction

ANSWERS: Final[Mapping[Cause, tuple[int, str]]] = {
    "not_json": (400, "Not readable"),
    "not_allowed": (403, "Not yours to report"),
    "differs": (409, "Different from what was accepted"),
    "invalid": (422, "Some things have to be put right"),
    "plain_personal": (422, "Some things have to be put right"),
    "unreadable_personal": (422, "Some things have to be put right"),
}


_PATIENCE_MS: Final = 500
"""How long a batch waits for a case that somebody else holds; alone, an event waits as long as it must."""

Answered = tuple[Accepted | Refusal, UUID | None]


class Posting:
    """Takes events by HTTP. `new_id` names what is returned to its sender."""

    def __init__(
        self, database: Database, service: IntakeService, receipts: Receipts, vault: Vault, new_id: Callable[[], UUID]
    ) -> None:
        self._database = database
        self._service = service
        self._receipts = receipts
        self._vault = vault
        self._new_id = new_id
        self._together = Together[Incoming, Answered](self._keep_batch, self._keep_alone)

    async def take(self, request: Request, client: Client) -> Response:
        """Answer one request; nothing is said before the transaction has committed."""
        raw = raw_event(request.headers, await request.body())
        if raw is None:
            return _unsupported()
        outcome, returned_id = await self._together.take(Incoming(client, raw, "http", traceparent_for(None)))
        if isinstance(outcome, Refusal):
            note(request, client=client.name, kind=outcome.cause)
            return _refused(outcome, returned_id)
        receipt = self._receipts.of(outcome)
        note(request, client=client.name, event_id=str(receipt.event_id), case_key=receipt.case_key)
        return Response(
            receipt.model_dump_json(exclude_none=True),
            202 if outcome.fresh else 200,
            {"Location": receipt.links.self},
            "application/json",
        )

    async def _keep_batch(self, incoming: Sequence[Incoming]) -> list[Answered]:
        return await self._keep(incoming, patience_ms=_PATIENCE_MS)

    async def _keep_alone(self, incoming: Incoming) -> Answered:
        try:
            return (await self._keep([incoming]))[0]
        except IntegrityError:
            # The same source and id at the same moment under two case references: the other one was first.
            return (await self._keep([incoming]))[0]

    async def _keep(self, incoming: Sequence[Incoming], *, patience_ms: int = 0) -> list[Answered]:
        async with self._database.begin(patience_ms=patience_ms) as tx:
            outcomes = await self._service.accept(incoming, tx)
            return [
                (outcome, await self._return(one, outcome, tx) if isinstance(outcome, Refusal) else None)
                for one, outcome in zip(incoming, outcomes, strict=True)
            ]

    async def _return(self, incoming: Incoming, refusal: Refusal, tx: Transaction) -> UUID:
        """Keep what was sent, encrypted: what reached us is never dropped."""
        returned_id = self._new_id()
        wrapped, sealed = seal_whole(self._vault, "", returned_id, incoming.raw)
        returned = Returned(returned_id, incoming.client.name, tx.now, refusal.reason, wrapped, sealed)
        await submissions.add_returned(tx.connection, returned)
        return returned_id


def raw_event(headers: Mapping[str, str], body: bytes) -> RawEvent | None:
    """Return the event of a request, or nothing if its content type is not one of CloudEvents'. Its headers are percent-encoded.

    Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md, 3.1.3.2
    """
    content_type = headers.get("content-type", "")
    kind = media_type(content_type)
    if kind == STRUCTURED:
        return RawEvent(body, content_type, {})
    if kind == BINARY and "ce-specversion" in headers:
        attributes = {
            name.removeprefix("ce-"): unquote(value) for name, value in headers.items() if name.startswith("ce-")
        }
        return RawEvent(body, content_type, attributes)
    return None


def _refused(refusal: Refusal, returned_id: UUID | None) -> JSONResponse:
    status, title = ANSWERS[refusal.cause]
    body: dict[str, Any] = problem(status, title, refusal.detail, [asdict(error) for error in refusal.errors])
    body["returned_id"] = str(returned_id)
    if refusal.receipt_id:
        body["receipt_id"] = str(refusal.receipt_id)
    body["kept"] = (
        "What you sent is kept, encrypted, under this returned_id. It has no effect. Quote it if you ask for help."
    )
    return JSONResponse(body, status, media_type=PROBLEM_JSON)


def _unsupported() -> JSONResponse:
    detail = (
        f"Send a CloudEvents 1.0 event: as {STRUCTURED}, or as {BINARY} with the ce-specversion, ce-id, ce-source, ce-type "
        "and ce-time headers. Nothing was kept."
    )
    return JSONResponse(problem(415, "Unsupported media type", detail), 415, media_type=PROBLEM_JSON)
