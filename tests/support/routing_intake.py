"""What stands in for intake where routing's pages post to it."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.support.routing import CASE

RECEIPT = {"receipt_id": "r-1", "event_id": "e-1", "case_key": CASE, "status": "kept", "missing": []}


class FakeIntake:
    """Answers like intake and keeps what it was sent."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.answer: tuple[int, dict[str, Any]] = (202, RECEIPT)

    async def post(self, request: web.Request) -> web.Response:
        self.events.append(json.loads(await request.read()))
        self.tokens.append(request.headers["authorization"].removeprefix("Bearer "))
        return web.json_response(self.answer[1], status=self.answer[0])
