"""What a submission says about people: who they are, in the personal block alone, and what is known without identity.

Whatever stands in the personal block is kept encrypted by intake and never emitted.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from schemas.agencies import AgencyKind
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
LegalStatus = Literal[
    "none",
    "section_17",
    "child_protection_plan",
    "section_20",
    "section_31_interim",
    "section_31_full",
    "placement_order",
    "remand",
    "former",
]
"""On what footing an authority knows the child: sections of the Children Act 1989; `former`: it did, and does no more."""
HarmCategory = Literal[
    "physical",
    "emotional",
    "sexual",
    "neglect",
    "exploitation_criminal",
    "exploitation_sexual",
    "domestic_abuse",
    "extra_familial_violence",
    "self_harm_or_suicide",
    "faith_or_honour_based",
    "fabricated_illness",
]
Circumstance = Literal[
    "death",
    "life_threatening_injury",
    "permanent_impairment",
    "sexual_abuse",
    "parent_murdered",
    "assault_by_child",
    "assault_by_adult",
    "inter_agency_concern",
]
Cause = Literal[
    "fatal_maltreatment",
    "sudden_unexpected_infant_death",
    "suicide",
    "homicide_outside_the_family",
    "extreme_neglect",
    "natural",
    "accident",
    "undetermined",
]
_AGE: Final = "In completed years. Leave it out if you give the dates in personal; the age is derived then."


def said(title: str, means: str, example: str | int | list[str] | None = None) -> Any:
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
    sex: Annotated[Literal["female", "male"] | None, said("Sex", "As recorded at birth.", "female")] = None
    ethnicity: Annotated[Name | None, said("Ethnicity", "In the words of your record.", "Invented example")] = None
    disability: Annotated[Text | None, said("Disability", "In your own words, if there is one.")] = None
    legal_status: Annotated[
        tuple[LegalStatus, ...],
        Field(max_length=5),
        said("Legal status", "On what footing an authority knew the child when it happened.", ["section_17"]),
    ] = ()
    plan_category: Annotated[
        Literal["physical", "emotional", "sexual", "neglect"] | None,
        said("Category of the child protection plan", "If there is such a plan."),
    ] = None
    school: Annotated[
        Annotated[str, Field(pattern=r"^[0-9]{6}$")] | None, said("School", "Its unique reference number, six digits.")
    ] = None
    siblings: Annotated[
        Annotated[int, Field(ge=0, le=30)] | None, said("Number of siblings", "Half and step siblings included.", 1)
    ] = None
    known_to: Annotated[
        Text | None,
        said("Known to", "Which services knew the child, and since when.", "Invented example. Health visiting."),
    ] = None


_SUMMARY: Final = said(
    "Summary", "What happened, in your own words.", "Invented example. A neighbour called an ambulance."
)
_AGENCIES: Final = said("Agencies involved", "Which agencies work with the family, or did.")


class InvolvedAgency(Model, title="Agency involved"):
    """An agency that works with the family, or did."""

    kind: Annotated[AgencyKind, said("Kind of agency", "Of which kind it is.", "school_maintained")]
    name: Annotated[Name | None, said("Name of the agency", "Which one.", "Invented School")] = None
    still_involved: Annotated[
        Literal["yes", "no"] | None, said("Still involved", "Whether it works with the family now.", "yes")
    ] = None


class IncidentPersonal(Model, title="Personal details of a report"):
    """The personal part of a report."""

    incident_date: Annotated[
        date | None, said("Day of the incident", "Ages at the incident are derived from it.", "2026-05-31")
    ] = None
    incident_until: Annotated[date | None, said("Last day of the incident", "If it went on for more than a day.")] = (
        None
    )
    summary: Annotated[
        Text | None,
        _SUMMARY,
    ] = None
    harm_categories: Annotated[
        tuple[HarmCategory, ...],
        Field(max_length=11),
        said("Kinds of harm", "What is known or suspected; more than one can be true.", ["physical", "neglect"]),
    ] = ()
    circumstances: Annotated[
        tuple[Circumstance, ...],
        Field(max_length=8),
        said(
            "Circumstances",
            "What applies of these. The list is not complete, so the summary says the rest.",
            ["permanent_impairment"],
        ),
    ] = ()
    cause: Annotated[
        Cause | None, said("Likely cause", "For later analysis: what is thought now. Nothing is decided by it.")
    ] = None
    incident_time: Annotated[
        Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] | None,
        said("Time of the incident", "In England's time, if known.", "21:30"),
    ] = None
    place: Annotated[Text | None, said("Place", "Where it happened.", "1 Nowhere Street")] = None
    carer: Annotated[Text | None, said("Carer at the time", "Where the child was, and who looked after it then.")] = (
        None
    )
    agencies: Annotated[
        tuple[InvolvedAgency, ...],
        Field(max_length=20),
        _AGENCIES,
    ] = ()
    reported_by: Annotated[Name | None, said("Name of the reporter", "Who reports it.", "Invented Reporter")] = None
    reporter_role: Annotated[Name | None, said("Role of the reporter", "In your organisation.", "Named nurse")] = None
    reporter_contact: Annotated[
        Name | None, said("Contact of the reporter", "E-mail or telephone for questions.", "reporter@example.org")
    ] = None
    children: Annotated[
        tuple[PersonalChild, ...],
        said("Identity of the children", "Who the children are, each with the ref that it has in `children`."),
    ] = ()


class ReferralPersonal(IncidentPersonal, title="Personal details of a referral"):
    """The personal part of a referral: what a referral form has to say."""

    summary: Annotated[Text, _SUMMARY]
    agencies: Annotated[
        tuple[InvolvedAgency, ...],
        Field(min_length=1, max_length=20),
        _AGENCIES,
    ]
    reported_by: Annotated[Name, said("Name of the referrer", "Who refers it.", "Invented Referrer")]
    reporter_role: Annotated[Name, said("Role of the referrer", "In your organisation.", "Named nurse")]
    reporter_contact: Annotated[
        Name, said("Contact of the referrer", "E-mail or telephone for questions.", "referrer@example.org")
    ]


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
    died: Annotated[
        YesNo | None,
        said(
            "Died",
            "Whether this child died, in an incident in which one died. Of the only child of a death, and of a child with an age or date "
            "of death, it is known; of each other it is asked. Correct it if the child dies later.",
        ),
    ] = None
    age_at_incident: Annotated[
        Years | None,
        said("Age at the incident", _AGE),
    ] = None
    age_at_death: Annotated[
        Years | None,
        said("Age at death", _AGE),
    ] = None
