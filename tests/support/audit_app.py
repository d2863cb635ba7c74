"""The audit application for tests: settings, people who may sign in, and an HTTP client without a server or a broker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from handrail.installation.keys import make_keys
from handrail.installation.tokens import Account, Role, TokenIssuer
from services.audit.main import create_app
from services.audit.settings import AuditSettings
from tests.support.audit import KEY, ORIGIN, TestLog
from tests.support.stack import SERVICE_PASSWORDS


@asynccontextmanager
async def client(
    log: TestLog, role: Role, *, acts_for: str | None = None, body: str | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client of the service over a log, signed in with a role; its connections are closed with it."""
    keys = log.folder.parent / "keys"
    make_keys(keys)
    settings = AuditSettings.model_validate(
        {
            "kafka_bootstrap": "127.0.0.1:1",
            "kafka_user": "audit",
            "kafka_password": SERVICE_PASSWORDS["audit"],
            "kafka_security": "SASL_PLAINTEXT",
            "database_url": log.address.url(user="handrail_audit", password=SERVICE_PASSWORDS["audit"]),
            "token_public_key_file": keys / "token.pub",
            "log_key": KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            "log_origin": ORIGIN,
            "checkpoint_dir": log.folder,
            "front_url": "http://front.example",
        }
    )
    application = create_app(settings)
    token = TokenIssuer(keys / "token.key").issue(Account("account-7", "Olu Example", role, acts_for, body))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application),
        base_url="http://audit.example",
        headers={"Authorization": f"Bearer {token}"},
    ) as opened:
        yield opened
    await application.state.runtime.database.close()
