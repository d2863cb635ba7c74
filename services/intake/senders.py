"""Who may report: a partner's own token, or a signed-in person who acts for a registered client."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.intake.store import clients
from services.intake.store.clients import Client
from services.intake.together import Together
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
    owners = _Owners(database)

    async def guard(
        request: Request, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)] = None
    ) -> Client:
        if bearer is not None and bearer.credentials.startswith("hr_"):
            return await owners.of(bearer.credentials)
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


class _Owners:
    """Finds whose a token is. Nothing is remembered: a token that was revoked is refused from then on."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._together = Together[bytes, Client | None](self._ask, self._ask_alone)

    async def of(self, token: str) -> Client:
        found = await self._together.take(token_digest(token)) if _TOKEN.fullmatch(token) else None
        if found is None:
            raise NotSignedIn
        return found

    async def _ask(self, digests: Sequence[bytes]) -> list[Client | None]:
        async with self._database.connect() as connection:
            found = await clients.by_token(connection, set(digests))
        return [found.get(digest) for digest in digests]

    async def _ask_alone(self, digest: bytes) -> Client | None:
        return (await self._ask([digest]))[0]
