"""The guards around every response of a service with pages: security headers, cross-origin refusal, error pages.

Pure ASGI and outermost, so that no response leaves without them. For a browser, the error answers of the
application, whoever made them, become the page of `error.html`; what a program gets is left as it is.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

import orjson
from fastapi import FastAPI, Request
from fastapi.exception_handlers import http_exception_handler, request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.field_faults import fault
from services.kit.auth import sign_in_address
from services.kit.errors import PROBLEM_JSON
from services.kit.ui.environment import STATIC, Navigation
from services.kit.ui.problems import describe

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_FOR_PROGRAMS = "/v1/"
_FOR_EVER = "public, max-age=31536000, immutable"  # the address carries the digest of the content


def install_ui(app: FastAPI, templates: Jinja2Templates, navigation: Navigation) -> None:
    """Serve `/static` and put the guards around the application; call it after every other middleware was added."""
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    # An application without handlers of its own answers programs with problem details too, not in FastAPI's form.
    if app.exception_handlers.get(HTTPException) is http_exception_handler:
        app.add_exception_handler(HTTPException, _tell_http_error)
    if app.exception_handlers.get(RequestValidationError) is request_validation_exception_handler:
        app.add_exception_handler(RequestValidationError, _tell_invalid)
    app.add_middleware(_Guard, templates=templates, navigation=navigation)


def security_headers(own_origins: tuple[str, ...] = ()) -> Mapping[str, str]:
    """Return the headers of every response; forms may go to this service and to `own_origins` only."""
    policy = {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "form-action": " ".join(("'self'", *own_origins)),
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        # Not `no-referrer`: a browser would then send `Origin: null` with every form, and the forms of our own
        # other services could not be told from those of a stranger. No path is ever sent; links out of Handrail
        # carry rel=noreferrer and so send nothing.
        "Referrer-Policy": "strict-origin",
    }


def is_cross_origin(method: str, headers: Mapping[str, str], own_origins: tuple[str, ...] = ()) -> bool:
    """Say whether a browser sent this change from a page that is not ours.

    A request with neither `Sec-Fetch-Site` nor `Origin` comes from a program, which holds no cookie of a person.
    """
    if method in _SAFE_METHODS or headers.get("sec-fetch-site") in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin in own_origins:
        return False
    if "sec-fetch-site" in headers:
        return True
    return origin is not None and origin.partition("://")[2] != headers.get("host")


def is_own_address(address: str, own_origins: tuple[str, ...]) -> bool:
    """Say whether it is safe to send a person on to `address` after signing in."""
    # Browsers drop control characters and read a backslash as a slash, so that "/\t/host" leads away.
    if "\\" in address or any(character <= " " for character in address):
        return False
    if address.startswith("/"):
        return not address.startswith("//")
    try:
        parts = urlsplit(address)
    except ValueError:  # such as http://[
        return False
    return f"{parts.scheme}://{parts.netloc}" in own_origins


async def _tell_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 (it is registered for this class)
    problem = describe(error.status_code, request.method, orjson.dumps({"detail": error.detail}))
    return Response(problem.wire(), problem.status, error.headers, PROBLEM_JSON)


async def _tell_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 (as above)
    faults = [{"loc": found["loc"], "detail": fault(found["type"], found.get("ctx", {}))} for found in error.errors()]
    return Response(
        describe(422, request.method, orjson.dumps({"detail": faults})).wire(), 422, media_type=PROBLEM_JSON
    )


class _Guard:
    """The middleware; see the module's first lines."""

    def __init__(self, app: ASGIApp, templates: Jinja2Templates, navigation: Navigation) -> None:
        self._app = app
        self._templates = templates
        self._navigation = navigation
        self._headers = security_headers(navigation.origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})  # made here, so that what the application sets is seen by the error page
        asked = Headers(scope=scope)
        answer = _Answer(
            send,
            self._headers,
            is_static=scope["path"].startswith("/static/"),
            to_page=_wants_page(scope["path"], asked),
        )
        if is_cross_origin(scope["method"], asked, self._navigation.origins):
            await self._explain(403, scope, receive, answer)
            return
        try:
            await self._app(scope, receive, answer.send)
        except Exception:  # the outermost middleware: answer, then let the server log it
            if not answer.started:
                await self._explain(500, scope, receive, answer)
            raise
        if answer.held is not None:
            await self._explain(answer.held["status"], scope, receive, answer)

    async def _explain(self, status: int, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        """Answer with an error page, a way to the sign-in page, or problem details."""
        request = Request(scope, receive)
        response: Response
        if not _wants_page(scope["path"], request.headers):
            content = describe(status, request.method, answer.body).wire()
            response = Response(content, status, media_type=PROBLEM_JSON)
        elif status == 401:  # noqa: PLR2004 (unauthorised)
            response = RedirectResponse(sign_in_address(self._navigation.sign_in, request), 303)
        else:
            problem = describe(status, request.method, answer.body)
            response = self._templates.TemplateResponse(request, "error.html", {"problem": problem}, status)
        for name, value in answer.held_headers():
            response.headers.append(name, value)
        await response(scope, receive, answer.pass_on)


class _Answer:
    """One response on its way out: gets the headers, or is held back when an error has to become a page."""

    def __init__(self, send: Send, headers: Mapping[str, str], *, is_static: bool, to_page: bool) -> None:
        self._send = send
        self._headers = headers
        self._static = is_static
        self._to_page = to_page
        self.started = False
        self.held: Message | None = None
        self.body = b""

    async def send(self, message: Message) -> None:
        """Take one message of the application."""
        if message["type"] == "http.response.start" and self._to_page and _needs_explaining(message):
            self.held = message
        elif self.held is None:
            await self.pass_on(message)
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    def held_headers(self) -> list[tuple[str, str]]:
        """Return what an error answer said beside its content, such as Retry-After, WWW-Authenticate, Set-Cookie."""
        headers = Headers(raw=self.held["headers"] if self.held else [])
        return [(name, value) for name, value in headers.items() if not name.startswith("content-")]

    async def pass_on(self, message: Message) -> None:
        """Send one message to the server."""
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            headers.update(self._headers)
            found = self._static and message["status"] in (200, 304)
            headers.setdefault("Cache-Control", _FOR_EVER if found else "no-store")
        await self._send(message)


def _wants_page(path: str, headers: Headers) -> bool:
    """Browsers name text/html when a person goes to an address.

    So does Java's HttpURLConnection, unless it is told otherwise, and it follows a redirect: whom an event was refused for
    want of a valid token would read the 200 of the sign-in page. At the addresses for programs there are pages only for
    whoever says that it navigates.
    """
    if path.startswith(_FOR_PROGRAMS) and headers.get("sec-fetch-mode") != "navigate":
        return False
    return "text/html" in headers.get("accept", "")


def _needs_explaining(start: Message) -> bool:
    """An error that already is a page stays as it is, for example a form with its error summary."""
    content_type = Headers(raw=start["headers"]).get("content-type", "")
    return start["status"] >= 400 and not content_type.startswith("text/html")  # noqa: PLR2004 (errors begin here)
