"""The stub's pages: who has a mailbox, and everything that reached one. Plain HTML, every value escaped."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from deploy.stubs.behaviour import Behaviour
from deploy.stubs.journal import Entry

_STYLE = """
body{font:1.1875rem/1.4 system-ui,sans-serif;margin:0;color:#0b0c0c;background:#fff}
header,main{max-width:70rem;margin:0 auto;padding:1rem}header{border-bottom:.25rem solid #1d70b8}
h1{font-size:2rem}h2{font-size:1.25rem;margin:0}a{color:#1d70b8}
a:focus,summary:focus,div:focus{outline:3px solid #fd0;color:#0b0c0c;background:#fd0}
div.wide{overflow-x:auto}div.wide:focus{background:none}table{border-collapse:collapse;width:100%}caption{text-align:left;font-weight:700;padding:.5rem 0}
th,td{text-align:left;vertical-align:top;padding:.5rem;border-bottom:1px solid #b1b4b6;overflow-wrap:anywhere}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f3f2f1;padding:.75rem}
"""


def front_page(counts: Mapping[str, Mapping[str, int]], behaviours: Mapping[str, Behaviour]) -> str:
    """Return the list of mailboxes that something has reached, with how many of each outcome."""
    rows = "".join(
        f'<tr><th scope="row"><a href="/recipients/{escape(recipient)}">{escape(recipient)}</a></th>'
        f"<td>{found.get('taken', 0)}</td><td>{sum(found.values())}</td>"
        f"<td>{escape(behaviours[recipient].mode if recipient in behaviours else 'normal')}</td></tr>"
        for recipient, found in counts.items()
    )
    table = (
        '<div class="wide" tabindex="0" role="region" aria-label="Mailboxes"><table><caption>Mailboxes</caption><thead><tr><th scope="col">Recipient</th>'
        '<th scope="col">Notices taken</th><th scope="col">Requests</th><th scope="col">Behaviour</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
    return _page("Stub recipients", table if rows else "<p>Nothing has reached any mailbox yet.</p>")


def mailbox_page(recipient: str, entries: Iterable[Entry]) -> str:
    """Return everything that reached one mailbox, newest first."""
    found = "".join(_entry(entry) for entry in entries)
    back = '<p><a href="/">All mailboxes</a></p>'
    return _page(f"Mailbox of {recipient}", back + (found or "<p>Nothing has reached this mailbox yet.</p>"))


def _entry(entry: Entry) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(entry.at))
    title = entry.body.get("title") if isinstance(entry.body, dict) else None
    facts = (
        f"{when}. Signature {'verified' if entry.verified else 'not verified'}."
        f" Answered {entry.status if entry.status is not None else 'nothing'}."
        f"{f' Reference {entry.reference}.' if entry.reference else ''}{f' {entry.reason}.' if entry.reason else ''}"
    )
    return (
        f"<section><h2>{entry.number}. {escape(entry.outcome)}{f': {escape(str(title))}' if title else ''}</h2>"
        f"<p>{escape(facts)}</p><details><summary>What was sent, number {entry.number}</summary>"
        f"<pre>{escape(json.dumps(masked(entry.body), indent=2, ensure_ascii=False))}</pre></details></section>"
    )


def masked(body: Any) -> Any:
    """Return a notice without its grant, which opens personal data for whoever holds it; nothing needs it but a recipient."""
    content = body.get("content") if isinstance(body, dict) else None
    if not isinstance(content, dict) or "grant" not in content:
        return body
    return {**body, "content": {**content, "grant": "(hidden)"}}


def _page(title: str, content: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><header>Stub recipients: a stand-in for other bodies' systems</header>"
        f"<main><h1>{escape(title)}</h1>{content}</main></body></html>"
    )
