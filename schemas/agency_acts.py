"""Acts about what single agencies are asked for: information for a review, recommendations, and the actions that follow.

Each request, recommendation and action is numbered by the partnership, and the same number always means the same one.

Source: Children Act 2004 s16H; Working Together, chapter on serious incidents and reviews; the pages of Leeds and Sutton.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

from schemas.act import Act, states
from schemas.act_personal import ClosingPersonal, TaskPersonal
from schemas.envelope import RecipientId
from schemas.people import ItemRef, YesNo, said
from schemas.submission import PERSONAL


class InformationRequested(Act, title="Information requested of an agency"):
    """The partners ask an agency for what it knows. It must answer (Children Act 2004, section 16H)."""

    about: ClassVar = "request"
    request: Annotated[ItemRef, said("Your number of the request", "The same number always means the same.", "R-1")]
    agency: Annotated[
        RecipientId,
        states("request.agency", "Agency", "Who is asked, by its id in the register.", "police:west-yorkshire"),
    ]
    made_on: Annotated[date, states("request.made_on", "Day", "The day on which it was asked.", "2026-06-01")]
    due_on: Annotated[
        date,
        states("request.due_on", "To be answered by", "The last day for the answer.", "2026-06-12", planned=True),
    ]
    personal: Annotated[TaskPersonal | None, PERSONAL] = None


class AgencyReturned(Act, title="Answer of an agency received"):
    """An agency has answered a request for information."""

    about: ClassVar = "request"
    request: Annotated[ItemRef, said("Your number of the request", "The number with which it was asked.", "R-1")]
    returned_on: Annotated[
        date, states("request.returned_on", "Day", "The day on which the answer came.", "2026-06-01")
    ]


class RecommendationMade(Act, title="Recommendation made"):
    """A review recommends something to an agency. The actions that follow from it are events of their own."""

    about: ClassVar = "recommendation"
    recommendation: Annotated[
        ItemRef, said("Your number of the recommendation", "The same number always means the same.", "REC-1")
    ]
    owner: Annotated[
        RecipientId,
        states("recommendation.owner", "Agency", "Whom it is made to, by its id in the register.", "la:E08000035"),
    ]
    made_on: Annotated[date, states("recommendation.made_on", "Day", "The day on which it was made.", "2026-06-01")]
    personal: Annotated[TaskPersonal | None, PERSONAL] = None


class ActionUpdated(Act, title="Action agreed or changed"):
    """An action that follows from a recommendation was agreed, or its agency or its day was changed."""

    about: ClassVar = "action"
    action: Annotated[ItemRef, said("Your number of the action", "The same number always means the same.", "A-1")]
    owner: Annotated[
        RecipientId,
        states("action.owner", "Agency", "Whom the action is for, by its id in the register.", "la:E08000035"),
    ]
    set_on: Annotated[date, states("action.set_on", "Day", "The day on which it was agreed.", "2026-06-01")]
    due_on: Annotated[
        date,
        states("action.due_on", "To be done by", "The last day for the action.", "2026-12-01", planned=True),
    ]
    personal: Annotated[TaskPersonal | None, PERSONAL] = None


class ActionClosed(Act, title="Action closed"):
    """Evidence was seen that an action is done."""

    about: ClassVar = "action"
    action: Annotated[ItemRef, said("Your number of the action", "The number with which it was agreed.", "A-1")]
    closed_on: Annotated[
        date, states("action.closed_on", "Day", "The day on which the evidence was seen.", "2026-06-01")
    ]
    personal: Annotated[ClosingPersonal | None, PERSONAL] = None


class ActionsAudited(Act, title="Progress of actions audited"):
    """The partners have looked at how far the actions that follow from the recommendations have come, at every agency."""

    audited_on: Annotated[
        date, states("actions.audited_on", "Day", "The day on which they looked at it.", "2026-06-01")
    ]
    all_closed: Annotated[
        YesNo,
        states(
            "actions.all_closed",
            "All closed",
            "Whether every action is closed, each with evidence of what was done.",
            "no",
        ),
    ]
