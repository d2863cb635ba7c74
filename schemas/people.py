"""What a submission says about people: who they are, in the personal block alone, and what is known without identity.

Whatever stands in the personal block is kept encrypted by intake and never emitted.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from schemas.envelope import AreaCode, Model

YesNo = Literal["yes", "no", "unknown"]
Area = AreaCode | Literal["unknown"]
ItemRef = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9/_.-]{0,31}$")]
ChildRef = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
Text = Annotated[str, Field(min_length=1, max_length=20_000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Setting = Literal[
    "home",
    "foster",
    "kinship",
    "childrens_home",
    "secure_home",
    "young_offender_institution",
    "secure_training_centre",
    "police_custody",
    "hospital",
    "mental_health_detention",
    "school",
    "early_years",
    "public_place",
    "online",
    "abroad",
]
"""Kinds of place where something can happen to a child."""
Years = Annotated[int, Field(ge=0, le=120)]
_AGE: Final = "In completed years. Leave it out if you give the dates in personal; the age is derived then."


def said(title: str, means: str, example: str | int | None = None) -> Any:
    """Return a field's label, meaning and example. A field without an example is left out of the example event."""
    return Field(title=title, description=means, examples=None if example is None else [example])


class PersonalChild(Model, title="Identity of child"):
    """Who the child is. Kept encrypted by intake; ages are derived from the dates and only the ages go on."""

    ref: Annotated[
        ChildRef,
        said("Your reference of the child", "The reference that the child has in `children`.", "child-1"),
    ]
    name: Annotated[Name | None, said("Name of the child", "The child's full name.", "Testchild Alpha")] = None
    date_of_birth: Annotated[
        date | None, said("Date of birth", "It never leaves intake; only ages go on.", "2019-11-03")
    ] = None
    date_of_death: Annotated[
        date | None, said("Date of death", "If the child died. It never leaves intake; only the age goes on.")
    ] = None
    nhs_number: Annotated[
        Annotated[str, Field(pattern=r"^[0-9]{10}$")] | None, said("NHS number", "Ten digits, without spaces.")
    ] = None
    address: Annotated[Text | None, said("Address", "Where the child lives.", "1 Nowhere Street")] = None


class IncidentPersonal(Model, title="Personal details of a report"):
    """The personal part of a report."""

    incident_date: Annotated[
        date | None, said("Day of the incident", "Ages at the incident are derived from it.", "2026-05-31")
    ] = None
    summary: Annotated[
        Text | None,
        said("Summary", "What happened, in your own words.", "Invented example. A neighbour called an ambulance."),
    ] = None
    reported_by: Annotated[Name | None, said("Name of the reporter", "Who reports it.", "Invented Reporter")] = None
    children: Annotated[
        tuple[PersonalChild, ...],
        said("Identity of the children", "Who the children are, each with the ref that it has in `children`."),
    ] = ()


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


class PlacementPersonal(ActPersonal, title="Personal details of a placement"):
    """Who the child is and what was planned: for the authority in whose area the child is placed."""

    child_details: Annotated[
        Text | None,
        said("Details of the child", "Who the child is, in your own words.", "Invented example. Testchild Alpha."),
    ] = None
    care_plan: Annotated[Text | None, said("Care plan", "The plan for the child's care.", "Invented example.")] = None


class Child(Model, title="Child"):
    """What is known about one child, without identity."""

    ref: Annotated[
        ChildRef,
        said(
            "Your reference of the child",
            "Your own reference of the child within the case, never a name. In linked cases the same reference means "
            "the same child.",
            "child-1",
        ),
    ]
    home_area: Annotated[
        Area | None,
        said("Home area", "Area where the child normally lives, by its nine-character GSS code.", "E08000035"),
    ] = None
    looked_after: Annotated[
        YesNo | None, said("Looked after", "Whether the child is looked after by a local authority.", "no")
    ] = None
    looked_after_by: Annotated[
        Area | None, said("Looked after by", "Area code of the authority that looks after the child.")
    ] = None
    placed_in: Annotated[Area | None, said("Placed in", "Code of the area in which the child is placed.")] = None
    care_leaver: Annotated[YesNo | None, said("Care leaver", "Whether the person is a care leaver.", "no")] = None
    care_leaver_of: Annotated[
        Area | None, said("Care leaver of", "Area code of the authority responsible for the care leaver.")
    ] = None
    unborn: Annotated[YesNo | None, said("Unborn", "Whether the child was not born yet when it happened.")] = None
    age_at_incident: Annotated[
        Years | None,
        said("Age at the incident", _AGE),
    ] = None
    age_at_death: Annotated[
        Years | None,
        said("Age at death", _AGE),
    ] = None
