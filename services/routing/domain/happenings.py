"""What has happened that may end a duty: references recorded, notices accepted, outcomes given.

A happening ends a duty only if the rule's `stops when` names its type; a recipient's 2xx is none of these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

InPlaceOf = Callable[[str], str]
"""Gives the body that stands in the place of another: see `FactBase.in_place_of`."""
BECAME_AWARE: Final = "la.became_aware"
"""Read from the `aware_on` fact of the authority that is told, so that a correction of the fact undoes it."""

STOPPING_EVENTS: Final[Mapping[str, str]] = {
    BECAME_AWARE: "the authority is aware",
    "scsi.notification.submitted": "the Panel's reference is recorded",
    "lac_death.notified": "the notification system's reference is recorded",
    "care_leaver_death.notified": "the notification system's reference is recorded",
    "delivery.acknowledged": "a named person has accepted it",
    "not_appropriate.recorded": "recorded as not appropriate",
    "cross_partnership.outcome": "the outcome is recorded",
}
"""Types of event (without their version) that can end a duty, and the reason that is then given."""


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one obligation in a case, the same whatever its facts' values: see `schemas.identity.obligation_id`."""

    rule: str
    position: int
    duty_holder: str
    subject: str
    anchor: str

    def passed_on(self, in_place_of: InPlaceOf) -> Slot:
        """Return the place with the body that holds the duty now, and whose own day it is judged on: mostly it is this one itself."""
        holder = in_place_of(self.duty_holder)
        fact, of, owner = self.anchor.rpartition(" of ")
        anchor = f"{fact}{of}{in_place_of(owner)}"
        return replace(self, duty_holder=holder, anchor=anchor)


@dataclass(frozen=True, slots=True)
class Happening:
    """One event that may end duties.

    With a `slot` it is about that obligation alone; without one, about every obligation that its `source` owes for its
    `subject` (`incident`: for all subjects). With a `recipient` it ends the duty towards that recipient alone.
    """

    event: str
    source: str
    subject: str
    occurred_at: datetime
    recorded_at: datetime
    event_id: UUID
    slot: Slot | None = None
    recipient: str | None = None
