"""Identities that are derived, never drawn: the same thing told twice gets the same id, so a replay has no second effect."""

from __future__ import annotations

import hashlib
from typing import Final
from uuid import UUID, uuid5

_HANDRAIL: Final = UUID("5b0f2a52-6f0e-5c39-9f0e-3d1f0c6f7a11")


def _derive(kind: str, *parts: object) -> UUID:
    # Each part is preceded by its length, so that ("a", "bc") and ("ab", "c") differ whatever a client writes.
    return uuid5(_HANDRAIL, "".join(f"{len(text)}:{text}" for text in (kind, *map(str, parts))))


def event_id(client: str, source: str, submitted_id: str) -> UUID:
    """Return the id of an accepted event: sameness is per client, CloudEvents `source` and `id`."""
    return _derive("event", client, source, submitted_id)


def link_id(case_key: str, linked_case_key: str) -> UUID:
    """Return the id of the event that links two cases, the same in whichever order they are named."""
    return _derive("link", *sorted((case_key, linked_case_key)))


def obligation_id(case_key: str, rule: str, position: int, duty_holder: str, subject: str, anchor: str) -> UUID:
    """Return the id of an obligation.

    Args:
        case_key: The case under which the obligation was first opened.
        rule: Rule id, for example `N-01`.
        position: Place in the rule's `then`, from 0.
        duty_holder: Recipient id of the body that owes it.
        subject: `incident`, a child key, or the id of the report that the rule is about.
        anchor: Name and owner of the `judged on` fact, for example `aware_on of la:E08000035`; never its value, so
            that a corrected date re-dates the duty and makes no second one.
    """
    return _derive("obligation", case_key, rule, position, duty_holder, subject, anchor)


def only_item(kind: str) -> str:
    """Return the key of the one delay or placement (`kind`) that a case, with those linked with it, had before it could have several."""
    return hashlib.md5(kind.encode(), usedforsecurity=False).hexdigest()


def notice_id(obligation: UUID, recipient: str, revision: int) -> UUID:
    """Return the id of one notice: a re-decision that changes nothing makes no new one. `revision` counts from 1."""
    return _derive("notice", obligation, recipient, revision)


def question_id(case_key: str, fact: str, of_whom: str, subject: str) -> UUID:
    """Return the id of an open question about one fact."""
    return _derive("question", case_key, fact, of_whom, subject)


def derived_event_id(*parts: object) -> UUID:
    """Return the id of a message that a service makes; `parts` name its cause and its kind, in a fixed order."""
    return _derive("message", *parts)
