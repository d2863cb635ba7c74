"""One Chromium for all page tests; each test starts without the pages and cookies of the one before."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.browser import Pages, browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_browser() -> AsyncIterator[Pages]:
    async with browser() as pages:
        yield pages


@pytest_asyncio.fixture(loop_scope="session")
async def pages(running_browser: Pages) -> AsyncIterator[Pages]:
    yield running_browser
    for context in running_browser.browser.contexts:
        await context.close()
