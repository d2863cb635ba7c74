"""Decides cases again without any event: for what changes by itself, such as who exists and which days are worked."""

from __future__ import annotations

from collections.abc import Collection

from services.kit.database import Database
from services.routing.missing import NoSuchRulebook
from services.routing.service import RoutingService
from services.routing.store import loading


async def decide_again(database: Database, service: RoutingService, cases: Collection[str], because: str) -> int:
    """Decide cases, with those linked to them, in a transaction for each set; return in how many sets that changed anything.

    Args:
        database: Routing's.
        service: Decides.
        cases: Keys of cases; of linked ones any.
        because: What can have moved a due date; whoever was told the old one reads it.
    """
    async with database.connect() as connection:
        linked = await loading.linked_sets(connection, cases)
    changed = 0
    for keys in linked:
        async with database.begin() as tx:
            await tx.lock_cases(keys)
            try:
                changed += await service.decide_again(keys, tx, because)
            except NoSuchRulebook:
                continue  # a process that has the version decides it
    return changed
