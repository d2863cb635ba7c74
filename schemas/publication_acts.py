"""Acts around the publication of a review: planned, declined and answered, done, and looked for afterwards.

Source: Children Act 2004 s16F; SI 2018/789, regulations 16 and 17.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from schemas.act import Act, states
from schemas.act_personal import DeclinedPersonal, PublishedPersonal
from schemas.people import YesNo
from schemas.submission import PERSONAL


class PublicationPlanned(Act, title="Publication planned"):
    """A day was set for publication. Copies must be sent before it."""

    planned_on: Annotated[
        date,
        states(
            "publication.planned_on", "Day of publication", "The day that is now planned.", "2026-12-14", planned=True
        ),
    ]
    form: Annotated[
        Literal["full", "improvements_only"],
        states(
            "publication.form",
            "Form",
            "Whether the report is published, or only information about the improvements that it recommends.",
            "full",
        ),
    ]


class PublicationCopySent(Act, title="Copy sent before publication"):
    """Copies were sent by other means than Handrail's notices: a day for each who got one."""

    panel_on: Annotated[
        date | None, states("publication.copy_panel_on", "Sent to the Panel on", "In England's calendar.", "2026-06-01")
    ] = None
    secretary_of_state_on: Annotated[
        date | None,
        states(
            "publication.copy_secretary_on", "Sent to the Secretary of State on", "In England's calendar.", "2026-06-01"
        ),
    ] = None
    ofsted_on: Annotated[
        date | None, states("publication.copy_ofsted_on", "Sent to Ofsted on", "In England's calendar.", "2026-06-01")
    ] = None


class PublicationDeclined(Act, title="Publication declined"):
    """The partners consider it inappropriate to publish the report, and have told the Panel and the Secretary of State why."""

    justified_on: Annotated[
        date,
        states(
            "publication.declined_on",
            "Day of the justification",
            "The day on which the reasons were sent.",
            "2026-06-01",
        ),
    ]
    information: Annotated[
        Literal["to_publish", "none"] | None,
        states(
            "publication.information",
            "Information about improvements",
            "Whether there is any that is appropriate to publish instead (section 16F(5)).",
            "to_publish",
        ),
    ] = None
    personal: Annotated[DeclinedPersonal | None, PERSONAL] = None


class PublicationAnswered(Act, title="Answer of the Panel about a publication recorded"):
    """The Panel has answered the reasons against publication. It may ask the partners to reconsider."""

    view: Annotated[
        Literal["agrees", "asks_to_reconsider"],
        states("publication.panel_view", "The Panel's view", "What its letter says.", "agrees"),
    ]
    letter_on: Annotated[
        date,
        states("publication.panel_letter_on", "Day of the letter", "The date of the Panel's letter.", "2026-06-01"),
    ]


class PublicationReconsidered(Act, title="Publication reconsidered"):
    """The partners have decided again, because the Panel asked them to. A day of publication is an event of its own, told on that day or later."""

    reconsidered_on: Annotated[
        date, states("publication.reconsidered_on", "Day", "The day of the decision.", "2026-06-01")
    ]
    outcome: Annotated[
        Literal["publish", "not_publish"],
        states("publication.reconsidered", "Outcome", "Whether the report is published after all.", "publish"),
    ]


class ReviewPublished(Act, title="Review published"):
    """The report, or the information about improvements, is published."""

    published_on: Annotated[
        date, states("review.published_on", "Day of publication", "In England's calendar.", "2026-06-01")
    ]
    personal: Annotated[PublishedPersonal | None, PERSONAL] = None


class PublicationChecked(Act, title="Publication still available"):
    """Somebody has looked whether the publication is still there (SI 2018/789, regulation 17)."""

    checked_on: Annotated[
        date, states("publication.checked_on", "Day", "The day on which it was looked at.", "2026-06-01")
    ]
    available: Annotated[
        YesNo, states("publication.available", "Available", "Whether everybody could read it then.", "yes")
    ]
