"""The laws that this process decides by, one for each version of the rulebook that counts, side by side.

A new case takes the newest; every other case keeps the version that it was decided by. A release is taken while the process
runs: the folder is looked at now and then, and all versions are changed for the new ones at once, or, if a file is
refused, not at all.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from schemas.calendar import Calendar
from schemas.vocabulary import Vocabulary
from services.routing.domain.register import Register
from services.routing.domain.rulebook.model import numbers
from services.routing.domain.rulebook.release import SUFFIX, Release
from services.routing.law import FOLDER, Law, Materials, counting, no_such_rulebook
from services.routing.missing import NoSuchRulebook

RETRY_S: Final = 5.0
"""How long after a refusal the folder is read again: the record of a release may arrive before its files."""
_log = structlog.get_logger("services.routing.laws")


@dataclass(frozen=True, slots=True)
class Held:
    """A law with the release that it rests on; None of the first version, which counts without."""

    law: Law
    release: Release | None


class Laws:
    """Every law by its version. `newest` is that of a new case; register, calendar and vocabulary are the same in all."""

    def __init__(self, held: Sequence[Held], newest: str | None = None) -> None:
        """Hold laws.

        Args:
            held: The oldest first, at least one.
            newest: Version that a new case takes; by default the last.

        Raises:
            NoSuchRulebook: There is none of that version.
        """
        self._wanted: Final = newest
        self.after_change: Final[list[Callable[[], None]]] = []
        self.refused: str | None = None
        """Why a release that is there is not taken, while it is not."""
        self._take(held)

    def _take(self, held: Sequence[Held]) -> None:
        found = {each.law.rulebook.version: each for each in held}
        self.newest = held[-1].law if self._wanted is None else _law_of(self._wanted, found)
        self._held = found

    @property
    def vocabulary(self) -> Vocabulary:
        """Return the facts that there are."""
        return self.newest.vocabulary

    @property
    def register(self) -> Register:
        """Return who exists, and which areas they serve."""
        return self.newest.register

    @property
    def calendar(self) -> Calendar:
        """Return England's working days."""
        return self.newest.calendar

    @property
    def all(self) -> tuple[Law, ...]:
        """Return every law, the oldest first."""
        return tuple(each.law for each in self._held.values())

    @property
    def releases(self) -> tuple[Release, ...]:
        """Return every release, the oldest first."""
        return tuple(each.release for each in self._held.values() if each.release)

    def of(self, version: str) -> Law:
        """Return the law of a version.

        Raises:
            NoSuchRulebook: It is not one that counts here.
        """
        return _law_of(version, self._held)

    def of_case(self, versions: Collection[str]) -> Law:
        """Return the law that a case is decided by.

        Args:
            versions: By which the case, and those linked to it, were decided last. Linked cases are decided together: by
                the newest of theirs. If none was decided yet, it is the newest of all.

        Raises:
            NoSuchRulebook: It is not one that counts here.
        """
        return self.of(max(versions, key=numbers)) if versions else self.newest

    async def look(self) -> None:
        """Take what was released since the last look. To be called where nothing is half decided."""


def _law_of(version: str, held: Mapping[str, Held]) -> Law:
    if version not in held:
        raise NoSuchRulebook(f"rulebook {version} is not released; versions that count: {', '.join(held)}")
    return held[version].law


class FolderOfLaws(Laws):
    """The laws of a folder, read again when a release is written there."""

    def __init__(self, folder: Path = FOLDER, newest: str | None = None, retry_s: float = RETRY_S) -> None:
        """Read the folder.

        Raises:
            RulebookRefused: A file cannot be used, or was changed after it was released.
            NoSuchRulebook: There is no rulebook, or none of the version that new cases are to take.
        """
        self._folder: Final = folder
        self._materials: Final = Materials(folder)  # a register that was changed counts from the next start on
        self._looking: Final = asyncio.Lock()
        self._retry_s: Final = retry_s
        self._not_before = 0.0  # monotonic
        self._seen = self._records()
        super().__init__(self._read({}), newest)

    async def look(self) -> None:
        """Take what was released since the last look; what is refused changes nothing, and is read again until it is taken."""
        async with self._looking:
            try:
                records = self._records()
            except OSError:  # a record is just being taken away, or the disk is: the next look will tell
                return
            if records == self._seen:
                self.refused = None
            elif time.monotonic() >= self._not_before:
                await self._read_again(records)

    async def _read_again(self, records: frozenset[tuple[str, int, int]]) -> None:
        known = {each.law.rulebook.sha256: each.law for each in self._held.values() if each.release}
        try:
            self._take(await asyncio.to_thread(self._read, known))
        except Exception as refused:  # noqa: BLE001 - also no memory to read it: a case can be decided by the laws in hand
            self._not_before = time.monotonic() + self._retry_s
            if (reason := str(refused) or type(refused).__name__) != self.refused:
                self.refused = reason
                _log.error("rulebook.refused", reason=self.refused)  # nothing of a case stands in a rulebook
            return
        self._seen, self.refused = records, None
        for tell in self.after_change:
            tell()
        _log.info("rulebook.taken", rulebook=self.newest.rulebook.version)

    def _records(self) -> frozenset[tuple[str, int, int]]:
        """Return what tells one state of the folder from another: a record is written last, and whole."""
        records = ((path.name, path.stat()) for path in (self._folder / "england").glob(f"*{SUFFIX}"))
        return frozenset((name, stat.st_mtime_ns, stat.st_size) for name, stat in records)

    def _read(self, known: dict[str, Law]) -> list[Held]:
        versions = counting(self._folder)
        if not versions:
            raise no_such_rulebook(None, self._folder)
        return [Held(known.get(each.sha256) or self._materials.law(each), each.release) for each in versions]
