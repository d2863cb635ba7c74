"""What a new decision changes: the difference between what stands and what the rulebook now says. Pure.

What the law changes is `changes.compare`; this gives each change its id, case and revision, and adds what follows for
notices, questions and linked cases. The same decision again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from schemas.calendar import Length, last_day
from schemas.identity import notice_id, obligation_id, question_id
from services.routing.domain.changes import Changes, Lapsed, compare, lapsed
from services.routing.domain.changes import Known as Before
from services.routing.domain.decide import Decision, Obligation, Question
from services.routing.domain.facts import INCIDENT
from services.routing.domain.happenings import Slot
from services.routing.domain.happenings_of import ACKNOWLEDGED
from services.routing.domain.ledger import (
    LAPSED,
    Answered,
    Asked,
    AskedOtherwise,
    Change,
    Closed,
    Known,
    KnownNotice,
    KnownObligation,
    KnownQuestion,
    Met,
    NoticeState,
    NoticeSuperseded,
    NoticeWithdrawn,
    Opened,
    Owed,
    Redated,
    ReleaseChanged,
    Released,
    by_slot,
    disclosure,
)

RESTATED: Final = "the rulebook by which the case is decided says it otherwise: another notice takes its place"
UNNAMED: Final = "the duty no longer names this recipient"
SUPERSEDED: Final = "the due date has changed: a notice that corrects it takes its place"
Home = Callable[[str], str]
"""Gives the case key under which something new about a subject is opened."""


def diff(known: Known, decision: Decision, home: Home) -> tuple[Change, ...]:
    """Return the changes that bring what stands into line with a decision, in the order in which to announce them."""
    return tuple(_Diffing(known, decision, home).all())


def known_before(standing: Mapping[Slot, KnownObligation]) -> dict[Slot, Before]:
    """Return what a decision is compared with."""
    return {
        slot: Before(
            state=each.state,
            due_on=each.dates.due_on,
            warn_on=each.dates.warn_on,
            recipients=each.recipients,
            released=each.released,
            from_on=each.dates.from_on,
            met_on=each.met_on,
            provisional=each.dates.provisional,
        )
        for slot, each in standing.items()
    }


class _Diffing:
    """One comparison; an index over what stands."""

    def __init__(self, known: Known, decision: Decision, home: Home) -> None:
        self._known = known
        self._decision = decision
        self._home = home
        self._facts = decision.evaluation.facts
        self._register = decision.evaluation.register
        self._latest: dict[tuple[UUID, str], KnownNotice] = {}
        for notice in sorted(known.notices, key=lambda each: each.revision):
            self._latest[notice.obligation_id, notice.recipient] = notice
        self._taken_back: set[tuple[UUID, str]] = set()
        """Duties that stand in linked cases, and who was told of the same one under another that does not."""

    def all(self) -> Iterator[Change]:
        standing, duplicates = by_slot(self._known.obligations, self._facts.in_place_of)
        for younger, older in duplicates:
            if self._in_doubt(older):
                continue
            reason = "linked cases: the same duty was opened before in another of them"
            yield Closed(younger.obligation_id, younger.case_key, "superseded", reason, older.obligation_id)
            had = (
                one for one in self._of_duty(younger.obligation_id) if one.maybe_arrived and one.state != "withdrawn"
            )
            self._taken_back.update((older.obligation_id, self._heir(one)) for one in had)
            yield from self._withdraw_all(younger.obligation_id, reason)
        self._hand_back(standing)
        found = compare(known_before(standing), self._decision)
        for obligation in self._decision.obligations:
            yield from self._of(obligation, standing.get(obligation.slot), found)
        for each in found.lapsed:
            yield from self._lapse(each, standing)
        yield from self._withdraw_undelivered(standing)
        yield from self._questions()

    def _in_doubt(self, known: KnownObligation) -> bool:
        """Say whether the rules neither give a duty nor give it no more: what was told of it, in any of linked cases, stands as long."""
        slot = known.slot.passed_on(self._facts.in_place_of)
        return all(each.slot != slot for each in self._decision.obligations) and not lapsed((slot,), self._decision)

    def _hand_back(self, standing: dict[Slot, KnownObligation]) -> None:
        """Put what a successor holds in the place of the ended body again whose end, as the clock was moved back, is to come."""
        wanted = {each.slot for each in self._decision.obligations}
        held = {each.obligation_id: slot for slot, each in standing.items() if slot not in wanted}
        for slot in wanted - standing.keys() if held else ():
            identity, _ = self._place(slot, None)
            if identity in held:
                standing[slot] = standing.pop(held[identity])

    def _restated(self, known: KnownObligation | None, obligation: Obligation) -> str:
        """Return why an open obligation that stays has to be published again: its holder or its terms are others; else nothing."""
        if known is None or not known.state == obligation.standing.state == "open":
            return ""
        if known.slot != obligation.slot:
            holder = self._decision.words.body(obligation.slot.duty_holder)
            return f"the duty has passed to {holder}: another notice takes its place"
        return RESTATED if known.says_otherwise(obligation) else ""

    def _of(self, obligation: Obligation, known: KnownObligation | None, found: Changes) -> Iterator[Change]:
        slot = obligation.slot
        identity, case_key = self._place(slot, known)
        revision = known.revision + 1 if known else 1
        restated = self._restated(known, obligation)
        was_met = known is not None and known.state == "met"
        if restated or _has(found.opened, slot) or _has(found.readdressed, slot):
            yield Opened(identity, case_key, revision, obligation)
        elif known and _has(found.redated, slot):
            yield Redated(known, revision, obligation)
        elif known and known.state == obligation.standing.state == "open" and known.released != obligation.released:
            yield ReleaseChanged(known, obligation)
        if _has(found.met, slot):
            yield Met(identity, case_key, obligation)
            if not was_met:
                yield from self._withdraw(self._unnamed(identity, obligation), UNNAMED)
                yield from self._withdraw_unreleased(identity, obligation)
                yield from self._owe_again(identity, case_key, obligation)
        elif _has(found.withdrawn, slot):
            yield Closed(identity, case_key, "withdrawn", obligation.standing.reason)
            yield from self._withdraw_all(identity, obligation.standing.reason)
        elif obligation.standing.state == "open":
            yield from self._notices(identity, case_key, obligation, restated)
        if was_met and obligation.standing.state == "met":
            yield from self._stays_met(identity, case_key, obligation)
        if obligation.standing.state != "withdrawn":
            yield from self._pass_on(identity, case_key, obligation)

    def _lapse(self, found: Lapsed, standing: Mapping[Slot, KnownObligation]) -> Iterator[Change]:
        gone = standing[found.slot]
        by = self._place(found.by, standing.get(found.by))[0] if found.by else None
        yield Closed(gone.obligation_id, gone.case_key, "superseded" if by else "withdrawn", found.reason, by)
        yield from self._withdraw_all(gone.obligation_id, found.reason)

    def _place(self, slot: Slot, known: KnownObligation | None) -> tuple[UUID, str]:
        """Return the id of the slot's obligation and the case under which it was, or is, opened."""
        if known is not None:
            return known.obligation_id, known.case_key
        home = self._home(slot.subject)
        return obligation_id(home, slot.rule, slot.position, slot.duty_holder, slot.subject, slot.anchor), home

    def _notices(self, identity: UUID, case_key: str, obligation: Obligation, restated: str) -> Iterator[Change]:
        for recipient in obligation.recipients:
            latest = self._latest.get((identity, recipient))
            if latest is None or _stands_no_more(latest):
                if recipient not in obligation.standing.met_by:
                    yield self._owed(identity, case_key, obligation, recipient, latest)
                elif latest is None:
                    yield from self._correct_to_heir(identity, case_key, obligation, recipient)
            elif latest.may_be_replaced and (why := restated or self._gives_otherwise(latest, obligation)):
                yield NoticeWithdrawn(latest, why, self._still_there(latest))
                had = self._had(identity, recipient)
                other_date = had and had.due_on != obligation.dates.due_on
                new = self._owed(identity, case_key, obligation, recipient, latest)
                yield replace(new, corrects=had) if other_date else new
            elif _accepted_before(latest, obligation):
                yield self._owed(identity, case_key, obligation, recipient, latest)
            elif latest.tried and latest.due_on != obligation.dates.due_on:
                yield from self._correct(latest, obligation)
            elif obligation.released and latest.state == "awaiting_release":
                yield Released(latest, released=True)
            elif not obligation.released and latest.state in {"due", "sending", "refused"}:
                yield Released(latest, released=False)
        yield from self._withdraw(self._unnamed(identity, obligation), UNNAMED)

    def _gives_otherwise(self, notice: KnownNotice, obligation: Obligation) -> str:
        """Return why a notice gives its recipient more or less than it is to see now, or for another purpose; else nothing."""
        wanted = disclosure(self._decision.evaluation.book.book.profiles[obligation.duty.profile])
        return RESTATED if notice.disclosure not in (None, wanted) else ""

    def _pass_on(self, identity: UUID, case_key: str, obligation: Obligation) -> Iterator[Change]:
        """Owe what an ended body was told, or was to be told, to the body in its place, unless that has been done."""
        for told in self._of_duty(identity):
            heir = self._heir(told)
            settled = told.state in {"accepted", "withdrawn", "superseded"} or heir not in obligation.recipients
            done = heir in obligation.standing.met_by or obligation.standing.state == "met"
            if heir == told.recipient or settled or (done and told.arrived):
                continue
            reason = self._decision.words.succession(told.recipient)
            if heir in obligation.standing.met_by:
                yield NoticeWithdrawn(told, reason, None)
                continue
            latest = self._latest.get((identity, heir))
            if latest is None or _stands_no_more(latest):
                new = self._owed(identity, case_key, obligation, heir, latest)
                yield new
                latest = new.notice
            yield NoticeSuperseded(told, latest.notice_id, reason)

    def _correct(self, told: KnownNotice, obligation: Obligation) -> Iterator[Change]:
        """Owe a notice with the present due date to whoever may have been told another.

        What was attempted stays as it was sent, so the correction is a notice of its own. It corrects the last one that the
        recipient may have, which an attempt that never left, or was turned away, did not give them. One that a named person
        has accepted stays accepted.
        """
        new = self._owed(told.obligation_id, told.case_key, obligation, told.recipient, told)
        yield replace(new, corrects=self._had(told.obligation_id, told.recipient))
        if told.state != "accepted":
            yield NoticeSuperseded(told, new.notice.notice_id, SUPERSEDED)

    def _had(self, identity: UUID, recipient: str) -> KnownNotice | None:
        """Return the last notice of a duty that a recipient may have, and that was not taken back."""
        of_both = (each for each in self._of_duty(identity) if each.recipient == recipient)
        had = [each for each in of_both if each.maybe_arrived and each.state != "withdrawn"]
        return max(had, key=lambda each: each.revision, default=None)

    def _correct_to_heir(self, identity: UUID, case_key: str, obligation: Obligation, heir: str) -> Iterator[Owed]:
        """Owe the present due date to whoever stands in the place of a body that accepted another, and of that alone was told nothing."""
        had = [each for each in self._of_duty(identity) if self._heir(each) == heir and each.state == "accepted"]
        last = max(had, key=lambda each: each.revision, default=None)
        if last is not None and last.due_on != obligation.dates.due_on:
            yield replace(self._owed(identity, case_key, obligation, heir, None), corrects=last)

    def _owed(
        self, identity: UUID, case_key: str, obligation: Obligation, recipient: str, latest: KnownNotice | None
    ) -> Owed:
        state: NoticeState = "due" if obligation.released else "awaiting_release"
        revision = latest.revision + 1 if latest else 1
        found = KnownNotice(
            notice_id(identity, recipient, revision),
            identity,
            case_key,
            obligation.rule.id,
            recipient,
            obligation.duty.profile,
            revision,
            state,
            obligation.dates.due_on,
        )
        self._latest[identity, recipient] = found
        return Owed(found, obligation)

    def _of_duty(self, identity: UUID) -> list[KnownNotice]:
        return [each for each in self._known.notices if each.obligation_id == identity]

    def _withdraw_all(self, identity: UUID, reason: str) -> Iterator[NoticeWithdrawn]:
        """Withdraw those that were superseded too: the recipient may have one of them and not yet its correction."""
        yield from self._withdraw(self._of_duty(identity), reason)

    def _unnamed(self, identity: UUID, obligation: Obligation) -> list[KnownNotice]:
        """Return the notices of those whom a duty names no more: they are to see nothing more of it."""
        return [each for each in self._of_duty(identity) if self._heir(each) not in obligation.recipients]

    def _withdraw_unreleased(self, identity: UUID, obligation: Obligation) -> Iterator[NoticeWithdrawn | Released]:
        """What may be sent to those whom a met duty names still is: knowing twice harms nobody.

        So is what waited for those who were told under a linked case: their last word would be that this is withdrawn.
        """
        waiting = [each for each in self._of_duty(identity) if each.state == "awaiting_release"]
        named = [each for each in waiting if self._heir(each) in obligation.recipients]
        again = [each for each in named if obligation.released and (identity, self._heir(each)) in self._taken_back]
        yield from (Released(each, released=True) for each in again)
        unsent = (each for each in named if each not in again)
        yield from self._withdraw(unsent, f"the duty is met: {obligation.standing.reason}")

    def _withdraw_undelivered(self, standing: Mapping[Slot, KnownObligation]) -> Iterator[NoticeWithdrawn]:
        """A duty that was met stays met, but once no rule gives it, what has not arrived under it must not arrive any more."""
        waiting: dict[Slot, list[KnownNotice]] = {}
        for slot, each in standing.items():
            known = self._of_duty(each.obligation_id) if each.state == "met" else []
            notices = [one for one in known if one.may_yet_arrive]
            if notices:
                waiting[slot] = notices
        for found in lapsed(waiting, self._decision):
            yield from self._withdraw(waiting[found.slot], LAPSED + found.reason)

    def _stays_met(self, identity: UUID, case_key: str, obligation: Obligation) -> Iterator[Change]:
        """What has arrived under a duty that was met before stays: another register alone would call back what was done years ago."""
        waiting = [each for each in self._unnamed(identity, obligation) if each.may_yet_arrive]
        yield from self._withdraw(waiting, UNNAMED)
        yield from self._owe_again(identity, case_key, obligation)

    def _owe_again(self, identity: UUID, case_key: str, obligation: Obligation) -> Iterator[Owed]:
        """Owe anew what waited under a duty that was met before no rule gave it for a time, also to those who have met it.

        So it is to those who were told under a linked case. Their last word from us may be that the notice is withdrawn.
        """
        lapsed = {self._heir(each) for (of, _), each in self._latest.items() if of == identity and each.lapsed}
        for recipient in obligation.recipients if obligation.released else ():
            latest, told = self._latest.get((identity, recipient)), (identity, recipient) in self._taken_back
            stands_no_more = latest is None or latest.lapsed or (told and latest.state == "withdrawn")
            if stands_no_more and (told or recipient in lapsed):
                yield self._owed(identity, case_key, obligation, recipient, latest)

    def _withdraw(self, notices: Iterable[KnownNotice], reason: str) -> Iterator[NoticeWithdrawn]:
        for notice in notices:
            if notice.state != "withdrawn":
                yield NoticeWithdrawn(notice, reason, self._still_there(notice))

    def _heir(self, notice: KnownNotice) -> str:
        return self._facts.in_place_of(notice.recipient)

    def _still_there(self, notice: KnownNotice) -> str | None:
        """Return who is told of what becomes of a notice: its recipient, or whoever stands in its place and had none of its own."""
        heir = self._heir(notice)
        told_itself = heir != notice.recipient and (notice.obligation_id, heir) in self._latest
        return heir if self._register.exists(heir) and not told_itself else None

    def _questions(self) -> Iterator[Change]:
        wanted = {(each.fact, each.of_whom, each.subject): each for each in self._decision.questions}
        open_now: set[tuple[str, str, str]] = set()
        for known in sorted(self._known.questions, key=lambda each: (each.case_key, each.question_id)):
            key = (known.fact, known.of_whom, known.subject)
            if key in wanted and key not in open_now:
                open_now.add(key)
                question = self._as_put(known, wanted[key])
                if (known.due_on, {*known.rules}) != (question.due_on, {*question.rules}):
                    yield AskedOtherwise(known, question)
            else:
                yield Answered(known, self._why_closed(known, asked_twice=key in wanted))
        for key, question in wanted.items():
            if key not in open_now:
                case_key = self._home(question.subject)
                yield Asked(question_id(case_key, *key), case_key, question)

    def _as_put(self, known: KnownQuestion, question: Question) -> Question:
        """Return an open question as it is now, counted from the day on which it was put, with the present calendar."""
        due_on, _ = last_day(known.from_on, Length(question.within_working_days), self._decision.calendar)
        return replace(question, from_on=known.from_on, due_on=due_on)

    def _why_closed(self, known: KnownQuestion, *, asked_twice: bool) -> str:
        if asked_twice:
            return "linked cases: the same question is open in another of them"
        spec = self._decision.evaluation.book.vocabulary.get(known.fact)
        if spec is None:  # asked by an earlier version of the program
            return "no rule needs it any more"
        own = spec.scope == "authority"
        heir = self._facts.in_place_of(known.of_whom)
        if self._facts.value(known.fact, heir if own else known.subject) is not None:
            return "answered"
        if heir != known.of_whom:
            return f"{self._decision.words.succession(known.of_whom)}: it is asked from now on"
        return "no rule needs it any more"


def _stands_no_more(latest: KnownNotice) -> bool:
    """Say whether a recipient's last notice tells it nothing: withdrawn, or passed on to a successor before it had it.

    A body has its place back where the clock was moved back to before its end.
    """
    return latest.state == "withdrawn" or (latest.state == "superseded" and not latest.arrived)


def _accepted_before(latest: KnownNotice, obligation: Obligation) -> bool:
    """Say whether what a recipient accepted was of an earlier act than the one that it is to be told of now: that corrects nothing."""
    stop = obligation.duty.stop
    counts = ACKNOWLEDGED in stop.events and stop.since is not None
    return counts and latest.state == "accepted" and latest.recipient not in obligation.standing.met_by


def _has(obligations: Iterable[Obligation], slot: Slot) -> bool:
    return any(each.slot == slot for each in obligations)


def homes(firsts: Sequence[tuple[str, str]]) -> Home:
    """Return where new things are opened: the case in which their subject was first spoken of.

    Args:
        firsts: (subject, case key) of every fact, earliest recorded first; not empty.
    """
    found: dict[str, str] = {}
    for subject, case_key in firsts:
        found.setdefault(subject, case_key)
    oldest = firsts[0][1]
    found[INCIDENT] = oldest
    return lambda subject: found.get(subject, oldest)
