"""The HTTP side of every service: health, metrics, problem details, a body limit, one log line per request.

Errors are RFC 9457 problems and never quote what was sent. Health and metrics need no token: they say nothing about
any case.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Final

import pydantic.v1  # noqa: F401 - FastAPI does so at its first route: in each fork of the nursery, if not here
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.field_faults import fault
from services.kit.auth import SignInNeeded, Tokens, public
from services.kit.errors import PROBLEM_JSON, Refused, Unavailable, is_infrastructure, problem, summary
from services.kit.logging import where
from services.kit.metrics import REQUESTS
from services.kit.tracing import request_span

if TYPE_CHECKING:
    from services.kit.runtime import Runtime

MAX_BODY_BYTES: Final = 256 * 1024
_QUIET: Final = frozenset({"/health/live", "/health/ready", "/metrics"})
_NOTED: Final = "noted"
_NO_PARTS: Final = "Nothing here takes a body in parts (multipart). Send a form as application/x-www-form-urlencoded."
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_log = structlog.get_logger("services.kit.http")

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def build_http(
    runtime: Runtime, title: str, *, description: str = "", lifespan: Lifespan | None = None, **options: Any
) -> FastAPI:
    """Return a service's FastAPI app with everything that all services share.

    Args:
        runtime: The process it belongs to.
        title: Shown in the OpenAPI page.
        description: The same, longer.
        lifespan: By default `runtime.lifespan(...)` without routers and loops.
        options: Passed on to FastAPI, for example `docs_url=None`.
    """
    from services.kit.runtime import lifespan as default_lifespan  # noqa: PLC0415 - the two know each other

    options = {"docs_url": None, "redoc_url": None} | options  # both pages are scripts of another host
    app = FastAPI(
        title=title,
        description=description,
        version="1",
        lifespan=lifespan or default_lifespan(runtime, (), ()),
        **options,
    )
    app.state.runtime = runtime
    app.state.front_url = runtime.settings.front_url
    app.state.tokens = Tokens(runtime.settings.token_public_key_file, runtime.clock, runtime.bodies)
    _add_errors(app)
    _add_health(app, runtime)
    app.add_middleware(BodyLimit)
    app.add_middleware(CanonicalLine)
    return app


def _add_health(app: FastAPI, runtime: Runtime) -> None:
    @app.get("/health/live", include_in_schema=False)
    @public
    async def live() -> JSONResponse:
        unwell = runtime.health.unwell()
        return JSONResponse({"alive": not unwell, "wrong": unwell}, status_code=503 if unwell else 200)

    @app.get("/health/ready", include_in_schema=False)
    @public
    async def ready() -> JSONResponse:
        unready = await runtime.health.unready()
        return JSONResponse({"ready": not unready, "wrong": unready}, status_code=503 if unready else 200)

    @app.get("/metrics", include_in_schema=False)
    @public
    async def metrics() -> PlainTextResponse:
        return PlainTextResponse(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _answer(status: int, title: str, detail: str | None = None, errors: Any = (), **headers: str) -> JSONResponse:
    return JSONResponse(
        problem(status, title, detail, errors),
        status_code=status,
        media_type=PROBLEM_JSON,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(Refused)
    async def refused(_request: Request, error: Refused) -> Response:
        challenge = {"www_authenticate": "Bearer"} if error.status == 401 else {}  # noqa: PLR2004
        return _answer(error.status, error.title, error.detail, error.errors, **challenge)

    @app.exception_handler(Unavailable)
    async def unavailable(_request: Request, error: Unavailable) -> Response:
        return _answer(error.status, error.title, error.detail, retry_after=str(error.retry_after_s))

    @app.exception_handler(SignInNeeded)
    async def sign_in(_request: Request, error: SignInNeeded) -> Response:
        return RedirectResponse(error.location, status_code=303)

    @app.exception_handler(HTTPException)
    async def http_error(_request: Request, error: HTTPException) -> Response:
        return _answer(error.status_code, str(error.detail), **dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        faults = [
            {
                "pointer": "/" + "/".join(str(part) for part in found["loc"][1:]),
                "detail": fault(found["type"], found.get("ctx", {})),
            }
            for found in error.errors()
        ]
        if all(found["loc"][0] == "path" for found in error.errors()):
            body = problem(422, "Refused", "There is nothing at this address: a part of it has another form.", faults)
            body["next_step"] = "Check the address, or start again from the home page."
            return JSONResponse(body, 422, media_type=PROBLEM_JSON)
        return _answer(422, "Refused", "Some fields cannot be used; see `errors`.", faults)


async def _unexpected(error: Exception, scope: Scope, send: Send) -> int:
    away = is_infrastructure(error)
    if away:
        answer = _answer(503, Unavailable.title, Unavailable.__doc__, retry_after=str(Unavailable.retry_after_s))
    else:
        answer = _answer(
            500,
            "Something went wrong on our side",
            "It was logged. It may or may not have been kept; send the same again.",
        )
    _log.error("http.failed", route=_route(scope), error=summary(error), where=where(error))
    await answer(scope, _no_receive, send)
    return answer.status_code


def note(request: Request, **fields: object) -> None:
    """Have the request's log line say more: what it was about, in fields of `services.kit.logging.ALLOWED`."""
    setattr(request.state, _NOTED, fields)


async def _no_receive() -> Message:
    return {"type": "http.disconnect"}


def _method(scope: Scope) -> str:
    """Return the method if it is one: the server lets any word through, and what is counted must be bounded."""
    return scope["method"] if scope["method"] in _METHODS else "other"


def _route(scope: Scope) -> str:
    """Return the path's template: the path itself may hold ids and what somebody typed."""
    return str(getattr(scope.get("route"), "path", "none"))


class CanonicalLine:
    """One log line and one metric per request, a trace, and an answer to what nobody caught."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        status = 0

        async def observe(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        headers = dict(scope["headers"])
        with request_span("http", headers.get(b"traceparent", b"").decode("latin-1") or None):
            try:
                await self._app(scope, receive, observe)
            except Exception as error:
                if status:  # too late for an answer; the server closes the connection
                    raise
                status = await _unexpected(error, scope, observe)
        seconds = time.monotonic() - started
        method, route = _method(scope), _route(scope)
        REQUESTS.labels(method, route, status).observe(seconds)
        if scope["path"] not in _QUIET:
            ms, noted = round(seconds * 1000, 1), scope.get("state", {}).get(_NOTED, {})
            _log.info("http.request", method=method, route=route, status=status, ms=ms, **noted)


class BodyLimit:
    """Refuses a body of more than 256 kB, whether it says its length or not, and one in parts.

    No form of ours sends files, and parts are decoded by whatever codec their sender names: some take seconds for a small body.
    """

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._limit = limit
        self._too_large = _answer(413, "Too large", f"A body may have at most {limit} bytes.", connection="close")
        self._in_parts = _answer(415, "Unsupported media type", _NO_PARTS, connection="close")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if any(name == b"content-type" and b"multipart/" in value.lower() for name, value in scope["headers"]):
            await self._in_parts(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._limit:
            await self._too_large(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise HTTPException(413, "Too large")
            return message

        await self._app(scope, counted, send)
