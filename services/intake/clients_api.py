"""Registering partner systems: name, body, area, and a token that is shown once."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from schemas import topics
from schemas.bodies import Bodies
from schemas.calendar.london import london_date
from schemas.envelope import AreaCode, RecipientId
from schemas.reporters import ReporterBody
from services.intake.senders import CLIENT_NAME, new_token, token_digest
from services.intake.store import clients
from services.intake.store.clients import Client
from services.kit.auth import Principal, require
from services.kit.database import Database
from services.kit.errors import Conflict, NotFound, Refused

Registrar = Annotated[Principal, Depends(require("operations", "service"))]
ENGLAND: Final = "E92000001"
"""GSS code of the whole, for a national body such as the Panel."""
Name = Annotated[str, Path(pattern=CLIENT_NAME)]


class NewClient(BaseModel):
    """A partner system to register."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(pattern=CLIENT_NAME)]
    body: ReporterBody
    area: AreaCode
    recipient: RecipientId | None = None


class ClientView(BaseModel):
    """A registered partner system. `topic` is the Kafka topic that it alone may write to."""

    name: str
    body: str
    area: str
    recipient: str | None
    topic: str
    created_at: datetime
    revoked_at: datetime | None


class NewClientView(ClientView):
    """As registered, with the token: it is shown this once and not stored."""

    token: str


class ClientList(BaseModel):
    """Every client there ever was, by name."""

    clients: list[ClientView]


def build_clients_api(database: Database, bodies: Bodies) -> APIRouter:
    """Return the routes for clients. Topic, user and access rules on Kafka are made by `handrail client add`."""
    router = APIRouter(prefix="/v1/clients")

    @router.post("", status_code=201)
    async def add_client(new: NewClient, _who: Registrar) -> NewClientView:
        """Register a client. A revoked name may come back, with a new token, to the same body and area.

        Once it has reported, only an authority's may come back with another `recipient`.
        """
        token = new_token(new.name)
        async with database.begin() as tx:
            check_registered(new, bodies)
            check_recipient(new, bodies, london_date(tx.now))
            client = Client(new.name, new.body, new.area, new.recipient, tx.now)
            if not await clients.add(tx.connection, client, token_digest(token)):
                before = (await clients.by_name(tx.connection, [new.name], revoked=True))[new.name]
                raise Conflict(_why_not(before))
        return NewClientView(**_view(client).model_dump(), token=token)

    @router.get("")
    async def list_clients(_who: Registrar) -> ClientList:
        """List clients, also those that were revoked."""
        async with database.connect() as connection:
            return ClientList(clients=[_view(client) for client in await clients.everyone(connection)])

    @router.delete("/{name}", status_code=204)
    async def revoke_client(name: Name, _who: Registrar) -> None:
        """Revoke a client: from now on its token and its topic are refused. What it reported stays."""
        async with database.begin() as tx:
            if not await clients.revoke(tx.connection, name, tx.now):
                raise NotFound

    return router


def check_registered(new: NewClient, bodies: Bodies) -> None:
    """Let a client be of an area, and answer for a body, that the register has: else it would report in nobody's name.

    Raises:
        Refused: The register lacks one of them.
    """
    lacking = [("area", new.area)] if new.area not in {*bodies.areas, ENGLAND} else []
    if new.recipient is not None and new.recipient not in bodies.ids:
        lacking.append(("recipient", new.recipient))
    if lacking:
        names = " and ".join(value for _, value in lacking)
        detail = f"The register has no {names}. Correct it, or add it to the register and start the services again."
        raise Refused(detail, errors=[{"pointer": f"/{name}", "detail": "not in the register"} for name, _ in lacking])


def check_recipient(new: NewClient, bodies: Bodies, on: date) -> None:
    """Let an authority's word come from the authority alone, and from none of them for anybody else.

    It may be registered for itself under its other code, or for the one that stands in its place `on` a day.

    Raises:
        Refused: The client would speak for an authority that it is not.
    """
    own = f"la:{new.area}" if new.body == "local_authority" else None
    if new.recipient is None or own == new.recipient:
        return
    if own and bodies.in_place_of(own, on) == bodies.in_place_of(new.recipient, on):
        return
    if own or new.recipient.startswith("la:"):
        detail = "A local authority answers for itself alone, and nobody else answers for one."
        raise Refused(detail, errors=[{"pointer": "/recipient", "detail": detail}])


def _why_not(before: Client) -> str:
    """Say why the name of a client is not given again, and what to do."""
    if before.revoked_at is None:
        return "A client of this name exists. Choose another name, or revoke it first to get a new token."
    return (
        "The revoked client of this name was another body, or spoke for another recipient. What it has reported would "
        "count as somebody else's. Choose another name, or register it with the body, area and recipient that it had."
    )


def _view(client: Client) -> ClientView:
    return ClientView(
        name=client.name,
        body=client.body,
        area=client.area,
        recipient=client.recipient,
        topic=topics.submissions(client.name),
        created_at=client.created_at,
        revoked_at=client.revoked_at,
    )
