"""What a new decision changes: obligations added, met, withdrawn, superseded, re-dated, released; each with its reason.

An obligation whose rule has become undecided stays as it is: doubt does not withdraw a duty. So does one whose rule says no
only because what is in dispute does not count as recorded. What has been met stays met, unless the fact or event that met it
was itself withdrawn; whether it was met in time goes by what is known now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from schemas.vocabulary import ITEMS
from services.routing.domain import reasons
from services.routing.domain.decide import Decision, Obligation
from services.routing.domain.happenings import Slot
from services.routing.domain.periods import Dates
from services.routing.domain.reasons import Missing
from services.routing.domain.rulebook.compile import NO, UNDECIDED
from services.routing.domain.rulebook.evaluate import Trace
from services.routing.domain.unsettled import Unsettled


@dataclass(frozen=True, slots=True)
class Known:
    """An obligation as the last decision left it."""

    state: Literal["open", "met", "withdrawn", "superseded"]
    due_on: date | None
    warn_on: date | None
    recipients: tuple[str, ...]
    released: bool
    from_on: date | None = None
    met_on: date | None = None
    provisional: bool = False

    def is_dated_otherwise(self, dates: Dates) -> bool:
        """Say whether these dates are others, or the same ones counted from another day, or sure where they were provisional."""
        known = (self.due_on, self.warn_on, self.from_on, self.provisional)
        return known != (dates.due_on, dates.warn_on, dates.from_on, dates.provisional)


@dataclass(frozen=True, slots=True)
class Lapsed:
    """An obligation that the rules no longer give. `by` is the one in its place, if the duty is now another's."""

    slot: Slot
    reason: str
    by: Slot | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different. One obligation may stand in several lists: opened and at once met, re-dated and released.

    Those in `met` and in `redated` count from another day than was known, whether they were met before or are met only now.
    """

    opened: tuple[Obligation, ...] = ()
    met: tuple[Obligation, ...] = ()
    withdrawn: tuple[Obligation, ...] = ()
    lapsed: tuple[Lapsed, ...] = ()
    redated: tuple[Obligation, ...] = ()
    readdressed: tuple[Obligation, ...] = ()
    released: tuple[Obligation, ...] = ()

    def __bool__(self) -> bool:
        return any(getattr(self, each) for each in self.__slots__)


def compare(before: Mapping[Slot, Known], decision: Decision) -> Changes:
    """Return what a decision changes about the obligations known before it; the same decision again changes nothing.

    Args:
        before: Every obligation ever opened in the case (or the linked cases), by slot.
        decision: The new decision.
    """
    now = {each.slot: each for each in decision.obligations}
    kept = [(before[slot], each) for slot, each in now.items() if slot in before]
    opened = [each for slot, each in now.items() if slot not in before]
    opened += [each for known, each in kept if known.state != "open" and each.standing.state == "open"]
    still_open = [(known, each) for known, each in kept if known.state == each.standing.state == "open"]
    closing = [each for known, each in kept if known.state != each.standing.state]
    closing += [each for each in opened if each.slot not in before]
    otherwise = [(known, each) for known, each in kept if _met_otherwise(known, each, decision)]
    closing += [each for _, each in otherwise]
    return Changes(
        opened=tuple(opened),
        met=tuple(each for each in closing if each.standing.state == "met"),
        withdrawn=tuple(each for each in closing if each.standing.state == "withdrawn"),
        lapsed=tuple(lapsed((slot for slot, known in before.items() if known.state == "open"), decision)),
        redated=tuple(each for known, each in still_open if known.is_dated_otherwise(each.dates))
        + tuple(each for known, each in otherwise if known.from_on != each.dates.from_on)
        + tuple(each for known, each in kept if _met_on_other_dates(known, each, decision)),
        readdressed=tuple(each for known, each in still_open if known.recipients != each.recipients),
        released=tuple(each for known, each in still_open if each.released and not known.released),
    )


def _met_otherwise(known: Known, each: Obligation, decision: Decision) -> bool:
    """Say whether a duty that was met counts from another day, or was met on another, than was known.

    Another calendar alone changes neither. What may be of a later act changes nothing either: the duty was met about the earlier,
    and a day of which the newest counts may always be of a later one, if it is not the day of one item.
    """
    dates, met_on = each.dates, each.standing.met_on
    if not known.state == each.standing.state == "met" or (known.from_on, known.met_on) == (dates.from_on, met_on):
        return False
    if met_on is None or (each.standing.repeatable and (known.met_on is None or met_on > known.met_on)):
        return False
    return not _counts_from_the_newest(each, decision)


def _met_on_other_dates(known: Known, each: Obligation, decision: Decision) -> bool:
    """Say whether a duty is met only now and has other dates than were known: told together with what met it, or while it did not stand."""
    if known.state == "met" or each.standing.state != "met":
        return False
    dates = each.dates
    if (known.due_on, known.warn_on, known.from_on) == (dates.due_on, dates.warn_on, dates.from_on):
        return False
    return known.from_on is None or not _counts_from_the_newest(each, decision)


def _counts_from_the_newest(each: Obligation, decision: Decision) -> bool:
    """Say whether a duty counts from a day that may be of a later act than the one that it was met about."""
    if each.dates.from_fact is None:
        return False
    spec = decision.evaluation.book.vocabulary[each.dates.from_fact]
    return spec.keeps == "the newest" and spec.scope not in ITEMS


def lapsed(slots: Iterable[Slot], decision: Decision) -> list[Lapsed]:
    """Return those of some obligations that the rules no longer give; what is in doubt still gives its own."""
    now = {each.slot for each in decision.obligations}
    found = []
    for slot in slots:
        if slot in now:
            continue
        same = [trace for trace in decision.traces if (trace.rule, trace.subject) == (slot.rule, slot.subject)]
        item = _item(slot, decision)
        runs = [trace for trace in same if item is None or trace.about.item in {None, item}]
        if _in_doubt(slot, runs, decision):
            continue
        by = _in_its_place(slot, decision)
        why = f"the duty is now on {decision.words.body(by.duty_holder)}" if by else _why(slot, runs, decision)
        found.append(Lapsed(slot, why, by))
    return found


def _in_doubt(slot: Slot, runs: list[Trace], decision: Decision) -> bool:
    """Say whether the rule is undecided, or would be but for a dispute, or holds but this entry of its `then` cannot be settled."""
    if any(run.answer == UNDECIDED for run in runs):
        return True
    if any((run.rule, run.about, slot.position) in decision.unsettled for run in runs):
        return True
    disputed = {Missing(each.name, each.owner) for each in decision.conflicts}
    disputes = Unsettled(decision.evaluation, settled=lambda missing: missing not in disputed)
    return any(disputes.may_hold(run) for run in runs if run.answer == NO)


def _in_its_place(slot: Slot, decision: Decision) -> Slot | None:
    """Return the obligation that differs from one that is gone in nothing but whose it is."""
    place, item = (slot.rule, slot.position, slot.subject), _item(slot, decision)
    same = (
        each.slot for each in decision.obligations if (each.slot.rule, each.slot.position, each.slot.subject) == place
    )
    return next((each for each in same if item is None or _item(each, decision) in {None, item}), None)


def _item(slot: Slot, decision: Decision) -> str | None:
    """Return the report or other item on which a duty is judged, also a child's; None if it is judged on none of the case."""
    owner = slot.anchor.rpartition(" of ")[2]
    return owner if any(owner in keys for keys in decision.evaluation.facts.items.values()) else None


def _why(slot: Slot, runs: list[Trace], decision: Decision) -> str:
    words = decision.words
    for run in sorted(runs, key=lambda each: each.holder is None or each.holder.id != slot.duty_holder):
        because = reasons.because(decision.evaluation, run)
        if because is not None:
            if because.found:
                return words.found(because.found)
            return f"{'now' if because.unwanted else 'no longer'} so: {words.needed(because.condition)}"
        if run.in_force == NO:
            return f"{slot.rule} was not in force on the date it is judged on"
        then = decision.evaluation.book.rules[slot.rule].rule.then
        if slot.position >= len(then):
            break
        duty = then[slot.position]
        if duty.only_if is not None:
            return f"no longer so: {words.asked(duty.only_if)}"
    book = decision.evaluation.book.book
    if not any(rule.id == slot.rule and slot.position < len(rule.then) for rule in book.rules):
        return f"rulebook {book.version} no longer has this duty"
    return "the report or child that it was about is no longer part of the case"
