"""The stub recipients' own pages: which mailboxes there are, and what reached one, with its signature checked."""

from __future__ import annotations

import pytest

from tests.support.installation import PlayedDemo
from tests.support.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_notice_is_found_in_the_mailbox_of_the_panel_and_read_as_it_was_sent(visitor: Visitor) -> None:
    await visitor.open("stubs", "/")
    await visitor.choose("panel")
    title = await visitor.heading()

    text = await visitor.text()
    notified = text[text.index("Tell the Panel - the child died") :]  # a rapid review may be there, too
    number = notified.split("What was sent, number ")[1].split()[0]
    await visitor.unfold(f"What was sent, number {number}")

    assert title == "Mailbox of panel"
    assert "Signature verified" in text
    sent = await visitor.page.locator("details[open] pre").inner_text()
    assert '"rule": "N-01"' in sent
    assert '"due_on": "2026-06-08"' in sent
    assert "Testchild" not in sent


async def test_every_kind_of_recipient_has_a_mailbox_with_a_notice(visitor: Visitor, demo: PlayedDemo) -> None:
    await visitor.open("stubs", "/")

    names = await visitor.page.locator("tbody th").all_inner_texts()

    kinds = {"authority" if name.startswith("la:") else name.split(":")[0] for name in names}
    assert demo.expected.kinds is not None
    assert demo.expected.kinds <= kinds


async def test_a_mailbox_that_nothing_has_reached_says_so(visitor: Visitor) -> None:
    await visitor.open("stubs", "/recipients/foundations")

    assert "Nothing has reached this mailbox yet." in await visitor.text()
