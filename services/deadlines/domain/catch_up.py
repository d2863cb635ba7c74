"""Which of the timers that are due fire, so that nothing is dropped and nobody is flooded.

After an outage, a clock move or a late opening, several rungs of one duty are due at once: only the highest fires, the
others are marked superseded. Where more than a set number of duties of one holder in one partnership come near together, one digest
stands for their warnings; what is due today or breached is always told by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.deadlines.domain.ladder import Rung


@dataclass(frozen=True, slots=True)
class DueRung:
    """A rung that is due, with what is needed to sort it."""

    rung_id: int
    duty_id: UUID
    partnership: str
    duty_holder: str
    rung: Rung


@dataclass(frozen=True, slots=True)
class Plan:
    """What one pass does: `fire` has one rung per duty, in due order; every other due rung is in `superseded`.

    `digests` maps a partnership and a duty holder to the fired rungs that their one digest alert stands for.
    """

    fire: tuple[DueRung, ...]
    superseded: tuple[DueRung, ...]
    digests: Mapping[tuple[str, str], tuple[DueRung, ...]]


def plan(due: Sequence[DueRung], *, digest_over: int, urgent: Callable[[DueRung], bool]) -> Plan:
    """Sort the due rungs.

    Args:
        due: All due rungs of the duties concerned, of their present generation.
        digest_over: More than this many warnings of one duty holder in one partnership at once become one digest.
        urgent: Says whether a rung must be told by itself: a breach, or a duty due today.
    """
    ordered = sorted(due, key=lambda item: (item.rung.due_at, item.rung_id))
    highest = {item.duty_id: item for item in ordered}  # a later rung takes the place of an earlier one
    fire = tuple(item for item in ordered if highest[item.duty_id] is item)
    superseded = tuple(item for item in ordered if highest[item.duty_id] is not item)
    warnings: dict[tuple[str, str], list[DueRung]] = defaultdict(list)
    for item in fire:
        if not urgent(item):
            warnings[item.partnership, item.duty_holder].append(item)
    digests = {of: tuple(items) for of, items in warnings.items() if len(items) > digest_over}
    return Plan(fire, superseded, digests)
