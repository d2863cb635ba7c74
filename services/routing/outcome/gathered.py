"""Rows and messages as they are gathered from the changes that one decision makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from schemas import decisions as say
from schemas import topics
from schemas.calendar import end_of_day
from schemas.envelope import Envelope, Model
from schemas.identity import derived_event_id
from services.routing.domain.decide import Obligation

SOURCE: Final = "/handrail/routing"
CORRECTED: Final = "a fact was added or corrected"
Row = dict[str, Any]
_Message = TypeVar("_Message", bound=Envelope)


@dataclass(frozen=True, slots=True)
class Occasion:
    """When, why and by which rulebook a set of linked cases was decided.

    `case_keys`: all of the set, sorted. `reporters`: the clients that reported each of them, sorted. `because`: what can have
    given a duty another date.
    """

    now: datetime
    case_keys: tuple[str, ...]
    reporters: Mapping[str, tuple[str, ...]]
    revisions: dict[str, int]
    event_ids: tuple[UUID, ...]
    causation_id: UUID | None
    rulebook: say.RulebookRef
    calendar: str
    partnership: str | None
    name_of: Callable[[str], str]
    because: str = CORRECTED

    def message(self, kind: type[_Message], about: object, case_key: str, data: Model) -> _Message:
        """Return a message of this decision; `about` tells it from others of its kind."""
        return kind(
            id=message_id(kind, about, self.case_keys, self.revisions),
            source=SOURCE,
            time=self.now,
            recorded_at=self.now,
            case_key=case_key,
            partnership=self.partnership,
            causation_id=self.causation_id,
            data=data,  # type: ignore[call-arg]  # every message class has it
        )


def message_id(kind: type[Envelope], about: object, case_keys: Sequence[str], revisions: Mapping[str, int]) -> UUID:
    """Return the id of a message of the decision of linked cases that has these revisions."""
    return derived_event_id(kind.__name__, about, f"{case_keys[0]} {revisions[case_keys[0]]}")


def granted_cases(case_key: str, case_keys: Sequence[str]) -> list[str]:
    """Return the cases of which a notice about one of them gives the content: that one first, then those linked with it."""
    return [case_key, *(key for key in case_keys if key != case_key)]


@dataclass
class Gathered:
    """Rows by what is done with them, and messages with their topics, in order.

    Ids of messages are derived from the decision, so that a decision that is made again publishes nothing new.
    """

    obligations: list[Row] = field(default_factory=list)  # as they now stand, whole
    obligation_states: list[Row] = field(default_factory=list)  # state and reason alone
    obligation_history: list[Row] = field(default_factory=list)
    questions: list[Row] = field(default_factory=list)
    question_states: list[Row] = field(default_factory=list)
    deliveries: list[Row] = field(default_factory=list)  # new ones
    delivery_states: list[Row] = field(default_factory=list)
    delivery_dates: list[Row] = field(default_factory=list)
    delivery_cases: list[Row] = field(default_factory=list)
    delivery_history: list[Row] = field(default_factory=list)
    decisions: list[Row] = field(default_factory=list)
    migrations: list[Row] = field(default_factory=list)
    messages: list[tuple[str, Envelope]] = field(default_factory=list)
    rulebooks: dict[str, str] = field(default_factory=dict)  # that decided: text by digest
    told_before: set[str] = field(default_factory=set)  # cases about which there are notices already

    def obligation_state(
        self,
        identity: UUID,
        state: str,
        reason: str,
        now: datetime,
        obligation: Obligation | None,
        by: UUID | None = None,
        met_on: date | None = None,
    ) -> None:
        """Keep that an obligation has another state."""
        row = {"obligation_id": identity, "state": state, "reason": reason, "superseded_by": by, "met_on": met_on}
        self.obligation_states.append(row)
        self.remember(identity, state, reason, now, obligation)

    def remember(
        self, identity: UUID, state: str, reason: str | None, now: datetime, obligation: Obligation | None
    ) -> None:
        """Keep when an obligation became what it is."""
        self.obligation_history.append(
            {
                "obligation_id": identity,
                "changed_at": now,
                "state": state,
                "released": obligation.released if obligation else False,
                "due_on": obligation.dates.due_on if obligation else None,
                "reason": reason,
            }
        )

    def delivery_state(
        self,
        identity: UUID,
        state: str,
        now: datetime,
        *,
        reason: str | None = None,
        due_since: datetime | None = None,
        next_at: datetime | None = None,
    ) -> None:
        """Keep that a delivery has another state."""
        row = {
            "delivery_id": identity,
            "state": state,
            "reason": reason,
            "due_since": due_since,
            "next_at": next_at,
            "changed_at": now,
        }
        self.delivery_states.append(row)
        self.remember_delivery(identity, state, now, reason)

    def delivery_due(self, obligation: UUID, due_on: date | None) -> None:
        """Keep the date by which the notices of an obligation are due."""
        due_by = end_of_day(due_on) if due_on else None
        self.delivery_dates.append({"obligation_id": obligation, "due_on": due_on, "due_by": due_by})

    def delivery_linked(self, case_keys: Sequence[str]) -> None:
        """Keep of which linked cases the notices about each of them give the content."""
        for key in case_keys:
            self.delivery_cases.append({"case_key": key, "case_keys": granted_cases(key, case_keys)})

    def remember_delivery(self, delivery: UUID, state: str, now: datetime, reason: str | None = None) -> None:
        """Keep when a delivery became what it is."""
        self.delivery_history.append({"delivery_id": delivery, "at": now, "state": state, "reason": reason})

    def say(self, message: Envelope) -> None:
        """Publish a decision."""
        self.messages.append((topics.DECISIONS, message))

    def tell(self, message: Envelope) -> None:
        """Publish what becomes of a notice."""
        self.messages.append((topics.DELIVERIES, message))


@dataclass(frozen=True, slots=True)
class Standing:
    """What is open after a decision, sorted."""

    obligations: tuple[UUID, ...]
    questions: tuple[UUID, ...]
