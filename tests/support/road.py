"""Routing on a real database, and the stub recipients it sends to; for integration tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from handrail.embedded.postgres import DatabaseAddress
from schemas.case_events import CaseEvent
from schemas.messages import AnyMessage, parse
from services.kit.database import Database
from services.routing.dispatch.dispatcher import Dispatcher
from services.routing.dispatch.endpoints import SETTLED_S, Endpoints
from services.routing.law import Law
from services.routing.laws import Held, Laws
from services.routing.service import RoutingService
from tests.support.routing import as_event
from tests.support.rulebooks import law

_Kind = TypeVar("_Kind")
WEBHOOK_KEY = Ed25519PrivateKey.generate()


def laws(*given: Law) -> Laws:
    """Return laws to decide by, the oldest first; by default the shipped one alone."""
    return Laws([Held(each, None) for each in given or (law(),)])


@dataclass
class Road:
    """Routing on a real database: hand it events, then see what it published and what stands."""

    database: Database
    service: RoutingService
    _seen: int = field(default=0)

    async def route(
        self, *messages: CaseEvent, meanwhile: Callable[[], Awaitable[None]] | None = None
    ) -> list[AnyMessage]:
        """Route one batch as the consume path would, with something happening meanwhile; return what was published by it."""
        events = [as_event(message) for message in messages]
        async with self.database.begin() as tx:
            if meanwhile:
                await meanwhile()
            keys = set(await self.service.linked_keys(events, tx.connection))
            await tx.lock_cases(keys)
            await self.service.route(events, tx)
        return await self.published()

    async def published(self) -> list[AnyMessage]:
        """Return what was published since the last look."""
        async with self.database.connect() as connection:
            rows = await connection.execute(
                text("SELECT id, payload FROM routing.outbox WHERE id > :seen ORDER BY id"), {"seen": self._seen}
            )
            found = rows.all()
        self._seen = max((row.id for row in found), default=self._seen)
        return [parse(row.payload) for row in found]

    async def rows(self, query: str, **values: Any) -> list[Any]:
        async with self.database.connect() as connection:
            return list((await connection.execute(text(query), values)).mappings())


@dataclass
class Recipients:
    """The stub recipients, and a dispatcher that sends to them."""

    url: str
    session: aiohttp.ClientSession
    dispatcher: Dispatcher
    file: Path
    endpoints: Endpoints

    async def send_all(self) -> None:
        """Send what is due now, and settle it."""
        while await self.dispatcher.claim_step():
            pass
        await self.settle()

    async def settle(self) -> None:
        await self.dispatcher.finish()

    def register(self, text: str) -> None:
        """Write the file of addresses, and let the dispatcher take it."""
        self.file.write_text(text)
        for now_s in (0.0, SETTLED_S):
            self.endpoints.look(now_s)

    async def behave(self, recipient: str, **instruction: Any) -> None:
        async with self.session.post(f"{self.url}/recipients/{recipient}/behaviour", json=instruction) as response:
            assert response.status == 200

    async def journal(self, recipient: str) -> list[dict[str, Any]]:
        async with self.session.get(f"{self.url}/recipients/{recipient}/journal") as response:
            entries: list[dict[str, Any]] = (await response.json())["entries"]
            return entries


async def empty_tables(address: DatabaseAddress) -> None:
    """Empty every table of routing but its version and the relay's cursor."""
    connection = await asyncpg.connect(address.url())
    try:
        kept = ("alembic_version", "relay_cursor")
        found = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'routing' AND tablename <> ALL($1::text[])", kept
        )
        await connection.execute("TRUNCATE " + ", ".join(f"routing.{row['tablename']}" for row in found))
        await connection.execute("UPDATE clock.legal_clock SET offset_s = 0")
    finally:
        await connection.close()


async def move_clock(address: DatabaseAddress, by: timedelta) -> None:
    """Move the legal clock."""
    connection = await asyncpg.connect(address.url())
    try:
        await connection.execute("UPDATE clock.legal_clock SET offset_s = offset_s + $1", int(by.total_seconds()))
    finally:
        await connection.close()


def of(kind: type[_Kind], messages: Iterable[Any]) -> list[_Kind]:
    """Return the messages of one kind, in order."""
    return [message for message in messages if isinstance(message, kind)]


def outcomes(journal: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return what a recipient did with each webhook, and the type of what it was."""
    return [(entry["outcome"], entry["body"]["type"]) for entry in journal]
