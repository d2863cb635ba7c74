"""From case events to happenings: which events may end a duty, whose word counts, and which duty they are about. Pure.

An acceptance or an outcome counts only from the recipient of the notice; "not appropriate" only from the duty holder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from schemas.case_events import (
    CareLeaverDeathNotified,
    CaseEvent,
    CrossPartnershipOutcome,
    DeliveryAcknowledged,
    LacDeathNotified,
    NotAppropriateRecorded,
    NotificationSubmitted,
    Reporter,
)
from services.routing.domain.facts import INCIDENT, FactBase
from services.routing.domain.happenings import Happening, InPlaceOf
from services.routing.domain.ledger import Known, by_slot
from services.routing.domain.standing import instant

ACKNOWLEDGED: Final = "delivery.acknowledged"


@dataclass(frozen=True, slots=True)
class Told:
    """What an event says that may end duties, as it was told; names a notice or an obligation by its id, or neither."""

    event_id: UUID
    event: str
    source: str
    subject: str
    occurred_at: datetime
    recorded_at: datetime
    notice_id: UUID | None = None
    obligation_id: UUID | None = None


def told_by(event: CaseEvent) -> Told | None:
    """Return what an event says that may end duties, or None."""
    match event:
        case NotificationSubmitted(data=data):
            return _told(event, data.reporter, data.submitted_at)
        case LacDeathNotified(data=data) | CareLeaverDeathNotified(data=data):
            return _told(event, data.reporter, data.notified_at, subject=data.child)
        case DeliveryAcknowledged(data=data):
            return _told(event, data.reporter, data.accepted_at, notice_id=data.notice_id)
        case CrossPartnershipOutcome(data=data):
            return _told(event, data.reporter, data.decided_at, notice_id=data.notice_id)
        case NotAppropriateRecorded(data=data):
            return _told(event, data.reporter, event.time, obligation_id=data.obligation_id)
        case _:
            return None


def _told(
    event: CaseEvent,
    reporter: Reporter,
    occurred_at: datetime,
    *,
    subject: str = INCIDENT,
    notice_id: UUID | None = None,
    obligation_id: UUID | None = None,
) -> Told:
    return Told(
        event_id=event.id,
        event=event.type.rpartition(".")[0],
        source=reporter.source,
        subject=subject,
        occurred_at=occurred_at,
        recorded_at=event.recorded_at,
        notice_id=notice_id,
        obligation_id=obligation_id,
    )


def happenings(told: Mapping[UUID, Told], known: Known, facts: FactBase) -> list[Happening]:
    """Return what counts of all that was told, each about its duty, in a fixed order.

    What an ended body did, or was told, counts for the one in its place, as the `facts` have it. What was said of a notice that
    is withdrawn counts for nothing: its recipient's last word from us is that it need do nothing. It does where the notice was
    withdrawn because linked cases had the duty twice: the older duty stands. What was notified in the national system was notified
    on the day that its fact has now, and not at all once that is withdrawn.
    """
    in_place_of = facts.in_place_of
    standing, _ = by_slot(known.obligations, in_place_of)
    notices = {notice.notice_id: notice for notice in known.notices}
    unfounded = answers_nothing(told, known, in_place_of)
    slots = {each.obligation_id: each.slot.passed_on(in_place_of) for each in known.obligations}
    notified = facts.notified()
    found = []
    for each in sorted(told.values(), key=lambda one: (one.occurred_at, one.event_id)):
        if each.event_id in unfounded:
            continue
        slot, recipient, source, at = None, None, in_place_of(each.source), each.occurred_at
        if each.event_id in notified:
            on = notified[each.event_id].value
            if not isinstance(on, date):
                continue
            at = instant(on, at)
        if each.notice_id is not None:
            notice = notices[each.notice_id]
            slot, recipient = slots[notice.obligation_id], source
            if notice.state == "withdrawn" and standing[slot].obligation_id == notice.obligation_id:
                continue
        elif each.obligation_id is not None:
            slot = slots[each.obligation_id]
        found.append(
            Happening(
                event=each.event,
                source=source,
                subject=each.subject,
                occurred_at=at,
                recorded_at=each.recorded_at,
                event_id=each.event_id,
                slot=slot,
                recipient=recipient,
            )
        )
    return found


def answers_nothing(told: Mapping[UUID, Told], known: Known, in_place_of: InPlaceOf) -> frozenset[UUID]:
    """Return the events that answer a notice or a duty that there is none of, or none of their sender's."""
    recipients = {notice.notice_id: notice.recipient for notice in known.notices}
    holders = {each.obligation_id: each.slot.duty_holder for each in known.obligations}
    found = set()
    for each in told.values():
        if each.notice_id is not None:
            whose = recipients.get(each.notice_id)
        elif each.obligation_id is not None:
            whose = holders.get(each.obligation_id)
        else:
            continue
        if whose is None or in_place_of(whose) != in_place_of(each.source):
            found.add(each.event_id)
    return frozenset(found)


def acceptances(told: Mapping[UUID, Told], known: Known, in_place_of: InPlaceOf) -> list[tuple[UUID, UUID]]:
    """Return (notice, event) for each notice that its recipient, or the body in its place, has newly accepted."""
    notices = {notice.notice_id: notice for notice in known.notices if notice.state not in {"accepted", "withdrawn"}}
    found: dict[UUID, UUID] = {}
    for each in sorted(told.values(), key=lambda one: (one.occurred_at, one.event_id)):
        notice = notices.get(each.notice_id) if each.notice_id else None
        if each.event != ACKNOWLEDGED or notice is None:
            continue
        if in_place_of(each.source) == in_place_of(notice.recipient):
            found.setdefault(notice.notice_id, each.event_id)
    return list(found.items())
