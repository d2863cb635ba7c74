"""From case events to facts: which statements of the vocabulary an event makes, and in whose name. Pure.

A local authority speaks as `la:<its area>`; any other client speaks as the recipient that it answers for, or as itself
(`client:<name>`). What is unknown is left out. Events that state nothing (an acknowledgement, a link) give no facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from schemas.acts import implied
from schemas.calendar import london_date
from schemas.case_events import (
    DEATH_NOTIFIED,
    SUSPICION,
    WITHDRAWAL,
    AbuseSuspicionChanged,
    AbuseSuspicionChangedData,
    ActRecorded,
    ActRecordedData,
    BecameAware,
    CareLeaverDeathNotified,
    CaseEvent,
    CaseLinked,
    ChildFacts,
    FactCorrected,
    FactCorrectedData,
    IncidentReported,
    IncidentReportedData,
    LacDeathNotified,
    NotificationDecision,
    NotificationDecisionData,
    NotificationSubmitted,
    counts_from,
)
from schemas.identity import only_item
from schemas.vocabulary import ITEMS, Value, Vocabulary
from services.routing.domain.facts import INCIDENT
from services.routing.domain.statements import Fact

REFERRAL: Final = "referral.submitted.v1"
Statement = tuple[str, str, Value | None]
"""Subject, name of the fact, value."""
_CHILD: Final = tuple(name for name in ChildFacts.model_fields if name != "child")


def facts_of(event: CaseEvent, vocabulary: Vocabulary) -> list[Fact]:
    """Return the facts that one event states, in a fixed order.

    A correction keeps the subject `incident`, the child, or the corrected event's own id for facts of a report.

    Raises:
        FactRefused: A correction or an act names no fact of the vocabulary, or gives it a value that it does not take.
    """
    if isinstance(event, CaseLinked) or event.case_key is None:
        return []
    corrects = event.data.corrects if isinstance(event, FactCorrected) else None
    return [
        Fact(
            case_key=event.case_key,
            subject=subject,
            authority=event.data.reporter.source,
            name=name,
            value=value,
            occurred_at=counts_from(event.data, name, event.time),
            recorded_at=event.recorded_at,
            event_id=event.id,
            corrects=corrects,
        )
        for subject, name, value in _stated(event, vocabulary)
    ]


def _stated(event: CaseEvent, vocabulary: Vocabulary) -> Iterator[Statement]:
    """Yield subject, name and value of everything that an event says."""
    match event:
        case IncidentReported(data=data):
            yield from _report(event, data)
            for child in data.described:
                yield from _child(child)
        case BecameAware(data=data):
            yield from ((INCIDENT, name, data.aware_on) for name in data.facts)
        case AbuseSuspicionChanged(data=data):
            yield from _view(data)
        case NotificationDecision(data=data):
            yield from _decision(data)
        case NotificationSubmitted(data=data):
            yield INCIDENT, "notification.submitted_on", london_date(data.submitted_at)
            yield INCIDENT, "notification.submitted_by", data.reporter.area
            yield from ((INCIDENT, name, None) for name in WITHDRAWAL)
        case LacDeathNotified(data=data) | CareLeaverDeathNotified(data=data):
            yield data.child, DEATH_NOTIFIED, london_date(data.notified_at)
        case ActRecorded(data=data):
            yield from _act(event.type, data, vocabulary)
        case FactCorrected(data=data):
            yield from _correction(data, vocabulary)
        case _:
            return


def _report(event: IncidentReported, data: IncidentReportedData) -> Iterator[Statement]:
    report = str(event.id)
    yield report, "reporter.body", data.reporter.body
    yield report, "reporter.area", data.reporter.area
    yield report, "reported_on", data.reported_on
    about_incident: dict[str, Value | None] = {
        "referral.submitted_on": data.reported_on if event.type == REFERRAL else None,
        "referral.proposed_route": data.proposed_route,
        "harm": data.harm,
        "incident.country": data.country,
        "incident.area": data.area,
        "incident.setting": data.setting,
        "incident.unexpected_death": data.unexpected_death,
        "concern.child_review": data.child_review,
        "concern.adult_at_risk": data.adult_at_risk,
        "concern.domestic_death": data.domestic_death,
    }
    yield from ((INCIDENT, name, value) for name, value in about_incident.items() if value is not None)


def _view(data: AbuseSuspicionChangedData) -> Iterator[Statement]:
    yield INCIDENT, "abuse_or_neglect", data.view
    if data.view in SUSPICION:
        yield INCIDENT, "suspected_on", data.from_on


def _decision(data: NotificationDecisionData) -> Iterator[Statement]:
    yield INCIDENT, "notification.decision", data.outcome
    yield INCIDENT, "notification.decided_on", data.decided_on
    # Without a criterion, or a rule, the one of an earlier decision stands no longer.
    yield INCIDENT, "notification.criterion_not_met", data.criterion_not_met
    yield INCIDENT, "notification.override_of_rule", data.override_of_rule


def _act(type_: str, data: ActRecordedData, vocabulary: Vocabulary) -> Iterator[Statement]:
    for name, value in (*data.facts.items(), *implied(type_, data.facts, data.reporter.area)):
        scope = vocabulary.spec(name).scope  # an act from before each was an item of its own says none
        yield (data.about or only_item(scope)) if scope in ITEMS else INCIDENT, name, vocabulary.check(name, value)


def _child(child: ChildFacts) -> Iterator[Statement]:
    """Yield what is known of a child; of one of whom nothing is known, that it exists."""
    known = {name: getattr(child, name) for name in _CHILD if getattr(child, name) is not None}
    yield from ((child.child, f"child.{name}", value) for name, value in (known or {"home_area": None}).items())


def _correction(data: FactCorrectedData, vocabulary: Vocabulary) -> Iterator[Statement]:
    scope = vocabulary.spec(data.fact).scope
    subject = {"child": data.child or INCIDENT, "reporter": str(data.corrects)}.get(scope, INCIDENT)
    yield from ((subject, name, vocabulary.check(name, value)) for name, value in data.facts)


def rooted(facts: Iterable[Fact], vocabulary: Vocabulary) -> list[Fact]:
    """Give a correction the report or other item that the statement was about to which it goes back.

    A correction names the event that it corrects, which may be a correction itself, and not what that was about.
    """
    known = list(facts)
    corrected: Mapping[UUID, UUID] = {fact.event_id: fact.corrects for fact in known if fact.corrects is not None}
    subjects = {(fact.event_id, fact.name): fact.subject for fact in known if fact.corrects is None}

    def _root_subject(event_id: UUID, name: str) -> str:
        root = _root(event_id, corrected)
        return subjects.get((root, name), str(root))

    return [
        replace(fact, subject=_root_subject(fact.corrects, fact.name))
        if fact.corrects is not None and vocabulary[fact.name].scope in ITEMS
        else fact
        for fact in known
    ]


def _root(event_id: UUID, corrected: Mapping[UUID, UUID]) -> UUID:
    seen = {event_id}
    while event_id in corrected and corrected[event_id] not in seen:
        event_id = corrected[event_id]
        seen.add(event_id)
    return event_id
