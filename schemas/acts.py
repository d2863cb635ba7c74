"""Every act in a case after it was reported: what partners and partnerships did, decided and dated."""

from __future__ import annotations

from typing import Final, Literal

from schemas import partnership_acts, review_acts
from schemas.act import Act

ActType = Literal[
    "referral.accepted.v1",
    "referral.returned.v1",
    "referral.outcome.given.v1",
    "threshold.discussed.v1",
    "parents.informed.v1",
    "child_death_review.notified.v1",
    "sar.referred.v1",
    "sar.decision.made.v1",
    "sar.completed.v1",
    "dhr.awareness.recorded.v1",
    "dhr.decision.made.v1",
    "dhr.submitted.v1",
    "owhr.awareness.recorded.v1",
    "scsi.notification.withdrawn.v1",
    "rapid_review.submitted.v1",
    "panel.response.received.v1",
    "lcspr.decision.made.v1",
    "reviewer.appointed.v1",
    "review.monitoring.recorded.v1",
    "review.delayed.v1",
    "report.finalised.v1",
    "publication.planned.v1",
    "publication.declined.v1",
    "publication.answered.v1",
    "publication.published.v1",
    "publication.availability.checked.v1",
    "actions.audited.v1",
]
ACTS: Final[dict[str, type[Act]]] = {
    "referral.accepted.v1": partnership_acts.ReferralAccepted,
    "referral.returned.v1": partnership_acts.ReferralReturned,
    "referral.outcome.given.v1": partnership_acts.ReferralOutcomeGiven,
    "threshold.discussed.v1": partnership_acts.ThresholdDiscussed,
    "parents.informed.v1": partnership_acts.ParentsInformed,
    "child_death_review.notified.v1": partnership_acts.ChildDeathReviewNotified,
    "sar.referred.v1": partnership_acts.AdultReviewReferred,
    "sar.decision.made.v1": partnership_acts.AdultReviewDecided,
    "sar.completed.v1": partnership_acts.AdultReviewCompleted,
    "dhr.awareness.recorded.v1": partnership_acts.DomesticReviewAwareness,
    "dhr.decision.made.v1": partnership_acts.DomesticReviewDecided,
    "dhr.submitted.v1": partnership_acts.DomesticReviewSubmitted,
    "owhr.awareness.recorded.v1": partnership_acts.WeaponReviewAwareness,
    "scsi.notification.withdrawn.v1": review_acts.NotificationWithdrawn,
    "rapid_review.submitted.v1": review_acts.RapidReviewSubmitted,
    "panel.response.received.v1": review_acts.PanelResponded,
    "lcspr.decision.made.v1": review_acts.ReviewDecided,
    "reviewer.appointed.v1": review_acts.ReviewerAppointed,
    "review.monitoring.recorded.v1": review_acts.ReviewMonitored,
    "review.delayed.v1": review_acts.ReviewDelayed,
    "report.finalised.v1": review_acts.ReportFinalised,
    "publication.planned.v1": review_acts.PublicationPlanned,
    "publication.declined.v1": review_acts.PublicationDeclined,
    "publication.answered.v1": review_acts.PublicationAnswered,
    "publication.published.v1": review_acts.ReviewPublished,
    "publication.availability.checked.v1": review_acts.PublicationChecked,
    "actions.audited.v1": review_acts.ActionsAudited,
}
"""CloudEvents `type` of each act, with the model of its `data`."""
