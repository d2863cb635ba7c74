"""What messages of routing change about how far an event has come: the last said about each thing counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from schemas import decisions, deliveries
from schemas.envelope import Envelope

LASTING: Final = ("superseded", "accepted", "withdrawn")
"""States of a notice that nothing said later undoes, but for a later one of these."""
_STATES: Final[Mapping[type[deliveries.NoticeData], str]] = {
    deliveries.NoticeDeliveredData: "delivered",
    deliveries.NoticeAcceptedData: "accepted",
    deliveries.NoticeWithdrawnData: "withdrawn",
    deliveries.NoticeSupersededData: "superseded",
}


@dataclass(slots=True)
class Changes:
    """What a batch of messages changes, the last said about each thing."""

    decided: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    opened: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    redated: dict[UUID, date | None] = field(default_factory=dict)
    asked: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    answered: set[UUID] = field(default_factory=set)
    notices: dict[UUID, dict[str, Any]] = field(default_factory=dict)


def fold(messages: Sequence[Envelope]) -> Changes:
    """Return what these messages change, in their order."""
    changes = Changes()
    for message in messages:
        match message:
            case decisions.CaseDecided(data=data):
                book = f"{data.rulebook.id} {data.rulebook.version}"
                row = {"at": message.recorded_at, "revision": data.revision, "rulebook": book}
                changes.decided |= {
                    each: {**row, "answers_nothing": each in data.answers_nothing} for each in data.event_ids
                }
            case decisions.ObligationOpened(data=data):
                changes.redated.pop(data.obligation_id, None)  # opened again, with a date of its own
                changes.opened[data.obligation_id] = {
                    "case_key": message.case_key,
                    "cause": message.causation_id,
                    "duty_holder": data.duty_holder,
                    "due_on": data.due_on,
                }
            case decisions.ObligationRedated(data=data):
                changes.redated[data.obligation_id] = data.due_on
            case decisions.QuestionOpened(data=data):
                changes.answered.discard(data.question_id)
                changes.asked[data.question_id] = {
                    "case_key": message.case_key,
                    "cause": message.causation_id,
                    "fact": data.fact,
                    "of_whom": data.of_whom,
                    "ask": data.ask,
                    "due_on": data.due_on,
                }
            case decisions.QuestionClosed(data=data):
                changes.asked.pop(data.question_id, None)
                changes.answered.add(data.question_id)
            case _ if isinstance(message.data, deliveries.NoticeData):  # type: ignore[attr-defined] # every message has data
                _fold_notice(changes, message, message.data)  # type: ignore[attr-defined]
            case _:
                pass
    return changes


def _fold_notice(changes: Changes, message: Envelope, data: deliveries.NoticeData) -> None:
    before, state = changes.notices.get(data.notice_id, {}), _state(data)
    if not _follows(state, before.get("state")):
        before["reference"] = getattr(data, "reference", None) or before["reference"]
        return
    changes.notices[data.notice_id] = {
        "obligation": data.obligation_id,
        "case_key": message.case_key,
        "rule": data.rule,
        "recipient": data.recipient,
        "state": state,
        "reference": getattr(data, "reference", None) or before.get("reference"),
        "superseded_by": getattr(data, "by", None) or before.get("superseded_by"),
        "at": message.time,
    }


def _follows(state: str, before: str | None) -> bool:
    """Say whether a state counts after another: each of `LASTING` is ended only by one that stands after it.

    What was on its way when a notice was withdrawn, accepted or superseded is told of later.
    """
    return before not in LASTING or LASTING.index(before) < _place(state)


def _place(state: str) -> int:
    return LASTING.index(state) if state in LASTING else -1


def _state(data: deliveries.NoticeData) -> str:
    match data:
        case deliveries.NoticeOwedData(released=False):
            return "awaiting_release"
        case deliveries.NoticeAttemptedData(outcome=outcome):
            return "sending" if outcome == "failed" else "refused"
        case _:
            return _STATES.get(type(data), "owed")
