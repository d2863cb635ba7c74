"""What a partner system may report: the `data` of each submitted event type, in its closed, strict form.

Everything that could identify a person goes in `personal`; intake keeps that encrypted and never emits it. Free text
belongs there too. `"unknown"` is allowed wherever a partner may not know, and means the same as leaving the field out.

Each type has its title and its sentence, each field its label, its meaning and an example, in the words that people
read: the JSON Schema, the pages about the events, the forms and the log all take them from here.

Source: Children Act 2004 s16C; the fields of the national form as described in `docs/reference/events.md`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Final, Literal
from uuid import UUID

from pydantic import Field

from schemas.act_personal import ActPersonal, DecisionPersonal
from schemas.acts import ACTS
from schemas.envelope import Instant
from schemas.people import (
    Area,
    Child,
    ChildRef,
    IncidentPersonal,
    ReferralPersonal,
    Setting,
    YesNo,
    said,
)
from schemas.submission import AUTHORITY, PERSONAL, FactName, Submission

Harm = Literal["death", "serious_harm", "other", "unknown"]
Country = Literal["england", "wales", "scotland", "northern_ireland", "abroad", "unknown"]
View = Literal["known", "suspected", "not_suspected", "unknown"]
ExternalRef = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9/_.-]{2,63}$")]
_HARM: Final = said("Harm", "What happened to the child.", "serious_harm")
_CHILDREN: Final = said("Children", "The children concerned, at most 20, each with a reference of your own.")
_DECIDED_AT: Final = said("When it was decided", "The instant of the decision.", "2026-06-01T09:00:00Z")
_EXTERNAL_REF: Final = said(
    "Reference that the national system gave", "As the national system returned it.", "CSI-2026-0001"
)
_NOTICE: Final = said("Notice", "Id of the notice, as it stands in the notice.", "00000000-0000-5000-8000-000000000001")


class IncidentReported(Submission, title="Incident reported"):
    """An agency reports that a child died or was harmed."""

    harm: Annotated[Harm | None, _HARM] = None
    country: Annotated[Country | None, said("Country", "Country of the incident.", "england")] = None
    area: Annotated[
        Area | None,
        said("Area", "Local authority area of the incident, by its nine-character GSS code.", "E08000035"),
    ] = None
    setting: Annotated[
        Literal[Setting, "unknown"] | None,
        said("Setting", "In what kind of place it happened. Providers of foster care and of homes say it."),
    ] = None
    unexpected_death: Annotated[
        YesNo | None,
        said("Unexpected death", "Whether a death was sudden, unexplained or suspicious."),
    ] = None
    reported_on: Annotated[
        date | None,
        said(
            "Day your organisation became aware",
            "In England's calendar. If left out, the day of the event's own time.",
            "2026-06-01",
        ),
    ] = None
    child_review: Annotated[
        YesNo | None,
        said(
            "May need a child safeguarding review",
            "Whether the case may meet the criteria for a child safeguarding review, or hold learning for the "
            "children's partnership.",
            "yes",
        ),
    ] = None
    adult_at_risk: Annotated[
        YesNo | None,
        said(
            "Adult at risk",
            "Whether the case concerns an adult at risk, or a young person moving to adult services.",
            "no",
        ),
    ] = None
    domestic_death: Annotated[
        YesNo | None,
        said(
            "Domestic abuse related death",
            "Whether a person aged 16 or over died through violence, abuse or neglect by a relative, partner or "
            "household member.",
            "no",
        ),
    ] = None
    children: Annotated[
        tuple[Child, ...],
        Field(max_length=20),
        _CHILDREN,
    ] = ()
    personal: Annotated[IncidentPersonal | None, PERSONAL] = None


class ReferralSubmitted(IncidentReported, title="Referral submitted"):
    """An agency refers a case to the partnership for a review. A referral that is not complete is refused with what is missing."""

    harm: Annotated[Harm, _HARM]
    area: Annotated[
        Area, said("Area", "Local authority area of the incident, by its nine-character GSS code.", "E06000006")
    ]
    children: Annotated[
        tuple[Child, ...],
        Field(min_length=1, max_length=20),
        _CHILDREN,
    ]
    proposed_route: Annotated[
        Literal["local_review", "alternative_review"],
        said(
            "Proposed route",
            "Whether you think of a local child safeguarding practice review, or of another kind of review.",
            "local_review",
        ),
    ]
    personal: Annotated[ReferralPersonal, PERSONAL]


class BecameAware(Submission, title="Authority became aware"):
    """A local authority became aware. The first day of it starts its clock."""

    reported_by: ClassVar = AUTHORITY
    aware_at: Annotated[
        Instant,
        said("When the authority became aware", "The instant from which its clock runs.", "2026-06-01T09:00:00Z"),
    ]
    how: Annotated[
        Literal["partner", "inbox", "strategy_meeting", "emergency_duty_team", "other"],
        said("How it became aware", "Through whom or what it learned of the incident.", "partner"),
    ] = "other"
    of: Annotated[
        Literal["incident", "death"] | None,
        said(
            "Of what it became aware",
            "Say death where a child that had been harmed has died: what follows from a death alone counts from then. "
            "Of each the first day counts. If left out, the incident.",
        ),
    ] = None
    personal: Annotated[ActPersonal | None, PERSONAL] = None


class AbuseSuspicionChanged(Submission, title="Authority's view on abuse or neglect recorded"):
    """A local authority records its own view on abuse or neglect. It may start a clock later than awareness did."""

    reported_by: ClassVar = AUTHORITY
    view: Annotated[
        View,
        said(
            "The authority's view on abuse or neglect",
            "Your authority's own view. Nobody else may state it for you.",
            "suspected",
        ),
    ]
    from_on: Annotated[
        date,
        said("Day since which the authority has held this view", "In England's calendar.", "2026-06-01"),
    ]
    evidence: Annotated[
        Literal["post_mortem", "section_47", "police", "medical", "other"],
        said("Evidence", "What the view rests on.", "medical"),
    ] = "other"
    personal: Annotated[ActPersonal | None, PERSONAL] = None


class NotificationDecision(Submission, title="Decision whether to notify"):
    """A named person decides whether to notify the Panel."""

    reported_by: ClassVar = AUTHORITY
    outcome: Annotated[
        Literal["notify", "not_notify", "defer"],
        said(
            "What was decided",
            "To notify releases the notice to the Panel; not to notify cancels it with the reason.",
            "notify",
        ),
    ]
    decided_at: Annotated[Instant, _DECIDED_AT]
    criterion_not_met: Annotated[
        Literal["abuse_or_neglect", "harm", "age", "place"] | None,
        said("Criterion that is not met", "If the decision is not to notify."),
    ] = None
    override_of_rule: Annotated[
        Literal["N-01", "N-02", "N-16", "N-16A"] | None,
        said(
            "Rule that the decision departs from",
            "If the rule, as it is written, would have the Panel notified. The decision is then not to notify, and the reason is needed.",
        ),
    ] = None
    personal: Annotated[DecisionPersonal, PERSONAL]


class NotificationSubmitted(Submission, title="Notification to the Panel submitted"):
    """The notification was made in the national system, whose reference is recorded here."""

    reported_by: ClassVar = AUTHORITY
    external_ref: Annotated[ExternalRef, _EXTERNAL_REF]
    submitted_at: Annotated[
        Instant,
        said("When it was submitted", "The instant of the submission to the national system.", "2026-06-01T09:00:00Z"),
    ]
    children_count: Annotated[
        Annotated[int, Field(ge=1, le=100)],
        said("Number of children", "For how many children it was submitted.", 1),
    ]
    attachments: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...],
        Field(max_length=20),
        said(
            "Attachments",
            "SHA-256 of each document that went with it, so that it can be shown later what was sent.",
            ["5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"],
        ),
    ] = ()
    personal: Annotated[ActPersonal | None, PERSONAL] = None


class DeathNotified(Submission):
    """The death of a looked-after child, or of a care leaver, was notified; the system's reference is recorded here."""

    reported_by: ClassVar = AUTHORITY
    external_ref: Annotated[ExternalRef, _EXTERNAL_REF]
    notified_at: Annotated[
        Instant,
        said("When the death was notified", "The instant of the notification.", "2026-06-01T09:00:00Z"),
    ]
    child_ref: Annotated[ChildRef, said("Which child or person", "Your reference of the child or person.", "child-1")]
    cause_known: Annotated[YesNo | None, said("Cause of death known", "Whether it is known.", "no")] = None
    personal: Annotated[ActPersonal | None, PERSONAL] = None


class LookedAfterDeathNotified(DeathNotified, title="Death of a looked-after child notified"):
    """The death of a looked-after child was notified in the national system, whose reference is recorded here."""


class CareLeaverDeathNotified(DeathNotified, title="Death of a care leaver notified"):
    """The death of a care leaver was notified in the national system, whose reference is recorded here."""


class DeliveryAcknowledged(Submission, title="Notice accepted by a named person"):
    """A named person at the recipient has accepted a notice."""

    notice_id: Annotated[UUID, _NOTICE]
    accepted_at: Annotated[
        Instant, said("When it was accepted", "The instant of the acceptance.", "2026-06-01T09:00:00Z")
    ]
    role: Annotated[
        Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")] | None,
        said(
            "Role of the person",
            "In your own short word, never a name: small letters, and _ for a space.",
            "business_manager",
        ),
    ] = None
    personal: Annotated[ActPersonal, PERSONAL]


class FactCorrected(Submission, title="Fact corrected"):
    """Something reported earlier was wrong. It is superseded, never overwritten."""

    corrects: Annotated[
        UUID,
        said(
            "Event that was wrong",
            "The `event_id` of your event that was wrong, from its receipt.",
            "00000000-0000-5000-8000-000000000002",
        ),
    ]
    fact: Annotated[
        FactName,
        Field(max_length=64),
        said("Fact that was wrong", "One that the event stated, by its name in the vocabulary.", "harm"),
    ]
    child_ref: Annotated[
        ChildRef | None,
        said(
            "Which child",
            "Your reference of the child, if the fact is about one child (its name begins with `child.`).",
        ),
    ] = None
    value: Annotated[
        str | int | None,
        said(
            "Right value",
            "In the vocabulary's words. If it is empty (null), the fact is withdrawn. "
            "A child of which every fact is withdrawn is no child of the case any more.",
            "other",
        ),
    ]
    reason: Annotated[
        Literal["wrong_person", "wrong_value", "new_information", "entered_by_mistake"],
        said("Reason", "Why it is corrected.", "wrong_value"),
    ]
    personal: Annotated[ActPersonal | None, PERSONAL] = None


class NotAppropriateRecorded(Submission, title="Telling another area found not appropriate"):
    """A named person records that telling another area is not appropriate."""

    reported_by: ClassVar = AUTHORITY
    obligation_id: Annotated[
        UUID,
        said(
            "Duty",
            "Id of the obligation, as it stands in the notice or on the case's page.",
            "00000000-0000-5000-8000-000000000003",
        ),
    ]
    reason: Annotated[
        Literal["already_told", "no_link_to_area", "would_increase_risk", "other"],
        said("Reason", "Why telling the other area is not appropriate.", "already_told"),
    ]
    personal: Annotated[ActPersonal, PERSONAL]


class CrossPartnershipOutcome(Submission, title="Outcome of another partnership recorded"):
    """The children's partnership records what it did with a case that another partnership told it of."""

    notice_id: Annotated[UUID, _NOTICE]
    outcome: Annotated[
        Literal["accepted", "not_accepted", "joint_review", "no_further_action"],
        said("Outcome", "What the children's partnership decided.", "accepted"),
    ]
    decided_at: Annotated[Instant, _DECIDED_AT]
    personal: Annotated[ActPersonal, PERSONAL]


SUBMISSIONS: Final[dict[str, type[Submission]]] = {
    "incident.reported.v1": IncidentReported,
    "referral.submitted.v1": ReferralSubmitted,
    "la.became_aware.v1": BecameAware,
    "abuse_suspicion.changed.v1": AbuseSuspicionChanged,
    "notification.decision.v1": NotificationDecision,
    "scsi.notification.submitted.v1": NotificationSubmitted,
    "lac_death.notified.v1": LookedAfterDeathNotified,
    "care_leaver_death.notified.v1": CareLeaverDeathNotified,
    "delivery.acknowledged.v1": DeliveryAcknowledged,
    "fact.corrected.v1": FactCorrected,
    "not_appropriate.recorded.v1": NotAppropriateRecorded,
    "cross_partnership.outcome.v1": CrossPartnershipOutcome,
    **ACTS,
}
"""CloudEvents `type` of each event a partner may submit, with the model of its `data`."""
