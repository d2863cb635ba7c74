"""A person at the pages of a running installation: by keyboard only, without JavaScript, each page inspected on the way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from urllib.parse import urlsplit

from playwright.async_api import Page

from handrail.front.accounts import FIRST_ACCOUNTS
from handrail.installation.installation import Installation
from handrail.installation.tokens import Account, TokenIssuer
from services.kit.auth import COOKIE
from tests.support.browser import Visit, assert_reflows, axe, tab_to

HOST = "127.0.0.1"
_VALUES = re.compile(r"\b[0-9a-f]{8,}\b|\d+")  # ids, keys, dates, counts
_SOUND: set[tuple[int, bytes]] = set()  # where axe found nothing in this run: width, and content without its values
ACCOUNTS: Mapping[str, Account] = {account.role: account for account in FIRST_ACCOUNTS}


@dataclass
class Visitor:
    """One person with cookies of their own. Every method that leads to a page also inspects it."""

    installation: Installation
    visit: Visit

    @property
    def page(self) -> Page:
        """The page that is shown now."""
        return self.visit.page

    async def sign_in(self, role: str, *, client: str | None = None, body: str | None = None) -> None:
        """Take on a role as if signed in, without the form (which has tests of its own), for another client if given."""
        account = replace(ACCOUNTS[role], client=client, body=body) if client else ACCOUNTS[role]
        token = TokenIssuer(self.installation.keys / "token.key").issue(account)
        await self.page.context.add_cookies([{"name": COOKIE, "value": token, "domain": HOST, "path": "/"}])

    async def open(self, service: str, path: str, *, status: int = 200) -> None:
        """Go to an address of a service."""
        response = await self.page.goto(self.installation.url(service) + path)
        assert response is not None
        assert response.status == status, await self.text()
        await self.inspect(status)

    async def choose(self, name: str, *, status: int = 200) -> None:
        """Tab to the link or button of this name and press Enter; a page of this status follows."""
        await tab_to(self.page, name)
        async with self.page.expect_navigation() as navigation:
            await self.page.keyboard.press("Enter")
        response = await navigation.value
        assert response is not None
        assert response.status == status, await self.text()
        await self.inspect(status)

    async def unfold(self, name: str) -> None:
        """Tab to the summary of this name and open it."""
        await tab_to(self.page, name)
        await self.page.keyboard.press("Enter")
        await self.inspect()

    async def fill(self, label: str, value: str) -> None:
        """Tab to the field of this label and type over what it holds."""
        await tab_to(self.page, label)
        await self.page.keyboard.press("Control+A")
        await self.page.keyboard.type(value)

    async def select(self, label: str, wanted: str) -> None:
        """Tab to the list of this label and go down to the entry that begins with `wanted`."""
        await tab_to(self.page, label)
        await self.page.keyboard.press("Home")
        await self._down_to(wanted, "document.activeElement.selectedOptions[0].text.trim()")

    async def tick(self, label: str) -> None:
        """Tab to a box and tick it."""
        await tab_to(self.page, label)
        await self.page.keyboard.press("Space")

    async def pick(self, first: str, wanted: str) -> None:
        """Tab to the group of choices whose first one is `first`, and go down to `wanted` with the arrow keys."""
        await tab_to(self.page, first)
        await self.page.keyboard.press("Space")
        await self._down_to(wanted, "document.activeElement.labels[0].innerText.trim()")

    async def _down_to(self, wanted: str, shown: str) -> None:
        passed: list[str] = []
        while not (here := str(await self.page.evaluate(shown))).startswith(wanted):
            assert here not in passed, f"no entry {wanted!r} among {passed}"
            passed.append(here)
            await self.page.keyboard.press("ArrowDown")

    async def text(self) -> str:
        """Return what the page says, in one line."""
        return " ".join((await self.page.locator("main").inner_text()).split())

    async def heading(self) -> str:
        """Return the page's main heading; there is exactly one."""
        assert await self.page.locator("h1").count() == 1
        return (await self.page.locator("h1").inner_text()).strip()

    async def inspect(self, status: int = 200) -> None:
        """Fail where the page is not accessible, does not fit, asked another host for anything, or complains."""
        width = self.page.viewport_size["width"] if self.page.viewport_size else 0
        shown = width, sha256(_VALUES.sub("", await self.page.content()).encode()).digest()
        if shown not in _SOUND:
            assert await axe(self.page) == [], self.page.url
            _SOUND.add(shown)
        await assert_reflows(self.page)
        own = {urlsplit(self.installation.url(name)).netloc for name in self.installation.ports}
        assert self.visit.hosts <= own
        told = [error for error in self.visit.errors if status < 400 or f"status of {status}" not in error]
        assert told == []
        self.visit.errors.clear()
