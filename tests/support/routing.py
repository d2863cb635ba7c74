"""Case events as intake would emit them, for tests of routing. All names and cases are invented."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from schemas import case_events as ce
from schemas.acts import ActType
from schemas.identity import link_id
from services.kit.codec import Event

CASE = "a" * 32
OTHER_CASE = "b" * 32
CHILD = "c" * 32
LEEDS = "E08000035"
WANDSWORTH = "E09000032"
HALTON = "E06000006"
POLICE = ce.Reporter(client="police-leeds", body="police", area=LEEDS)
COUNCIL = ce.Reporter(client="council-leeds", body="local_authority", area=LEEDS, recipient=f"la:{LEEDS}")
LSCP = ce.Reporter(client="lscp-leeds", body="childrens_partnership", area=LEEDS, recipient=f"lscp:{LEEDS}")
MONDAY = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
_numbers = count(1)


def envelope(
    *, case_key: str = CASE, at: datetime = MONDAY, event_id: UUID | None = None, recorded_at: datetime | None = None
) -> dict[str, Any]:
    number = next(_numbers)
    return {
        "id": event_id or UUID(int=number),
        "source": "/handrail/intake",
        "time": at,
        "case_key": case_key,
        "recorded_at": recorded_at or at + timedelta(microseconds=number),
    }


def reported(
    reporter: ce.Reporter = POLICE,
    *,
    harm: Any = "serious_harm",
    area: str | None = LEEDS,
    country: Any = "england",
    children: tuple[ce.ChildFacts, ...] | None = None,
    on: date = date(2026, 6, 1),
    concerns: tuple[Any, Any, Any] = ("no", "no", "no"),
    **attributes: Any,
) -> ce.IncidentReported:
    child = ce.ChildFacts(child=CHILD, home_area=LEEDS, looked_after="no", care_leaver="no", age_at_incident=3)
    data = ce.IncidentReportedData(
        reporter=reporter,
        harm=harm,
        country=country,
        area=area,
        reported_on=on,
        child_review=concerns[0],
        adult_at_risk=concerns[1],
        domestic_death=concerns[2],
        children=(child,) if children is None else children,
    )
    return ce.IncidentReported(**envelope(**attributes), data=data)


def referred(route: Any = None, reporter: ce.Reporter = POLICE, **attributes: Any) -> ce.IncidentReported:
    """Route: the kind of review that is proposed."""
    report = reported(reporter, **attributes)
    data = report.data.model_copy(update={"proposed_route": route})
    return report.model_copy(update={"type": "referral.submitted.v1", "data": data})


def aware(reporter: ce.Reporter = COUNCIL, *, on: date = date(2026, 6, 1), **attributes: Any) -> ce.BecameAware:
    data = ce.BecameAwareData(reporter=reporter, aware_on=on, how="partner")
    return ce.BecameAware(**envelope(**attributes), data=data)


def suspects(
    view: Any = "suspected", reporter: ce.Reporter = COUNCIL, *, since: date = date(2026, 6, 1), **attributes: Any
) -> ce.AbuseSuspicionChanged:
    data = ce.AbuseSuspicionChangedData(reporter=reporter, view=view, from_on=since, evidence="medical")
    return ce.AbuseSuspicionChanged(**envelope(**attributes), data=data)


def decided(
    outcome: Any,
    reporter: ce.Reporter = COUNCIL,
    *,
    on: date = date(2026, 6, 2),
    criterion: str | None = None,
    against: str | None = None,
    **attributes: Any,
) -> ce.NotificationDecision:
    data = ce.NotificationDecisionData(
        reporter=reporter, outcome=outcome, decided_on=on, criterion_not_met=criterion, override_of_rule=against
    )
    return ce.NotificationDecision(**envelope(**attributes), data=data)


def submitted(
    reporter: ce.Reporter = COUNCIL, *, when: datetime = MONDAY + timedelta(days=1), **attributes: Any
) -> ce.NotificationSubmitted:
    data = ce.NotificationSubmittedData(reporter=reporter, external_ref="PANEL-1", submitted_at=when, children_count=1)
    return ce.NotificationSubmitted(**envelope(**attributes), data=data)


def acted(
    type_: ActType,
    facts: Mapping[str, str | int],
    reporter: ce.Reporter = LSCP,
    *,
    about: str | None = None,
    **attributes: Any,
) -> ce.ActRecorded:
    data = ce.ActRecordedData(reporter=reporter, facts=dict(facts), about=about)
    return ce.ActRecorded(**envelope(**attributes), type=type_, data=data)


def discussed(
    views: tuple[str, str, str] = ("notify", "notify", "notify"),
    reporter: ce.Reporter = LSCP,
    *,
    on: date = date(2026, 6, 2),
    legal_advice: str | None = "yes",
    **attributes: Any,
) -> ce.ActRecorded:
    """Views: of the authority, of the integrated care board, of the police."""
    facts: dict[str, str | int] = {"threshold.discussed_on": on.isoformat()}
    names = ("threshold.authority_view", "threshold.health_view", "threshold.police_view")
    facts |= dict(zip(names, views, strict=True))
    return acted(
        "threshold.discussed.v1",
        facts if legal_advice is None else facts | {"threshold.legal_advice": legal_advice},
        reporter,
        **attributes,
    )


def acknowledged(notice_id: UUID, reporter: ce.Reporter = LSCP, **attributes: Any) -> ce.DeliveryAcknowledged:
    data = ce.DeliveryAcknowledgedData(reporter=reporter, notice_id=notice_id, accepted_at=MONDAY + timedelta(days=1))
    return ce.DeliveryAcknowledged(**envelope(**attributes), data=data)


def not_appropriate(
    obligation_id: UUID, reporter: ce.Reporter = COUNCIL, **attributes: Any
) -> ce.NotAppropriateRecorded:
    data = ce.NotAppropriateRecordedData(reporter=reporter, obligation_id=obligation_id, reason="already_told")
    return ce.NotAppropriateRecorded(**envelope(**attributes), data=data)


def corrected(
    corrects: UUID, fact: str, value: str | int | None, reporter: ce.Reporter = COUNCIL, **attributes: Any
) -> ce.FactCorrected:
    child, reason = attributes.pop("child", None), attributes.pop("reason", "wrong_value")
    data = ce.FactCorrectedData(
        reporter=reporter, corrects=corrects, fact=fact, child=child, value=value, reason=reason
    )
    return ce.FactCorrected(**envelope(**attributes), data=data)


def linked(case_key: str = OTHER_CASE, to: str = CASE) -> ce.CaseLinked:
    data = ce.CaseLinkedData(linked_case_key=to)
    return ce.CaseLinked(**envelope(case_key=case_key, event_id=link_id(case_key, to)), data=data)


def as_event(message: ce.CaseEvent) -> Event:
    """Return a message as the consume path gives it."""
    return Event(message, message.wire(), "safeguarding.case-events.v1", 0, 0)
