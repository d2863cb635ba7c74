"""Take the pictures of the README anew, from a played demo: `python -m tests.support.screenshots`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.browser import Pages, browser
from tests.support.docs import ROOT
from tests.support.installation import PlayedDemo, played_demo
from tests.support.visitor import Visitor

IMAGES = ROOT / "docs" / "images"
WIDTH = 1000


async def take(pages: Pages, demo: PlayedDemo, folder: Path) -> None:
    """Write the pictures to `folder`."""
    second = demo.played.cases["leeds-city-council", "LCC-2026-0078"]
    for name, role, service, path, shown in (
        ("road", "operations", "front", "/", "main"),
        ("desk", "operations", "deadlines", "/desk?rule=X-01", "section[aria-labelledby=group-1]"),
        ("ask", "auditor", "routing", f"/case/{second}?recipient=panel", "section[aria-labelledby=ask]"),
        ("log", "auditor", "audit", f"/log?case={second}&rule=N-01", "article >> nth=0"),
    ):
        visitor = Visitor(demo.installation, await pages.page_at(WIDTH))
        await visitor.sign_in(role)
        await visitor.open(service, path)
        if name == "desk":
            await visitor.page.locator("summary").first.click()
        await visitor.page.locator(shown).screenshot(path=folder / f"{name}.png")


async def main() -> None:
    """Start a demo, play the story, and take every picture."""
    demo = await asyncio.to_thread(played_demo)
    async with browser() as pages:
        await take(pages, demo, IMAGES)


if __name__ == "__main__":
    asyncio.run(main())
