"""What deadlines does when routing speaks: keeps each duty as it stands, its timers, and the alerts about notices.

One batch is loaded, folded and saved with a handful of statements. The caller (the kit's consume path) holds the locks
of the cases concerned, so that the firing loop never sees half of a change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from schemas import decisions, deliveries, identity, quarantines, topics
from schemas.calendar import Calendar
from services.deadlines import translate
from services.deadlines.alerting import raise_alerts
from services.deadlines.domain.alert import Alert
from services.deadlines.domain.duty import Duty, rungs, working_days_late
from services.deadlines.domain.words import quarantined_says, refused_says, restored_says, since_then_says
from services.deadlines.store import POSTGRES, Tables
from services.kit.codec import Event
from services.kit.errors import Refused
from services.kit.transaction import Transaction

_OPENINGS: Final = (decisions.ObligationOpened, decisions.QuestionOpened)
_CHANGES: Final = (
    decisions.ObligationRedated,
    decisions.ObligationMet,
    decisions.ObligationWithdrawn,
    decisions.ObligationSuperseded,
    decisions.QuestionClosed,
)


class UnknownDuty(Refused):
    """The message changes a duty that was never opened here: an earlier message is missing."""


class DeadlinesService:
    """Follows the topics `decisions` and `deliveries`."""

    def __init__(self, calendar: Calendar, tables: Tables = POSTGRES) -> None:
        self._calendar = calendar
        self._tables = tables

    async def follow(self, events: Sequence[Event], tx: Transaction) -> None:
        """Bring duties, timers, alerts and the parties to cases up to a batch of both topics, in its order.

        Raises:
            UnknownDuty: A message changes a duty that was never opened.
        """
        await self._tables.parties.add(tx.connection, [event.message for event in events])
        await self._follow_decisions(events, tx)
        await self._follow_deliveries(events, tx)

    async def _follow_decisions(self, events: Sequence[Event], tx: Transaction) -> None:
        """Fold the batch over the duties it is about, and save those that changed."""
        messages = [m for event in events if isinstance(m := event.message, (*_OPENINGS, *_CHANGES))]
        if not messages:
            return
        before = await self._tables.duties.load(tx.connection, {translate.duty_id(message) for message in messages})
        after = dict(before)
        for message in messages:
            known = after.get(translate.duty_id(message))
            duty = after[translate.duty_id(message)] = _applied(message, known, tx.now, self._calendar)
            if duty is not known and duty.state == "met":
                self._announce_met(duty, message.id, tx)
        changed = [duty for key, duty in after.items() if duty is not before.get(key)]
        await self._save(changed, before, tx, met_next=_met_next(messages))

    async def _follow_deliveries(self, events: Sequence[Event], tx: Transaction) -> None:
        """Alert a person about each notice that was refused; close the alert once it has got there, or is not to be sent."""
        ended: dict[str, str] = {}
        for event in events:
            match event.message:
                case deliveries.NoticeAttempted(data=data) as message if data.outcome == "refused":
                    ended.setdefault(_about(data.notice_id, data.of), "a later alert took its place")
                    await self._close(ended, tx)  # an alert that is raised after it stays open
                    await raise_alerts(
                        tx, [_refused(message, tx.now)], causation_id=message.id, table=self._tables.alerts
                    )
                case deliveries.NoticeDelivered(data=data) | deliveries.NoticeAccepted(data=data):
                    ended.setdefault(_about(data.notice_id), "the notice was taken")
                case deliveries.NoticeWithdrawn(data=data):
                    ended.setdefault(_about(data.notice_id), "the notice was withdrawn")
                    if data.taken:
                        ended.setdefault(_about(data.notice_id, "withdrawal"), "the withdrawal was taken")
                case deliveries.NoticeSuperseded(data=data):
                    ended.setdefault(_about(data.notice_id), "another notice corrects it")
                case deliveries.NoticeOwed(data=data) if not data.released:
                    ended.setdefault(_about(data.notice_id), "the notice waits for a decision")
                case _:  # to be sent, failed and to be tried again: nothing for a person to do
                    pass
        await self._close(ended, tx)

    async def _close(self, ended: dict[str, str], tx: Transaction) -> None:
        """Close the alerts about notices, each with what ended it first, and forget them."""
        for because in set(ended.values()):
            references = [reference for reference, why in ended.items() if why == because]
            await self._tables.alerts.close(tx.connection, references, because, tx.now)
        ended.clear()

    async def follow_quarantines(self, events: Sequence[Event], tx: Transaction) -> None:
        """Alert a person about each thing that a service put aside; close the alert once a person has dealt with it."""
        for event in events:
            match event.message:
                case quarantines.Quarantined() as message:
                    await raise_alerts(
                        tx, [_quarantined(message, tx.now)], causation_id=message.id, table=self._tables.alerts
                    )
                case quarantines.QuarantineResolved(data=data):
                    await self._tables.alerts.close(
                        tx.connection, [str(data.quarantine_id)], f"a person {data.outcome} it", tx.now
                    )
                case quarantines.DatabaseRestored() as message:
                    await raise_alerts(
                        tx, [_restored(message, tx.now)], causation_id=message.id, table=self._tables.alerts
                    )
                case _:  # a quarantine topic carries nothing else
                    pass

    async def _save(
        self, changed: Sequence[Duty], before: Mapping[UUID, Duty], tx: Transaction, *, met_next: Collection[UUID]
    ) -> None:
        """Save duties; what was known `before` may have rungs and alerts of an earlier date, or of the one that stands.

        Those in `met_next` get no rungs: the message that they are met may be in the next batch.
        """
        if not changed:
            return
        await self._tables.duties.save(tx.connection, changed)
        generations = {key: duty.generation for key, duty in before.items()}
        dated = [one for one in changed if one.state != "open" or one.generation != generations.get(one.duty_id)]
        known = [duty.duty_id for duty in dated if duty.duty_id in before]
        if known:
            await self._tables.rungs.supersede(tx.connection, known, tx.now)
        waiting = [duty for duty in dated if duty.state == "open" and duty.duty_id not in met_next]
        await self._tables.rungs.arm(
            tx.connection, [(duty, rungs(duty.dating, duty.opened_at, self._calendar)) for duty in waiting], tx.now
        )
        await self._tables.alerts.close(
            tx.connection, [str(key) for key in known], "the duty was closed or dated anew", tx.now
        )
        await self._tables.alerts.leave_digests(tx.connection, known, "its duties were closed or dated anew", tx.now)
        became = {str(duty.duty_id): since_then_says(duty) for duty in dated if duty.duty_id in before}
        await self._tables.alerts.tell_since(tx.connection, became)

    def _announce_met(self, duty: Duty, causation_id: UUID, tx: Transaction) -> None:
        """Say how late a duty was met; one that never had a date has no deadline to meet."""
        due_on, met_on = duty.dating.due_on, duty.met_on
        if due_on is None or met_on is None:
            return
        stamp = translate.Stamp(tx.now, duty.case_key, duty.partnership, causation_id)
        late = working_days_late(due_on, met_on, self._calendar)
        tx.emit(topics.DEADLINES, translate.met(duty, due_on, met_on, late, stamp))


def _met_next(messages: Iterable[translate.Opening | translate.Change]) -> set[UUID]:
    """Return the duties that were met by the time of what dates them, the last one that does."""
    dated = (decisions.ObligationOpened, decisions.ObligationRedated)
    last = {one.data.obligation_id: one.data.already_met for one in messages if isinstance(one, dated)}
    return {duty_id for duty_id, met in last.items() if met}


def _applied(
    message: translate.Opening | translate.Change, known: Duty | None, now: datetime, calendar: Calendar
) -> Duty:
    if isinstance(message, _OPENINGS):
        return translate.after_opening(message, known, now, calendar)
    if known is None:
        raise UnknownDuty
    return translate.after_change(message, known, now, calendar)


def _about(notice_id: UUID, of: str = "notice") -> str:
    """Return what an alert is about. A withdrawal apart: that the notice arrived after all, late, is no reason to forget it."""
    return str(notice_id) if of == "notice" else f"{of} of {notice_id}"


def _refused(message: deliveries.NoticeAttempted, now: datetime) -> Alert:
    data = message.data
    return Alert(
        # By the message: a notice and its withdrawal count their attempts apart, under one notice id.
        alert_id=identity.derived_event_id("alert notice.refused", message.id),
        kind="notice.refused",
        severity="fault",
        reference=_about(data.notice_id, data.of),
        says=refused_says(data.recipient, data.attempt, data.reason),
        raised_at=now,
        case_key=message.case_key,
        partnership=message.partnership,
    )


def _restored(message: quarantines.DatabaseRestored, now: datetime) -> Alert:
    data = message.data
    return Alert(
        alert_id=identity.derived_event_id("alert database.restored", message.id),
        kind="database.restored",
        severity="fault",
        reference=data.service,
        says=restored_says(data.service, data.lacking, data.after_producer_seq, moved=data.moved),
        raised_at=now,
    )


def _quarantined(message: quarantines.Quarantined, now: datetime) -> Alert:
    data = message.data
    return Alert(
        alert_id=identity.derived_event_id("alert record.quarantined", message.id),
        kind="record.quarantined",
        severity="fault",
        reference=str(data.quarantine_id),
        says=quarantined_says(data.service, data.reason, parked=data.parked),
        raised_at=now,
        case_key=message.case_key,
        partnership=message.partnership,
    )
