"""Topic `safeguarding.case-events.v1`: what intake kept, without anything personal. Producer: intake.

`reporter` comes from the client's registration, never from what the client wrote. Child references are replaced by
child keys and dates of birth by ages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from schemas.acts import PLAN, TAKEN_BACK, TWINS, ActType
from schemas.calendar.london import LONDON
from schemas.envelope import AreaCode, CaseKey, ChildKey, Envelope, Instant, ItemKey, Model, RecipientId
from schemas.people import Setting
from schemas.reporters import ReporterBody

SUSPICION: Final = frozenset({"known", "suspected"})
"""The views of an authority that are a suspicion of abuse or neglect."""
WITHDRAWAL: Final = ("notification.withdrawn", "notification.withdrawn_on")
"""The facts that an authority states no longer once it notifies anew."""
_NOTIFIED_BY: Final = "notification.submitted_by"
DEATH_NOTIFIED: Final = "child.death_notified_on"
"""The fact that a reference of the notification system states of a child. It says of nobody that they are in the case."""
_UNDONE_WITH: Final = {
    "notification.submitted_on": WITHDRAWAL,
    "publication.planned_on": ("publication.declined_on",),
    "publication.declined_on": TAKEN_BACK["publication.declined.v1"],
}
"""What an event undid besides stating a day: once that day is taken back, it stands as it was."""
_ONLY_WITH: Final[Mapping[str, tuple[frozenset[str], tuple[str, ...]]]] = {
    # A view that was no suspicion after all never was the first day of one.
    "abuse_or_neglect": (SUSPICION, ("suspected_on",)),
    "review.decision": (frozenset({"proceed"}), ("review.decided_by",)),
    # A plan to publish less left standing what was declined.
    "publication.form": (frozenset({"full"}), ("publication.declined_on",)),
    # Who does not publish the report after all has given no plan up.
    "publication.reconsidered": (frozenset({"publish"}), PLAN),
}
"""What an event stated, or undid, only because a fact had one of these values: once it has not, that was never said."""
MISTAKES: Final = frozenset({"wrong_person", "entered_by_mistake"})
"""The reasons of a correction that say that there never was what was reported."""


class Reporter(Model):
    """Who reported, as registered with `handrail client add`."""

    client: str
    body: ReporterBody
    area: AreaCode
    recipient: RecipientId | None = Field(default=None, description="The recipient this client answers for, if any.")

    @property
    def source(self) -> str:
        """In whose name its statements count: every client of one authority speaks for that authority."""
        if self.body == "local_authority":
            return f"la:{self.area}"
        return self.recipient or f"client:{self.client}"


class CaseData(Model):
    """What every case event's `data` has."""

    reporter: Reporter
    personal_ref: UUID | None = Field(
        default=None, description="Pointer into intake's vault, if anything is kept there."
    )


class ChildFacts(Model):
    """What is known about one child. Absent and unknown are the same."""

    child: ChildKey
    home_area: AreaCode | None = None
    looked_after: Literal["yes", "no"] | None = None
    looked_after_by: AreaCode | None = None
    placed_in: AreaCode | None = None
    care_leaver: Literal["yes", "no"] | None = None
    care_leaver_of: AreaCode | None = None
    unborn: Literal["yes", "no"] | None = None
    died: Literal["yes", "no"] | None = None
    age_at_incident: int | None = None
    age_at_death: int | None = None


class IncidentReportedData(CaseData):
    """See `schemas.submissions.IncidentReported`."""

    harm: Literal["death", "serious_harm", "other"] | None = None
    country: Literal["england", "wales", "scotland", "northern_ireland", "abroad"] | None = None
    area: AreaCode | None = None
    setting: Setting | None = None
    unexpected_death: Literal["yes", "no"] | None = None
    reported_on: date
    child_review: Literal["yes", "no"] | None = None
    adult_at_risk: Literal["yes", "no"] | None = None
    domestic_death: Literal["yes", "no"] | None = None
    children: tuple[ChildFacts, ...] = ()
    proposed_route: Literal["local_review", "alternative_review"] | None = Field(
        default=None, description="Of a referral: which kind of review the agency thinks of."
    )

    @property
    def described(self) -> tuple[ChildFacts, ...]:
        """Return what is known of each child. A message of before intake said so of the one child of a death does not have that it died."""
        if self.harm != "death" or len(self.children) != 1 or self.children[0].died is not None:
            return self.children
        return (self.children[0].model_copy(update={"died": "yes"}),)


class BecameAwareData(CaseData):
    """See `schemas.submissions.BecameAware`."""

    aware_on: date
    how: str
    of: Literal["incident", "death"] | None = Field(
        default=None, description="Of what it became aware; absent: of the incident."
    )

    @property
    def facts(self) -> tuple[str, ...]:
        """Return the facts that have the day: who learns of a death is aware of the incident by it."""
        return ("aware_on", "aware_of_death_on") if self.of == "death" else ("aware_on",)


class AbuseSuspicionChangedData(CaseData):
    """See `schemas.submissions.AbuseSuspicionChanged`. `view` absent: the authority does not know."""

    view: Literal["known", "suspected", "not_suspected"] | None = None
    from_on: date
    evidence: str


class NotificationDecisionData(CaseData):
    """See `schemas.submissions.NotificationDecision`."""

    outcome: Literal["notify", "not_notify", "defer"]
    decided_on: date
    criterion_not_met: str | None = None
    override_of_rule: str | None = None


class NotificationSubmittedData(CaseData):
    """See `schemas.submissions.NotificationSubmitted`."""

    external_ref: str
    submitted_at: Instant
    children_count: int
    attachments: tuple[str, ...] = Field(default=(), description="SHA-256 of each document that went with it.")


def counts_from(data: CaseData, fact: str, told_at: datetime) -> datetime:
    """Return the time from which what an event says of a fact counts, by default the event's own.

    Who notified the Panel has not withdrawn that on the day that it was notified; a withdrawal after that day stands, though
    the notification is told after it. Of several that notified the first is the one that did so first, in whatever order it is told.
    A plan to publish that is told on the day of the decision to publish after all, or later, is not the one that was given up.
    """
    if isinstance(data, NotificationSubmittedData) and fact in {*WITHDRAWAL, _NOTIFIED_BY}:
        return min(told_at, data.submitted_at)
    if isinstance(data, ActRecordedData) and fact in PLAN and (on := data.facts.get("publication.reconsidered_on")):
        return min(told_at, datetime.combine(date.fromisoformat(str(on)), time(), LONDON))
    return told_at


class DeathNotifiedData(CaseData):
    """See `schemas.submissions.DeathNotified`."""

    external_ref: str
    notified_at: Instant
    child: ChildKey


class DeliveryAcknowledgedData(CaseData):
    """See `schemas.submissions.DeliveryAcknowledged`."""

    notice_id: UUID
    accepted_at: Instant
    role: str | None = None


class FactCorrectedData(CaseData):
    """See `schemas.submissions.FactCorrected`."""

    corrects: UUID
    fact: str
    child: ChildKey | None = None
    value: str | int | None = None
    reason: str

    @property
    def facts(self) -> Iterator[tuple[str, str | int | None]]:
        """Yield what is corrected: the fact, and what the same event stated only because that was so."""
        yield self.fact, self.value
        if self.fact in TWINS:
            yield TWINS[self.fact], self.value
        if self.value is None:
            yield from ((name, None) for name in _UNDONE_WITH.get(self.fact, ()))
        values, only_then = _ONLY_WITH.get(self.fact, (frozenset(), ()))
        if self.value not in values:
            yield from ((name, None) for name in only_then)
        if self.fact == "aware_on" or (self.fact == "aware_of_death_on" and self.value is not None):
            # Of one awareness of a death both are the day. It may have been none of a death, and one of the incident all the same.
            yield "aware_of_death_on" if self.fact == "aware_on" else "aware_on", self.value
        elif self.fact == "review.published_on":
            yield PLAN[0], self.value
        elif self.fact == "publication.checked_on":
            yield "publication.found_on", self.value
        elif self.fact == "publication.available":
            yield "publication.missing_since", None
            if self.value != "yes":
                yield "publication.found_on", None


class NotAppropriateRecordedData(CaseData):
    """See `schemas.submissions.NotAppropriateRecorded`."""

    obligation_id: UUID
    reason: str


class CrossPartnershipOutcomeData(CaseData):
    """See `schemas.submissions.CrossPartnershipOutcome`."""

    notice_id: UUID
    outcome: str
    decided_at: Instant


class ActRecordedData(CaseData):
    """See `schemas.acts`. `facts` has what the act states, by the names of the vocabulary, dates as ISO text."""

    facts: dict[str, str | int]
    about: ItemKey | None = Field(
        default=None,
        description="What it is about, if a case has several of those: an action, a request, a yearly report, a placement, or the delay or withdrawal that it tells of.",
    )


class CaseLinkedData(Model):
    """Two cases are about the same incident. History is not re-keyed; routing decides over both together."""

    linked_case_key: CaseKey


class IncidentReported(Envelope):
    """An agency reported an incident, or referred one for a review."""

    type: Literal["incident.reported.v1", "referral.submitted.v1"] = "incident.reported.v1"
    data: IncidentReportedData


class BecameAware(Envelope):
    """A local authority became aware."""

    type: Literal["la.became_aware.v1"] = "la.became_aware.v1"
    data: BecameAwareData


class AbuseSuspicionChanged(Envelope):
    """A local authority recorded its view on abuse or neglect."""

    type: Literal["abuse_suspicion.changed.v1"] = "abuse_suspicion.changed.v1"
    data: AbuseSuspicionChangedData


class NotificationDecision(Envelope):
    """A named person decided whether to notify."""

    type: Literal["notification.decision.v1"] = "notification.decision.v1"
    data: NotificationDecisionData


class NotificationSubmitted(Envelope):
    """The Panel's reference was recorded."""

    type: Literal["scsi.notification.submitted.v1"] = "scsi.notification.submitted.v1"
    data: NotificationSubmittedData


class LacDeathNotified(Envelope):
    """The death of a looked-after child was notified."""

    type: Literal["lac_death.notified.v1"] = "lac_death.notified.v1"
    data: DeathNotifiedData


class CareLeaverDeathNotified(Envelope):
    """The death of a care leaver was notified."""

    type: Literal["care_leaver_death.notified.v1"] = "care_leaver_death.notified.v1"
    data: DeathNotifiedData


class DeliveryAcknowledged(Envelope):
    """A named person at the recipient accepted a notice."""

    type: Literal["delivery.acknowledged.v1"] = "delivery.acknowledged.v1"
    data: DeliveryAcknowledgedData


class FactCorrected(Envelope):
    """A reported fact was corrected or withdrawn."""

    type: Literal["fact.corrected.v1"] = "fact.corrected.v1"
    data: FactCorrectedData


class NotAppropriateRecorded(Envelope):
    """Telling another area was found not appropriate."""

    type: Literal["not_appropriate.recorded.v1"] = "not_appropriate.recorded.v1"
    data: NotAppropriateRecordedData


class CrossPartnershipOutcome(Envelope):
    """The children's partnership recorded its outcome."""

    type: Literal["cross_partnership.outcome.v1"] = "cross_partnership.outcome.v1"
    data: CrossPartnershipOutcomeData


class ActRecorded(Envelope, title="Act recorded"):
    """An act in the case was recorded; its type says which."""

    type: ActType
    data: ActRecordedData


class CaseLinked(Envelope, title="Cases linked"):
    """Two cases were linked."""

    type: Literal["case.linked.v1"] = "case.linked.v1"
    data: CaseLinkedData


CaseEvent = Annotated[
    IncidentReported
    | BecameAware
    | AbuseSuspicionChanged
    | NotificationDecision
    | NotificationSubmitted
    | LacDeathNotified
    | CareLeaverDeathNotified
    | DeliveryAcknowledged
    | FactCorrected
    | NotAppropriateRecorded
    | CrossPartnershipOutcome
    | ActRecorded
    | CaseLinked,
    Field(discriminator="type"),
]
