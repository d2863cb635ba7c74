"""The front: signing in and out, being sent to the sign-in page and back, and the road with its counts."""

from __future__ import annotations

import re

import pytest

from tests.support.browser import DESKTOP, Pages
from tests.support.eventually import eventually
from tests.support.installation import PlayedDemo
from tests.support.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

GUARDED = [
    ("front", "/"),
    ("deadlines", "/desk"),
    ("routing", "/case"),
    ("routing", "/case/0123456789abcdef0123456789abcdef"),
    ("audit", "/log"),
    ("intake", "/receipts"),
]


async def give(visitor: Visitor, account: str, password: str) -> None:
    await visitor.fill("Account name", account)
    await visitor.fill("Password", password)


async def test_a_page_without_a_session_leads_to_the_sign_in_page_and_back(visitor: Visitor, demo: PlayedDemo) -> None:
    await visitor.open("deadlines", "/desk")
    asked_at = visitor.page.url

    await give(visitor, "operations", demo.password)
    await visitor.choose("Sign in")

    assert asked_at.startswith(f"{demo.installation.url('front')}/sign-in?next=")
    assert visitor.page.url == f"{demo.installation.url('deadlines')}/desk"
    assert await visitor.heading() == "Desk"
    assert "Signed in as Olive Operations, operations" in await visitor.page.locator("body").inner_text()


async def test_a_wrong_password_is_told_and_the_account_name_is_kept(visitor: Visitor, demo: PlayedDemo) -> None:
    await visitor.open("front", "/sign-in")

    await give(visitor, "auditor", "not the password")
    await visitor.choose("Sign in", status=401)

    assert (await visitor.page.title()).startswith("Error: ")
    assert "There is a problem" in await visitor.text()
    assert "The name or the password is not right" in await visitor.page.locator("#account-error").inner_text()
    assert await visitor.page.locator("#account").input_value() == "auditor"
    assert await visitor.page.locator("#password").input_value() == ""

    await visitor.fill("Password", demo.password)
    await visitor.choose("Sign in")

    assert visitor.page.url == f"{demo.installation.url('front')}/"


async def test_after_signing_out_nothing_is_shown_any_more(visitor: Visitor, demo: PlayedDemo) -> None:
    await visitor.sign_in("auditor")
    await visitor.open("audit", "/log")

    await visitor.choose("Sign out")
    signed_out_at = visitor.page.url
    await visitor.open("audit", "/log")

    assert signed_out_at == f"{demo.installation.url('front')}/sign-in"
    assert await visitor.heading() == "Sign in"


@pytest.mark.parametrize(("service", "path"), GUARDED)
async def test_no_page_is_shown_without_a_session(service: str, path: str, demo: PlayedDemo) -> None:
    answer = demo.installation.web(service)
    answer.token = None

    response = answer.call("GET", path, headers={"Accept": "text/html"})

    assert "<h1" in response.text
    assert "Sign in" in response.text
    assert "Signed in as" not in response.text


async def test_the_road_shows_how_many_messages_passed_each_place(visitor: Visitor) -> None:
    await visitor.sign_in("operations")

    await visitor.open("front", "/")

    async def counted() -> bool:  # a busy service may not say its count in the two seconds that the page waits
        await visitor.choose("Read the counts again")
        return "Not answering" not in await visitor.text()

    await eventually(counted, "each service says how many")
    counts = re.findall(r"(\d+) messages? (?:sent on|logged|about their notices) since ", await visitor.text())
    assert await visitor.heading() == "The road one event takes"
    assert await visitor.page.locator("main li h2").all_inner_texts() == [
        "Intake",
        "Routing",
        "Recipients",
        "Deadlines",
        "Audit",
    ]
    assert [int(count) > 0 for count in counts] == [True] * 5


async def test_recipients_and_deadlines_stand_after_routing_and_audit_below_them_all(
    pages: Pages, demo: PlayedDemo
) -> None:
    wide = Visitor(demo.installation, await pages.page_at(DESKTOP))
    await wide.sign_in("operations")
    await wide.open("front", "/")

    boxes = [await box.bounding_box() for box in await wide.page.locator(".app-road__stop").all()]
    intake, routing, recipients, deadlines, audit = [box for box in boxes if box]

    assert intake["x"] < routing["x"] < recipients["x"] == deadlines["x"]
    assert recipients["y"] < deadlines["y"] < audit["y"]
    assert audit["y"] > max(box["y"] + box["height"] for box in (intake, routing, recipients, deadlines))
    assert audit["x"] == intake["x"]
    assert audit["x"] + audit["width"] == pytest.approx(recipients["x"] + recipients["width"])


@pytest.mark.parametrize(
    ("role", "link", "heading"),
    [("operations", "Desk", "Desk"), ("auditor", "Log", "Log"), ("review_officer", "Cases", "Cases")],
)
async def test_the_navigation_leads_to_each_page(role: str, link: str, heading: str, visitor: Visitor) -> None:
    await visitor.sign_in(role)
    await visitor.open("front", "/")

    await visitor.choose(link)

    assert await visitor.heading() == heading


async def test_an_address_that_does_not_exist_says_so_and_leads_home(visitor: Visitor, demo: PlayedDemo) -> None:
    await visitor.sign_in("operations")
    await visitor.open("front", "/nowhere", status=404)

    assert await visitor.heading() == "Page not found"
    assert "No event was sent, and none was lost" in await visitor.text()

    await visitor.choose("Go to the home page")

    assert visitor.page.url == f"{demo.installation.url('front')}/"


@pytest.mark.parametrize(("service", "path"), [("deadlines", "/desk"), ("routing", "/case"), ("audit", "/log")])
async def test_a_partner_who_may_not_read_a_page_is_led_from_it_to_the_receipts(
    service: str, path: str, visitor: Visitor
) -> None:
    await visitor.sign_in("partner")
    await visitor.open(service, path, status=403)
    menu = await visitor.page.locator("nav a").all_inner_texts()

    await visitor.choose("Receipts")

    assert menu == ["Home", "Receipts"]
    assert "eceipts" in await visitor.heading()
