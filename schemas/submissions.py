"""What a partner system may report: the `data` of each submitted event type, in its closed, strict form.

Everything that could identify a person goes in `personal`; intake keeps that encrypted and never emits it. Free text
belongs there too. `"unknown"` is allowed wherever a partner may not know, and means the same as leaving the field out.

Source: Children Act 2004 s16C; the fields of the national form as described in `docs/reference/events.md`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from schemas.envelope import AreaCode, CaseKey, Instant, Model

Harm = Literal["death", "serious_harm", "other", "unknown"]
Country = Literal["england", "wales", "scotland", "northern_ireland", "abroad", "unknown"]
View = Literal["known", "suspected", "not_suspected", "unknown"]
YesNo = Literal["yes", "no", "unknown"]
Area = AreaCode | Literal["unknown"]
ChildRef = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$", description="Your own reference, not a name: `child-1`.")]
CaseReference = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9/_.-]{0,63}$", description="Your case number.")]
ExternalRef = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9/_.-]{2,63}$")]
Text = Annotated[str, Field(min_length=1, max_length=20_000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Years = Annotated[int, Field(ge=0, le=120)]


class LinkedCase(Model):
    """Another case about the same incident: by Handrail's key from a notice, or by its reporter's own reference."""

    case_key: CaseKey | None = None
    client: str | None = None
    case_reference: CaseReference | None = None


class Submission(Model):
    """What every submitted event's `data` has."""

    case_reference: CaseReference
    linked_case: LinkedCase | None = None


class PersonalChild(Model):
    """Who the child is. Kept encrypted by intake; ages are derived from the dates and only the ages go on."""

    ref: ChildRef
    name: Name | None = None
    date_of_birth: date | None = None
    date_of_death: date | None = None
    nhs_number: Annotated[str, Field(pattern=r"^[0-9]{10}$")] | None = None
    address: Text | None = None


class IncidentPersonal(Model):
    """The personal part of a report."""

    incident_date: date | None = None
    summary: Text | None = None
    reported_by: Name | None = None
    children: tuple[PersonalChild, ...] = ()


class ActPersonal(Model):
    """The personal part of a decision or act: who did it, and why in their words."""

    by: Name | None = None
    reason: Text | None = None


class Child(Model):
    """What is known about one child, without identity."""

    ref: ChildRef
    home_area: Area | None = None
    looked_after: YesNo | None = None
    looked_after_by: Area | None = None
    placed_in: Area | None = None
    care_leaver: YesNo | None = None
    care_leaver_of: Area | None = None
    age_at_incident: Years | None = Field(
        default=None, description="Completed years; left out if a date of birth is given."
    )
    age_at_death: Years | None = Field(default=None, description="Completed years; left out if dates are given.")


class IncidentReported(Submission):
    """An agency reports that a child died or was harmed."""

    harm: Harm | None = None
    country: Country | None = None
    area: Area | None = None
    reported_on: date | None = Field(
        default=None, description="Day you became aware (England). Default: day of `time`."
    )
    child_review: YesNo | None = Field(default=None, description="May meet review criteria, or holds learning.")
    adult_at_risk: YesNo | None = None
    domestic_death: YesNo | None = None
    children: tuple[Child, ...] = Field(default=(), max_length=20)
    personal: IncidentPersonal | None = None


class BecameAware(Submission):
    """A local authority became aware. This starts its clock."""

    aware_at: Instant
    how: Literal["partner", "inbox", "strategy_meeting", "emergency_duty_team", "other"] = "other"
    personal: ActPersonal | None = None


class AbuseSuspicionChanged(Submission):
    """A local authority records its own view on abuse or neglect. It may start a clock later than awareness did."""

    view: View
    from_on: date = Field(description="Day from which the authority has held this view (England).")
    evidence: Literal["post_mortem", "section_47", "police", "medical", "other"] = "other"
    personal: ActPersonal | None = None


class NotificationDecision(Submission):
    """A named person decides whether to notify the Panel."""

    outcome: Literal["notify", "not_notify", "defer"]
    decided_at: Instant
    criterion_not_met: Literal["abuse_or_neglect", "harm", "age", "place"] | None = None
    personal: ActPersonal


class NotificationSubmitted(Submission):
    """The notification was made in the national system, whose reference is recorded here."""

    external_ref: ExternalRef
    submitted_at: Instant
    children_count: Annotated[int, Field(ge=1, le=100)]
    personal: ActPersonal | None = None


class DeathNotified(Submission):
    """The death of a looked-after child, or of a care leaver, was notified; the system's reference is recorded here."""

    external_ref: ExternalRef
    notified_at: Instant
    child_ref: ChildRef
    cause_known: YesNo | None = None
    personal: ActPersonal | None = None


class DeliveryAcknowledged(Submission):
    """A named person at the recipient has accepted a notice."""

    notice_id: UUID
    accepted_at: Instant
    role: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")] | None = None
    personal: ActPersonal


class FactCorrected(Submission):
    """Something reported earlier was wrong. It is superseded, never overwritten."""

    corrects: UUID = Field(description="`event_id` from the receipt of the event that was wrong.")
    fact: str = Field(description="Name of the fact, as in the vocabulary.", max_length=64)
    child_ref: ChildRef | None = None
    value: str | int | None = Field(description="The right value in the vocabulary's words; null withdraws the fact.")
    reason: Literal["wrong_person", "wrong_value", "new_information", "entered_by_mistake"]
    personal: ActPersonal | None = None


class NotAppropriateRecorded(Submission):
    """A named person records that telling another area is not appropriate."""

    obligation_id: UUID
    reason: Literal["already_told", "no_link_to_area", "would_increase_risk", "other"]
    personal: ActPersonal


class CrossPartnershipOutcome(Submission):
    """The children's partnership records what it did with a case that another partnership told it of."""

    notice_id: UUID
    outcome: Literal["accepted", "not_accepted", "joint_review", "no_further_action"]
    decided_at: Instant
    personal: ActPersonal


SUBMISSIONS: Final[dict[str, type[Submission]]] = {
    "incident.reported.v1": IncidentReported,
    "la.became_aware.v1": BecameAware,
    "abuse_suspicion.changed.v1": AbuseSuspicionChanged,
    "notification.decision.v1": NotificationDecision,
    "scsi.notification.submitted.v1": NotificationSubmitted,
    "lac_death.notified.v1": DeathNotified,
    "care_leaver_death.notified.v1": DeathNotified,
    "delivery.acknowledged.v1": DeliveryAcknowledged,
    "fact.corrected.v1": FactCorrected,
    "not_appropriate.recorded.v1": NotAppropriateRecorded,
    "cross_partnership.outcome.v1": CrossPartnershipOutcome,
}
"""CloudEvents `type` of each event a partner may submit, with the model of its `data`."""

AUTHORITY_ONLY: Final = frozenset(
    {
        "la.became_aware.v1",
        "abuse_suspicion.changed.v1",
        "notification.decision.v1",
        "scsi.notification.submitted.v1",
        "lac_death.notified.v1",
        "care_leaver_death.notified.v1",
        "not_appropriate.recorded.v1",
    }
)
"""Types that only a local authority may report: they are about its own knowledge, view or act."""
