"""What batches of events change, decided by the shipped rulebook and applied as the store would; no database is needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from services.routing.domain import ledger
from services.routing.domain.decide import Decision, Question
from services.routing.domain.diff import diff, homes
from services.routing.domain.facts_of import facts_of
from services.routing.domain.happenings_of import told_by
from tests.support.routing import CASE, aware, corrected, reported, suspects
from tests.support.rulebooks import law

NOW = datetime(2026, 6, 3, tzinfo=UTC)
REPORT = reported()
AWARE = aware()
SUSPECTED = suspects()
LATER = corrected(AWARE.id, "aware_on", "2026-06-03")


def decision(events: Sequence[Any], known: ledger.Known | None = None, now: datetime = NOW) -> Decision:
    facts = tuple(fact for event in events for fact in facts_of(event, law().vocabulary))
    told = {event.id: each for event in events if (each := told_by(event)) is not None}
    return law().decide(facts, told, known or ledger.Known(), now)


def apply(known: ledger.Known, changes: Sequence[ledger.Change]) -> ledger.Known:
    """Return what stands once changes are made, as the store would."""
    obligations = {each.obligation_id: each for each in known.obligations}
    questions = {each.question_id: each for each in known.questions}
    for one in changes:
        match one:
            case ledger.Opened(obligation_id=identity, case_key=case_key, revision=revision, obligation=new):
                obligations[identity] = ledger.KnownObligation(
                    identity, case_key, new.slot, revision, "open", NOW, new.recipients, new.dates, new.released
                )
            case ledger.Redated(known=old, revision=revision, obligation=new):
                obligations[old.obligation_id] = replace(old, revision=revision, dates=new.dates, released=new.released)
            case ledger.ReleaseChanged(known=old, obligation=new):
                obligations[old.obligation_id] = replace(old, released=new.released)
            case ledger.Met(obligation_id=identity, obligation=new):
                obligations[identity] = replace(obligations[identity], state="met", met_on=new.standing.met_on)
            case ledger.Closed(obligation_id=identity, state=state):
                obligations[identity] = replace(obligations[identity], state=state)
            case ledger.Asked(question_id=identity, case_key=case_key, question=asked):
                questions[identity] = question(identity, case_key, asked)
            case ledger.AskedOtherwise(known=put, question=asked):
                questions[put.question_id] = question(put.question_id, put.case_key, asked)
            case ledger.Answered(known=answered):
                del questions[answered.question_id]
            case _:
                pass
    return ledger.Known(
        tuple(obligations.values()), tuple(questions.values()), tuple(apply_to_notices(known.notices, changes))
    )


def question(identity: UUID, case_key: str, asked: Question) -> ledger.KnownQuestion:
    return ledger.KnownQuestion(
        identity,
        case_key,
        asked.fact,
        asked.of_whom,
        asked.subject,
        rules=asked.rules,
        from_on=asked.from_on,
        due_on=asked.due_on,
        opened_at=NOW,
    )


def apply_to_notices(known: Sequence[ledger.KnownNotice], changes: Sequence[ledger.Change]) -> list[ledger.KnownNotice]:
    notices = {each.notice_id: each for each in known}
    for change in changes:
        match change:
            case ledger.Owed(notice=notice):
                notices[notice.notice_id] = notice
            case ledger.Released(notice=notice, released=released):
                notices[notice.notice_id] = replace(notice, state="due" if released else "awaiting_release")
            case ledger.NoticeWithdrawn(notice=notice, reason=reason):
                notices[notice.notice_id] = replace(notice, state="withdrawn", reason=reason)
            case ledger.NoticeSuperseded(notice=notice):
                notices[notice.notice_id] = replace(notice, state="superseded")
            case ledger.Opened(obligation_id=identity, obligation=new):
                notices |= {each.notice_id: each for each in redate(notices.values(), identity, new.dates.due_on)}
            case ledger.Redated(known=old, obligation=new):
                notices |= {
                    each.notice_id: each for each in redate(notices.values(), old.obligation_id, new.dates.due_on)
                }
            case _:
                pass
    return list(notices.values())


def redate(known: Iterable[ledger.KnownNotice], identity: UUID, due_on: date | None) -> list[ledger.KnownNotice]:
    """Return the notices of a duty that never left, with another date."""
    return [replace(each, due_on=due_on) for each in known if each.obligation_id == identity and not each.tried]


def dispatch(known: ledger.Known, state: ledger.NoticeState = "due", *, arrives: bool = True) -> ledger.Known:
    """Return what stands once everything that may be sent was attempted, and may have arrived."""
    sent = [
        replace(each, state=state, tried=True, maybe_arrived=arrives) if each.state == "due" else each
        for each in known.notices
    ]
    return replace(known, notices=tuple(sent))


def after(*batches: Sequence[Any], sends: bool = False) -> tuple[ledger.Known, tuple[ledger.Change, ...]]:
    """Return what stands after batches of events, and the changes of the last one; `sends` after each but the last."""
    known, changes, events = ledger.Known(), (), []  # type: tuple[ledger.Known, tuple[ledger.Change, ...], list[Any]]
    for batch in batches:
        known = dispatch(known) if sends else known
        events += batch
        changes = diff(known, decision(events, known), homes([("incident", CASE)]))
        known = apply(known, changes)
    return known, changes


def change(known: ledger.Known, events: Sequence[Any]) -> tuple[tuple[ledger.Change, ...], ledger.Known]:
    """Return what a decision changes and what stands then, once the same decision again has changed nothing."""
    changes = diff(known, decision(events, known), homes([("incident", CASE)]))
    found = apply(known, changes)
    assert diff(found, decision(events, found), homes([("incident", CASE)])) == ()
    return changes, found


def panel_notices(
    changes: Iterable[ledger.Change], kind: type[ledger.NoticeWithdrawn | ledger.Owed]
) -> list[ledger.KnownNotice]:
    """Return the notices of N-01, the duty towards the Panel, in the changes of a kind."""
    return [each.notice for each in changes if isinstance(each, kind) and each.notice.rule == "N-01"]
