"""Acts under the law before 29 June 2018: serious case reviews, which go on in line with the guidance that they began under.

Source: Working Together 2015, chapter 4, as Wandsworth's page tells it.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from schemas.act import Act, states
from schemas.people import YesNo


class CaseReviewConsidered(Act, title="Threshold for a serious case review considered"):
    """The safeguarding children board has considered whether a serious case review has to be held."""

    considered_on: Annotated[date, states("scr.considered_on", "Day", "In England's calendar.", "2018-03-26")]
    agencies_together: Annotated[
        YesNo | None,
        states(
            "scr.agencies_together",
            "Agencies working together",
            "Whether there is cause for concern how the authority, other organisations or professionals worked together to "
            "safeguard the child. It counts where the child was seriously harmed.",
            "yes",
        ),
    ] = None


class CaseReviewDecided(Act, title="Decision about a serious case review"):
    """The safeguarding children board has decided whether to hold a serious case review."""

    outcome: Annotated[
        Literal["review", "no_review"],
        states("scr.decision", "What was decided", "Whether a serious case review is held.", "review"),
    ]
    decided_on: Annotated[
        date, states("scr.decided_on", "Day of the decision", "The review is initiated on this day.", "2018-04-09")
    ]


class CaseReviewPublished(Act, title="Serious case review published"):
    """The serious case review is complete, and its report is published in line with the guidance that it began under."""

    published_on: Annotated[
        date, states("scr.published_on", "Day of publication", "In England's calendar.", "2018-10-02")
    ]
