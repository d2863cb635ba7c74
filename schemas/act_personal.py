"""The personal part of decisions and acts: who did it, and what there is to say in words.

Words are kept apart by whom they are for: a disclosure profile gives one field and not its neighbour.
"""

from __future__ import annotations

from typing import Annotated

from schemas.envelope import Model
from schemas.people import Name, Text, said


class ActPersonal(Model, title="Personal details of an act"):
    """The personal part of a decision or act: who did it, and why in their words."""

    by: Annotated[Name | None, said("Name of the person", "Who decided or did this.", "Invented Example")] = None
    reason: Annotated[
        Text | None,
        said("Reason", "Why, in that person's own words.", "Invented example. Recorded after the strategy meeting."),
    ] = None


class TaskPersonal(ActPersonal, title="Personal details of a request or an action"):
    """What is asked for, in words: only the body that it is for may read it."""

    what: Annotated[
        Text | None,
        said(
            "What is to be done", "What is asked for, in your own words.", "Invented example. Train every new starter."
        ),
    ] = None


class ClosingPersonal(ActPersonal, title="Personal details of a closed action"):
    """What shows that an action is done, and what it has changed. It may tell of a case, so it is kept encrypted."""

    evidence: Annotated[
        Text | None, said("Evidence", "What was seen, and where it is filed.", "Invented example. Attendance lists.")
    ] = None
    impact: Annotated[
        Text | None, said("Impact", "What has changed by it.", "Invented example. Every starter was trained.")
    ] = None


class PublishedPersonal(ActPersonal, title="Details of a publication"):
    """Where it can be read. An address can tell of a case, so only those who are sent the publication are given it."""

    url: Annotated[Text | None, said("Address", "Where it is published.", "https://example.org/invented-report")] = None


class PlacementPersonal(ActPersonal, title="Personal details of a placement"):
    """Who the child is and what was planned: for the authority in whose area the child is placed."""

    child_details: Annotated[
        Text | None,
        said("Details of the child", "Who the child is, in your own words.", "Invented example. Testchild Alpha."),
    ] = None
    care_plan: Annotated[Text | None, said("Care plan", "The plan for the child's care.", "Invented example.")] = None


class DecisionPersonal(ActPersonal, title="Personal details of a decision whether to notify"):
    """Who decided and why; and, apart from it, what the agency that raised the case may read."""

    feedback: Annotated[
        Text | None,
        said(
            "Feedback to the agency that raised the case",
            "What that agency is told of the reasons, in words that it may read.",
            "Invented example. The harm was not serious; the support plan goes on.",
        ),
    ] = None


class ReturnPersonal(ActPersonal, title="Personal details of a returned referral"):
    """What is missing: for the agency that made the referral."""

    missing: Annotated[
        Text | None,
        said(
            "What is missing",
            "What the agency has to add, in your own words.",
            "Invented example. The chronology, and which agencies are involved.",
        ),
    ] = None


class RapidReviewPersonal(ActPersonal, title="Personal details of a rapid review"):
    """What the Panel reads of a rapid review besides its decision."""

    rationale: Annotated[
        Text | None,
        said("Rationale", "Why the partners decided so, as the Panel is told.", "Invented example. Nothing new."),
    ] = None
    immediate_actions: Annotated[
        Text | None,
        said(
            "Actions taken at once",
            "What was done at once for the safety of children, and what was shared.",
            "Invented example. The siblings were seen on the same day.",
        ),
    ] = None
    learning: Annotated[
        Text | None,
        said("Learning", "What was learned so far.", "Invented example. Ask who else lives in the home."),
    ] = None


class ReviewerPersonal(ActPersonal, title="Personal details of an appointment"):
    """Who reviews: the Panel, Ofsted and the Department for Education are told the name."""

    reviewers: Annotated[
        Text | None, said("Names of the reviewers", "Everybody who was appointed.", "Invented Reviewer")
    ] = None


class DelayPersonal(ActPersonal, title="Personal details of a delay"):
    """Why a review is late: for the Panel and the Secretary of State."""

    delay_reasons: Annotated[
        Text | None,
        said(
            "Reasons for the delay",
            "Why the review takes longer, as the Panel and the Secretary of State are told.",
            "Invented example. The trial begins in March.",
        ),
    ] = None


class DeclinedPersonal(ActPersonal, title="Personal details of a publication that was declined"):
    """Why a report is not published: for the Panel and the Secretary of State."""

    justification: Annotated[
        Text | None,
        said(
            "Justification",
            "Why publication is inappropriate, as the Panel and the Secretary of State are told.",
            "Invented example. The siblings could be recognised.",
        ),
    ] = None
