"""What stands in a set of linked cases, and the changes that a decision can make to it, as values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID

from services.routing.domain.decide import Obligation, Question
from services.routing.domain.happenings import InPlaceOf, Slot
from services.routing.domain.periods import Dates
from services.routing.domain.rulebook.model import Profile

ObligationState = Literal["open", "met", "withdrawn", "superseded"]
NoticeState = Literal[
    "awaiting_release", "due", "sending", "delivered", "accepted", "refused", "withdrawn", "superseded"
]


LAPSED: Final = "the duty, which is met, is no longer given: "
"""How the reason begins for which a notice that waits under a met duty is withdrawn: it is owed again once a rule gives the duty."""


Disclosure = tuple[str, tuple[str, ...], frozenset[tuple[str, str]]]
"""For which purpose and on which basis a recipient may see which fields, each with how much of it."""


def disclosure(profile: Profile) -> Disclosure:
    """Return what a profile gives; another version may give more or less under the same name."""
    return profile.purpose, profile.lawful_basis, frozenset(profile.give.items())


@dataclass(frozen=True, slots=True)
class KnownNotice:
    """A notice as it stands; `revision` counts those of its obligation and recipient from 1.

    `due_on`: the due date that it gives. `tried`: an attempt was begun, so that what it says stays as it is.
    `maybe_arrived`: the recipient may have it, because it was taken, is being sent, or an attempt had no answer. `reason`: why it
    is in this state, or why the last attempt failed. `disclosure`: what it was written to give; None where that is not known.
    """

    notice_id: UUID
    obligation_id: UUID
    case_key: str
    rule: str
    recipient: str
    profile: str
    revision: int
    state: NoticeState
    due_on: date | None
    tried: bool = False
    taken: bool = False
    maybe_arrived: bool = False
    reason: str | None = None
    disclosure: Disclosure | None = None

    @property
    def may_be_replaced(self) -> bool:
        """Say whether nothing of it has left, or all was turned away: then another can take its place, and nobody wonders."""
        return not self.maybe_arrived and self.state in {"awaiting_release", "due", "refused"}

    @property
    def lapsed(self) -> bool:
        """Say whether it was withdrawn only because no rule gave its duty any more, which was met before and stays so."""
        return self.state == "withdrawn" and (self.reason or "").startswith(LAPSED)

    @property
    def arrived(self) -> bool:
        """Say whether the recipient's system took it, as far as is known."""
        return self.taken or self.state in {"delivered", "accepted"}

    @property
    def may_yet_arrive(self) -> bool:
        """Say whether it stands, and the recipient's system has not taken it."""
        return not self.arrived and self.state not in {"withdrawn", "superseded"}


Terms = tuple[str, ...]
"""What a version of the rulebook says of an obligation besides whom it tells and when: see `terms`."""


def terms(obligation: Obligation) -> Terms:
    """Return what the rulebook says of an obligation; another version may say otherwise of the same one."""
    rule, source, duty = obligation.rule, obligation.rule.source, obligation.duty
    return (
        *(rule.title, rule.strength, source.cite, source.href, source.quote),
        *(duty.profile, obligation.release, duty.stop.phrase),
    )


@dataclass(frozen=True, slots=True)
class KnownObligation:
    """An obligation as it stands. `terms` and `editions` are those under which it was published last.

    `editions` is None of what was published before there were any: that says nothing of them. `met_on`: the England date
    on which it was met; None of one that is not, and of one that was before this was kept.
    """

    obligation_id: UUID
    case_key: str
    slot: Slot
    revision: int
    state: ObligationState
    opened_at: datetime
    recipients: tuple[str, ...]
    dates: Dates
    released: bool
    terms: Terms | None = None
    editions: tuple[str, ...] | None = None
    met_on: date | None = None

    def says_otherwise(self, obligation: Obligation) -> bool:
        """Say whether the rulebook now says something else of it, or under other editions of the law."""
        editions = tuple(each.id for each in obligation.editions)
        under_others = self.editions is not None and self.editions != editions
        return under_others or (self.terms is not None and self.terms != terms(obligation))


def by_slot(
    obligations: Iterable[KnownObligation], in_place_of: InPlaceOf
) -> tuple[dict[Slot, KnownObligation], list[tuple[KnownObligation, KnownObligation]]]:
    """Return the obligation of each slot, and pairs (younger, older) where linked cases have two that stand.

    One that an ended body held stands in the slot of the body in its place: the same duty, passed on.
    """
    standing: dict[Slot, KnownObligation] = {}
    duplicates = []
    for each in sorted(obligations, key=lambda one: (one.state == "superseded", one.opened_at, one.obligation_id)):
        older = standing.setdefault(each.slot.passed_on(in_place_of), each)
        if older is not each and each.state != "superseded":
            duplicates.append((each, older))
    return standing, duplicates


@dataclass(frozen=True, slots=True)
class KnownQuestion:
    """An open question as it was published last: for which rules it was put, and from which day to which it is counted."""

    question_id: UUID
    case_key: str
    fact: str
    of_whom: str
    subject: str
    rules: tuple[str, ...]
    from_on: date
    due_on: date
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that stands in a set of linked cases; questions only while they are open."""

    obligations: tuple[KnownObligation, ...] = ()
    questions: tuple[KnownQuestion, ...] = ()
    notices: tuple[KnownNotice, ...] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """A duty now stands (for the first time, again, or towards other recipients)."""

    obligation_id: UUID
    case_key: str
    revision: int
    obligation: Obligation


@dataclass(frozen=True, slots=True)
class Redated:
    """The same duty has other dates."""

    known: KnownObligation
    revision: int
    obligation: Obligation


@dataclass(frozen=True, slots=True)
class ReleaseChanged:
    """The same duty was released, or is no longer."""

    known: KnownObligation
    obligation: Obligation


@dataclass(frozen=True, slots=True)
class Met:
    """What the duty asks for has happened."""

    obligation_id: UUID
    case_key: str
    obligation: Obligation


@dataclass(frozen=True, slots=True)
class Closed:
    """The duty no longer stands; `by` is the one that took its place."""

    obligation_id: UUID
    case_key: str
    state: Literal["withdrawn", "superseded"]
    reason: str
    by: UUID | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question is open."""

    question_id: UUID
    case_key: str
    question: Question


@dataclass(frozen=True, slots=True)
class AskedOtherwise:
    """An open question waits for other rules than it was put for, or is to be answered by another day."""

    known: KnownQuestion
    question: Question


@dataclass(frozen=True, slots=True)
class Answered:
    """A question is closed."""

    known: KnownQuestion
    reason: str


@dataclass(frozen=True, slots=True)
class Owed:
    """A notice is owed; it may be sent if `released`. `corrects` is one that its recipient may have, which gave another due date."""

    notice: KnownNotice
    obligation: Obligation
    corrects: KnownNotice | None = None

    @property
    def released(self) -> bool:
        """Say whether it may be sent."""
        return self.notice.state == "due"


@dataclass(frozen=True, slots=True)
class Released:
    """A notice that waited may be sent now (`released`), or must wait again."""

    notice: KnownNotice
    released: bool


@dataclass(frozen=True, slots=True)
class NoticeWithdrawn:
    """A notice no longer stands; `tell` is who is to hear of it if it may have arrived, None if nobody is there for that."""

    notice: KnownNotice
    reason: str
    tell: str | None


@dataclass(frozen=True, slots=True)
class NoticeSuperseded:
    """Another notice, `by`, takes the place of one that gave an old due date, or whose recipient has ended."""

    notice: KnownNotice
    by: UUID
    reason: str


DutyChange = Opened | Redated | ReleaseChanged | Met | Closed | Asked | AskedOtherwise | Answered
Change = DutyChange | Owed | Released | NoticeWithdrawn | NoticeSuperseded


def accepted(notice: KnownNotice) -> KnownNotice:
    """Return the notice as one that a named person has accepted."""
    return replace(notice, state="accepted")
