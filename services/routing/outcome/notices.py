"""What changes of notices lead to: delivery rows for the dispatcher, and messages on deliveries."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from schemas import deliveries as tell
from schemas.calendar import end_of_day
from services.routing.domain import ledger
from services.routing.domain.decide import Decision
from services.routing.outcome.gathered import Gathered, Occasion, Row
from services.routing.outcome.published import notice_data, notice_payload, withdrawal_payload


def owed(out: Gathered, change: ledger.Owed, occasion: Occasion, decision: Decision) -> None:
    """A notice is owed."""
    notice, now = change.notice, occasion.now
    due_on = change.obligation.dates.due_on
    out.deliveries.append(
        {
            **_delivery(notice, notice.notice_id, "notice", now),
            "state": notice.state,
            "due_by": end_of_day(due_on) if due_on else None,
            "due_since": now if change.released else None,
            "next_at": now if change.released else None,
            "payload": notice_payload(change, occasion, decision),
        }
    )
    out.remember_delivery(notice.notice_id, notice.state, now)
    corrects = change.corrects.notice_id if change.corrects else None
    data = tell.NoticeOwedData(**notice_data(notice), released=change.released, corrects=corrects)
    out.tell(occasion.message(tell.NoticeOwed, notice.notice_id, notice.case_key, data))


def released(out: Gathered, change: ledger.Released, occasion: Occasion) -> None:
    """A notice may be sent, or must wait again."""
    notice, now = change.notice, occasion.now
    if not change.released:
        out.delivery_state(notice.notice_id, "awaiting_release", now, reason="the decision to notify was undone")
        # Said again, so that intake refuses the content to whoever got the grant meanwhile.
        waits = tell.NoticeOwedData(**notice_data(notice), released=False)
        out.tell(occasion.message(tell.NoticeOwed, notice.notice_id, notice.case_key, waits))
        return
    out.delivery_state(notice.notice_id, "due", now, due_since=now, next_at=now)
    data = tell.NoticeData(**notice_data(notice))
    out.tell(occasion.message(tell.NoticeReleased, notice.notice_id, notice.case_key, data))


def withdrawn(out: Gathered, change: ledger.NoticeWithdrawn, occasion: Occasion) -> None:
    """A notice no longer stands; whoever may have it is told so."""
    notice, now = change.notice, occasion.now
    out.delivery_state(notice.notice_id, "withdrawn", now, reason=change.reason)
    data = tell.NoticeWithdrawnData(**notice_data(notice), reason=change.reason, was_delivered=notice.arrived)
    message = occasion.message(tell.NoticeWithdrawn, notice.notice_id, notice.case_key, data)
    out.tell(message)
    if notice.maybe_arrived and change.tell is not None:
        payload = withdrawal_payload(notice, change.tell, change.reason, now)
        out.deliveries.append(
            {
                **_delivery(notice, message.id, "withdrawal", now),
                "recipient": change.tell,
                "state": "due",
                "due_since": now,
                "next_at": now,
                "payload": payload,
            }
        )
        out.remember_delivery(message.id, "due", now)


def superseded(out: Gathered, change: ledger.NoticeSuperseded, occasion: Occasion) -> None:
    """Another notice takes the place of one, which is sent no more."""
    notice = change.notice
    out.delivery_state(notice.notice_id, "superseded", occasion.now, reason=change.reason)
    data = tell.NoticeSupersededData(**notice_data(notice), reason=change.reason, by=change.by)
    out.tell(occasion.message(tell.NoticeSuperseded, notice.notice_id, notice.case_key, data))


def accepted(out: Gathered, notice: ledger.KnownNotice, event_id: UUID, occasion: Occasion) -> None:
    """Add that a named person accepted a notice."""
    out.delivery_state(notice.notice_id, "accepted", occasion.now)
    data = tell.NoticeAcceptedData(**notice_data(notice), acknowledgement=event_id)
    out.tell(occasion.message(tell.NoticeAccepted, notice.notice_id, notice.case_key, data))


def _delivery(notice: ledger.KnownNotice, identity: UUID, kind: str, now: datetime) -> Row:
    about = {"delivery_id": identity, "kind": kind, "case_key": notice.case_key}
    return {**about, "owed_at": now, "changed_at": now, **notice_data(notice)}
