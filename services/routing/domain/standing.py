"""Whether an obligation still stands: open, met by what has happened, or withdrawn by a recorded decision.

Met goes before withdrawn: what has been done stays done. An `each of` obligation is met when every recipient meets it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Final, Literal
from uuid import UUID

from schemas.calendar import london_date
from schemas.calendar.london import LONDON
from schemas.vocabulary import Value
from services.routing.domain.facts import AGE_AT_DEATH, DEATH, DIED, HARM, INCIDENT, FactBase
from services.routing.domain.happenings import BECAME_AWARE, STOPPING_EVENTS, Happening, Slot
from services.routing.domain.news_of_death import news_in
from services.routing.domain.reasons import Missing
from services.routing.domain.rulebook.compile import NO, UNDECIDED, YES
from services.routing.domain.rulebook.evaluate import Evaluation, Trace, evaluate
from services.routing.domain.rulebook.model import Compared, Done, Duty, Recorded, Stop, Test, walk
from services.routing.domain.statements import Fact, age

State = Literal["open", "met", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of an obligation, since when and by which event. `met_by` has the recipients that have met it so far.

    `repeatable`: the day is of a statement that may be of a later act, or the same said again, and corrects no only one.
    """

    state: State
    reason: str = ""
    since_at: datetime | None = None
    event_id: UUID | None = None
    met_by: Mapping[str, Happening] = field(default_factory=dict)
    repeatable: bool = False

    @property
    def met_on(self) -> date | None:
        """Return the England date on which it was met, or None if it was not."""
        return london_date(self.since_at) if self.state == "met" and self.since_at else None


OPEN: Final = Standing("open")


def noon(on: date) -> datetime:
    """Return the instant that stands for a day which was told without an hour."""
    return datetime.combine(on, time(12), LONDON).astimezone(UTC)


def instant(on: date, told_at: datetime) -> datetime:
    """Return when on a day something was done: when it was told, if that was on the day, else what stands for the day."""
    return told_at if london_date(told_at) == on else noon(on)


def answer(test: Test, value: object) -> int:
    """Return the answer of a one-line condition (`is`, `is not` or `is recorded`) for a fact's value."""
    if isinstance(test, Recorded):
        return NO if value is None else YES
    if value is None:
        return UNDECIDED
    return YES if (value in test.values) == (test.operator == "is") else NO


def standing(
    evaluation: Evaluation,
    trace: Trace,
    slot: Slot,
    duty: Duty,
    recipients: tuple[str, ...],
    unserved: Collection[str],
    happenings: Iterable[Happening],
    again: Collection[Missing],
) -> Standing:
    """Return the state of the obligation in `slot`. Source of what ends it: the rule's `stops when` and `cancelled when`.

    Where somebody is to be told whom the register does not have (`unserved`), it is not met because all others have accepted.
    A decision that is to be made `again` (`outdated`) withdraws nothing.
    """
    ended, whole = _ended(evaluation, trace, slot, duty, recipients, happenings)
    met = _stated(evaluation, trace, duty.stop)
    if met is not None:
        return met
    everybody = len(ended) == len(recipients) and not unserved
    last = max(ended.values(), key=lambda each: each.occurred_at) if ended and everybody else whole
    if last is not None:
        stated = last.event == BECAME_AWARE
        return Standing("met", STOPPING_EVENTS[last.event], last.occurred_at, last.event_id, ended, repeatable=stated)
    withdrawn = _withdrawn(evaluation, trace, again)
    if withdrawn is not None:
        return withdrawn
    return Standing("open", met_by=ended) if ended else OPEN


def _ended(
    evaluation: Evaluation,
    trace: Trace,
    slot: Slot,
    duty: Duty,
    recipients: tuple[str, ...],
    happenings: Iterable[Happening],
) -> tuple[dict[str, Happening], Happening | None]:
    """Return what ended the duty towards each recipient, and what ended it towards everybody."""
    events, begun = duty.stop.events, _begun(evaluation, trace, duty.stop.since)
    ended = _aware(evaluation, trace, recipients) if BECAME_AWARE in events else {}
    whole: Happening | None = None
    for happening in sorted(happenings, key=lambda each: (each.occurred_at, each.event_id)):
        if happening.event not in events or not _is_about(happening, slot, evaluation.facts):
            continue
        if begun is not None and _is_before(happening, begun):
            continue
        if happening.recipient is None:
            whole = whole or happening
        for recipient in recipients if happening.recipient is None else (happening.recipient,):
            if recipient in recipients:
                ended.setdefault(recipient, happening)
    return ended, whole


def _is_before(happening: Happening, begun: Fact) -> bool:
    """Say whether something happened before an act: on a day before it, unless the act had been told of by then and its day is put right."""
    on = begun.value
    return (
        isinstance(on, date) and london_date(happening.occurred_at) < on and happening.occurred_at < begun.occurred_at
    )


def _is_about(happening: Happening, slot: Slot, facts: FactBase) -> bool:
    """Say whether it is about the duty in a slot. What was done for the incident was not done for a child of whom nobody knew yet."""
    if happening.slot is not None:
        return happening.slot == slot
    named = happening.subject == slot.subject
    for_all = happening.subject == INCIDENT and facts.knew(slot.subject, happening.recorded_at)
    return happening.source == slot.duty_holder and (named or for_all)


def _aware(evaluation: Evaluation, trace: Trace, recipients: tuple[str, ...]) -> dict[str, Happening]:
    """Return the recipients that are authorities and have recorded that they are aware; of a child's duty, since it is known.

    Of a report of a death they are only since that was told: to be aware of the harm was not to be aware of it.
    """
    child, facts = _child(evaluation, trace), evaluation.facts
    news = news_in(facts, trace.about.item, trace.about.child)
    found = {}
    for recipient in recipients:
        aware = facts.standing_for(child, "aware_on", recipient)
        if aware and news is not None:
            aware = tuple(filter(None, (news.known_to(recipient, facts),)))
        for fact in aware:
            found[recipient] = Happening(
                BECAME_AWARE, recipient, fact.subject, fact.occurred_at, fact.recorded_at, fact.event_id
            )
    return found


def _stated(evaluation: Evaluation, trace: Trace, stop: Stop) -> Standing | None:
    """Return the duty as met by what is stated in the case: the earliest of the recorded dates, or conditions that all hold."""
    found = [_recorded(evaluation, trace, done, stop.phrase) for done in stop.recorded]
    met = min((each for each in found if each is not None), key=lambda each: each.met_on or date.max, default=None)
    return _holds(evaluation, trace, stop) if met is None and stop.holds else met


def _recorded(evaluation: Evaluation, trace: Trace, done: Done, phrase: str) -> Standing | None:
    """Return the duty as met on the day that a fact names, which may be told later; None while nobody has stated it."""
    stated = agreed(evaluation, trace, done.fact)
    on = stated[0].value if stated else None
    if not isinstance(on, date) or (done.unless and _test(evaluation, trace, done.unless) == YES):
        return None
    since = _day(evaluation, trace, done.since)
    if since is not None and on < since:
        return None
    if evaluation.book.vocabulary[done.fact].keeps in {"the earliest", "the first"}:
        return Standing("met", phrase, instant(on, stated[0].occurred_at), stated[0].event_id)
    on, act = _first_act(evaluation, trace, done, since) or (on, stated[0])
    repeatable = _repeatable(evaluation, trace, act)
    return Standing("met", phrase, instant(on, act.occurred_at), act.event_id, repeatable=repeatable)


def _first_act(evaluation: Evaluation, trace: Trace, done: Done, since: date | None) -> tuple[date, Fact] | None:
    """Return the first of several acts that end a duty, and its day: of those that were not undone since, whenever they are decided."""
    acts: list[Fact] = []
    for said in _said(evaluation, trace, done.fact):
        acts = [*acts, said] if said.value is not None else []
    if done.unless is not None:
        undone = [
            age(each) for each in _said(evaluation, trace, done.unless.fact) if answer(done.unless, each.value) == YES
        ]
        acts = [each for each in acts if not undone or age(each) > max(undone)]
    days = [(each.value, each) for each in acts if isinstance(each.value, date)]
    counting = [(on, act) for on, act in days if since is None or on >= since]
    return min(counting, key=lambda each: (each[0], age(each[1])), default=None)


def _said(evaluation: Evaluation, trace: Trace, fact: str) -> tuple[Fact, ...]:
    return evaluation.facts.said_for(_child(evaluation, trace), fact, evaluation.owner(fact, trace))


def _begun(evaluation: Evaluation, trace: Trace, fact: str | None) -> Fact | None:
    found = agreed(evaluation, trace, fact) if fact else ()
    return found[0] if found else None


def _day(evaluation: Evaluation, trace: Trace, fact: str | None) -> date | None:
    begun = _begun(evaluation, trace, fact)
    return begun.value if begun and isinstance(begun.value, date) else None


def _test(evaluation: Evaluation, trace: Trace, test: Test) -> int:
    found = agreed(evaluation, trace, test.fact)
    return answer(test, found[0].value if found else None)


def _holds(evaluation: Evaluation, trace: Trace, stop: Stop) -> Standing | None:
    """Return the duty as met once all its conditions hold, when the last of them was stated; None until then."""
    stated: list[Fact] = []
    for test in stop.holds:
        found = agreed(evaluation, trace, test.fact)
        if answer(test, found[0].value if found else None) != YES:
            return None
        stated += found
    last = max(stated, key=lambda fact: (fact.occurred_at, fact.event_id))
    repeatable = _repeatable(evaluation, trace, last)
    return Standing("met", stop.phrase, last.occurred_at, last.event_id, repeatable=repeatable)


def _repeatable(evaluation: Evaluation, trace: Trace, said: Fact) -> bool:
    """Say whether a statement may be of a later act: all may but a correction, and that too if another was stated beside it."""
    owner = evaluation.owner(said.name, trace)
    return said.corrects is None or evaluation.facts.repeated(_child(evaluation, trace), said.name, owner)


def agreed(evaluation: Evaluation, trace: Trace, fact: str) -> tuple[Fact, ...]:
    """Return the statements behind a fact, all of one value; nothing where sources differ. Of a child's duty: since it is known."""
    stated = evaluation.facts.standing_for(_child(evaluation, trace), fact, evaluation.owner(fact, trace))
    return stated if len({each.value for each in stated}) == 1 else ()


def _child(evaluation: Evaluation, trace: Trace) -> str | None:
    """Return the child that a duty is about; of a duty about a report, one that nobody had named before it."""
    return trace.about.child or evaluation.facts.first_named_in(trace.about.item)


def unsaid(evaluation: Evaluation, trace: Trace) -> Iterator[Missing]:
    """Yield what the conditions of a run rest on that was said before its child was known: they say nothing of it until it is said anew."""
    for condition in walk(evaluation.book.rules[trace.rule].rule.when):
        if not isinstance(condition, Compared | Recorded):
            continue
        owner = evaluation.owner(condition.fact, trace)
        known = owner is not None and evaluation.facts.value(condition.fact, owner) is not None
        if owner is not None and known and not agreed(evaluation, trace, condition.fact):
            yield Missing(condition.fact, owner)


def _withdrawn(evaluation: Evaluation, trace: Trace, again: Collection[Missing]) -> Standing | None:
    said = _cancelling(evaluation, trace)
    if said is None or any(each.fact == said.name for each in again):
        return None
    spec = evaluation.book.vocabulary[said.name]
    reason = spec.said_as.get(str(said.value), f"{spec.label}: {said.value}")
    return Standing("withdrawn", reason, said.occurred_at, said.event_id)


def outdated(evaluation: Evaluation, trace: Trace, duty: Duty) -> Iterator[Missing]:
    """Yield the decisions that the duty waits for and that were made before its child was known, or on other facts: to be made again."""
    for test in duty.release:
        owner = evaluation.owner(test.fact, trace)
        if owner is None or not isinstance(test, Compared):
            continue
        of_others = evaluation.facts.standing(test.fact, owner) and not agreed(evaluation, trace, test.fact)
        said = _cancelling(evaluation, trace)
        if of_others or (said and said.name == test.fact and _is_outdated(evaluation, trace, said)):
            yield Missing(test.fact, owner)


def _cancelling(evaluation: Evaluation, trace: Trace) -> Fact | None:
    """Return the statement that fulfils the rule's `cancelled when`."""
    test = evaluation.book.rules[trace.rule].rule.cancelled_when
    found = agreed(evaluation, trace, test.fact) if test else ()
    return found[0] if test and found and answer(test, found[0].value) == YES else None


def _is_outdated(evaluation: Evaluation, trace: Trace, said: Fact) -> bool:
    """Say whether a decision that the duty waits for was made when the rule said otherwise, or it was another's duty, or of other harm.

    Who decides that there is nothing to notify decides on what the authority knows or suspects then (Children Act 2004,
    section 16C(1); Working Together 2023, chapter 5). What leaves the rule's answer as it was, an age put right, was decided on. That a
    child which was harmed has died since was not, though the rule says the same of both; that may be said of the child alone. Anything
    else that calls a duty off does so for good.
    """
    then, now = evaluation.facts.known_to(said), evaluation.facts
    if then is now:
        return False
    runs = evaluate(evaluation.book, then, evaluation.register, evaluation.judged_on).runs.get(
        (trace.rule, trace.about), ()
    )
    same = any(run.holder == trace.holder and run.when == trace.when for run in runs)
    child = trace.about.child
    has_died = not _dead(now, child) <= _dead(then, child)
    return not same or has_died or _harm(then, said.authority) != _harm(now, said.authority)


def _harm(facts: FactBase, decider: str) -> Value | None:
    """Return which harm it is: as whoever decides says itself, which others may dispute, else as all say."""
    own = (
        each
        for each in facts.standing(HARM, INCIDENT)
        if facts.in_place_of(each.authority) == facts.in_place_of(decider)
    )
    return next((each.value for each in own), facts.value(HARM, INCIDENT))


def was_off_before_the_death(evaluation: Evaluation, trace: Trace) -> bool:
    """Say whether the duty of a run was called off before the child died, as `off_before_the_death` has it."""
    test = evaluation.book.rules[trace.rule].rule.cancelled_when
    if test is None:
        return False
    return off_before_the_death(evaluation.facts, test, _said(evaluation, trace, test.fact), trace.about.child)


def off_before_the_death(facts: FactBase, test: Test, decisions: Sequence[Fact], child: str | None = None) -> bool:
    """Say whether the last decision that was made before a death was told of called a duty off, whatever was decided since.

    What was not called off then was owed by its own day already; so was what is owed of a case that was a death from the first, in
    which no awareness of the death counts apart.
    """
    dead = _dead(facts, child)
    if not dead or facts.was_a_death_from_the_first:
        return False
    before = (each for each in reversed(decisions) if not dead <= _dead(facts.known_to(each), child))
    last = next(before, None)
    return last is not None and answer(test, last.value) == YES


def _dead(facts: FactBase, child: str | None) -> frozenset[str]:
    """Return of whom it is told that they died, by any source: a death of the incident, and the child, of which it goes by that till it is said."""
    harm = {each.value for each in facts.standing(HARM, INCIDENT)}
    found = {INCIDENT} if DEATH in harm else set()
    if child is not None:
        said = {each.value for each in facts.standing(DIED, child)}
        if "yes" in said or facts.standing(AGE_AT_DEATH, child) or (found and not said):
            found.add(child)
    return frozenset(found)
