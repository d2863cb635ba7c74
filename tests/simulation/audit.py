"""Audit as a run has it: the service's own subscription, sequencer and signing loop, over a log in memory."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from random import Random
from typing import Any

from services.audit.handlers import build_router
from services.audit.loops import Loops
from services.audit.publisher import Publisher
from services.audit.service import Sequencer
from services.audit.store import Log
from services.kit.clock import FixedClock
from services.kit.memory import MemoryTransaction
from services.kit.path import Handler
from tests.support.audit import KEY, ORIGIN
from tests.support.audit_memory import MemoryFolder, head_of
from tests.support.kit import NOON


class Audit:
    """What the copies of audit share, and what their signing came to."""

    def __init__(self, log: Log, chance: Random) -> None:
        self.log = log
        self.folder = MemoryFolder()
        self.refusals: list[str] = []
        self.topics: Sequence[str] = ()
        self.handler: Handler
        consume: Any = self
        build_router(Sequencer(ORIGIN, lambda: chance.randbytes(32), log), consume)

    def batches(self, router: Any, *topics: str, group_id: str, raw: bool, rest_s: float) -> Callable[[Handler], None]:
        """Take the service's subscription, in the place of FastStream."""
        del router, group_id, raw, rest_s

        def take(handler: Handler) -> None:
            self.topics, self.handler = topics, handler

        return take

    def signing(self, database: Any) -> Callable[[], Coroutine[Any, Any, None]]:
        """Return the step of a copy's signing loop."""
        loops = Loops(database, Publisher(ORIGIN, KEY, self.folder, self.log), FixedClock(NOON))

        async def step() -> None:
            await loops.sign()
            if refusal := await loops.unready():
                self.refusals.append(refusal)

        return step

    def all_signed(self, tx: MemoryTransaction) -> bool:
        """Say whether the newest checkpoint is of the whole log."""
        head = head_of(tx)
        return head is None or head.size in self.folder.notes
