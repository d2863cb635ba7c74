"""Decides cases again without any event: for what changes by itself, such as who exists and which days are worked."""

from __future__ import annotations

from collections.abc import Iterable

from services.kit.database import Database
from services.routing.missing import NoSuchRulebook
from services.routing.service import RoutingService


async def decide_again(
    database: Database, service: RoutingService, linked: Iterable[tuple[str, ...]], because: str
) -> int:
    """Decide each set of linked cases in a transaction of its own; return in how many that changed anything.

    Args:
        database: Routing's.
        service: Decides.
        linked: Cases that are linked with each other, each set once.
        because: What can have moved a due date; whoever was told the old one reads it.
    """
    changed = 0
    for keys in linked:
        async with database.begin() as tx:
            await tx.lock_cases(keys)
            try:
                changed += await service.decide_again(keys, tx, because)
            except NoSuchRulebook:
                continue  # a process that has the version decides it
    return changed
