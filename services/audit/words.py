"""What happened, in a few words for a person, from an entry and the record beside it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from schemas.words import EVENT_TITLES, body_words, date_words

KINDS = {"poison": "A record that could not be read", "conflict": "An event id used again with other content"}

TYPES = EVENT_TITLES | {
    "case.linked.v1": "Cases linked",
    "case.decided.v1": "Case decided",
    "obligation.opened.v1": "Duty opened",
    "obligation.redated.v1": "Duty given another due date",
    "obligation.met.v1": "Duty met",
    "obligation.withdrawn.v1": "Duty withdrawn",
    "obligation.superseded.v1": "Duty replaced by another",
    "question.opened.v1": "Question asked",
    "question.closed.v1": "Question closed",
    "notice.owed.v1": "Notice owed",
    "notice.released.v1": "Notice released",
    "notice.attempted.v1": "Delivery tried without success",
    "notice.delivered.v1": "Notice delivered",
    "notice.accepted.v1": "Notice accepted",
    "notice.withdrawn.v1": "Notice withdrawn",
    "notice.superseded.v1": "Notice replaced by one that corrects it",
    "deadline.due-soon.v1": "Due date near",
    "deadline.breached.v1": "Due date passed",
    "deadline.met.v1": "Due date met",
    "alert.raised.v1": "Alert raised",
    "alert.acknowledged.v1": "Alert acknowledged",
    "clock.moved.v1": "Legal clock moved",
    "record.quarantined.v1": "Record put in quarantine",
    "record.resolved.v1": "Record taken out of quarantine",
}

# Members of a record's data that say something to a person, in the order in which they are shown.
SAID = (
    ("title", "Duty"),
    ("ask", "Question"),
    ("duty_holder", "Duty holder"),
    ("of_whom", "Asked of"),
    ("outcome", "Outcome"),
    ("reason", "Reason"),
    ("how", "How"),
    ("due_on", "Due"),
    ("revision", "Decision number"),
    ("reference", "Reference"),
)

BODIES = frozenset({"duty_holder", "of_whom"})


def title_of(entry: Mapping[str, Any]) -> str:
    """Return what an entry records; of a type that this version does not know, the type's own name."""
    if entry["kind"] in KINDS:
        return KINDS[entry["kind"]]
    type_ = str(entry["event"]["type"])
    return TYPES.get(type_, type_)


def said(record: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Return what a record says of its matter, as pairs of heading and text."""
    data = record.get("data") if record else None
    if not isinstance(data, Mapping):
        return []
    return [(heading, _worded(name, data)) for name, heading in SAID if isinstance(data.get(name), str | int)]


def _worded(name: str, data: Mapping[str, Any]) -> str:
    """Return a member in words: a body by the name that the record carries, a day as pages show it."""
    value = data[name]
    if name in BODIES:
        return str(data.get(f"{name}_name") or body_words(str(value)))
    try:
        return date_words(date.fromisoformat(value)) if name == "due_on" else str(value)
    except ValueError:  # the log also keeps what later versions write
        return str(value)
