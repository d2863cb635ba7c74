"""The guards around every response: headers, cross-origin refusal, pages for people, problems for programs."""

from collections.abc import Mapping

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException

from services.kit.ui import Navigation, build_templates, install_ui
from services.kit.ui.environment import static_url
from services.kit.ui.web import is_cross_origin, is_own_address

HOME = "http://127.0.0.1:8400"
DESK = "http://127.0.0.1:8403"
OWN = (HOME, DESK)
NAVIGATION = Navigation(
    home=HOME,
    desk=DESK,
    cases=DESK,
    considered=DESK,
    log=DESK,
    receipts=DESK,
    reads=DESK,
    sign_in=f"{HOME}/sign-in",
    sign_out=f"{HOME}/sign-out",
)
JAVA = {"accept": "text/html, image/gif, image/jpeg, */*; q=0.2"}  # what HttpURLConnection sends unless told otherwise
BROWSER = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}


def build() -> FastAPI:
    app = FastAPI()

    @app.api_route("/fine", methods=["GET", "POST"])
    async def fine() -> PlainTextResponse:
        return PlainTextResponse("fine")

    @app.get("/kept")
    async def kept() -> Response:
        return Response("kept", headers={"Cache-Control": "max-age=60"})

    @app.api_route("/fault", methods=["GET", "POST"])
    async def fault() -> None:
        raise ZeroDivisionError("Invented Name")

    @app.api_route("/refuse/{status}", methods=["GET", "POST"])
    async def refuse(status: int) -> None:
        raise HTTPException(status, headers={"WWW-Authenticate": "Bearer"})

    @app.api_route("/v1/refuse/{status}", methods=["GET", "POST"])
    async def refuse_a_program(status: int) -> None:
        raise HTTPException(status)

    @app.get("/own-page")
    async def own_page() -> HTMLResponse:
        return HTMLResponse("the form again", 422)

    @app.get("/unwell")
    async def unwell() -> JSONResponse:
        return JSONResponse({"alive": False}, 503)

    install_ui(app, build_templates(navigation=NAVIGATION), NAVIGATION)
    return app


async def call(path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> httpx.Response:
    transport = httpx.ASGITransport(build(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=DESK) as client:
        return await client.request(method, path, headers=headers)


@pytest.mark.parametrize("headers", [BROWSER, {"accept": "application/json"}], ids=["browser", "program"])
@pytest.mark.parametrize("path", ["/fine", "/fault", "/nowhere", "/refuse/403", "/refuse/x", "/own-page", "/static/no"])
async def test_every_response_carries_the_security_headers(path: str, headers: Mapping[str, str]) -> None:
    response = await call(path, headers=headers)

    assert response.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; "
        f"form-action 'self' {HOME} {DESK}; base-uri 'none'; frame-ancestors 'none'"
    )
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "strict-origin"
    assert response.headers["cache-control"] == "no-store"


async def test_the_stylesheet_may_be_kept_for_ever_and_a_response_may_say_otherwise() -> None:
    styles = await call(static_url("app.css"))

    assert styles.status_code == 200
    assert styles.headers["content-type"].startswith("text/css")
    assert styles.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (await call("/kept")).headers["cache-control"] == "max-age=60"


@pytest.mark.parametrize(
    ("path", "status"), [("/fault", 500), ("/nowhere", 404), ("/refuse/403", 403), ("/refuse/x", 422)]
)
async def test_a_browser_gets_a_page_and_a_program_gets_problem_details(path: str, status: int) -> None:
    page = await call(path, headers=BROWSER)
    problem = await call(path, headers={"accept": "*/*"})

    assert (page.status_code, problem.status_code) == (status, status)
    assert page.headers["content-type"].startswith("text/html")
    assert "Was the event kept?" in page.text
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["status"] == status
    assert "Invented Name" not in page.text + problem.text


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [401, 422, 503])
async def test_at_an_address_for_programs_one_that_takes_pages_too_gets_no_page_and_is_not_sent_to_sign_in(
    status: int, method: str
) -> None:
    answer = await call(f"/v1/refuse/{status}", method, JAVA)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_whoever_follows_a_link_to_an_address_for_programs_is_sent_to_sign_in() -> None:
    answer = await call("/v1/refuse/401", headers=BROWSER | {"sec-fetch-mode": "navigate"})

    assert answer.status_code == 303


async def test_the_cause_of_a_fault_still_reaches_the_server() -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(build()), base_url=DESK) as client:
        with pytest.raises(ZeroDivisionError):
            await client.get("/fault")


async def test_an_error_that_is_a_page_already_stays_as_it_is() -> None:
    response = await call("/own-page", headers=BROWSER)

    assert (response.status_code, response.text) == (422, "the form again")


async def test_what_the_application_tells_a_program_stays_as_it_is() -> None:
    response = await call("/unwell")

    assert (response.status_code, response.json()) == (503, {"alive": False})


async def test_an_application_with_error_answers_of_its_own_keeps_them() -> None:
    app = FastAPI()

    @app.exception_handler(HTTPException)
    async def own_words(_request: object, _error: Exception) -> Response:
        return PlainTextResponse("own words", 404)

    install_ui(app, build_templates(navigation=NAVIGATION), NAVIGATION)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=DESK) as client:
        response = await client.get("/nowhere")

    assert response.text == "own words"


async def test_a_browser_without_a_session_is_sent_to_sign_in_and_back() -> None:
    seen = await call("/refuse/401?a=b", headers=BROWSER)
    sent = await call("/refuse/401", "POST", headers=BROWSER)
    program = await call("/refuse/401")

    back = "http%3A%2F%2F127.0.0.1%3A8403%2Frefuse%2F401%3Fa%3Db"
    assert (seen.status_code, seen.headers["location"]) == (303, f"{HOME}/sign-in?next={back}")
    assert (sent.status_code, sent.headers["location"]) == (303, f"{HOME}/sign-in")
    assert (program.status_code, program.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_change_from_another_site_never_reaches_the_application() -> None:
    refused = await call("/fault", "POST", headers={"sec-fetch-site": "cross-site", "origin": "https://evil.example"})
    taken = await call("/fine", "POST", headers={"sec-fetch-site": "same-origin", "origin": DESK})

    assert (refused.status_code, taken.status_code) == (403, 200)


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "same-site"}, True),  # another port of this host, or a sibling host
        ({"sec-fetch-site": "same-site", "origin": HOME}, False),  # ... that is ours
        ({"sec-fetch-site": "same-site", "origin": "null"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, True),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"origin": "https://other.example", "host": "other.example"}, False),  # an old browser, the same origin
        ({"origin": "https://evil.example", "host": "other.example"}, True),
        ({"origin": "null", "host": "other.example"}, True),
        ({"origin": "http://[", "host": "other.example"}, True),
        ({"host": "other.example"}, False),  # not a browser
    ],
)
def test_a_change_is_taken_from_our_own_pages_and_from_programs_only(
    headers: Mapping[str, str], *, refused: bool
) -> None:
    assert is_cross_origin("POST", headers, OWN) is refused
    assert is_cross_origin("GET", headers, OWN) is False


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("/desk?group=overdue", True),
        (f"{DESK}/desk", True),
        ("https://evil.example/", False),
        ("//evil.example/", False),
        ("/\\evil.example/", False),
        ("/\t/evil.example/", False),
        (f"{DESK}@evil.example/", False),
        (f"{DESK}.evil.example/", False),
        ("javascript:alert(1)", False),
        ("http://[", False),
        ("desk", False),
        ("", False),
    ],
)
def test_signing_in_leads_on_to_our_own_pages_only(address: str, *, own: bool) -> None:
    assert is_own_address(address, OWN) is own
