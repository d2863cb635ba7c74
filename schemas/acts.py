"""Every act in a case after it was reported: what partners and partnerships did, decided and dated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from schemas import (
    agency_acts,
    earlier_acts,
    local_acts,
    partnership_acts,
    publication_acts,
    review_acts,
    standing_acts,
)
from schemas.act import Act

ActType = Literal[
    "referral.accepted.v1",
    "referral.returned.v1",
    "referral.outcome.given.v1",
    "threshold.discussed.v1",
    "parents.informed.v1",
    "child_death_review.notified.v1",
    "child_death_review.completed.v1",
    "joint_response.began.v1",
    "sar.referred.v1",
    "sar.decision.made.v1",
    "sar.completed.v1",
    "dhr.awareness.recorded.v1",
    "dhr.decision.made.v1",
    "dhr.submitted.v1",
    "owhr.awareness.recorded.v1",
    "owhr.decision.made.v1",
    "owhr.decision.settled.v1",
    "scsi.notification.amended.v1",
    "scsi.notification.withdrawn.v1",
    "rapid_review.opened.v1",
    "rapid_review.authors_met.v1",
    "rapid_review.advised.v1",
    "rapid_review.decided.v1",
    "rapid_review.submitted.v1",
    "agency_return.requested.v1",
    "agency_return.received.v1",
    "panel.response.received.v1",
    "lcspr.decision.made.v1",
    "reviewer.appointed.v1",
    "reviewer.removed.v1",
    "review.monitoring.recorded.v1",
    "review.delayed.v1",
    "report.finalised.v1",
    "publication.planned.v1",
    "publication.copy_sent.v1",
    "publication.declined.v1",
    "publication.answered.v1",
    "publication.reconsidered.v1",
    "publication.published.v1",
    "publication.availability.checked.v1",
    "actions.audited.v1",
    "recommendation.made.v1",
    "action.updated.v1",
    "action.closed.v1",
    "strategy_meeting.held.v1",
    "alternative_review.considered.v1",
    "learning.audited.v1",
    "annual_report.published.v1",
    "arrangements.audited.v1",
    "placement.made.v1",
    "placement.approved.v1",
    "scr.considered.v1",
    "scr.decision.made.v1",
    "scr.published.v1",
]
ACTS: Final[dict[str, type[Act]]] = {
    "referral.accepted.v1": partnership_acts.ReferralAccepted,
    "referral.returned.v1": partnership_acts.ReferralReturned,
    "referral.outcome.given.v1": partnership_acts.ReferralOutcomeGiven,
    "threshold.discussed.v1": partnership_acts.ThresholdDiscussed,
    "parents.informed.v1": partnership_acts.ParentsInformed,
    "child_death_review.notified.v1": partnership_acts.ChildDeathReviewNotified,
    "child_death_review.completed.v1": partnership_acts.ChildDeathReviewCompleted,
    "joint_response.began.v1": partnership_acts.JointResponseBegan,
    "sar.referred.v1": partnership_acts.AdultReviewReferred,
    "sar.decision.made.v1": partnership_acts.AdultReviewDecided,
    "sar.completed.v1": partnership_acts.AdultReviewCompleted,
    "dhr.awareness.recorded.v1": partnership_acts.DomesticReviewAwareness,
    "dhr.decision.made.v1": partnership_acts.DomesticReviewDecided,
    "dhr.submitted.v1": partnership_acts.DomesticReviewSubmitted,
    "owhr.awareness.recorded.v1": partnership_acts.WeaponReviewAwareness,
    "owhr.decision.made.v1": partnership_acts.WeaponReviewDecided,
    "owhr.decision.settled.v1": partnership_acts.WeaponReviewSettled,
    "scsi.notification.amended.v1": review_acts.NotificationAmended,
    "scsi.notification.withdrawn.v1": review_acts.NotificationWithdrawn,
    "rapid_review.opened.v1": review_acts.RapidReviewOpened,
    "rapid_review.authors_met.v1": review_acts.AuthorsMet,
    "rapid_review.advised.v1": review_acts.RapidReviewAdvised,
    "rapid_review.decided.v1": review_acts.RapidReviewDecided,
    "rapid_review.submitted.v1": review_acts.RapidReviewSubmitted,
    "agency_return.requested.v1": agency_acts.InformationRequested,
    "agency_return.received.v1": agency_acts.AgencyReturned,
    "panel.response.received.v1": review_acts.PanelResponded,
    "lcspr.decision.made.v1": review_acts.ReviewDecided,
    "reviewer.appointed.v1": review_acts.ReviewerAppointed,
    "reviewer.removed.v1": review_acts.ReviewerRemoved,
    "review.monitoring.recorded.v1": review_acts.ReviewMonitored,
    "review.delayed.v1": review_acts.ReviewDelayed,
    "report.finalised.v1": review_acts.ReportFinalised,
    "publication.planned.v1": publication_acts.PublicationPlanned,
    "publication.copy_sent.v1": publication_acts.PublicationCopySent,
    "publication.declined.v1": publication_acts.PublicationDeclined,
    "publication.answered.v1": publication_acts.PublicationAnswered,
    "publication.reconsidered.v1": publication_acts.PublicationReconsidered,
    "publication.published.v1": publication_acts.ReviewPublished,
    "publication.availability.checked.v1": publication_acts.PublicationChecked,
    "actions.audited.v1": agency_acts.ActionsAudited,
    "recommendation.made.v1": agency_acts.RecommendationMade,
    "action.updated.v1": agency_acts.ActionUpdated,
    "action.closed.v1": agency_acts.ActionClosed,
    "strategy_meeting.held.v1": local_acts.StrategyMeetingHeld,
    "alternative_review.considered.v1": local_acts.AlternativeReviewConsidered,
    "learning.audited.v1": local_acts.LearningAudited,
    "annual_report.published.v1": standing_acts.YearlyReportPublished,
    "arrangements.audited.v1": standing_acts.ArrangementsAudited,
    "placement.made.v1": standing_acts.PlacementMade,
    "placement.approved.v1": standing_acts.PlacementApproved,
    "scr.considered.v1": earlier_acts.CaseReviewConsidered,
    "scr.decision.made.v1": earlier_acts.CaseReviewDecided,
    "scr.published.v1": earlier_acts.CaseReviewPublished,
}
"""CloudEvents `type` of each act, with the model of its `data`."""

WITHDRAWN_BY: Final = "withdrawal.by"
_WITHDRAWN: Final = "scsi.notification.withdrawn.v1"
_DECIDED: Final = "lcspr.decision.made.v1"
_PLANNED: Final = "publication.planned.v1"
_RECONSIDERED: Final = "publication.reconsidered.v1"
_CHECKED: Final = "publication.availability.checked.v1"
_PUBLISHED: Final = "publication.published.v1"
PLAN: Final = ("publication.planned_on", "publication.form")
"""The facts of a plan to publish."""
TAKEN_BACK: Final[Mapping[str, tuple[str, ...]]] = {
    "reviewer.removed.v1": ("review.reviewer_appointed_on",),
    "publication.declined.v1": ("publication.information", "publication.reconsidered"),
    _CHECKED: ("publication.available",),
}
"""The facts that an act undoes where it does not state them."""


def _twins() -> Iterator[tuple[str, str]]:
    for act in ACTS.values():
        for field in act.model_fields.values():
            extra = field.json_schema_extra
            if isinstance(extra, dict) and extra.get("also"):
                yield str(extra["fact"]), str(extra["also"])
                yield str(extra["also"]), str(extra["fact"])


TWINS: Final[Mapping[str, str]] = dict(_twins())
"""Of each fact that an act states together with another of one value, that other: one is of the case, one of an item."""


def implied(type_: str, stated: Mapping[str, str | int], area: str | None) -> Iterator[tuple[str, str | int | None]]:
    """Yield what an act of a reporter of an area says besides the facts that it states.

    A fact with None is undone because the act does not state it, whoever stated it.
    """
    if type_ == _WITHDRAWN:
        yield WITHDRAWN_BY, area
    if type_ == _DECIDED and stated.get("review.decision") == "proceed":
        # Who decides against a review owes nothing of one that others hold.
        yield "review.decided_by", area
    if type_ == _PLANNED and stated.get("publication.form") == "full":
        yield "publication.declined_on", None  # who plans to publish the report declines it no longer
    if type_ == _RECONSIDERED and stated.get("publication.reconsidered") == "publish":
        yield from ((fact, None) for fact in PLAN)  # a plan of before was given up: it has to be made anew
    if type_ == _PUBLISHED:
        # Copies are due before the day on which it is published, whichever was planned, if one was (SI 2018/789, regulation 16).
        yield PLAN[0], stated.get("review.published_on")
    yield from ((fact, None) for fact in TAKEN_BACK.get(type_, ()) if fact not in stated)
    if type_ == _CHECKED:
        on = stated.get("publication.checked_on")
        available = stated.get("publication.available")
        if available == "yes":
            yield "publication.found_on", on
            yield "publication.missing_since", None
        elif available == "no":
            yield "publication.missing_since", on
