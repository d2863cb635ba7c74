"""What every submitted event has, whatever its type: the case that it is about, and who may report it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, Field

from schemas.envelope import CaseKey, Model
from schemas.people import said
from schemas.reporters import ReporterBody

CaseReference = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9/_.-]{0,63}$")]
AUTHORITY: Final[frozenset[ReporterBody]] = frozenset({"local_authority"})
PARTNERSHIP: Final[frozenset[ReporterBody]] = frozenset({"local_authority", "childrens_partnership"})
ADULTS_BOARD: Final[frozenset[ReporterBody]] = frozenset({"local_authority", "adults_board"})
SAFETY_PARTNERSHIP: Final[frozenset[ReporterBody]] = frozenset({"local_authority", "community_safety_partnership"})
WHO_MAY: Final[Mapping[frozenset[ReporterBody], str]] = {
    AUTHORITY: "a local authority",
    PARTNERSHIP: "a safeguarding children partnership or a local authority",
    ADULTS_BOARD: "a safeguarding adults board or a local authority",
    SAFETY_PARTNERSHIP: "a community safety partnership or a local authority",
}
"""Who these kinds of body are, in words."""


def only(bodies: frozenset[ReporterBody] | None) -> str:
    """Say in a sentence who alone may report an event; empty for None, where everybody may."""
    return f"Only {WHO_MAY[bodies]} may report it." if bodies else ""


_NAMES_NOW: Final[Mapping[str, str]] = {
    "review.delay": "delay.cause",
    "review.delay_known_on": "delay.known_on",
    "review.expected_on": "delay.expected_on",
    "review.delay_panel_told_on": "delay.panel_told_on",
    "review.delay_secretary_told_on": "delay.secretary_told_on",
}


def name_now(fact: str) -> str:
    """Return the name that a fact of the vocabulary has, given that one or the name that it had before."""
    return _NAMES_NOW.get(fact, fact)


FactName = Annotated[str, AfterValidator(name_now)]
"""A fact of the vocabulary. What was sent under a name of before is read as it was meant."""
PERSONAL: Final = said(
    "Personal details",
    "Everything that could identify a person. By HTTP as an object, or encrypted; by Kafka encrypted only (compact JWE).",
)


class LinkedCase(Model, title="Another case about the same incident"):
    """Another case about the same incident: by Handrail's key from a notice, or by its reporter's own reference."""

    case_key: Annotated[
        CaseKey | None,
        said(
            "Key of the other case",
            "Handrail's key of the other case, as it stands in a notice that you got. Instead of client and "
            "case_reference.",
        ),
    ] = None
    client: Annotated[
        str | None,
        said(
            "Client that reported the other case",
            "Name of the client that reported the other case. Together with its case_reference.",
        ),
    ] = None
    case_reference: Annotated[
        CaseReference | None,
        said(
            "Case reference of the other case", "The other reporter's own number for that case. Together with client."
        ),
    ] = None


class Submission(Model):
    """What every submitted event's `data` has. `reported_by`: the kinds of body that may report it; None for all."""

    reported_by: ClassVar[frozenset[ReporterBody] | None] = None
    case_reference: Annotated[
        CaseReference,
        said(
            "Case reference",
            "Your own number for the case. The same number always means the same case. It is stored as a keyed digest "
            "only.",
            "WYP-2026-0001",
        ),
    ]
    linked_case: Annotated[
        LinkedCase | None,
        said(
            "Another case about the same incident",
            "Another case about the same incident, if you know of one. It is linked once you were told of it or its "
            "reporter names yours. The answer is always the same.",
        ),
    ] = None
