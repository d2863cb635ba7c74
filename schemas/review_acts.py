"""Acts from a notification to the report of a review.

Source: SI 2018/789 and Working Together, chapter on serious incidents and reviews.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from schemas.act import Act, states
from schemas.act_personal import DelayPersonal, RapidReviewPersonal, ReviewerPersonal
from schemas.people import ItemRef, YesNo, said
from schemas.submission import AUTHORITY, PERSONAL

AfterRapidReview = Literal["review", "no_review", "possibly_national"]
"""Whether a review should follow a rapid review, and of which kind."""


class NotificationWithdrawn(Act, title="Notification to the Panel withdrawn"):
    """A notification was found to have been wrong. If the criteria were not met, no rapid review is owed any more."""

    about: ClassVar = "withdrawal"
    reported_by: ClassVar = AUTHORITY
    reason: Annotated[
        Literal["criteria_not_met", "duplicate", "wrong_authority"],
        states(
            "notification.withdrawn", "Reason", "Why it was withdrawn.", "criteria_not_met", also="withdrawal.reason"
        ),
    ]
    withdrawn_on: Annotated[
        date,
        states(
            "notification.withdrawn_on",
            "Day of the withdrawal",
            "In England's calendar.",
            "2026-06-01",
            also="withdrawal.made_on",
        ),
    ]


class NotificationAmended(Act, title="Notification to the Panel amended"):
    """What was notified to the Panel was put right or completed there. Nothing that is owed changes by it."""

    reported_by: ClassVar = AUTHORITY
    amended_on: Annotated[
        date, states("notification.amended_on", "Day", "The day on which it was amended.", "2026-06-01")
    ]
    what: Annotated[
        Literal["child", "incident", "outcome", "other"],
        states("notification.amended", "What", "What was amended; never the words.", "child"),
    ]


class RapidReviewOpened(Act, title="Rapid review begun"):
    """The partnership has begun its rapid review."""

    opened_on: Annotated[date, states("rapid_review.opened_on", "Day", "The day on which it began.", "2026-06-01")]


class AuthorsMet(Act, title="Meeting with the authors held"):
    """The group that carries out the rapid review has met with the authors of the agencies' reports."""

    met_on: Annotated[date, states("rapid_review.met_with_authors_on", "Day", "The day of the meeting.", "2026-06-01")]


class RapidReviewAdvised(Act, title="Advice on a rapid review given"):
    """The group that carries out the rapid review has met alone, and advises the partners' executive. Reasons are personal."""

    met_on: Annotated[date, states("rapid_review.met_alone_on", "Day", "The day of the meeting.", "2026-06-01")]
    advice: Annotated[
        AfterRapidReview,
        states("rapid_review.advice", "Advice", "Whether a review should follow, and of which kind.", "no_review"),
    ]


class RapidReviewDecided(Act, title="Decision of the executive on a rapid review"):
    """The partners' executive has decided on the rapid review, before it goes to the Panel."""

    decided_on: Annotated[date, states("rapid_review.decided_on", "Day", "The day of the decision.", "2026-06-01")]
    decision: Annotated[
        AfterRapidReview,
        states(
            "rapid_review.executive_decision",
            "Decision",
            "Whether a review should follow, and of which kind.",
            "no_review",
        ),
    ]


class RapidReviewSubmitted(Act, title="Rapid review sent to the Panel"):
    """The partnership has finished its rapid review and sent it to the Panel, with its decision about a further review."""

    submitted_on: Annotated[
        date,
        states("rapid_review.submitted_on", "Day on which it was sent", "In England's calendar.", "2026-06-01"),
    ]
    decision: Annotated[
        AfterRapidReview,
        states("rapid_review.decision", "Decision", "Whether a review should follow, and of which kind.", "no_review"),
    ]
    improvements: Annotated[
        YesNo | None,
        states(
            "rapid_review.improvements",
            "Improvements needed",
            "Whether the case shows, or may show, improvements needed to safeguard children, also such as were found "
            "before (SI 2018/789, regulation 11(a)).",
            "no",
        ),
    ] = None
    recurrent_themes: Annotated[
        YesNo | None,
        states(
            "rapid_review.recurrent_themes",
            "Recurrent themes",
            "Whether it shows, or may show, recurrent themes (SI 2018/789, regulation 11(b)).",
            "no",
        ),
    ] = None
    agencies_together: Annotated[
        YesNo | None,
        states(
            "rapid_review.agencies_together",
            "Agencies working together",
            "Whether it raises concerns about two or more agencies working together (SI 2018/789, regulation 11(c)).",
            "no",
        ),
    ] = None
    panel_prefers_local: Annotated[
        YesNo | None,
        states(
            "rapid_review.panel_prefers_local",
            "The Panel thinks a local review better",
            "Whether the Panel has considered the case and thinks that a local review is more appropriate (SI 2018/789, "
            "regulation 11(d)).",
            "no",
        ),
    ] = None
    single_agency: Annotated[
        YesNo | None,
        states(
            "rapid_review.single_agency",
            "A single agency",
            "Whether the actions of a single agency give cause for concern (circumstances of the guidance).",
            "no",
        ),
    ] = None
    no_agency: Annotated[
        YesNo | None,
        states(
            "rapid_review.no_agency",
            "No agency involved",
            "Whether it gives cause for concern that no agency was involved (circumstances of the guidance).",
            "no",
        ),
    ] = None
    several_areas: Annotated[
        YesNo | None,
        states(
            "rapid_review.several_areas",
            "Several areas",
            "Whether more than one local authority, police area or integrated care board is involved, also because the "
            "family moved (circumstances of the guidance).",
            "no",
        ),
    ] = None
    institution: Annotated[
        YesNo | None,
        states(
            "rapid_review.institution",
            "Institutional setting",
            "Whether it may raise issues about children in institutional settings: homes, custody, detention "
            "(circumstances of the guidance).",
            "no",
        ),
    ] = None

    personal: Annotated[RapidReviewPersonal | None, PERSONAL] = None


class PanelResponded(Act, title="Answer of the Panel recorded"):
    """The Panel has answered a rapid review."""

    view: Annotated[
        Literal["agrees_no_review", "agrees_review", "disagrees", "national_review", "more_information"],
        states("panel.view", "The Panel's view", "What its letter says.", "agrees_no_review"),
    ]
    letter_on: Annotated[
        date, states("panel.letter_on", "Day of the letter", "The date of the Panel's letter.", "2026-06-01")
    ]


class ReviewDecided(Act, title="Decision about a child safeguarding practice review"):
    """The safeguarding partners have decided whether to hold a local child safeguarding practice review."""

    outcome: Annotated[
        Literal["proceed", "not_proceed"],
        states("review.decision", "What was decided", "Whether a local review is held.", "proceed"),
    ]
    decided_on: Annotated[
        date, states("review.decided_on", "Day of the decision", "The six months run from this day.", "2026-06-01")
    ]
    ground: Annotated[
        Literal["serious_incident", "good_practice", "poor_practice", "near_miss", "other"] | None,
        states(
            "review.ground",
            "Ground",
            "Why it is held. A review may also be held where the criteria for notifying are not met.",
            "serious_incident",
        ),
    ] = None


class ReviewerAppointed(Act, title="Reviewer appointed"):
    """A reviewer was appointed. The name belongs in the personal part."""

    appointed_on: Annotated[
        date,
        states("review.reviewer_appointed_on", "Day of the appointment", "In England's calendar.", "2026-06-01"),
    ]
    independent: Annotated[
        YesNo | None,
        states(
            "review.reviewer_independent",
            "Independent",
            "Whether the reviewer is independent of the safeguarding partners.",
            "yes",
        ),
    ] = None
    personal: Annotated[ReviewerPersonal | None, PERSONAL] = None


class ReviewerRemoved(Act, title="Reviewer removed"):
    """A reviewer was removed, and another has to be appointed. The name and the reason belong in the personal part."""

    removed_on: Annotated[
        date, states("review.reviewer_removed_on", "Day", "The day on which the reviewer was removed.", "2026-06-01")
    ]


class ReviewMonitored(Act, title="Progress of a review monitored"):
    """The partners have looked at how long the review takes and how good it is (SI 2018/789, regulation 14)."""

    monitored_on: Annotated[
        date, states("review.monitored_on", "Day", "The day on which they looked at it.", "2026-06-01")
    ]
    in_time: Annotated[
        YesNo | None, states("review.in_time", "In time", "Whether the review keeps to its time.", "yes")
    ] = None
    quality: Annotated[
        YesNo | None, states("review.quality", "Quality", "Whether its quality is as it must be.", "yes")
    ] = None
    draft_requested: Annotated[
        YesNo | None,
        states("review.draft_requested", "Draft requested", "Whether a draft of the report was asked for.", "no"),
    ] = None


class ReviewDelayed(Act, title="Delay of a review"):
    """A review takes longer than six months. The Panel and the Secretary of State are told why; the date stays as it is."""

    about: ClassVar = "delay"
    delay: Annotated[
        ItemRef | None,
        said(
            "Your number of the delay",
            "The same number always means the same: use it to tell more of one, such as who was told. If left out, the event is "
            "about a delay of its own.",
            "D-1",
        ),
    ] = None
    cause: Annotated[
        Literal["criminal_proceedings", "inquest", "family_court", "reviewer", "other"],
        states("delay.cause", "Cause", "What the review waits for.", "criminal_proceedings"),
    ]
    known_on: Annotated[
        date,
        states("delay.known_on", "Day on which the delay was known", "In England's calendar.", "2026-06-01"),
    ]
    panel_told_on: Annotated[
        date | None,
        states(
            "delay.panel_told_on",
            "Day on which the Panel was told",
            "If it was told by other means than a notice.",
        ),
    ] = None
    secretary_of_state_told_on: Annotated[
        date | None,
        states(
            "delay.secretary_told_on",
            "Day on which the Secretary of State was told",
            "If told by other means than a notice.",
        ),
    ] = None
    expected_on: Annotated[
        date | None,
        states(
            "delay.expected_on",
            "Now expected on",
            "When the review will be complete, as it looks now. What is due stays due.",
            "2027-03-01",
            planned=True,
        ),
    ] = None
    personal: Annotated[DelayPersonal | None, PERSONAL] = None


class ReportFinalised(Act, title="Report of a review finalised"):
    """The report is final."""

    finalised_on: Annotated[
        date, states("review.report_final_on", "Day", "The day on which the report was final.", "2026-06-01")
    ]
    summary_of_improvements: Annotated[
        YesNo,
        states(
            "review.has_improvements",
            "Summary of improvements",
            "Whether it has a summary of the recommended improvements (SI 2018/789, regulation 15).",
            "yes",
        ),
    ]
    analysis_of_reasons: Annotated[
        YesNo,
        states(
            "review.has_analysis",
            "Analysis of reasons",
            "Whether it analyses the systemic or underlying reasons why actions were taken or not (SI 2018/789, "
            "regulation 15).",
            "yes",
        ),
    ]
