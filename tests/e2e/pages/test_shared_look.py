"""The shared layout and macros in a real browser: accessible, reflowing, self-contained, usable by keyboard alone."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from services.kit.ui import Navigation, build_templates, install_ui
from tests.support.browser import DESKTOP, PHONE, Pages, assert_reflows, axe, press, reflow_problems, tab_to
from tests.support.web import address_of, free_listener, serving

pytestmark = pytest.mark.asyncio(loop_scope="session")  # one browser for all tests

TEMPLATES = Path(__file__).parent / "templates"
SAMPLE = {
    "name": "<b>Invented Partnership</b>",
    "key": "case-0123456789abcdef0123456789abcdef0123456789abcdef",
    "due_on": date(2026, 11, 25),
    "at": datetime(2026, 11, 23, 9, 15, tzinfo=UTC),
}


@dataclass(frozen=True)
class Sites:
    """A sample service, its neighbour (one of our own, on another port) and a stranger."""

    sample: str
    neighbour: str
    stranger: str


def build_site(navigation: Navigation, neighbour: str) -> FastAPI:
    app = FastAPI()
    templates = build_templates(TEMPLATES, navigation=navigation)

    @app.get("/")
    async def sample(request: Request) -> Response:
        request.state.principal = SimpleNamespace(name="Dana Example", role="review_officer")
        return templates.TemplateResponse(request, "sample.html", SAMPLE | {"neighbour": neighbour})

    @app.post("/change")
    async def change() -> HTMLResponse:
        return HTMLResponse("<!DOCTYPE html><html lang='en'><title>Saved</title><main><h1>Saved</h1></main>")

    @app.get("/broken")
    async def broken() -> None:
        raise HTTPException(503)

    install_ui(app, templates, navigation)
    return app


def build_stranger(target: str) -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def lure() -> HTMLResponse:
        return HTMLResponse(f"<form method='post' action='{target}/change'><button>Win a prize</button></form>")

    return app


@asynccontextmanager
async def sites() -> AsyncIterator[Sites]:
    own, next_door = free_listener(), free_listener()
    home, neighbour = address_of(own), address_of(next_door)
    navigation = Navigation(
        home=home,
        desk=f"{home}/",
        cases=f"{neighbour}/",
        considered=f"{neighbour}/",
        log=f"{neighbour}/",
        sign_in="/in",
        sign_out="/out",
        receipts=f"{neighbour}/",
        reads=f"{neighbour}/",
        demo=True,
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(build_site(navigation, neighbour), own))
        await stack.enter_async_context(serving(build_site(navigation, home), next_door))
        stranger = await stack.enter_async_context(serving(build_stranger(home)))
        # localhost is another site than 127.0.0.1 to a browser
        yield Sites(home, neighbour, stranger.replace("127.0.0.1", "localhost"))


@pytest.mark.parametrize(("width", "javascript"), [(PHONE, False), (DESKTOP, False), (DESKTOP, True)])
@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/broken", 503), ("/nowhere", 404)])
async def test_pages_are_accessible_and_stay_at_home(
    path: str, status: int, width: int, *, javascript: bool, pages: Pages
) -> None:
    async with sites() as at:
        visit = await pages.page_at(width, javascript=javascript)

        response = await visit.page.goto(at.sample + path)

        assert response is not None
        assert response.status == status
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert await axe(visit.page) == []
        await assert_reflows(visit.page)
        assert visit.hosts == {at.sample.removeprefix("http://")}
        assert [error for error in visit.errors if f"status of {status}" not in error] == []


async def test_a_link_is_reached_and_followed_by_keys_alone_after_the_skip_link(pages: Pages) -> None:
    async with sites() as at:
        visit = await pages.page_at(PHONE)
        await visit.page.goto(at.sample)

        stops = await tab_to(visit.page, "Skip to main content")
        await tab_to(visit.page, "Apply filters")
        await press(visit.page, "Enter")

        assert stops == 1
        assert visit.page.url == f"{at.sample}/?reference=&case="


async def test_forms_of_our_own_services_are_taken_and_those_of_a_stranger_refused(pages: Pages) -> None:
    async with sites() as at:
        visit = await pages.page_at(DESKTOP)
        titles = []

        for start, button in ((at.sample, "Save here"), (at.sample, "Save next door"), (at.stranger, "Win a prize")):
            await visit.page.goto(start)
            await tab_to(visit.page, button)
            await press(visit.page, "Enter")
            titles.append(await visit.page.title())

        assert titles == ["Saved", "Saved", "You cannot do this - Handrail"]


PLANTED = {
    "an image without a text": ("<img src='data:,'>", "image-alt"),
    "grey on grey": ("<p style='color:#999;background:#888'>Hard to read</p>", "color-contrast"),
    "text outside every landmark": ("</main><p>Astray</p>", "region"),
    "too wide": ("<div style='width:400px;height:1px'></div>", "sideways"),
    "a covered button": (
        "<div style='position:relative'><button>Pay</button><div style='position:absolute;inset:0'></div></div>",
        "covered or cut off: <button> Pay",
    ),
    "a tiny button": ("<button style='width:9px;height:9px;padding:0'></button>", "target under 24 px"),
}


@pytest.mark.parametrize(("html", "finding"), PLANTED.values(), ids=PLANTED)
async def test_planted_faults_are_found(html: str, finding: str, pages: Pages) -> None:
    app = FastAPI()

    @app.get("/")
    async def faulty() -> HTMLResponse:
        head = (
            "<!DOCTYPE html><html lang='en'><title>Planted</title><meta name='viewport' content='width=device-width'>"
        )
        return HTMLResponse(f"{head}<main><h1>Planted</h1>{html}</main>")

    async with serving(app) as address:
        visit = await pages.page_at(PHONE)
        await visit.page.goto(address)

        found = await axe(visit.page) + await reflow_problems(visit.page)

    assert any(finding in line for line in found), found


async def test_another_host_and_an_error_of_the_page_are_noticed(pages: Pages) -> None:
    app = FastAPI()

    @app.get("/")
    async def leaky() -> HTMLResponse:
        return HTMLResponse("<img src='http://elsewhere.example/a.png'>")

    async with serving(app) as address:
        visit = await pages.page_at(PHONE)
        await visit.page.goto(address)

        assert visit.hosts == {address.removeprefix("http://"), "elsewhere.example"}
        assert visit.errors


async def test_a_focus_that_cannot_be_seen_is_noticed(pages: Pages) -> None:
    app = FastAPI()

    @app.get("/")
    async def unmarked() -> HTMLResponse:
        return HTMLResponse("<style>a:focus{outline:none}</style><a href='/'>Secret</a>")

    async with serving(app) as address:
        visit = await pages.page_at(PHONE)
        await visit.page.goto(address)

        with pytest.raises(AssertionError, match="focus cannot be seen on 'Secret'"):
            await tab_to(visit.page, "Secret", scrolled_within_s=0)
