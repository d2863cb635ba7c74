"""How obligations and notices are published: everything that a reader needs of the law, so that nobody else interprets it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from schemas import decisions as say
from schemas.notices import Correction, Notice
from services.routing.domain import ledger
from services.routing.domain.decide import Decision, Obligation
from services.routing.domain.rulebook.model import Rule
from services.routing.outcome.gathered import Occasion, Row, granted_cases

CORRECTS: Final = "This notice corrects an earlier one and takes its place: the due date has changed. What counts is the due date of this notice."


def opened_data(identity: UUID, revision: int, obligation: Obligation, occasion: Occasion) -> say.ObligationOpenedData:
    """Return an obligation as it is published: everything that its readers need of the law."""
    rule, duty, slot, dates = obligation.rule, obligation.duty, obligation.slot, obligation.dates
    return say.ObligationOpenedData(
        obligation_id=identity,
        revision=revision,
        rule=rule.id,
        title=rule.title,
        position=slot.position,
        duty=rule.strength,
        citation=citation_of(obligation.rule),
        rulebook=occasion.rulebook,
        editions=tuple(each.id for each in obligation.editions),
        duty_holder=slot.duty_holder,
        duty_holder_name=occasion.name_of(slot.duty_holder),
        subject=slot.subject,
        anchor=slot.anchor,
        recipients=obligation.recipients,
        profile=duty.profile,
        release=obligation.release,
        released=obligation.released,
        stops_when=duty.stop.phrase,
        period=period_of(obligation),
        due_on=dates.due_on,
        warn_on=dates.warn_on,
        provisional=dates.provisional,
        calendar=occasion.calendar,
        already_met=obligation.standing.state == "met",
    )


def citation_of(rule: Rule) -> say.Citation:
    """Return where a rule comes from."""
    source = rule.source
    return say.Citation(cite=source.cite, href=source.href, quote=source.quote, verified=bool(source.verified))


def period_of(obligation: Obligation) -> say.Period | None:
    """Return how an obligation's due date was counted, or None while its clock has not started."""
    dates, within = obligation.dates, obligation.duty.within
    if dates.from_on is None or dates.from_fact is None:
        return None
    return say.Period(
        amount=within.length.amount,
        unit=within.length.unit,
        counted=within.length.counted,
        from_on=dates.from_on,
        from_fact=dates.from_fact,
        strength=within.strength,
        cite=obligation.period_cite,
        ends_on=dates.ends_on,
    )


def notice_payload(change: ledger.Owed, occasion: Occasion, decision: Decision) -> Row:
    """Return what the dispatcher needs to send a notice: its body, its grant, and the law that the guard checks."""
    notice, obligation = change.notice, change.obligation
    profile = decision.evaluation.book.book.profiles[obligation.duty.profile]
    body = Notice(
        notice_id=notice.notice_id,
        obligation_id=notice.obligation_id,
        case_key=notice.case_key,
        recipient=notice.recipient,
        from_body=obligation.slot.duty_holder,
        rule=obligation.rule.id,
        title=obligation.rule.title,
        duty=obligation.rule.strength,
        citation=citation_of(obligation.rule),
        purpose=profile.purpose,
        lawful_basis=profile.lawful_basis,
        due_on=obligation.dates.due_on,
        owed_since=occasion.now,
        reply_wanted=obligation.duty.stop.phrase,
        corrects=_correction(change.corrects) if change.corrects else None,
    )
    return {
        "body": body.model_dump(mode="json", exclude={"content"}),
        "position": obligation.slot.position,
        "rulebook_sha256": occasion.rulebook.sha256,
        "grant": {
            "case_keys": granted_cases(notice.case_key, occasion.case_keys),
            "subject": obligation.slot.subject,
            "profile": profile.name,
            "purpose": profile.purpose,
            "give": dict(profile.give),
        },
    }


def _correction(told: ledger.KnownNotice) -> Correction:
    return Correction(notice_id=told.notice_id, old_due_on=told.due_on, says=CORRECTS)


def withdrawal_payload(notice: ledger.KnownNotice, recipient: str, reason: str, now: datetime) -> Row:
    """Return what the dispatcher needs to tell a recipient that a notice, its own or an ended body's, no longer stands."""
    return {
        "body": {
            "type": "notice.withdrawn.v1",
            "notice_id": str(notice.notice_id),
            "obligation_id": str(notice.obligation_id),
            "case_key": notice.case_key,
            "recipient": recipient,
            "rule": notice.rule,
            "reason": reason,
            "withdrawn_at": now.isoformat(),
        }
    }


def notice_data(notice: ledger.KnownNotice) -> dict[str, Any]:
    """Return what every message about a notice says of it."""
    return {
        "notice_id": notice.notice_id,
        "obligation_id": notice.obligation_id,
        "rule": notice.rule,
        "recipient": notice.recipient,
        "profile": notice.profile,
        "revision": notice.revision,
    }
