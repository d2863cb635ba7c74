"""The front's pages: sign in, sign out, and the road.

A session is an access token in a cookie that scripts cannot read and other sites cannot send; it ends after eight
hours. Cookies do not tell ports apart, so the pages of every service on this host see it.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Final

from fastapi import FastAPI, Form, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from handrail.front.accounts import Accounts
from handrail.front.road import read_road
from handrail.front.settings import FrontSettings
from handrail.front.tries import Tries
from handrail.installation.tokens import TokenIssuer
from services.kit.auth import COOKIE, Tokens, principal_of
from services.kit.clock import SystemClock
from services.kit.errors import NotSignedIn
from services.kit.http import BodyLimit
from services.kit.ui import build_templates, install_ui, navigation_of
from services.kit.ui.web import is_own_address

SESSION_S: Final = 8 * 3600


def create_app(settings: FrontSettings) -> FastAPI:
    """Build the front."""
    navigation = navigation_of(settings)
    templates = build_templates(Path(__file__).parent / "templates", navigation=navigation)
    accounts = Accounts(settings.accounts_file)
    tries = Tries()
    issuer = TokenIssuer(settings.token_key_file)
    places = {
        "intake": settings.intake_url,
        "routing": settings.routing_url,
        "recipients": settings.stubs_url,
        "deadlines": settings.deadlines_url,
        "audit": settings.audit_url,
    }
    app = FastAPI(title="Handrail front", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.tokens = Tokens(settings.token_public_key_file, SystemClock())

    @app.get("/health/live")
    async def live() -> PlainTextResponse:
        return PlainTextResponse("ok")

    @app.get("/sign-in")
    async def sign_in_page(request: Request, next: str = "/") -> Response:  # noqa: A002 - the address people see
        return templates.TemplateResponse(
            request, "sign_in.html", {"next": next, "wrong": False, "waits": False, "account": ""}
        )

    @app.post("/sign-in")
    def sign_in(  # a plain function: checking a password takes 50 ms, which a thread may spend
        request: Request,
        account: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = "/",  # noqa: A002 - the address people see
    ) -> Response:
        name = account.strip()
        who = name.lower(), request.client and request.client.host
        wait_s = tries.begin(who)
        shown = {"next": next, "wrong": True, "waits": wait_s > 0, "account": account}
        if wait_s:
            then = {"Retry-After": str(math.ceil(wait_s))}
            return templates.TemplateResponse(request, "sign_in.html", shown, status_code=429, headers=then)
        found = accounts.check(name, password)
        if found is None:
            return templates.TemplateResponse(request, "sign_in.html", shown, status_code=401)
        tries.was_right(who)
        response = RedirectResponse(next if is_own_address(next, navigation.origins) else "/", status_code=303)
        response.set_cookie(
            COOKIE,
            issuer.issue(found, valid_s=SESSION_S),
            max_age=SESSION_S,
            httponly=True,
            samesite="strict",
            secure=settings.front_url.startswith("https:"),
        )
        return response

    @app.post("/sign-out")
    async def sign_out() -> Response:
        response = RedirectResponse("/sign-in", status_code=303)
        response.delete_cookie(COOKIE)
        return response

    @app.get("/")
    async def home(request: Request) -> Response:
        try:
            request.state.principal = principal_of(request)
        except NotSignedIn:
            request.state.principal = None
        if request.state.principal is None:
            return RedirectResponse("/sign-in", status_code=303)
        page = {"stops": await read_road(places), "intake_url": settings.intake_url}
        return templates.TemplateResponse(request, "home.html", page)

    app.add_middleware(BodyLimit)  # before anybody has signed in
    install_ui(app, templates, navigation)
    return app
