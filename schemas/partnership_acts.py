"""Acts around a notification, and those of other partnerships: adults' boards, community safety, child death reviews.

Source: Care Act 2014 s44; Domestic Violence, Crime and Victims Act 2004 s9; Police, Crime, Sentencing and Courts Act 2022
s24 to s36; Children Act 2004 s16M; the procedures of the areas.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from schemas.act import Act, states
from schemas.act_personal import ReturnPersonal
from schemas.people import YesNo
from schemas.submission import ADULTS_BOARD, AUTHORITY, PERSONAL, SAFETY_PARTNERSHIP


class ReferralAccepted(Act, title="Referral accepted"):
    """The partnership's office has taken a referral as complete."""

    accepted_on: Annotated[date, states("referral.accepted_on", "Day", "In England's calendar.", "2026-06-01")]


class ReferralReturned(Act, title="Referral returned"):
    """A referral is incomplete and goes back to whoever made it, who is told what is missing."""

    returned_on: Annotated[date, states("referral.returned_on", "Day", "In England's calendar.", "2026-06-01")]
    personal: Annotated[ReturnPersonal | None, PERSONAL] = None


class ReferralOutcomeGiven(Act, title="Outcome given to whoever raised the case"):
    """Whoever raised the case was told the decision and the reasons otherwise than by a notice."""

    given_on: Annotated[date, states("referral.outcome_given_on", "Day", "In England's calendar.", "2026-06-01")]


class ThresholdDiscussed(Act, title="Threshold discussed"):
    """The safeguarding partners have discussed whether the criteria for notifying are met."""

    discussed_on: Annotated[date, states("threshold.discussed_on", "Day", "In England's calendar.", "2026-06-01")]
    authority_view: Annotated[
        Literal["notify", "not_notify", "undecided"],
        states(
            "threshold.authority_view",
            "View of the local authority",
            "Whether this partner thinks that the Panel must be notified.",
            "notify",
        ),
    ]
    health_view: Annotated[
        Literal["notify", "not_notify", "undecided"],
        states(
            "threshold.health_view",
            "View of the integrated care board",
            "Whether this partner thinks that the Panel must be notified.",
            "notify",
        ),
    ]
    police_view: Annotated[
        Literal["notify", "not_notify", "undecided"],
        states(
            "threshold.police_view",
            "View of the police",
            "Whether this partner thinks that the Panel must be notified.",
            "notify",
        ),
    ]
    legal_advice: Annotated[
        YesNo | None, states("threshold.legal_advice", "Legal advice", "Whether legal advice was taken.", "yes")
    ] = None
    first_raised_with: Annotated[
        Literal["safeguarding_lead", "advisory_group_member", "nobody"] | None,
        states(
            "threshold.first_raised_with",
            "First raised with",
            "With whom the agency discussed the incident before it referred it.",
            "safeguarding_lead",
        ),
    ] = None


class ParentsInformed(Act, title="Parents informed"):
    """The parents, and everybody else with parental responsibility, were told of the death of a looked-after child."""

    reported_by: ClassVar = AUTHORITY
    informed_on: Annotated[date, states("parents.informed_on", "Day", "In England's calendar.", "2026-06-01")]


class ChildDeathReviewNotified(Act, title="Child death review partners notified"):
    """The child death review partners have the notification of a death."""

    notified_on: Annotated[
        date, states("child_death_review.notified_on", "Day", "In England's calendar.", "2026-06-01")
    ]


class ChildDeathReviewCompleted(Act, title="Child death review completed"):
    """The child death review partners have completed their review of a death."""

    completed_on: Annotated[
        date, states("child_death_review.completed_on", "Day", "In England's calendar.", "2026-06-01")
    ]


class JointResponseBegan(Act, title="Joint agency response begun"):
    """Police, health and council have begun to look together into a sudden, unexplained or suspicious death of a child."""

    began_on: Annotated[date, states("joint_response.began_on", "Day", "In England's calendar.", "2026-06-01")]


class AdultReviewReferred(Act, title="Referral for a safeguarding adult review"):
    """Somebody thinks that the adults' board must arrange a review (Care Act 2014, section 44)."""

    reported_by: ClassVar = ADULTS_BOARD
    referred_on: Annotated[date, states("sar.referred_on", "Day", "In England's calendar.", "2026-06-01")]
    ground: Annotated[
        Literal["died", "serious_abuse", "other"],
        states(
            "sar.ground",
            "Ground",
            "Whether the adult died, or is alive and has suffered serious abuse or neglect.",
            "died",
        ),
    ]


class AdultReviewDecided(Act, title="Decision about a safeguarding adult review"):
    """The adults' board has decided whether to arrange a review."""

    reported_by: ClassVar = ADULTS_BOARD
    outcome: Annotated[
        Literal["review", "discretionary_review", "no_review"],
        states("sar.decision", "What was decided", "Whether a review is arranged.", "review"),
    ]
    decided_on: Annotated[
        date, states("sar.decided_on", "Day of the decision", "The review is initiated on this day.", "2026-06-01")
    ]


class AdultReviewCompleted(Act, title="Safeguarding adult review completed"):
    """The review is complete."""

    reported_by: ClassVar = ADULTS_BOARD
    completed_on: Annotated[date, states("sar.completed_on", "Day", "In England's calendar.", "2026-06-01")]


class DomesticReviewAwareness(Act, title="Community safety partnership aware of a domestic abuse related death"):
    """The partnership became aware. This starts its clock."""

    reported_by: ClassVar = SAFETY_PARTNERSHIP
    aware_on: Annotated[date, states("dhr.aware_on", "Day", "In England's calendar.", "2026-06-01")]


class DomesticReviewDecided(Act, title="Decision about a domestic abuse related death review"):
    """The partnership has decided whether to hold a review."""

    reported_by: ClassVar = SAFETY_PARTNERSHIP
    outcome: Annotated[
        Literal["review", "no_review"],
        states("dhr.decision", "What was decided", "Whether a review is held.", "review"),
    ]
    decided_on: Annotated[date, states("dhr.decided_on", "Day of the decision", "In England's calendar.", "2026-06-01")]


class DomesticReviewSubmitted(Act, title="Domestic abuse related death review finished"):
    """The overview report is finished and can go to the Home Office."""

    reported_by: ClassVar = SAFETY_PARTNERSHIP
    finished_on: Annotated[date, states("dhr.finished_on", "Day", "In England's calendar.", "2026-06-01")]


class WeaponReviewAwareness(Act, title="Aware of a death by an offensive weapon"):
    """A review partner became aware of the qualifying circumstances (2022 Act, section 24). This starts its clock."""

    reported_by: ClassVar = AUTHORITY
    aware_on: Annotated[
        date, states("owhr.aware_on", "Day", "The period of one month begins with this day.", "2026-06-01")
    ]


class WeaponReviewDecided(Act, title="Decision about an offensive weapons homicide review"):
    """A review partner has decided whether it must review a death; it may be undecided (2022 Act, section 27)."""

    reported_by: ClassVar = AUTHORITY
    outcome: Annotated[
        Literal["duty", "no_duty", "undecided"],
        states("owhr.decision", "What was decided", "Whether there is a duty to review the death.", "duty"),
    ]
    decided_on: Annotated[
        date, states("owhr.decided_on", "Day of the decision", "In England's calendar.", "2026-06-01")
    ]


class WeaponReviewSettled(Act, title="Later decision about an offensive weapons homicide review"):
    """A review partner that was undecided has decided (2022 Act, section 27(8))."""

    reported_by: ClassVar = AUTHORITY
    outcome: Annotated[
        Literal["duty", "no_duty"],
        states("owhr.later_decision", "What was decided", "Whether there is a duty to review the death.", "no_duty"),
    ]
    decided_on: Annotated[
        date, states("owhr.settled_on", "Day of the decision", "In England's calendar.", "2026-06-01")
    ]
