"""Topic `safeguarding.decisions.v1`: what is owed, by whom, to whom, by when and why. Producer: routing.

Routing alone opens and closes obligations and questions. A message carries everything that its reader needs (citation,
period, dates), so that no other service interprets the law.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, NotRequired
from uuid import UUID

from pydantic import Field, with_config
from typing_extensions import TypedDict

from schemas.calendar import Counted, Unit
from schemas.envelope import Envelope, Instant, Model, RecipientId

Answer = Literal["yes", "no", "undecided"]
Strength = Literal["must", "should", "may", "local"]


class RulebookRef(Model):
    """The rulebook that was used, and the hash of its text."""

    id: str
    version: str
    sha256: str
    approved: bool


class Citation(Model):
    """Where a rule comes from. `verified` is false until a person has checked it against the full text."""

    cite: str
    href: str
    quote: str
    verified: bool


# A dictionary: a decision has one for each rule, and as models they took most of the time of reading it.
@with_config(strict=True, extra="forbid")
class RuleTrace(TypedDict):
    """One rule's answer for one holder and subject; `bits` packs two bits a condition (no 00, undecided 01, yes 11), in the rule's order, as hex."""

    rule: str
    duty_holder: NotRequired[str | None]
    subject: str
    answer: Answer
    bits: str


class CaseDecidedData(Model):
    """One evaluation of a case. `revision` counts the case's decisions from 1."""

    revision: int
    rulebook: RulebookRef
    calendar: str
    traces: tuple[RuleTrace, ...]
    open_obligations: tuple[UUID, ...]
    open_questions: tuple[UUID, ...]
    conflicts: tuple[str, ...] = Field(default=(), description="Facts on which sources disagree, by name and subject.")
    event_ids: tuple[UUID, ...] = Field(description="The events that led to this decision.")
    answers_nothing: tuple[UUID, ...] = Field(
        default=(),
        description="Those of them that answer a notice or a duty that there is none of, or none of their sender's.",
    )
    reporters: tuple[str, ...] = Field(default=(), description="The clients that have reported this case, by name.")


class Period(Model):
    """How the due date was counted: an amount of a unit `after` a day, `beginning with` it, or back `before` it."""

    amount: int
    unit: Unit
    counted: Counted
    from_on: date
    from_fact: str = Field(description="The fact that the clock starts from.")
    strength: Strength
    cite: str
    ends_on: date | None = Field(
        default=None,
        description="Last day of a task that comes round again, where the count goes past it: it is due then.",
    )


class ObligationOpenedData(Model):
    """A duty now stands. `due_on` is absent while the clock's fact is missing."""

    obligation_id: UUID
    revision: int
    rule: str
    title: str
    position: int
    duty: Strength
    citation: Citation
    rulebook: RulebookRef
    editions: tuple[str, ...] = Field(
        default=(),
        description="The editions of the law that it comes under, as the rulebook calls them: one, then what lies over it.",
    )
    duty_holder: RecipientId
    duty_holder_name: str | None = Field(default=None, description="As the register has it, for people.")
    subject: str
    anchor: str
    recipients: tuple[RecipientId, ...]
    profile: str
    release: str = Field(description="`at once`, or the condition under which a person releases it.")
    released: bool
    stops_when: str
    period: Period | None = None
    due_on: date | None = None
    warn_on: date | None = None
    provisional: bool = False
    calendar: str
    already_met: bool = Field(
        default=False,
        description="What it asks for had happened by then: that it is met follows, so nobody is told that it is late.",
    )


class ObligationRedatedData(Model):
    """The same duty has another due date, or has the same one from another day or for sure, because a fact or the calendar changed."""

    obligation_id: UUID
    revision: int
    period: Period | None = None
    due_on: date | None = None
    warn_on: date | None = None
    old_due_on: date | None = None
    provisional: bool
    calendar: str
    reason: str
    already_met: bool = Field(
        default=False,
        description="What it asks for had happened by then: that it is met follows, so nobody is told that it is late.",
    )


class ObligationMetData(Model):
    """What the rule asks for has happened. `met_on` is the England date on which it happened."""

    obligation_id: UUID
    met_at: Instant
    met_on: date
    how: str


class ObligationClosedData(Model):
    """The duty no longer stands; `reason` says why, `by` names the duty that took its place, if any."""

    obligation_id: UUID
    reason: str
    by: UUID | None = None


class QuestionOpenedData(Model):
    """A fact is missing without which rules cannot be decided. To be answered by the end of `due_on`."""

    question_id: UUID
    fact: str
    of_whom: RecipientId
    of_whom_name: str | None = Field(default=None, description="As the register has it, for people.")
    subject: str
    ask: str
    rules: tuple[str, ...]
    period: Period
    due_on: date
    calendar: str


class QuestionClosedData(Model):
    """The question was answered, or no rule needs it any more."""

    question_id: UUID
    reason: str


class RulebookReleasedData(Model):
    """A version of the rulebook counts from now on. Who wrote and who approved it stands in the record of its release."""

    rulebook: RulebookRef
    supersedes: str | None = Field(default=None, description="The version before it; absent of the first.")
    released_at: Instant = Field(description="When the record was written, by the clock of that machine.")
    record_sha256: str = Field(
        description="Digest of the record, which names two people and has the digest of each file."
    )


class RulebookMigratedData(Model):
    """From now on a case is decided by another version of the rulebook. `by` is an account's id, absent if nobody asked for it."""

    before: str = Field(description="The version by which it was decided until now.")
    rulebook: RulebookRef
    reason: str = Field(description="Never anything about a person.")
    by: str | None = None


class HolidayOn(Model):
    """A weekday that is not worked in England, why, and where that comes from."""

    day: date
    title: str
    source: str


class CalendarUpdatedData(Model):
    """Working days are counted with another calendar from now on. A calendar is named by its version and its digest's beginning."""

    calendar_before: str = Field(description="The calendar that counted until now.")
    calendar: str
    added: tuple[HolidayOn, ...] = Field(
        description="What only the new one has; a holiday that changed stands in both."
    )
    removed: tuple[HolidayOn, ...]
    open_duties: int = Field(
        description="How many open duties were counted with another calendar. Each whose day moves says so itself."
    )


class CaseDecided(Envelope, title="Case decided"):
    """A case was decided."""

    type: Literal["case.decided.v1"] = "case.decided.v1"
    data: CaseDecidedData


class ObligationOpened(Envelope, title="Duty opened"):
    """An obligation was opened."""

    type: Literal["obligation.opened.v1"] = "obligation.opened.v1"
    data: ObligationOpenedData


class ObligationRedated(Envelope, title="Duty dated anew"):
    """An obligation has other dates."""

    type: Literal["obligation.redated.v1"] = "obligation.redated.v1"
    data: ObligationRedatedData


class ObligationMet(Envelope, title="Duty met"):
    """An obligation was met."""

    type: Literal["obligation.met.v1"] = "obligation.met.v1"
    data: ObligationMetData


class ObligationWithdrawn(Envelope, title="Duty withdrawn"):
    """An obligation was withdrawn, with its reason."""

    type: Literal["obligation.withdrawn.v1"] = "obligation.withdrawn.v1"
    data: ObligationClosedData


class ObligationSuperseded(Envelope, title="Duty replaced by another"):
    """An obligation was replaced by another."""

    type: Literal["obligation.superseded.v1"] = "obligation.superseded.v1"
    data: ObligationClosedData


class QuestionOpened(Envelope, title="Question asked"):
    """A question was put."""

    type: Literal["question.opened.v1"] = "question.opened.v1"
    data: QuestionOpenedData


class QuestionClosed(Envelope, title="Question closed"):
    """A question was closed."""

    type: Literal["question.closed.v1"] = "question.closed.v1"
    data: QuestionClosedData


class RulebookReleased(Envelope, title="Rulebook released"):
    """Routing has taken a version of the rulebook that two people released."""

    type: Literal["rulebook.released.v1"] = "rulebook.released.v1"
    data: RulebookReleasedData


class RulebookMigrated(Envelope, title="Case moved to another version of the rulebook"):
    """A case was moved to another version of the rulebook, and decided again."""

    type: Literal["rulebook.migrated.v1"] = "rulebook.migrated.v1"
    data: RulebookMigratedData


class CalendarUpdated(Envelope, title="Calendar of working days changed"):
    """Routing counts working days with another calendar, and counts open duties again."""

    type: Literal["calendar.updated.v1"] = "calendar.updated.v1"
    data: CalendarUpdatedData


DecisionMessage = Annotated[
    CaseDecided
    | ObligationOpened
    | ObligationRedated
    | ObligationMet
    | ObligationWithdrawn
    | ObligationSuperseded
    | QuestionOpened
    | QuestionClosed
    | RulebookReleased
    | RulebookMigrated
    | CalendarUpdated,
    Field(discriminator="type"),
]
