"""From the answer to an attempt to the row's next state, its history and the message that is published. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from schemas import deliveries as tell
from schemas.envelope import Envelope
from schemas.identity import derived_event_id
from services.routing.dispatch.rows import Claimed, Settled
from services.routing.dispatch.schedule import DELAYS_S, FINAL_STATUSES_TO, Failure, after_failure
from services.routing.dispatch.sender import Answer

SOURCE: Final = "/handrail/routing"
NO_ADDRESS: Final = "no address is registered for this recipient"
NOT_TRIED_AGAIN: Final = "it is not tried again until a person says so"
SENT_ONCE_ADDRESSED: Final = "it is sent once there is one"
WAITS_PAST_DUE: Final = "the next try comes only after it is due; it is still being tried"
WITHDRAWAL_TAKEN: Final = "the recipient has taken the withdrawal"
STILL_TRYING: Final = "half of the time until it is due is gone; it is still being tried"
OVERDUE: Final = "it is overdue; it is still being tried"
TRIED_FOR_A_DAY: Final = "it has been tried for a day; it is still being tried"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try and its answer. With an `objection` nothing was sent."""

    claimed: Claimed
    answer: Answer
    objection: str | None = None


def settle(attempt: Attempt, now: datetime, jitter: float, delays_s: tuple[float, ...] = DELAYS_S) -> Settled:
    """Return what an attempt leads to; `now` by the legal clock, `jitter` a draw from [0, 1)."""
    claimed, answer = attempt.claimed, attempt.answer
    if attempt.objection is not None:
        return Settled(claimed, "refused", reason=not_sent(attempt.objection), person_told=True)
    if answer.taken:
        return Settled(claimed, "delivered", reference=answer.reference, maybe_arrived=True)
    # Of what came to wait behind it the recipient has not been asked yet: to come back later was about what it was sent.
    retry_after_s = None if claimed.hurried else answer.retry_after_s
    decision = after_failure(
        Failure(claimed.nth, answer.http_status, retry_after_s),
        now=now,
        due_since=claimed.due_since,
        due_by=claimed.due_by,
        jitter=0.0 if claimed.hurried else jitter,
        delays_s=delays_s,
    )
    return Settled(
        claimed,
        "refused" if decision.next_at is None else "due",
        next_at=decision.next_at,
        reason=answer.problem,
        person_told=decision.person_must_act,
        maybe_arrived=not _turned_away(answer.http_status),
    )


def not_sent(objection: str) -> str:
    """Return the reason of a row that was not sent."""
    return f"not sent: {objection}"


def _turned_away(http_status: int | None) -> bool:
    """Say whether an answer means that nothing was taken: a redirect, or the sender's fault. A gateway's 5xx does not."""
    return http_status is not None and 300 <= http_status <= FINAL_STATUSES_TO  # noqa: PLR2004 - 3xx and 4xx


def may_have_arrived(tried: tell.NoticeAttemptedData) -> bool:
    """Say whether the recipient may have what was tried without a receipt, by what was published of that."""
    return not (_turned_away(tried.http_status) or tried.reason.startswith(not_sent("")))


def about_notice(tried: tell.NoticeAttempted | tell.NoticeDelivered) -> bool:
    """Say whether an attempt was one to send the notice, and not to withdraw it."""
    kind = "delivered" if isinstance(tried, tell.NoticeDelivered) else "attempted"
    return tried.id == _message_id(kind, tried.data.notice_id, tried.data.attempt)


def history(attempt: Attempt, settled: Settled, state: str, now: datetime) -> dict[str, Any]:
    """Return the row that remembers an attempt; `state` is the delivery's after it."""
    return {
        "delivery_id": settled.claimed.delivery_id,
        "at": now,
        "state": state,
        "attempt": settled.claimed.attempt,
        "http_status": attempt.answer.http_status,
        "reference": settled.reference,
        "reason": settled.reason,
    }


def messages(attempt: Attempt, settled: Settled, state: str, now: datetime) -> list[Envelope]:
    """Return what is published of an attempt; `state` is the row's after it.

    Attempts to withdraw a notice are published only when a person must act, as the notice itself is withdrawn already, and
    when one is taken after others failed: a person may have been told of those. A failure to send what was withdrawn,
    superseded, accepted or held back meanwhile is not published, nor is the refusal of what was released again: nobody has
    to act on it.
    """
    claimed = settled.claimed
    about: dict[str, Any] = {
        "notice_id": claimed.notice_id,
        "obligation_id": claimed.obligation_id,
        "rule": claimed.rule,
        "recipient": claimed.recipient,
        "profile": claimed.profile,
        "revision": claimed.revision,
    }
    if settled.reference is not None:
        if claimed.kind != "notice":
            return [_withdrawn(claimed, about, WITHDRAWAL_TAKEN, now)] if claimed.attempt > 1 else []
        delivered = tell.NoticeDeliveredData(**about, attempt=claimed.attempt, reference=settled.reference)
        found: list[Envelope] = [tell.NoticeDelivered(**_envelope("delivered", claimed, now), data=delivered)]
        if state == "withdrawn":
            found.append(_withdrawn(claimed, about, "withdrawn while it was on its way", now))
        return found
    if state != settled.state:
        return []
    act_now = settled.state == "refused" or (settled.person_told and not claimed.person_told)
    if claimed.kind != "notice" and not act_now:
        return []
    reason = settled.reason or "no receipt"
    if act_now:
        reason = f"{reason}; {_why_now(attempt, settled, now)}"
    attempted = tell.NoticeAttemptedData(
        **about,
        of=claimed.kind,
        attempt=claimed.attempt,
        outcome="refused" if act_now else "failed",
        http_status=attempt.answer.http_status,
        reason=reason if claimed.kind == "notice" else f"withdrawal of the notice: {reason}",
    )
    return [tell.NoticeAttempted(**_envelope("attempted", claimed, now), data=attempted)]


def _why_now(attempt: Attempt, settled: Settled, now: datetime) -> str:
    """Say why a person must act, and whether it is still being tried."""
    due_by = settled.claimed.due_by
    if attempt.objection == NO_ADDRESS:
        return SENT_ONCE_ADDRESSED
    if settled.next_at is None:
        return NOT_TRIED_AGAIN
    if due_by is None:
        return TRIED_FOR_A_DAY
    if due_by <= now:
        return OVERDUE
    return WAITS_PAST_DUE if due_by <= settled.next_at else STILL_TRYING


def _withdrawn(claimed: Claimed, about: Mapping[str, Any], reason: str, now: datetime) -> Envelope:
    data = tell.NoticeWithdrawnData(**about, reason=reason, was_delivered=True, taken=claimed.kind == "withdrawal")
    return tell.NoticeWithdrawn(**_envelope("withdrawn", claimed, now), data=data)


def _envelope(kind: str, claimed: Claimed, now: datetime) -> Mapping[str, Any]:
    return {
        "id": _message_id(kind, claimed.delivery_id, claimed.attempt),
        "source": SOURCE,
        "time": now,
        "recorded_at": now,
        "case_key": claimed.case_key,
        "causation_id": None,
    }


def _message_id(kind: str, delivery_id: UUID, attempt: int) -> UUID:
    return derived_event_id(f"notice {kind}", delivery_id, attempt)
