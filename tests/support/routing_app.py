"""The routing application for tests: settings, people who may sign in, and an HTTP client without a server."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import OKPKey

from handrail.embedded.postgres import DatabaseAddress
from services.routing.main import create_app
from services.routing.settings import RoutingSettings
from tests.support.ending import folder_of_the_run
from tests.support.stack import SERVICE_PASSWORDS

FRONT = "http://front.example:8400"


@cache
def token_key() -> OKPKey:
    return OKPKey.generate_key("Ed25519")


@cache
def _folder() -> Path:
    folder = folder_of_the_run("handrail-routing-")
    (folder / "token.pub").write_bytes(token_key().as_pem(private=False))
    (folder / "endpoints.yaml").write_text("")
    return folder


def pem(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def token(role: str, *, client: str | None = None, body: str | None = None) -> str:
    """Return an access token, valid for an hour."""
    claims = {
        "iss": "handrail",
        "sub": "account-7",
        "name": "Olu Example",
        "role": role,
        "exp": int(time.time()) + 3600,
    }
    acting = {name: value for name, value in (("client", client), ("body", body)) if value}
    return jwt.encode({"alg": "Ed25519"}, claims | acting, token_key(), algorithms=["Ed25519"])


def settings(address: DatabaseAddress, **changed: Any) -> RoutingSettings:
    """Return settings; without a `kafka_bootstrap` there is no broker to reach."""
    given: dict[str, Any] = {
        "kafka_bootstrap": "127.0.0.1:1",
        "kafka_user": "routing",
        "kafka_password": SERVICE_PASSWORDS["routing"],
        "kafka_security": "SASL_PLAINTEXT",
        "database_url": address.url(user="handrail_routing", password=SERVICE_PASSWORDS["routing"]),
        "token_public_key_file": _folder() / "token.pub",
        "endpoints_file": _folder() / "endpoints.yaml",
        "webhook_key": pem(Ed25519PrivateKey.generate()),
        "grant_key": pem(Ed25519PrivateKey.generate()),
        "front_url": FRONT,
    }
    return RoutingSettings(**given | changed)


def app(address: DatabaseAddress, **changed: Any) -> FastAPI:
    """Return the application; its loops run only where its lifespan does."""
    return create_app(settings(address, **changed))


@asynccontextmanager
async def client(
    application: FastAPI, role: str | None, *, acts_for: str | None = None, body: str | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client signed in with a role, or not at all; the application's connections are closed with it."""
    headers = {"Authorization": f"Bearer {token(role, client=acts_for, body=body)}"} if role else {}
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://routing.example", headers=headers) as opened:
        yield opened
    await application.state.runtime.database.close()
