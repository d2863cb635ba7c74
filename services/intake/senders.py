"""Who may report: a partner's own token, or a signed-in person who acts for a registered client."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.intake.store import clients
from services.intake.store.clients import Client
from services.kit.auth import own_guard, principal_of
from services.kit.database import Database
from services.kit.errors import Forbidden, NotSignedIn

CLIENT_NAME: Final = r"^[a-z0-9-]{3,40}$"
_TOKEN: Final = re.compile(r"hr_[a-z0-9-]{3,40}_[A-Za-z0-9_-]{43}")
_ROLES: Final = frozenset({"partner", "review_officer", "operations"})
_BEARER: Final = HTTPBearer(auto_error=False, description="A client's token, `hr_<client>_...`, or an access token.")

Sender = Callable[..., Awaitable[Client]]


def new_token(name: str) -> str:
    """Return a fresh token of 256 random bits; it is shown once and never stored."""
    return f"hr_{name}_{secrets.token_urlsafe(32)}"


def token_digest(token: str) -> bytes:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


def sender(database: Database) -> Sender:
    """Return the dependency that finds the client on whose behalf a request is made.

    Raises:
        NotSignedIn: 401, there is no valid token.
        Forbidden: 403, the account acts for no registered client.
    """

    async def guard(
        request: Request, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)] = None
    ) -> Client:
        if bearer is not None and bearer.credentials.startswith("hr_"):
            return await _by_token(database, bearer.credentials)
        principal = principal_of(request)
        if principal is None:
            raise NotSignedIn
        if principal.role not in _ROLES or principal.client is None:
            raise Forbidden("This account acts for no client, so it can neither report nor read receipts.")
        async with database.connect() as connection:
            found = await clients.by_name(connection, [principal.client])
        if principal.client not in found:
            raise Forbidden("The client of this account is not registered any more.")
        return found[principal.client]

    return own_guard(guard)


async def _by_token(database: Database, token: str) -> Client:
    found = None
    if _TOKEN.fullmatch(token):
        async with database.connect() as connection:
            found = await clients.by_token(connection, token_digest(token))
    if found is None:
        raise NotSignedIn
    return found
