"""Decides cases again without any event: for what changes by itself, such as who exists and which days are worked."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from itertools import islice
from typing import Final

import structlog

from services.kit.database import Database
from services.kit.errors import is_infrastructure, summary
from services.kit.logging import where
from services.routing.missing import NoSuchRulebook
from services.routing.service import RoutingService
from services.routing.store import loading

AT_A_STEP: Final = 20
"""Cases in one step of a loop, which has to be short: each is decided, with those linked to it, in a transaction of its own."""
_log = structlog.get_logger("services.routing.deciding_again")


class Again:
    """The cases that are to be decided again, each with those linked to it; what cannot be decided holds up none of the others."""

    def __init__(self, database: Database, service: RoutingService) -> None:
        self._database = database
        self._service = service
        self._left: deque[str] = deque()
        self._failed: list[str] = []
        self._because = ""

    def begin(self, cases: Collection[str], because: str) -> None:
        """Take these cases before any that are left.

        Args:
            cases: Their keys; of linked ones any.
            because: What can have moved a due date; whoever was told the old one reads it.
        """
        self._left = deque(dict.fromkeys([*cases, *self._left]))
        self._because = because

    @property
    def left(self) -> bool:
        """Whether there are any more."""
        return bool(self._left)

    async def go_on(self) -> int:
        """Decide the next few sets; return in how many that changed anything.

        Raises:
            RuntimeError: Some could not be decided. Said once all the others are; they are tried again at the next call.
        """
        changed, cases = 0, list(islice(self._left, AT_A_STEP))
        async with self._database.connect() as connection:
            sets = await loading.linked_sets(connection, cases) if cases else []
        for keys in sets:
            try:
                changed += await self._decide(keys)
            except Exception as error:
                if is_infrastructure(error):
                    raise
                self._failed.append(keys[0])
                _log.error("cases.not_decided", case_key=keys[0], error=summary(error), where=where(error))
        for _ in cases:
            self._left.popleft()
        if not self._left and self._failed:
            self._left, self._failed = deque(dict.fromkeys(self._failed)), []
            raise RuntimeError(f"{len(self._left)} sets of linked cases could not be decided again")
        return changed

    async def _decide(self, keys: tuple[str, ...]) -> bool:
        async with self._database.begin() as tx:
            await tx.lock_cases(keys)
            try:
                return await self._service.decide_again(keys, tx, self._because)
            except NoSuchRulebook:
                return False  # a process that has the version decides it
