"""The intake application for tests: a fresh database, its keys, registered clients, and HTTP without a server."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import orjson
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey
from sqlalchemy import text

from schemas.messages import AnyMessage, parse
from schemas.vocabulary import load
from services.intake.letterbox import Letterbox
from services.intake.main import create_app
from services.intake.reading import Incoming, Reader
from services.intake.service import IntakeService, Outcome
from services.intake.settings import IntakeSettings
from services.intake.store import clients
from services.intake.vault import Vault
from services.kit.database import Database
from services.kit.migrate import migrate_all
from tests.support.ending import folder_of_the_run
from tests.support.eventually import eventually
from tests.support.intake import KEY, LEEDS, structured
from tests.support.stack import SERVICE_PASSWORDS, fresh_database

FRONT = "http://front.example:8400"
CLOUDEVENT = {"Content-Type": "application/cloudevents+json"}
POLICE = {"name": "police-example", "body": "police", "area": LEEDS, "recipient": "police:west-yorkshire"}
COUNCIL = {"name": "council-example", "body": "local_authority", "area": LEEDS, "recipient": f"la:{LEEDS}"}
PARTNERSHIP = {"name": "lscp-example", "body": "childrens_partnership", "area": LEEDS, "recipient": f"lscp:{LEEDS}"}


@cache
def _signing_key(name: str) -> OKPKey:
    del name  # one key for each name
    return OKPKey.generate_key("Ed25519")


@cache
def _public_key_file(name: str) -> Path:
    path = folder_of_the_run("handrail-intake-") / f"{name}.pub"
    path.write_bytes(_signing_key(name).as_pem(private=False))
    return path


@cache
def submission_key() -> ECKey:
    """Return the key to which the tests' partners encrypt."""
    return ECKey.generate_key("P-256")


def access_token(role: str, *, client: str | None = None) -> str:
    """Return the access token of an invented person, valid for an hour."""
    claims: dict[str, Any] = {"iss": "handrail", "sub": "account-7", "name": "Olu Example", "role": role}
    claims |= {"exp": int(time.time()) + 3600} | ({"client": client} if client else {})
    return jwt.encode({"alg": "Ed25519"}, claims, _signing_key("token"), algorithms=["Ed25519"])


def grant(*, valid_for_s: int = 600, key: str = "grant", **claims: Any) -> str:
    """Return a grant as routing signs it."""
    whole = {
        "iss": "handrail-routing",
        "aud": "handrail-intake",
        "exp": int(time.time()) + valid_for_s,
        "subject": "incident",
        "profile": "panel-notification",
        "purpose": "statutory notification to the Panel",
    }
    return jwt.encode({"alg": "Ed25519"}, whole | claims, _signing_key(key), algorithms=["Ed25519"])


def migrated() -> str:
    """Return the URL with which intake logs in to a new database."""
    address = fresh_database("intake")
    migrate_all(address.url(), {"intake": SERVICE_PASSWORDS["intake"]})
    password = SERVICE_PASSWORDS["intake"]
    return f"postgresql://handrail_intake:{password}@{address.host}:{address.port}/{address.database}"


def settings(database_url: str, **changed: Any) -> IntakeSettings:
    """Return settings; without a `kafka_bootstrap` there is no broker to reach."""
    key = base64.b64encode(KEY).decode()
    given: dict[str, Any] = {
        "kafka_bootstrap": "127.0.0.1:1",
        "kafka_user": "intake",
        "kafka_password": SERVICE_PASSWORDS["intake"],
        "kafka_security": "SASL_PLAINTEXT",
        "database_url": database_url,
        "quarantine_key": key,
        "vault_key": key,
        "identity_key": key,
        "submission_key": submission_key().as_pem(private=True).decode(),
        "token_public_key_file": _public_key_file("token"),
        "grant_public_key_file": _public_key_file("grant"),
        "front_url": FRONT,
    }
    return IntakeSettings(**given | changed)


@dataclass
class Intake:
    """A running intake, without a server. `tokens`: each registered client's, by name."""

    app: FastAPI
    http: httpx.AsyncClient
    tokens: dict[str, str]

    @property
    def database(self) -> Database:
        """Its database."""
        database: Database = self.app.state.runtime.database
        return database

    async def post(self, event: Any, *, by: str = "police-example") -> httpx.Response:
        """Report an event (a mapping, or bytes as they are) as a client."""
        body = event if isinstance(event, bytes) else orjson.dumps(event)
        return await self.http.post("/v1/events", content=body, headers=CLOUDEVENT | self.as_client(by))

    async def get(self, path: str, *, by: str = "police-example") -> httpx.Response:
        """Ask as a client."""
        return await self.http.get(path, headers=self.as_client(by))

    @property
    def database_url(self) -> str:
        """Address of its database."""
        url: str = self.app.state.runtime.settings.database_url.get_secret_value()
        return url

    def as_client(self, name: str) -> dict[str, str]:
        """Return the header of a client."""
        return {"Authorization": f"Bearer {self.tokens[name]}"}

    async def keep(self, *events: dict[str, Any], by: str = "police-example") -> list[Outcome]:
        """Accept events of a client in one transaction, as a batch from Kafka comes."""
        reader = Reader(Letterbox(submission_key().as_pem(private=True).decode()), KEY, load())
        service = IntakeService(reader, Vault(KEY), self.app.state.runtime.bodies, lambda: secrets.token_hex(16))
        async with self.database.begin() as tx:
            client = (await clients.by_name(tx.connection, [by]))[by]
            return await service.accept([Incoming(client, structured(each), "http") for each in events], tx)

    async def published(self) -> list[AnyMessage]:
        """Return the messages in the outbox, in order."""
        return [parse(payload) for payload in await self.column("SELECT payload FROM outbox ORDER BY xid, id")]

    async def column(self, sql: str) -> Sequence[Any]:
        """Return the first column of a query."""
        async with self.database.connect() as connection:
            return (await connection.execute(text(sql))).scalars().all()


@asynccontextmanager
async def intake(database_url: str | None = None, **changed: Any) -> AsyncIterator[Intake]:
    """Open intake on a new database (or a given one) with the invented clients registered."""
    app = create_app(settings(database_url or migrated(), **changed))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://intake.example") as http:
        opened = Intake(app, http, {})
        if database_url is None:
            for client in (POLICE, COUNCIL, PARTNERSHIP):
                opened.tokens[client["name"]] = await register(opened, client)
        yield opened
        await opened.database.close()


async def register(opened: Intake, client: dict[str, str]) -> str:
    """Register a client as soon as the service that has just started writes anything, and return its token."""

    async def answered() -> httpx.Response | None:
        answer = await opened.http.post(
            "/v1/clients", json=client, headers={"Authorization": f"Bearer {access_token('operations')}"}
        )
        return None if answer.status_code == 503 else answer

    answer = await eventually(answered, "the service takes a client")
    assert answer.status_code == 201, answer.text
    token: str = answer.json()["token"]
    return token
