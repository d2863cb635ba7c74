"""Announces each release of the rulebook once, so that it stands in the log, and finds one that has become another."""

from __future__ import annotations

from typing import Final

import structlog
from sqlalchemy import text

from schemas import topics
from schemas.decisions import RulebookRef, RulebookReleased, RulebookReleasedData
from schemas.identity import derived_event_id
from services.kit.database import Database
from services.kit.transaction import Transaction
from services.routing.domain.rulebook.release import Release
from services.routing.laws import Laws
from services.routing.outcome.gathered import SOURCE
from services.routing.store import texts

_TAKE: Final = text("""
    INSERT INTO routing.rulebook_release (version, sha256, record_sha256, taken_at)
    VALUES (:version, :sha256, :record_sha256, :taken_at) ON CONFLICT DO NOTHING RETURNING version
""")
_TAKEN: Final = text("SELECT sha256 FROM routing.rulebook_release WHERE version = :version")
_FOLDER: Final = "start with HANDRAIL_RULEBOOKS set to the folder that has it"
_LACKING: Final = text("SELECT version FROM routing.rulebook_release WHERE version <> ALL(:held) ORDER BY taken_at")
_log = structlog.get_logger("services.routing.announcing")


class Announcer:
    """Keeps which releases were taken, in the database that all processes share. `step` is for a supervised loop."""

    def __init__(self, database: Database, laws: Laws) -> None:
        self._database = database
        self._laws = laws
        self._done: frozenset[RulebookRef] = frozenset()
        self._other: str | None = None

    async def step(self) -> None:
        """Look for releases, announce those that nobody has announced, and keep the text of every rulebook that counts."""
        await self._laws.look()
        laws, releases = self._laws.all, self._laws.releases
        if (now := frozenset(each.rulebook for each in laws)) == self._done:
            return
        async with self._database.begin() as tx:
            await texts.keep(tx.connection, {each.rulebook.sha256: each.text for each in laws}, tx.now)
            others = [each.version for each in releases if not await self._take(each, tx)]
            lacking = await tx.connection.scalars(_LACKING, {"held": [each.rulebook.version for each in laws]})
        self._done = now
        self._other = None
        reasons = {each: f"rulebook {each} was taken, and is not here: {_FOLDER}" for each in lacking}
        reasons |= {
            each: f"rulebook {each} is another than the one that was taken: put its files back" for each in others
        }
        for version, self._other in reasons.items():
            _log.critical("rulebook.refused", rulebook=version, reason=self._other)

    async def _take(self, release: Release, tx: Transaction) -> bool:
        """Take a release and announce it, unless that was done before; say whether it is the one that was taken."""
        row = {
            "version": release.version,
            "sha256": release.sha256,
            "record_sha256": release.record_sha256,
            "taken_at": tx.now,
        }
        if (await tx.connection.execute(_TAKE, row)).first() is None:
            taken = await tx.connection.execute(_TAKEN, {"version": release.version})
            return bool(taken.scalar_one() == release.sha256)
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
        return True

    async def unready(self) -> str | None:
        """Return why cases are not, or must not be, decided by the files that are there, or nothing."""
        return self._other or self._laws.refused
