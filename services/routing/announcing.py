"""Announces each release of the rulebook once, so that it stands in the log, and finds one that has become another."""

from __future__ import annotations

from typing import Final

import structlog
from sqlalchemy import text

from schemas import topics
from schemas.decisions import RulebookReleased, RulebookReleasedData
from schemas.identity import derived_event_id
from services.kit.database import Database
from services.kit.transaction import Transaction
from services.routing.domain.rulebook.release import Release
from services.routing.laws import Laws
from services.routing.outcome.gathered import SOURCE

_TAKE: Final = text("""
    INSERT INTO routing.rulebook_release (version, sha256, record_sha256, taken_at)
    VALUES (:version, :sha256, :record_sha256, :taken_at) ON CONFLICT DO NOTHING RETURNING version
""")
_TAKEN: Final = text("SELECT sha256 FROM routing.rulebook_release WHERE version = :version")
_log = structlog.get_logger("services.routing.announcing")


class Announcer:
    """Keeps which releases were taken, in the database that all processes share. `step` is for a supervised loop."""

    def __init__(self, database: Database, laws: Laws) -> None:
        self._database = database
        self._laws = laws
        self._done: set[str] = set()
        self._other: str | None = None

    async def step(self) -> None:
        """Look for releases, and announce those that nobody has announced."""
        await self._laws.look()
        new = [release for release in self._laws.releases if release.version not in self._done]
        if not new:
            return
        async with self._database.begin() as tx:
            for release in new:
                await self._take(release, tx)
        self._done |= {release.version for release in new}

    async def _take(self, release: Release, tx: Transaction) -> None:
        row = {
            "version": release.version,
            "sha256": release.sha256,
            "record_sha256": release.record_sha256,
            "taken_at": tx.now,
        }
        if (await tx.connection.execute(_TAKE, row)).first() is None:
            taken = (await tx.connection.execute(_TAKEN, {"version": release.version})).scalar_one()
            if taken != release.sha256:
                self._other = f"rulebook {release.version} is another than the one that was taken: put its files back"
                _log.critical("rulebook.refused", rulebook=release.version, reason=self._other)
            return
        message = RulebookReleased(
            id=derived_event_id("rulebook.released", release.version, release.sha256),
            source=SOURCE,
            time=tx.now,
            recorded_at=tx.now,
            data=RulebookReleasedData(
                rulebook=self._laws.of(release.version).rulebook,
                supersedes=release.supersedes[0] if release.supersedes else None,
                released_at=release.released_at,
                record_sha256=release.record_sha256,
            ),
        )
        tx.emit(topics.DECISIONS, message)
        _log.info("rulebook.announced", rulebook=release.version)

    async def unready(self) -> str | None:
        """Return why cases are not, or must not be, decided by the files that are there, or nothing."""
        return self._other or self._laws.refused
