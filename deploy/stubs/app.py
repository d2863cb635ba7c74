"""The stub recipients' HTTP application: take signed webhooks, journal them, answer, and show what came.

`POST /recipients/{id}/webhook` is what Handrail calls; the rest is for people and tests. Any well-formed recipient id
has a mailbox.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import re
import socket
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deploy.stubs.behaviour import NORMAL, BadBehaviour, Behaviour, read_behaviour
from deploy.stubs.journal import Entry, Journal
from deploy.stubs.pages import front_page, mailbox_page, masked
from deploy.stubs.signature import BadSignature, verify

RECIPIENT: Final = re.compile(r"^[a-z]+(:[A-Za-z0-9-]+)?$")
MAX_BODY_BYTES: Final = 256 * 1024
HANG_S: Final = 3600.0
DRIP_EVERY_S: Final = 0.2
_REFUSALS: Final = {"fail": ("failed", 503), "refuse": ("refused", 403), "busy": ("busy", 429)}
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Letter:
    """What came for a recipient; `sha256` is that of the body's bytes."""

    recipient: str
    content: Any
    sha256: str


class Stubs:
    """Mailboxes of every recipient over one journal."""

    def __init__(self, journal: Journal, keys: Sequence[Ed25519PublicKey]) -> None:
        self._journal = journal
        self._keys = keys
        self._behaviours: dict[str, Behaviour] = {}

    async def webhook(self, request: web.Request) -> web.StreamResponse:
        """Take one webhook: verify, misbehave if told to, journal, answer with our reference."""
        recipient, body = _recipient(request), await request.read()
        letter = Letter(recipient, _read(body), hashlib.sha256(body).hexdigest())
        try:
            webhook_id = verify(request.headers, body, self._keys, time.time())
        except BadSignature as error:
            return await self._answer(letter, "rejected", 401, reason=str(error))
        if not isinstance(letter.content, dict) or letter.content.get("recipient") != recipient:
            reason = "the message is not addressed to this recipient"
            return await self._answer(letter, "rejected", 422, webhook_id=webhook_id, reason=reason)
        misbehaved = await self._misbehave(request, letter, webhook_id)
        if misbehaved is not None:
            return misbehaved
        known = self._journal.reference_of(webhook_id)
        return await self._answer(
            letter,
            "repeat" if known else "taken",
            200,
            webhook_id=webhook_id,
            reference=known or _new_reference(recipient, webhook_id),
        )

    async def _misbehave(self, request: web.Request, letter: Letter, webhook_id: str) -> web.StreamResponse | None:
        told = self._behaviours.get(letter.recipient, NORMAL)
        self._behaviours[letter.recipient] = told.after_one()
        match told.mode:
            case "normal" | "slow":
                await asyncio.sleep(told.seconds if told.mode == "slow" else 0)
                return None
            case "fail" | "refuse" | "busy":
                outcome, status = _REFUSALS[told.mode]
                answer = await self._answer(letter, outcome, status, webhook_id=webhook_id)
                if told.mode == "busy":
                    answer.headers["Retry-After"] = str(math.ceil(told.seconds))
                return answer
            case "hang":
                await self._keep(letter, "hung", None, webhook_id=webhook_id)
                await asyncio.sleep(told.seconds or HANG_S)
                raise web.HTTPServiceUnavailable
            case "garbage":
                await self._keep(letter, "garbage", 200, webhook_id=webhook_id)
                return web.Response(body=b"\xff\xfe{not json", content_type="application/json")
            case "reset":
                await self._keep(letter, "reset", None, webhook_id=webhook_id)
                return _reset(request)
            case "drip":
                await self._keep(letter, "dripped", 200, webhook_id=webhook_id)
                return await _drip(request, told.seconds or HANG_S)

    async def _answer(
        self,
        letter: Letter,
        outcome: str,
        status: int,
        *,
        webhook_id: str | None = None,
        reference: str | None = None,
        reason: str | None = None,
    ) -> web.Response:
        await self._keep(letter, outcome, status, webhook_id=webhook_id, reference=reference, reason=reason)
        answer = {"reference": reference} if reference else {"title": reason or outcome}
        return web.json_response(answer, status=status)

    async def _keep(
        self,
        letter: Letter,
        outcome: str,
        status: int | None,
        *,
        webhook_id: str | None = None,
        reference: str | None = None,
        reason: str | None = None,
    ) -> None:
        entry = Entry(
            number=0,
            recipient=letter.recipient,
            at=time.time(),
            outcome=outcome,
            status=status,
            webhook_id=webhook_id,
            verified=webhook_id is not None,
            reference=reference,
            reason=reason,
            body=letter.content,
            sha256=letter.sha256,
        )
        await self._journal.append(entry)

    async def behave(self, request: web.Request) -> web.Response:
        """Tell a recipient how to answer from now on."""
        if request.content_type != "application/json":  # which a page of another site cannot send
            raise web.HTTPUnsupportedMediaType(text="expected application/json")
        try:
            behaviour = read_behaviour(_read(await request.read()))
        except BadBehaviour as error:
            raise web.HTTPUnprocessableEntity(text=str(error)) from error
        self._behaviours[_recipient(request)] = behaviour
        return web.json_response(asdict(behaviour))

    async def recipients(self, _request: web.Request) -> web.Response:
        """List the mailboxes that something has reached."""
        counts = self._counts()
        return web.json_response({"recipients": [{"recipient": name, "counts": counts[name]} for name in counts]})

    async def journal(self, request: web.Request) -> web.Response:
        """Give one mailbox's journal, oldest first, without the grants in it."""
        recipient = _recipient(request)
        entries = [asdict(entry) | {"body": masked(entry.body)} for entry in self._journal.of(recipient)]
        return web.json_response({"recipient": recipient, "entries": entries})

    async def front(self, _request: web.Request) -> web.Response:
        """Show all mailboxes."""
        return _html(front_page(self._counts(), self._behaviours))

    async def mailbox(self, request: web.Request) -> web.Response:
        """Show one mailbox."""
        recipient = _recipient(request)
        return _html(mailbox_page(recipient, reversed(self._journal.of(recipient))))

    async def live(self, _request: web.Request) -> web.Response:
        """Say that the process answers."""
        return web.json_response({"status": "live"})

    def _counts(self) -> dict[str, Counter[str]]:
        counts: dict[str, Counter[str]] = {}
        for entry in self._journal.entries:
            counts.setdefault(entry.recipient, Counter())[entry.outcome] += 1
        return dict(sorted(counts.items()))


def create_app(folder: Path, keys: Sequence[Ed25519PublicKey]) -> web.Application:
    """Return the application over the journal in `folder`; `keys` are the sender's public keys."""
    journal = Journal(folder)
    stubs = Stubs(journal, keys)

    async def keep_open(_app: web.Application) -> AsyncIterator[None]:
        async with journal:
            yield

    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.cleanup_ctx.append(keep_open)
    app.add_routes(
        [
            web.get("/", stubs.front),
            web.get("/health/live", stubs.live),
            web.get("/recipients", stubs.recipients),
            web.get("/recipients/{recipient}", stubs.mailbox),
            web.get("/recipients/{recipient}/journal", stubs.journal),
            web.post("/recipients/{recipient}/webhook", stubs.webhook),
            web.post("/recipients/{recipient}/behaviour", stubs.behave),
        ]
    )
    return app


def _recipient(request: web.Request) -> str:
    recipient = request.match_info["recipient"]
    if not RECIPIENT.match(recipient):
        raise web.HTTPNotFound(text="expected a recipient id such as lscp:E08000035")
    return recipient


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return {"unreadable": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def _reset(request: web.Request) -> web.Response:
    """Cut the connection without an answer: with nothing to linger for, the other side sees a reset."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


async def _drip(request: web.Request, seconds: float) -> web.StreamResponse:
    """Answer 200 and let a body that would be a receipt come byte by byte, so slowly that it never ends in time."""
    answer = web.StreamResponse(headers={"Content-Type": "application/json"})
    await answer.prepare(request)
    for _ in range(math.ceil(seconds / DRIP_EVERY_S)):
        await answer.write(b" ")
        await asyncio.sleep(DRIP_EVERY_S)
    await answer.write_eof()
    return answer


def _new_reference(recipient: str, webhook_id: str) -> str:
    kind = recipient.partition(":")[0].upper()
    return f"{kind}-{hashlib.sha256(f'{recipient} {webhook_id}'.encode()).hexdigest()[:10].upper()}"


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", headers=_HEADERS)
