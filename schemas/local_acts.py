"""Acts that the procedures of single areas ask for: strategy meetings, alternative reviews, audits of the learning.

Source: the procedures of the areas, as `docs/reference/source-pages.md` has them.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from schemas.act import Act, states
from schemas.people import YesNo
from schemas.submission import AUTHORITY


class StrategyMeetingHeld(Act, title="Strategy meeting held"):
    """A strategy meeting of several agencies was held after the death of a child, or serious harm to one."""

    reported_by: ClassVar = AUTHORITY
    held_on: Annotated[date, states("strategy_meeting.held_on", "Day", "In England's calendar.", "2026-06-01")]
    referral_considered: Annotated[
        YesNo,
        states(
            "strategy_meeting.referral_considered",
            "Referral considered",
            "Whether the meeting considered a referral for a child safeguarding practice review.",
            "yes",
        ),
    ]


class AlternativeReviewConsidered(Act, title="Alternative learning review considered"):
    """No formal review follows, and the partners have considered learning from the case in another way."""

    considered_on: Annotated[
        date, states("review.alternative_considered_on", "Day", "In England's calendar.", "2026-06-01")
    ]
    outcome: Annotated[
        Literal["local_reflective_review", "deep_dive", "single_agency_review", "none"],
        states(
            "review.alternative", "What follows", "Which kind of review follows, if any.", "local_reflective_review"
        ),
    ]


class LearningAudited(Act, title="Effect of the learning audited"):
    """The partners have looked at whether what was learned from a review has its intended effect."""

    audited_on: Annotated[
        date, states("learning.audited_on", "Day", "The day on which they looked at it.", "2026-06-01")
    ]
    has_effect: Annotated[
        YesNo, states("learning.has_effect", "Intended effect", "Whether it has the effect that was intended.", "yes")
    ]
