"""An installation to which nothing was reported yet: every page says so, and what would make something appear."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from handrail.installation.installation import Installation
from tests.support.browser import DESKTOP, PHONE, Pages
from tests.support.eventually import eventually
from tests.support.installation import add_police, start_installation
from tests.support.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLIENT = "quiet-police"
PAGES = [
    ("operations", "front", "/", "0 messages logged since its last start"),
    ("operations", "deadlines", "/desk", "One appears here as soon as a reported event leads to it."),
    ("operations", "deadlines", "/desk", "No alert waits for a person."),
    ("auditor", "routing", "/case", "No case has been decided yet. One appears here as soon as an event is reported."),
    ("auditor", "audit", "/log", "The log is empty. An entry appears here as soon as something is reported."),
    ("auditor", "intake", "/reads", "Nobody has read personal data yet."),
    ("partner", "intake", "/receipts", "Nothing has been reported yet."),
    ("operations", "stubs", "/", "Nothing has reached any mailbox yet."),
]


@pytest.fixture(scope="module")
def fresh() -> Iterator[Installation]:
    installation = start_installation()
    add_police(installation, CLIENT)
    yield installation
    installation.stop()


async def _says(visitor: Visitor, service: str, path: str, words: str) -> bool:
    await visitor.open(service, path)
    return words in await visitor.text()


@pytest.mark.parametrize("width", [PHONE, DESKTOP], ids=["320px", "1280px"])
async def test_every_page_says_that_there_is_nothing_yet(width: int, fresh: Installation, pages: Pages) -> None:
    visitor = Visitor(fresh, await pages.page_at(width))
    for role, service, path, words in PAGES:
        await visitor.sign_in(role, client=CLIENT if role == "partner" else None)

        # A busy service may not say its count in the two seconds that the road waits.
        await eventually(partial(_says, visitor, service, path, words), f"{service}{path} says {words!r}")
