"""The front before anybody has signed in: what it takes, where it sends people, and how it gives a session."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import pytest

from handrail.front import main
from handrail.front.accounts import Accounts, write_accounts
from handrail.front.main import create_app
from handrail.front.settings import FrontSettings
from handrail.front.tries import FREE, Tries
from handrail.installation.keys import make_keys
from services.kit.auth import Tokens
from services.kit.clock import SystemClock
from services.kit.http import MAX_BODY_BYTES
from tests.support.answering import serving

PASSWORD = "an invented password"


def front(folder: Path, scheme: str = "http", services: str | None = None) -> httpx.AsyncClient:
    """Return a caller of a front with its own keys and accounts; `services` is where all services are."""
    make_keys(folder / "keys")
    write_accounts(folder / "accounts.yaml", lambda _account: PASSWORD)
    names = ("front", "intake", "routing", "deadlines", "audit")
    urls: dict[str, Any] = {f"{name}_url": services or f"{scheme}://{name}.example" for name in names}
    settings = FrontSettings(
        http_port=1,
        token_key_file=folder / "keys" / "token.key",
        token_public_key_file=folder / "keys" / "token.pub",
        accounts_file=folder / "accounts.yaml",
        **urls,
    )
    transport = httpx.ASGITransport(create_app(settings), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=f"{scheme}://front.example")


async def signed_in(client: httpx.AsyncClient, **changed: str) -> httpx.Response:
    return await client.post("/sign-in", data={"account": "auditor", "password": PASSWORD} | changed)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_session_is_for_this_site_alone_and_stays_on_https_where_that_is_used(
    tmp_path: Path, scheme: str
) -> None:
    async with front(tmp_path, scheme) as client:
        cookie = (await signed_in(client)).headers["set-cookie"].lower()

    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert ("; secure" in cookie) == (scheme == "https")


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "javascript:x"]
)
async def test_signing_in_leads_to_our_own_pages_only(tmp_path: Path, address: str) -> None:
    async with front(tmp_path) as client:
        answer = await signed_in(client, next=address)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_signing_in_leads_back_to_a_page_of_any_service(tmp_path: Path) -> None:
    pages = [f"http://{name}.example/page" for name in ("intake", "routing", "deadlines", "audit")]
    async with front(tmp_path) as client:
        led = [(await signed_in(client, next=page)).headers["location"] for page in pages]

    assert led == pages


async def test_a_wrong_password_gives_no_session(tmp_path: Path) -> None:
    async with front(tmp_path) as client:
        answers = [await signed_in(client, **changed) for changed in ({"password": "x"}, {"account": "nobody"})]

    assert [(answer.status_code, "set-cookie" in answer.headers) for answer in answers] == [(401, False)] * 2


async def test_capital_letters_in_the_name_of_an_account_are_the_same_as_small_ones(tmp_path: Path) -> None:
    write_accounts(tmp_path / "accounts.yaml", lambda _account: PASSWORD)
    page = (tmp_path / "accounts.yaml").read_text().replace("id: auditor", "id: Audrey.Audit")
    (tmp_path / "accounts.yaml").write_text(page)

    async with front(tmp_path) as client:
        answers = [await signed_in(client, account=name) for name in ("Audrey.Audit", "audrey.audit", "Operations")]

    assert [answer.status_code for answer in answers] == [303, 303, 303]


@pytest.mark.parametrize(
    ("written", "instead", "problem"),
    [
        (
            "role: auditor",
            "role: auditer",
            "auditor has the role 'auditer'; expected one of operations, review_officer",
        ),
        ("id: auditor", "id: Operations", "Operations stands twice"),
    ],
)
def test_accounts_that_nobody_could_use_are_refused_at_the_start(
    tmp_path: Path, written: str, instead: str, problem: str
) -> None:
    write_accounts(tmp_path / "accounts.yaml", lambda _account: PASSWORD)
    page = (tmp_path / "accounts.yaml").read_text().replace(written, instead)
    (tmp_path / "accounts.yaml").write_text(page)

    with pytest.raises(ValueError, match=problem):
        front(tmp_path)


@pytest.mark.parametrize(
    ("account", "refused"),
    [
        ("operations", {"/receipts"}),
        ("review-officer", {"/receipts"}),
        ("auditor", {"/desk", "/receipts"}),
        ("partner", {"/case", "/desk", "/log"}),
    ],
)
async def test_the_first_page_leads_to_no_page_that_refuses_the_person(
    account: str, refused: set[str], tmp_path: Path
) -> None:
    async with front(tmp_path, services="http://127.0.0.1:1") as client:
        await signed_in(client, account=account)
        page = (await client.get("/")).text.partition("<main")[2]

    led_to = set(re.findall(r'href="http://127\.0\.0\.1:1(/[^"]*)"', page))
    assert led_to == {"/docs/events", "/case", "/desk", "/log", "/receipts", "/openapi.json"} - refused


async def test_the_counts_are_said_to_be_of_the_time_since_a_service_was_started(tmp_path: Path) -> None:
    counted = b"""handrail_relay_published_records_total{topic="safeguarding.deliveries.v1"} 3
handrail_consumed_records_total{outcome="fresh"} 7
"""
    with serving((200, counted, {})) as server:
        async with front(tmp_path, services=server.url) as client:
            await signed_in(client)
            page = " ".join(re.sub(r"<[^>]*>", "", (await client.get("/")).text).split())

    assert page.count("3 messages sent on since its last start") == 3
    assert "3 messages about their notices since the last start of Routing" in page
    assert "7 messages logged since its last start" in page


@pytest.mark.parametrize("metrics", [b"<!DOCTYPE html>\n<title>Sign in</title>\n", b"\xff\xfe", b"{not metrics"])
async def test_an_answer_from_which_no_count_can_be_read_leaves_the_first_page_without_that_count(
    tmp_path: Path, metrics: bytes
) -> None:
    with serving((200, metrics, {})) as server:
        async with front(tmp_path, services=server.url) as client:
            await signed_in(client)
            answer = await client.get("/")

    assert answer.status_code == 200
    assert answer.text.count("Answers, but no count can be read") == 5
    assert "Not answering" not in answer.text


async def test_strangers_cannot_fill_the_memory(tmp_path: Path) -> None:
    async with front(tmp_path) as client:
        answer = await signed_in(client, password="x" * MAX_BODY_BYTES)

    assert answer.status_code == 413


async def test_the_session_says_for_which_client_and_body_a_review_officer_acts(tmp_path: Path) -> None:
    async with front(tmp_path) as client:
        officer = (await signed_in(client, account="review-officer")).cookies["handrail_session"]
        auditor = (await signed_in(client)).cookies["handrail_session"]

    tokens = Tokens(tmp_path / "keys" / "token.pub", SystemClock())
    acts_for = [(who.client, who.body) for who in (tokens.verify(officer), tokens.verify(auditor))]
    assert acts_for == [("leeds-city-council", "la:E08000035"), (None, None)]


@pytest.mark.parametrize("account", ["auditor", "nobody"])
async def test_after_some_wrong_passwords_the_next_try_waits_whether_or_not_there_is_such_an_account(
    account: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "Tries", lambda: Tries(lambda: 0.0))  # a clock that stands still
    async with front(tmp_path) as client:
        wrong = [await signed_in(client, account=account, password="x") for _ in range(FREE)]
        waits, other = await signed_in(client, account=account.title()), await signed_in(client, account="partner")

    assert [answer.status_code for answer in (*wrong, waits, other)] == [*[401] * FREE, 429, 303]
    assert waits.headers["retry-after"] == "1"
    assert "too many wrong tries" in waits.text


async def test_tries_that_come_at_once_wait_as_those_that_come_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "Tries", lambda: Tries(lambda: 0.0))  # a clock that stands still

    together = Barrier(FREE)  # none of these has been found wrong when the last of them begins

    def check(*_: object) -> None:
        together.wait(30)

    monkeypatch.setattr(Accounts, "check", check)
    async with front(tmp_path) as client:
        answers = await asyncio.gather(*(signed_in(client, password="x") for _ in range(FREE * 3)))

    assert sorted(answer.status_code for answer in answers) == [*[401] * FREE, *[429] * FREE * 2]
