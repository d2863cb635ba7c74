"""The words in which every service tells people of bodies, days and strengths: one place, so that all pages agree. Pure."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from schemas.decisions import Strength

STRENGTH_WORDS: Final[dict[Strength, str]] = {
    "must": "must (law)",
    "should": "should (statutory guidance)",
    "may": "may (a power)",
    "local": "local (agreed locally)",
}
EVENT_TITLES: Final = {
    "incident.reported.v1": "Incident reported",
    "la.became_aware.v1": "Authority became aware",
    "abuse_suspicion.changed.v1": "Authority's view on abuse or neglect recorded",
    "notification.decision.v1": "Decision whether to notify",
    "scsi.notification.submitted.v1": "Notification to the Panel submitted",
    "lac_death.notified.v1": "Death of a looked-after child notified",
    "care_leaver_death.notified.v1": "Death of a care leaver notified",
    "delivery.acknowledged.v1": "Notice accepted by a named person",
    "fact.corrected.v1": "Fact corrected",
    "not_appropriate.recorded.v1": "Telling another area found not appropriate",
    "cross_partnership.outcome.v1": "Outcome of another partnership recorded",
}
"""What a partner may report, by type: for forms and for the log."""
_BODIES: Final = {
    "la": "local authority",
    "lscp": "safeguarding children partnership",
    "police": "police",
    "icb": "integrated care board",
    "sab": "safeguarding adults board",
    "csp": "community safety partnership",
    "panel": "the Panel",
    "ofsted": "Ofsted",
    "dfe": "Department for Education",
}


def date_words(day: date) -> str:
    """Return an England calendar date in words, such as "Monday 23 November 2026".

    Raises:
        TypeError: `day` is an instant: which date it is depends on the time zone.
    """
    if isinstance(day, datetime):
        raise TypeError("expected a date, got an instant: use datetime_words")
    return f"{day:%A} {day.day} {day:%B %Y}"


def body_words(recipient: str) -> str:
    """Return a recipient's id as a person reads it: "police West Yorkshire", "local authority E08000035", "the Panel"."""
    kind, _, place = recipient.partition(":")
    words = _BODIES.get(kind, kind)
    if not place:
        return words
    return f"{words} {place if place[1:].isdigit() else place.replace('-', ' ').title()}"
