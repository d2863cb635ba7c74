"""The deadlines application for tests: settings, people who may sign in, and an HTTP client without a server."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import OKPKey

from services.deadlines.main import create_app
from services.deadlines.settings import DeadlinesSettings
from tests.support.ending import folder_of_the_run
from tests.support.stack import SERVICE_PASSWORDS

FRONT = "http://front.example:8400"


@cache
def _key() -> OKPKey:
    return OKPKey.generate_key("Ed25519")


@cache
def _public_key_file() -> Path:
    path = folder_of_the_run("handrail-deadlines-") / "token.pub"
    path.write_bytes(_key().as_pem(private=False))
    return path


def token(role: str, *, subject: str = "account-7", name: str = "Olu Example", **acts_for: str) -> str:
    """Return an access token, valid for an hour; `acts_for` names a client and a body, if any."""
    claims = {"iss": "handrail", "sub": subject, "name": name, "role": role, "exp": int(time.time()) + 3600}
    return jwt.encode({"alg": "Ed25519"}, claims | acts_for, _key(), algorithms=["Ed25519"])


def settings(database_url: str, **changed: Any) -> DeadlinesSettings:
    """Return settings; without a `kafka_bootstrap` there is no broker to reach."""
    given: dict[str, Any] = {
        "kafka_bootstrap": "127.0.0.1:1",
        "kafka_user": "deadlines",
        "kafka_password": SERVICE_PASSWORDS["deadlines"],
        "kafka_security": "SASL_PLAINTEXT",
        "database_url": database_url,
        "token_public_key_file": _public_key_file(),
        "front_url": FRONT,
        "clock_movable": True,
        "log_json": True,
    }
    return DeadlinesSettings(**given | changed)


def app(database_url: str, **changed: Any) -> FastAPI:
    """Return the application; its loops run only where its lifespan does."""
    return create_app(settings(database_url, **changed))


@asynccontextmanager
async def client(application: FastAPI, role: str | None, **person: str) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client signed in with a role, or not at all; the application's connections are closed with it."""
    headers = {"Authorization": f"Bearer {token(role, **person)}"} if role else {}
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://deadlines.example", headers=headers) as opened:
        yield opened
    await application.state.runtime.database.close()
