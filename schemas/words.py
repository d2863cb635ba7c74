"""The words in which every service tells people of events, bodies, days and strengths: one place, so that all pages agree. Pure."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from schemas.decisions import Strength
from schemas.messages import MESSAGES
from schemas.submissions import SUBMISSIONS

STRENGTH_WORDS: Final[dict[Strength, str]] = {
    "must": "must (law)",
    "should": "should (statutory guidance)",
    "may": "may (a power)",
    "local": "local (agreed locally)",
}
_TITLES: Final = {
    type_: model.model_config.get("title") or type_ for type_, model in {**MESSAGES, **SUBMISSIONS}.items()
}
_BODIES: Final = {
    "la": "local authority",
    "lscp": "safeguarding children partnership",
    "police": "police",
    "icb": "integrated care board",
    "sab": "safeguarding adults board",
    "csp": "community safety partnership",
    "cdr": "child death review partners",
    "homeoffice": "Home Office",
    "nspcc": "NSPCC",
    "foundations": "What Works Centre",
    "panel": "the Panel",
    "ofsted": "Ofsted",
    "dfe": "Department for Education",
}


def event_title(type_: str) -> str:
    """Return what an event of this type records, as its schema says it; of a type that is not known, the type itself."""
    return _TITLES.get(type_, type_)


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
