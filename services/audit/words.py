"""What happened, in a few words for a person, from an entry and the record beside it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from schemas.words import body_words, date_words, event_title

KINDS = {"poison": "A record that could not be read", "conflict": "An event id used again with other content"}

# Members of a record's data that say something to a person, in the order in which they are shown.
SAID = (
    ("title", "Duty"),
    ("ask", "Question"),
    ("duty_holder", "Duty holder"),
    ("of_whom", "Asked of"),
    ("outcome", "Outcome"),
    ("before", "Rulebook before"),
    ("rulebook", "Rulebook"),
    ("supersedes", "Supersedes"),
    ("calendar_before", "Calendar before"),
    ("open_duties", "Open duties counted with another calendar"),
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
    return event_title(str(entry["event"]["type"]))


def said(record: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Return what a record says of its matter, as pairs of heading and text."""
    data = record.get("data") if record else None
    if not isinstance(data, Mapping):
        return []
    flat = {**data, "rulebook": _version(data.get("rulebook"))}
    return [(heading, _worded(name, flat)) for name, heading in SAID if isinstance(flat.get(name), str | int)]


def _version(rulebook: object) -> object:
    return rulebook.get("version") if isinstance(rulebook, Mapping) else None


def _worded(name: str, data: Mapping[str, Any]) -> str:
    """Return a member in words: a body by the name that the record carries, a day as pages show it."""
    value = data[name]
    if name in BODIES:
        return str(data.get(f"{name}_name") or body_words(str(value)))
    try:
        return date_words(date.fromisoformat(value)) if name == "due_on" else str(value)
    except ValueError:  # the log also keeps what later versions write
        return str(value)
