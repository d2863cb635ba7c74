"""What changes of obligations and questions lead to, and the decision itself."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from schemas import decisions as say
from schemas.calendar import london_date
from services.routing.domain import ledger
from services.routing.domain.decide import Decision, Obligation, Question
from services.routing.outcome.gathered import Gathered, Occasion, Standing
from services.routing.outcome.published import opened_data, period_of


def opened(out: Gathered, change: ledger.Opened, occasion: Occasion) -> None:
    """A duty now stands."""
    identity, obligation = change.obligation_id, change.obligation
    data = restate(out, identity, change.case_key, change.revision, obligation, occasion, occasion.now)
    if change.revision > 1:
        out.delivery_due(identity, obligation.dates.due_on)
    out.say(occasion.message(say.ObligationOpened, identity, change.case_key, data))


def redated(out: Gathered, change: ledger.Redated, occasion: Occasion) -> None:
    """A duty has other dates."""
    known, obligation = change.known, change.obligation
    identity = known.obligation_id
    restate(out, identity, known.case_key, change.revision, obligation, occasion, known.opened_at)
    out.delivery_due(identity, obligation.dates.due_on)
    data = say.ObligationRedatedData(
        obligation_id=identity,
        revision=change.revision,
        period=period_of(obligation),
        due_on=obligation.dates.due_on,
        warn_on=obligation.dates.warn_on,
        old_due_on=known.dates.due_on,
        provisional=obligation.dates.provisional,
        calendar=occasion.calendar,
        reason=f"counted from {obligation.dates.from_fact or 'nothing yet'}: {occasion.because}",
        already_met=obligation.standing.state == "met",
    )
    out.say(occasion.message(say.ObligationRedated, identity, known.case_key, data))


def met(out: Gathered, change: ledger.Met, occasion: Occasion) -> None:
    """A duty is met."""
    standing = change.obligation.standing
    met_at = standing.since_at or occasion.now
    out.obligation_state(
        change.obligation_id, "met", standing.reason, occasion.now, change.obligation, met_on=standing.met_on
    )
    data = say.ObligationMetData(
        obligation_id=change.obligation_id, met_at=met_at, met_on=london_date(met_at), how=standing.reason
    )
    out.say(occasion.message(say.ObligationMet, change.obligation_id, change.case_key, data))


def closed(out: Gathered, change: ledger.Closed, occasion: Occasion) -> None:
    """A duty no longer stands."""
    out.obligation_state(change.obligation_id, change.state, change.reason, occasion.now, None, change.by)
    data = say.ObligationClosedData(obligation_id=change.obligation_id, reason=change.reason, by=change.by)
    kind = say.ObligationSuperseded if change.state == "superseded" else say.ObligationWithdrawn
    out.say(occasion.message(kind, change.obligation_id, change.case_key, data))


def asked(out: Gathered, change: ledger.Asked, occasion: Occasion) -> None:
    """A question is open."""
    _ask(out, change.question_id, change.case_key, change.question, occasion.now, occasion)


def asked_otherwise(out: Gathered, change: ledger.AskedOtherwise, occasion: Occasion) -> None:
    """An open question is published again."""
    known = change.known
    _ask(out, known.question_id, known.case_key, change.question, known.opened_at, occasion)


def _ask(
    out: Gathered, identity: UUID, case_key: str, question: Question, opened_at: datetime, occasion: Occasion
) -> None:
    data = say.QuestionOpenedData(
        question_id=identity,
        fact=question.fact,
        of_whom=question.of_whom,
        of_whom_name=occasion.name_of(question.of_whom),
        subject=question.subject,
        ask=question.ask,
        rules=question.rules,
        period=say.Period(
            amount=question.within_working_days,
            unit="working days",
            counted="after",
            from_on=question.from_on,
            from_fact="recorded_at",
            strength="local",
            cite="default of this rulebook",
        ),
        due_on=question.due_on,
        calendar=occasion.calendar,
    )
    out.questions.append(
        {
            "question_id": identity,
            "case_key": case_key,
            "state": "open",
            "opened_at": opened_at,
            "closed_at": None,
            "reason": None,
            "opened": data.model_dump(mode="json"),
        }
    )
    out.say(occasion.message(say.QuestionOpened, identity, case_key, data))


def restate(
    out: Gathered,
    identity: UUID,
    case_key: str,
    revision: int,
    obligation: Obligation,
    occasion: Occasion,
    opened_at: datetime,
) -> say.ObligationOpenedData:
    """Keep an obligation whole, as it now stands, and return it as it is published."""
    slot, data = obligation.slot, opened_data(identity, revision, obligation, occasion)
    out.obligations.append(
        {
            "obligation_id": identity,
            "case_key": case_key,
            "rule": slot.rule,
            "position": slot.position,
            "duty_holder": slot.duty_holder,
            "subject": slot.subject,
            "anchor": slot.anchor,
            "revision": revision,
            "state": "open",
            "reason": None,
            "superseded_by": None,
            "met_on": None,
            "opened_at": opened_at,
            "opened": data.model_dump(mode="json"),
        }
    )
    out.remember(identity, "open", None, occasion.now, obligation)
    return data


def conclude(
    out: Gathered, decision: Decision, standing: Standing, occasion: Occasion, answers_nothing: Collection[UUID]
) -> None:
    """Add the decision itself, once for each case of the set; which of its events answer nothing, their senders hear by it."""
    traces: tuple[say.RuleTrace, ...] = tuple(
        {
            "rule": trace.rule,
            "duty_holder": trace.holder.id if trace.holder else None,
            "subject": trace.subject,
            "answer": trace.in_words,  # type: ignore[typeddict-item]  # one of the three words
            "bits": trace.packed.hex(),
        }
        for trace in decision.traces
    )
    conflicts = tuple(f"{each.name} of {each.owner}" for each in decision.conflicts)
    for case_key in occasion.case_keys:
        data = say.CaseDecidedData(
            revision=occasion.revisions[case_key],
            rulebook=occasion.rulebook,
            calendar=occasion.calendar,
            traces=traces,
            open_obligations=standing.obligations,
            open_questions=standing.questions,
            conflicts=conflicts,
            event_ids=occasion.event_ids,
            answers_nothing=tuple(each for each in occasion.event_ids if each in answers_nothing),
            reporters=occasion.reporters[case_key],
        )
        out.say(occasion.message(say.CaseDecided, case_key, case_key, data))
        dumped = data.model_dump(mode="json", include={"revision", "rulebook", "calendar", "traces", "conflicts"})
        out.decisions.append(
            {
                "case_key": case_key,
                "decided_at": occasion.now,
                "event_ids": [str(each) for each in occasion.event_ids],
                **dumped,
            }
        )


def migrated(out: Gathered, case_key: str, before: str, reason: str, by: str | None, occasion: Occasion) -> None:
    """A case is decided by another version of the rulebook than before."""
    out.migrations.append(
        {
            "case_key": case_key,
            "revision": occasion.revisions[case_key],
            "migrated_at": occasion.now,
            "from_version": before,
            "to_version": occasion.rulebook.version,
            "reason": reason,
            "by": by,
        }
    )
    data = say.RulebookMigratedData(before=before, rulebook=occasion.rulebook, reason=reason, by=by)
    message = occasion.message(say.RulebookMigrated, case_key, case_key, data)
    out.say(message if message.id != message.causation_id else message.model_copy(update={"causation_id": None}))


def answered(out: Gathered, change: ledger.Answered, occasion: Occasion) -> None:
    """A question is closed."""
    known, reason = change.known, change.reason
    state = {"question_id": known.question_id, "state": "closed", "closed_at": occasion.now, "reason": reason}
    out.question_states.append(state)
    data = say.QuestionClosedData(question_id=known.question_id, reason=reason)
    out.say(occasion.message(say.QuestionClosed, known.question_id, known.case_key, data))
