"""Every change to its rows and messages, and what is open afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from services.routing.domain import ledger
from services.routing.domain.decide import Decision
from services.routing.outcome import duties, notices
from services.routing.outcome.gathered import Gathered, Occasion, Standing


def take(out: Gathered, change: ledger.Change, occasion: Occasion, decision: Decision) -> None:
    """Add what one change leads to."""
    match change:
        case ledger.Owed():
            notices.owed(out, change, occasion, decision)
        case ledger.Released():
            notices.released(out, change, occasion)
        case ledger.NoticeWithdrawn():
            notices.withdrawn(out, change, occasion)
        case ledger.NoticeSuperseded():
            notices.superseded(out, change, occasion)
        case _:
            _take_duty(out, change, occasion)


def _take_duty(out: Gathered, change: ledger.DutyChange, occasion: Occasion) -> None:
    match change:
        case ledger.Opened():
            duties.opened(out, change, occasion)
        case ledger.Redated():
            duties.redated(out, change, occasion)
        case ledger.ReleaseChanged(known=known, obligation=obligation):
            duties.restate(
                out, known.obligation_id, known.case_key, known.revision, obligation, occasion, known.opened_at
            )
        case ledger.Met():
            duties.met(out, change, occasion)
        case ledger.Closed():
            duties.closed(out, change, occasion)
        case ledger.Asked():
            duties.asked(out, change, occasion)
        case ledger.AskedOtherwise():
            duties.asked_otherwise(out, change, occasion)
        case ledger.Answered():
            duties.answered(out, change, occasion)


def still_open(known: ledger.Known, changes: Sequence[ledger.Change]) -> Standing:
    """Return what is open once `changes` are made."""
    obligations = {each.obligation_id for each in known.obligations if each.state == "open"}
    questions = {each.question_id for each in known.questions}
    for change in changes:
        match change:
            case ledger.Opened(obligation_id=identity):
                obligations.add(identity)
            case ledger.Met(obligation_id=identity) | ledger.Closed(obligation_id=identity):
                obligations.discard(identity)
            case ledger.Asked(question_id=identity):
                questions.add(identity)
            case ledger.Answered(known=answered):
                questions.discard(answered.question_id)
            case _:
                pass
    return Standing(tuple(sorted(obligations)), tuple(sorted(questions)))
