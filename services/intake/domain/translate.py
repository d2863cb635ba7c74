"""From what a partner wrote to what Handrail's services read: no personal data, child keys for references, ages for dates.

"unknown" becomes absent where a field can be so, an instant that only dates something becomes the England date, and the reporter
is the one that is registered, whatever the event says.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import NoneType
from typing import Any, get_args
from uuid import UUID

from schemas.act import Act
from schemas.calendar.london import london_date
from schemas.case_events import (
    ActRecordedData,
    CaseData,
    ChildFacts,
    DeathNotifiedData,
    FactCorrectedData,
    IncidentReportedData,
    Reporter,
)
from schemas.messages import MESSAGES
from schemas.people import Child
from schemas.submission import Submission
from schemas.submissions import (
    BecameAware,
    DeathNotified,
    FactCorrected,
    IncidentReported,
    NotificationDecision,
)
from schemas.vocabulary import ITEMS, load
from services.intake.domain.ages import completed_years
from services.intake.domain.validate import Submitted, has_death

_NOT_EMITTED = {"case_reference", "linked_case", "personal"}


def child_refs(data: Submission) -> tuple[str, ...]:
    """Return the child references that an event uses, in its order."""
    match data:
        case IncidentReported():
            return tuple(child.ref for child in data.children)
        case DeathNotified():
            return (data.child_ref,)
        case FactCorrected() if data.child_ref is not None:
            return (data.child_ref,)
        case _:
            return ()


def child_keys(data: object) -> tuple[str, ...]:
    """Return the child keys of a published event's data, in the order of `child_refs`."""
    match data:
        case IncidentReportedData():
            return tuple(child.child for child in data.children)
        case DeathNotifiedData():
            return (data.child,)
        case FactCorrectedData() if data.child is not None:
            return (data.child,)
        case _:
            return ()


def translate(
    submitted: Submitted,
    reporter: Reporter,
    children: Mapping[str, str],
    personal_ref: UUID | None,
    about: str | None = None,
) -> CaseData:
    """Return the `data` of the case event.

    Args:
        submitted: The checked event.
        reporter: From the client's registration.
        children: Child key by the client's reference, for every one that `child_refs` returns.
        personal_ref: Pointer into the vault, if anything was kept there.
        about: Key of the item that an act is about, such as an action.
    """
    data = submitted.data
    if isinstance(data, Act):
        return ActRecordedData(reporter=reporter, personal_ref=personal_ref, facts=data.facts(), about=about)
    said = {
        name: None if value == "unknown" and _may_be_absent(field.annotation) else value
        for name, field in type(data).model_fields.items()
        if name not in _NOT_EMITTED
        for value in (getattr(data, name),)
    }
    fields = said | _own(submitted, children)
    for gone in {"child_ref", "aware_at", "cause_known"} | ({"decided_at"} if "decided_on" in fields else set()):
        fields.pop(gone, None)
    model: type[CaseData] = MESSAGES[submitted.type].model_fields["data"].annotation  # type: ignore[assignment]  # each has one
    return model(reporter=reporter, personal_ref=personal_ref, **fields)


def _may_be_absent(annotation: object) -> bool:
    """Say whether a field can be left out or has the word "unknown"; in any other it is what the partner wrote, as a reference."""
    return annotation is NoneType or annotation == "unknown" or any(map(_may_be_absent, get_args(annotation)))


def _own(submitted: Submitted, children: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields that are not simply passed on, by the kind of event."""
    data = submitted.data
    match data:
        case IncidentReported():
            return {
                "reported_on": data.reported_on or london_date(submitted.time),
                "children": tuple(_child(data, child, children[child.ref]) for child in data.children),
            }
        case BecameAware():
            return {"aware_on": london_date(data.aware_at)}
        case NotificationDecision():
            return {"decided_on": london_date(data.decided_at)}
        case DeathNotified():
            return {"child": children[data.child_ref]}
        case FactCorrected():
            return {"child": children[data.child_ref] if data.child_ref else None}
        case _:
            return {}


def _child(data: IncidentReported, child: Child, key: str) -> ChildFacts:
    said = {name: value for name, value in child.model_dump(exclude={"ref"}).items() if value not in {None, "unknown"}}
    if (died := whether_died(data, child)) is not None:
        said["died"] = died
    return ChildFacts(child=key, **(said | derived_ages(data, child.ref)))


def whether_died(data: IncidentReported, child: Child) -> str | None:
    """Return what a report says of a child, in words or by its age or date of death, or because no other can be meant; else None."""
    if has_death(data, child):
        return "yes"
    if child.died in {"yes", "no"}:
        return child.died
    return "yes" if data.harm == "death" and len(data.children) == 1 else None


def as_published(published: CaseData, translated: CaseData) -> CaseData:
    """Return what was translated without what an earlier release did not derive, as a message that it published has it."""
    if isinstance(published, ActRecordedData) and isinstance(translated, ActRecordedData):
        if published.about is not None or translated.about is None:
            return translated
        facts = {fact: value for fact, value in translated.facts.items() if load()[fact].scope not in ITEMS}
        return translated.model_copy(update={"facts": facts, "about": None})
    if not (isinstance(published, IncidentReportedData) and isinstance(translated, IncidentReportedData)):
        return translated
    children = (
        now.model_copy(update={"died": None}) if before.died is None and now.died == "yes" else now
        for before, now in zip(published.children, translated.children, strict=True)
    )
    return translated.model_copy(update={"children": tuple(children)})


def derived_ages(data: IncidentReported, ref: str) -> dict[str, int]:
    """Return the ages that the personal block's dates give for one child; only those for which it has both dates."""
    block = data.personal
    person = next((person for person in block.children if person.ref == ref), None) if block else None
    if block is None or person is None or person.date_of_birth is None:
        return {}
    dates: dict[str, date | None] = {"age_at_incident": block.incident_date, "age_at_death": person.date_of_death}
    ages = {name: completed_years(person.date_of_birth, on) for name, on in dates.items() if on is not None}
    return {name: age for name, age in ages.items() if age is not None}
