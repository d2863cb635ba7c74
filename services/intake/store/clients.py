"""Registered partner systems. A token is 256 random bits, so its SHA-256 is enough: there is nothing to guess."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.case_events import Reporter
from schemas.reporters import ReporterBody


@dataclass(frozen=True, slots=True)
class Client:
    """A partner system, as registered."""

    name: str
    body: ReporterBody
    area: str
    recipient: str | None
    created_at: datetime
    revoked_at: datetime | None = None

    @property
    def reporter(self) -> Reporter:
        """Who reports, as it stands on every event of this client."""
        return Reporter(client=self.name, body=self.body, area=self.area, recipient=self.recipient)

    @property
    def answers_for(self) -> frozenset[str]:
        """Recipient ids that this client speaks for: what it may acknowledge, and whose duties it sees."""
        own = {self.recipient} if self.recipient else set()
        return frozenset(own | ({f"la:{self.area}"} if self.body == "local_authority" else set()))


_COLUMNS: Final = "name, body, area, recipient, created_at, revoked_at"
_BY_TOKEN: Final = text(f"""
    SELECT token_sha256, {_COLUMNS} FROM client
    WHERE token_sha256 = ANY(CAST(:digests AS bytea[])) AND revoked_at IS NULL
""")  # noqa: S608 - only our own column names
_BY_NAME: Final = text(f"""
    SELECT {_COLUMNS} FROM client
    WHERE name = ANY(CAST(:names AS text[])) AND (revoked_at IS NULL OR CAST(:revoked AS boolean))
""")  # noqa: S608
_ALL: Final = text(f"SELECT {_COLUMNS} FROM client ORDER BY name")  # noqa: S608

# A revoked name may come back, with a new token, to the body and area that own its cases; to nobody else. What a client
# that is no authority says counts as its recipient's, so that stays once it has said something.
_ADD: Final = text("""
    INSERT INTO client (name, body, area, recipient, token_sha256, created_at)
    VALUES (:name, :body, :area, :recipient, :token_sha256, :now)
    ON CONFLICT (name) DO UPDATE
        SET token_sha256 = excluded.token_sha256, revoked_at = NULL, recipient = excluded.recipient
        WHERE client.revoked_at IS NOT NULL AND client.body = excluded.body AND client.area = excluded.area
            AND (client.body = 'local_authority' OR client.recipient IS NOT DISTINCT FROM excluded.recipient
                OR NOT EXISTS (SELECT FROM submission AS s WHERE s.client = client.name))
    RETURNING name
""")
_REVOKE: Final = text("UPDATE client SET revoked_at = :now WHERE name = :name AND revoked_at IS NULL RETURNING name")


async def by_token(connection: AsyncConnection, digests: Collection[bytes]) -> dict[bytes, Client]:
    """Return the clients that these tokens belong to, by the tokens' SHA-256; those that were revoked are left out."""
    rows = await connection.execute(_BY_TOKEN, {"digests": list(digests)})
    return {digest: Client(*columns) for digest, *columns in rows}


async def by_name(connection: AsyncConnection, names: Collection[str], *, revoked: bool = False) -> dict[str, Client]:
    """Return those of these clients that are registered; those that were revoked only if asked for."""
    if not names:
        return {}
    rows = await connection.execute(_BY_NAME, {"names": list(names), "revoked": revoked})
    return {row.name: Client(**row._mapping) for row in rows}  # noqa: SLF001 - SQLAlchemy's public name for it


async def everyone(connection: AsyncConnection) -> list[Client]:
    """Return every client there ever was, by name."""
    return [Client(**row._mapping) for row in await connection.execute(_ALL)]  # noqa: SLF001


async def add(connection: AsyncConnection, client: Client, token_sha256: bytes) -> bool:
    """Register a client; false if its name is taken."""
    values = {
        "name": client.name,
        "body": client.body,
        "area": client.area,
        "recipient": client.recipient,
        "token_sha256": token_sha256,
        "now": client.created_at,
    }
    return (await connection.execute(_ADD, values)).first() is not None


async def revoke(connection: AsyncConnection, name: str, now: datetime) -> bool:
    """Revoke a client at once; false if there is none."""
    return (await connection.execute(_REVOKE, {"name": name, "now": now})).first() is not None
