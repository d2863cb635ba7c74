"""One Chromium and one played demo for all page tests; each test starts without the pages and cookies of the one before."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.browser import DESKTOP, PHONE, Pages, browser
from tests.support.installation import PlayedDemo, played_demo
from tests.support.visitor import Visitor


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_browser() -> AsyncIterator[Pages]:
    async with browser() as pages:
        yield pages


@pytest_asyncio.fixture(loop_scope="session")
async def pages(running_browser: Pages) -> AsyncIterator[Pages]:
    yield running_browser
    await running_browser.close_visits()


@pytest.fixture(scope="session")
def demo() -> PlayedDemo:
    return played_demo()


@pytest_asyncio.fixture(loop_scope="session", params=[PHONE, DESKTOP], ids=["320px", "1280px"])
async def visitor(request: pytest.FixtureRequest, pages: Pages, demo: PlayedDemo) -> Visitor:
    return Visitor(demo.installation, await pages.page_at(request.param))
