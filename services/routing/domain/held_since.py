"""Since when a local review is held, which no event states: it follows from the decisions about it as they are now. Pure.

So a decision, or its day, that is put right is as if it had been told so at once, and what was kept before anybody asked counts, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Final

from services.routing.domain.statements import Fact

HELD_SINCE: Final = "review.held_since"
_DECISION: Final = "review.decision"
_DECIDED_ON: Final = "review.decided_on"


def add_held_since(stated: dict[tuple[str, str], list[Fact]], incident: str, now: Callable[[Fact], Fact]) -> None:
    """Say of each decision to hold a review that it is held since that day, and of each against it that it is held no longer.

    Args:
        stated: What was first stated, by fact and owner.
        incident: The owner of what is about the incident.
        now: Gives what has become of a statement.
    """
    decisions = [(each, now(each)) for each in stated.get((_DECISION, incident), ())]
    if not decisions:
        return
    said = ((each.event_id, now(each).value) for each in stated.get((_DECIDED_ON, incident), ()))
    days = {event: on for event, on in said if isinstance(on, date)}
    stated[HELD_SINCE, incident] = [
        replace(each, name=HELD_SINCE, value=days[each.event_id] if decision.value == "proceed" else None)
        for each, decision in decisions
        if decision.value is not None and (decision.value != "proceed" or each.event_id in days)
    ]
