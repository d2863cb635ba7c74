"""Acts that belong to no incident: what a partnership does every year, and the placement of a child in another area.

A case with nothing else in it is asked nothing about an incident.

Source: Children Act 2004 s16G(7) and s11; the pages of Sutton and Wandsworth.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from schemas.act import Act, states
from schemas.act_personal import PlacementPersonal, PublishedPersonal
from schemas.people import Area, ItemRef, said
from schemas.submission import AUTHORITY, PERSONAL


class YearlyReportPublished(Act, title="Yearly report published"):
    """The safeguarding partners have published what they did in a year and how effective it was."""

    about: ClassVar = "yearly_report"
    yearly_report: Annotated[ItemRef, said("Your name of the report", "Each year has one of its own.", "2025-26")]
    area: Annotated[Area, states("annual_report.area", "Area", "Whose partners report, by GSS code.", "E08000035")]
    published_on: Annotated[
        date,
        states(
            "annual_report.published_on",
            "Day of publication",
            "In England's calendar.",
            "2026-06-01",
            also="yearly_report.published_on",
        ),
    ]
    personal: Annotated[PublishedPersonal | None, PERSONAL] = None


class ArrangementsAudited(Act, title="Safeguarding arrangements audited"):
    """The partnership has audited whether its agencies comply with section 11 of the Children Act 2004."""

    area: Annotated[Area, states("arrangements.area", "Area", "Whose agencies, by GSS code.", "E09000029")]
    audited_on: Annotated[date, states("arrangements.audited_on", "Day", "In England's calendar.", "2026-06-01")]


class PlacementMade(Act, title="Child placed"):
    """An authority has placed a child whom it looks after; in another area the authority there is told."""

    about: ClassVar = "placement"
    reported_by: ClassVar = AUTHORITY
    placement: Annotated[ItemRef, said("Your number of the placement", "Each placement has one of its own.", "PL-1")]
    placing_area: Annotated[Area, states("placement.by", "Placing authority", "Its area, by GSS code.", "E09000032")]
    host_area: Annotated[
        Area,
        states("placement.in_area", "Area of the placement", "Where the child is placed, by GSS code.", "E09000029"),
    ]
    made_on: Annotated[date, states("placement.made_on", "Day", "In England's calendar.", "2026-06-01")]
    personal: Annotated[PlacementPersonal | None, PERSONAL] = None


class PlacementApproved(Act, title="Placement approved"):
    """A placement out of the authority's area is approved. The name belongs in the personal part."""

    about: ClassVar = "placement"
    reported_by: ClassVar = AUTHORITY
    placement: Annotated[ItemRef, said("Your number of the placement", "The number with which it was made.", "PL-1")]
    approved_by: Annotated[
        Literal["nominated_officer", "director"],
        states(
            "placement.approved_by",
            "Approved by",
            "A nominated officer approves a placement out of the area, the director one at a distance.",
            "nominated_officer",
        ),
    ]
    approved_on: Annotated[date, states("placement.approved_on", "Day", "In England's calendar.", "2026-05-29")]
