"""Headless Chromium for the page tests: pages with and without JavaScript, axe-core, reflow, keyboard.

No host but loopback can be reached. The checks read the page from outside, so they also work where the
page's own JavaScript is off.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from playwright.async_api import Browser, ConsoleMessage, Page, Route, async_playwright

from tests.support.chromium import chromium

PHONE, DESKTOP = 320, 1280  # CSS pixels; 320 is the width of WCAG 1.4.10, and of 1280 at 400% zoom
_HEIGHT = 900
# The suggestions under the address bar are two more pages in every window, which nobody sees: a third of what it costs to
# open one. Of this switch only the last counts, so it repeats what Playwright switches off for steady runs.
_UNUSED = (
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "OptimizationHints",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
)
_FLAGS = (
    "--headless",
    "--no-sandbox",  # the tests may run as root, where Chromium has no sandbox
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(_UNUSED)}",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
_AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
_AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_VIOLATIONS = """(tags) =>
  axe.run({runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']}).then((found) => found.violations)"""
_MOST_TAB_STOPS = 200
_SCROLL_S = 20.0
_COPIES: WeakKeyDictionary[Browser, Page] = WeakKeyDictionary()

_REFLOW = """() => {
  const problems = [], root = document.documentElement;
  if (root.scrollWidth !== root.clientWidth) problems.push(`sideways: ${root.scrollWidth} in ${root.clientWidth} px`);
  const say = (element) => `<${element.tagName.toLowerCase()}> ${(element.innerText || element.name || '').trim()}`;
  for (const element of document.querySelectorAll('h1,h2,h3,h4,a,button,input,select,textarea,summary')) {
    element.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});
    const box = element.getClientRects()[0];
    if (!box || box.width <= 1 || !element.checkVisibility({visibilityProperty: true})) continue;
    const found = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    if (!element.contains(found)) problems.push(`covered or cut off: ${say(element)}`);
    if (element.matches('button,input,select,textarea,summary') && Math.min(box.width, box.height) < 24)
      problems.push(`target under 24 px: ${say(element)}`);
  }
  window.scrollTo(0, 0);
  return problems;
}"""

_FOCUSED = """() => {
  const element = document.activeElement, box = element.getClientRects()[0];
  if (element === document.body || !box) return null;
  // In the middle of the part that is in view: of a tall field the browser shows only where the cursor is.
  const y = (Math.max(box.top, 0) + Math.min(box.bottom, innerHeight)) / 2;
  const found = document.elementFromPoint(box.left + box.width / 2, y);
  const style = getComputedStyle(element);
  const marked = style.outlineStyle !== 'none' || style.boxShadow !== 'none';
  return {
    name: (element.getAttribute('aria-label') || element.labels?.[0]?.textContent || element.textContent || element.value || '')
      .replace(/\\s+/g, ' ').trim(),
    seen: element.contains(found) && (marked || element.matches('[type=radio],[type=checkbox]')),
  };
}"""


@dataclass
class Visit:
    """One page of the browser, with what it asked for and what it complained of since it was opened."""

    page: Page
    requested: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def hosts(self) -> set[str]:
        """The hosts and ports that the page asked for anything."""
        return {urlsplit(url).netloc for url in self.requested if url.startswith(("http", "ws"))}


@dataclass(frozen=True)
class Pages:
    """A running browser, and the visits that were made with it."""

    browser: Browser
    visits: list[Visit] = field(default_factory=list)

    async def page_at(self, width: int = DESKTOP, *, javascript: bool = False) -> Visit:
        """Open an empty page of `width` CSS pixels, with cookies of its own."""
        context = await self.browser.new_context(
            viewport={"width": width, "height": _HEIGHT}, java_script_enabled=javascript, locale="en-GB"
        )
        visit = Visit(await context.new_page())
        self.visits.append(visit)

        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error":
                visit.errors.append(message.text)

        visit.page.on("console", on_console)
        visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
        visit.page.on("request", lambda request: visit.requested.append(request.url))
        return visit

    async def close_visits(self) -> None:
        """Close every page that was opened, with its cookies."""
        while self.visits:
            await self.visits.pop().page.context.close()


@asynccontextmanager
async def browser() -> AsyncIterator[Pages]:
    """Start Chromium, and stop it with all its pages."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium(), args=list(_FLAGS))
        try:
            yield Pages(started)
        finally:
            await started.close()


async def axe(page: Page) -> list[str]:
    """Return the violations of axe-core on what the page shows now, one line each: rule, help, places.

    axe needs timers, which stand still where JavaScript is off. So it looks at a copy: the same content at the
    same address in a page with JavaScript, whose own scripts are barred.
    """
    shown, address = await page.content(), page.url.partition("#")[0]

    async def serve_copy(route: Route) -> None:
        headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": "script-src 'none'"}
        await route.fulfill(status=200, headers=headers, body=shown)

    copy = await _copy_beside(page)
    await copy.route(lambda url: url == address, serve_copy)
    try:
        await copy.goto(address)
        violations: list[dict[str, Any]] = await copy.evaluate(_VIOLATIONS, _AXE_TAGS)
    finally:
        await copy.unroute_all()
    return [
        f"{violation['id']}: {violation['help']}: " + ", ".join(str(node["target"]) for node in violation["nodes"])
        for violation in violations
    ]


async def _copy_beside(page: Page) -> Page:
    """Return the browser's one page for copies, as wide as `page`; a new one for each look would take three times as long."""
    started = page.context.browser
    assert started is not None
    copy = _COPIES.get(started)
    if copy is None:
        context = await started.new_context(locale="en-GB")
        await context.add_init_script(_AXE)  # every page of it has axe: it is sent to the browser once
        copy = _COPIES[started] = await context.new_page()
    await copy.set_viewport_size(page.viewport_size or {"width": DESKTOP, "height": _HEIGHT})
    return copy


async def reflow_problems(page: Page) -> list[str]:
    """Return what scrolls sideways, is covered or cut off, or is too small to hit (WCAG 1.4.10, 2.4.11, 2.5.8)."""
    problems: list[str] = await page.evaluate(_REFLOW)
    return problems


async def assert_reflows(page: Page) -> None:
    """Fail when the page does not fit its width, or hides a heading, link, button or field."""
    assert await reflow_problems(page) == []


async def tab_to(page: Page, name: str, *, scrolled_within_s: float = _SCROLL_S) -> int:
    """Press Tab until the element of this name has the focus; return the number of stops.

    Fails when it is never reached, or when a stop on the way cannot be seen to have the focus.
    """
    passed: list[str] = []
    while len(passed) < _MOST_TAB_STOPS:
        await page.keyboard.press("Tab")
        focused = await _focused(page, scrolled_within_s)
        if focused is None:
            break
        assert focused["seen"], f"the focus cannot be seen on {focused['name']!r}"
        passed.append(focused["name"])
        if focused["name"] == name:
            return len(passed)
    raise AssertionError(f"no tab stop {name!r}; passed {passed}")


async def _focused(page: Page, scrolled_within_s: float) -> dict[str, Any] | None:
    """Return the name of what has the focus, and whether that is seen once the page has scrolled to it."""
    deadline = time.monotonic() + scrolled_within_s
    while True:
        focused: dict[str, Any] | None = await page.evaluate(_FOCUSED)
        if focused is None or focused["seen"] or time.monotonic() > deadline:
            return focused
        await asyncio.sleep(0.02)


async def press(page: Page, key: str) -> None:
    """Press a key that leads to another page, such as Enter on a link, and wait for that page."""
    async with page.expect_navigation():
        await page.keyboard.press(key)
