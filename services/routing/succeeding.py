"""Passes on what is open when a body ends: without any event, whoever stands in its place is told, asked, and owes its duties."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import structlog

from schemas.calendar import london_date
from services.kit.database import Database, legal_now
from services.routing.deciding_again import Again
from services.routing.laws import Laws
from services.routing.outcome.gathered import CORRECTED
from services.routing.service import RoutingService
from services.routing.store import loading

AGAIN_AFTER_S: Final = 3600.0
"""How long after a look what was decided across a midnight, or by a process with an older register, is found at the latest."""
_log = structlog.get_logger("services.routing.succeeding")


class Succession:
    """Looks for cases with bodies that have ended, and has them decided again. `step` is for a supervised loop."""

    def __init__(self, database: Database, service: RoutingService, laws: Laws) -> None:
        self._database = database
        self._again = Again(database, service)
        self._laws = laws
        self._passed_on: frozenset[str] = frozenset()
        self._successors: Mapping[str, str] = {}
        self._looked_at_s = time.monotonic()

    async def step(self) -> bool:
        """Look once a body has ended since the last look, and now and then; decide a few cases again; say if any are left."""
        await self._look()
        passed_on = await self._again.go_on()
        if passed_on:
            _log.info("cases.passed_on", cases=passed_on)
        return self._again.left

    async def _look(self) -> None:
        async with self._database.connect() as connection:
            today = london_date(await legal_now(connection))
            register = self._laws.register.on(today)
            ended = register.ended
            looked_at_s = time.monotonic()
            if ended == self._passed_on and looked_at_s - self._looked_at_s < AGAIN_AFTER_S:
                return
            back = {heir for body, heir in self._successors.items() if body not in ended}  # the clock was moved back
            cases = await loading.cases_of_ended(connection, ended | back)
        await self._again.begin(cases, CORRECTED)
        self._passed_on, self._successors, self._looked_at_s = ended, register.successors, looked_at_s
