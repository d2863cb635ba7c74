"""Who is asking: access tokens (JWT signed with Ed25519) in a header or in the session cookie, and roles.

A route says which roles may use it: `Depends(require("operations"))`. A route that says nothing is found by
`unguarded`, which a test runs over every service. Tokens are made by the front and by the CLI, verified here.

Source: RFC 7519 (claims), RFC 9864 (the algorithm name `Ed25519`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from pydantic import BaseModel, ConfigDict

from schemas.bodies import Bodies
from schemas.calendar.london import london_date
from services.kit.clock import Clock
from services.kit.errors import Forbidden, NotSignedIn

Role = Literal["operations", "review_officer", "auditor", "partner", "service"]
COOKIE: Final = "handrail_session"
T = TypeVar("T", bound=Callable[..., Any])
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in person or service.

    `client`: the partner system it may act for, if any. `body`: whom that client answers for, by its id in the register.
    `stands_for`: that body under its other code, and those that have ended and in whose place it stands.
    """

    subject: str
    name: str
    role: Role
    client: str | None = None
    body: str | None = None
    stands_for: frozenset[str] = frozenset()


class _Claims(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)

    iss: Literal["handrail"]
    sub: str
    name: str
    role: Role
    client: str | None = None
    body: str | None = None
    exp: int


class SignInNeeded(Exception):
    """A page was asked for without a session: the answer is a redirect to the sign-in page."""

    def __init__(self, location: str) -> None:
        self.location = location
        super().__init__("sign-in needed")


class Tokens:
    """Verifies access tokens with the public key that the settings name. Without `bodies`, each stands for itself alone."""

    def __init__(self, public_key_file: Path, clock: Clock, bodies: Bodies | None = None) -> None:
        self._key = OKPKey.import_key(public_key_file.read_bytes())
        self._clock = clock
        self._bodies = bodies

    def verify(self, token: str) -> Principal:
        """Return whom a token speaks for.

        Raises:
            NotSignedIn: The token is not ours, was altered, or has expired. Which of these is not told.
        """
        try:
            decoded = jwt.decode(token, self._key, algorithms=["Ed25519"])
            claims = _Claims.model_validate(decoded.claims)
        except (JoseError, ValueError, TypeError):  # the last of a header whose `crit` is no list of names
            raise NotSignedIn from None
        now = self._clock.wall_now()
        if claims.exp <= now.timestamp():
            raise NotSignedIn
        body, bodies = claims.body, self._bodies
        stands_for = bodies.stands_for(body, london_date(now)) - {body} if body and bodies else frozenset[str]()
        return Principal(claims.sub, claims.name, claims.role, claims.client, body, stands_for)


def principal_of(request: Request) -> Principal | None:
    """Return who is asking, or nothing without a token.

    Raises:
        NotSignedIn: There is a token, and it is not valid.
        Forbidden: A form was sent from a page of another host.
    """
    tokens: Tokens = request.app.state.tokens
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and bearer:
        return tokens.verify(bearer.strip())
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return None
    origin = request.headers.get("origin")
    if request.method not in _SAFE_METHODS and origin and _host(origin) != request.url.hostname:
        raise Forbidden("forms are only accepted from Handrail's own pages")
    return tokens.verify(cookie)


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).hostname
    except ValueError:  # such as http://[
        return None


def require(*roles: Role) -> Callable[[Request], Principal]:
    """Return a dependency that lets these roles in: `principal: Principal = Depends(require("auditor"))`.

    Raises:
        NotSignedIn: 401, there is no valid token.
        Forbidden: 403, the role is another.
    """

    def guard(request: Request) -> Principal:
        principal = principal_of(request)
        if principal is None:
            raise NotSignedIn
        if principal.role not in roles:
            raise Forbidden
        return principal

    return _marked(guard)


def require_page(*roles: Role) -> Callable[[Request], Principal]:
    """Like `require`, for pages: without a valid session the browser is sent to the sign-in page and back."""

    def guard(request: Request) -> Principal:
        try:
            principal = principal_of(request)
        except NotSignedIn:
            principal = None
        if principal is None:
            raise SignInNeeded(sign_in_address(f"{request.app.state.front_url}/sign-in", request))
        request.state.principal = principal  # the layout shows who is signed in, also where the role is not enough
        if principal.role not in roles:
            raise Forbidden
        return principal

    return _marked(guard)


def sign_in_address(sign_in: str, request: Request) -> str:
    """Come back to the page afterwards; a form's address answers no GET, so it is not one to come back to."""
    return f"{sign_in}?next={quote(str(request.url), safe='')}" if request.method in _SAFE_METHODS else sign_in


def public(endpoint: T) -> T:
    """Mark an endpoint that anybody may use."""
    return _marked(endpoint)


def own_guard(dependency: T) -> T:
    """Mark a dependency that is itself a guard, for a service with tokens of another kind."""
    return _marked(dependency)


def unguarded(app: FastAPI) -> list[str]:
    """Return the paths of the routes that nobody guards and nobody marked `public`."""
    return [
        route.path
        for route in app.routes
        if isinstance(route, APIRoute) and not any(_is_marked(call) for call in _calls(route.dependant))
    ]


def _marked(call: T) -> T:
    call.__handrail_guard__ = True  # type: ignore[attr-defined]
    return call


def _is_marked(call: Any) -> bool:
    return bool(getattr(call, "__handrail_guard__", False))


def _calls(dependant: Dependant) -> Iterator[Any]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from _calls(inner)
