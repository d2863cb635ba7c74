"""The page of the log where nothing is wrong with an entry, but something with the log or with the question."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from handrail.installation.keys import make_keys
from handrail.installation.tokens import Account, TokenIssuer
from services.audit.api import build_api, search_for
from services.audit.domain.note import Checkpoint
from services.audit.pages import TEMPLATES, build_pages
from services.audit.reader import Found
from services.audit.store.log import Signed
from services.kit.auth import Tokens
from services.kit.clock import SystemClock
from services.kit.ui.environment import Navigation, build_templates
from tests.support.audit import KEY, NOTE_KEY, ORIGIN

NAVIGATION = Navigation("/", "/desk", "/case", "/considered", "/log", "/sign-in", "/sign-out", "/receipts", "/reads")
ROOT = bytes(32)

Asking = Callable[..., httpx.AsyncClient]


class Reading:
    """A reader of a log without a searchable entry."""

    def __init__(self, unsigned: int) -> None:
        self._unsigned = unsigned

    async def search(self, *_: Any) -> Found:
        checkpoint = Signed(3, ROOT, Checkpoint(ORIGIN, 3, ROOT).sign(KEY))
        return Found(checkpoint, unsigned=self._unsigned, indexed_to=3, entries=(), next_after=None)

    async def gaps(self) -> list[Any]:
        return []


@pytest.fixture
def asking(tmp_path: Path) -> Asking:
    """An auditor's client of a log that has entries which are not signed, and of what says why."""
    make_keys(tmp_path)
    token = TokenIssuer(tmp_path / "token.key").issue(Account("auditor", "Audrey Audit", "auditor"))
    headers = {"Authorization": f"Bearer {token}"}

    def ask(unsigned: int = 0, why: str | None = None) -> httpx.AsyncClient:
        async def why_unsigned() -> str | None:
            return why

        app, clock = FastAPI(), SystemClock()
        reader: Any = Reading(unsigned)  # no more of one is asked for
        app.state.tokens = Tokens(tmp_path / "token.pub", clock)
        templates = build_templates(TEMPLATES, navigation=NAVIGATION)
        app.include_router(build_api(reader))
        app.include_router(build_pages(reader, templates, NOTE_KEY, clock, why_unsigned))
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://audit.example", headers=headers)

    return ask


async def test_the_page_says_how_many_entries_are_not_signed_yet(asking: Asking) -> None:
    said = {}
    for unsigned in (0, 1, 2):
        async with asking(unsigned) as http:
            said[unsigned] = (await http.get("/log")).text

    assert "not signed yet" not in said[0]
    assert "1 newer entry is not signed yet. Load the page again in a moment." in said[1]
    assert "2 newer entries are not signed yet. Load the page again in a moment." in said[2]


async def test_the_page_warns_with_the_reason_while_signing_stands_still(asking: Asking) -> None:
    why = "the log was not signed for 61 s, expected each second"
    async with asking(2, why) as http:
        grown = (await http.get("/log")).text
    async with asking(0, why) as http:
        quiet = (await http.get("/log")).text

    assert f"Signing stands still: {why}. 2 newer entries are not signed yet, and not shown here." in grown
    assert f"Signing stands still: {why}." in quiet
    assert "not signed yet" not in quiet


async def test_an_answer_of_the_api_counts_what_is_not_signed_yet(asking: Asking) -> None:
    async with asking(2) as http:
        answer = (await http.get("/v1/entries")).json()

    assert (answer["size"], answer["unsigned"]) == (3, 2)


@pytest.mark.parametrize("written", ["0a1b2c3d", "0A1B2C3D", "  0a1B2c3D "])
def test_a_case_key_is_found_however_it_is_written(written: str) -> None:
    assert search_for(case=written).case_key == "0a1b2c3d"


@pytest.mark.parametrize("index", ["99999999999999999999", "-1", "x"])
async def test_a_number_that_no_entry_can_have_is_refused_as_the_api_refuses_it(asking: Asking, index: str) -> None:
    async with asking() as http:
        page, api = await http.get(f"/log/{index}"), await http.get(f"/v1/entries/{index}/proof")

    assert (page.status_code, api.status_code) == (422, 422)
