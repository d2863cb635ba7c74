"""Supposed facts: those of an example, or of a file that somebody wrote to ask what would follow from them.

They are one situation, as if one report about one child had stated them, with one item of every other kind, and each
authority its own. Who makes the report follows from `reporter.body` and `reporter.area`: a local authority speaks as
itself, anybody else as the reporter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from schemas.vocabulary import ITEMS, Scope, Value, Vocabulary
from services.routing.domain.facts import AUTHORITY, AWARE_OF_DEATH, DIED, HARM, INCIDENT, REPORTER, FactBase
from services.routing.domain.happenings import Happening
from services.routing.domain.register import Register
from services.routing.domain.rulebook import tree
from services.routing.domain.rulebook.conditions import Words
from services.routing.domain.rulebook.read_examples import CASE, Stated, read_stated
from services.routing.domain.rulebook.tree import RulebookRefused
from services.routing.domain.statements import Fact

SUPPOSED_AT: Final = datetime.combine(date(2026, 1, 1), time(), UTC)  # nothing supposed depends on when it is asked
CHILD: Final = "the-child"
_EVENT: Final = UUID(int=0)
_BEFORE: Final = UUID(int=1)
_SUBJECTS: Final[Mapping[Scope, str]] = {
    "incident": INCIDENT,
    "authority": INCIDENT,
    "child": CHILD,
    **{scope: f"the-{word.replace(' ', '-')}" for scope, word in ITEMS.items()},
}
REPORT: Final = _SUBJECTS["reporter"]


def suppose(stated: Mapping[tuple[str, str], Value | None], vocabulary: Vocabulary, register: Register) -> FactBase:
    """Return supposed facts, merged as those of a case are. One that is None is not known, but its child or item exists."""
    return FactBase(
        _facts(stated, vocabulary), vocabulary, former_areas=register.former_areas, successors=register.successors
    )


def _facts(stated: Mapping[tuple[str, str], Value | None], vocabulary: Vocabulary) -> Iterator[Fact]:
    body, area = stated.get((CASE, "reporter.body")), stated.get((CASE, "reporter.area"))
    reporter = f"{AUTHORITY}{area}" if body == "local_authority" and area else REPORTER
    apart = any(value is not None for (_, name), value in stated.items() if name == AWARE_OF_DEATH)
    if apart and stated.get((CASE, "harm")) == "death":
        # A death of which somebody became aware on a day of its own is that of a child that had been harmed before.
        before = SUPPOSED_AT - timedelta(seconds=1)
        yield Fact("the-case", INCIDENT, reporter, "harm", "serious_harm", before, before, _BEFORE)
    for (owner, name), value in stated.items():
        subject = _SUBJECTS[vocabulary[name].scope]
        yield Fact("the-case", subject, owner or reporter, name, value, SUPPOSED_AT, SUPPOSED_AT, _EVENT)


def as_reported(stated: Mapping[tuple[str, str], Value]) -> Stated:
    """Return what a report of these facts would state: of the one child of a death it is taken that it died, unless they say."""
    return ({(CASE, DIED): "yes"} if stated.get((CASE, HARM)) == "death" else {}) | dict(stated)


def implied(stated: Mapping[tuple[str, str], Value | None]) -> tuple[Happening, ...]:
    """Return the one event that supposed facts imply: a notification that was submitted has its reference."""
    by, on = (stated.get((CASE, f"notification.submitted_{name}")) for name in ("by", "on"))
    if not isinstance(on, date) or by is None:
        return ()
    at = datetime.combine(on, time(12), UTC)
    return (Happening("scsi.notification.submitted", f"{AUTHORITY}{by}", INCIDENT, at, SUPPOSED_AT, _EVENT),)


def read_facts(text: str, file: str, vocabulary: Vocabulary, register: Register) -> Stated:
    """Return the facts of a file of its own: what stands under `facts:` in an example, as JSON (`.json`) or as YAML.

    Raises:
        RulebookRefused: With file and line: not readable, an unknown fact, or a value that it does not take.
    """
    root = tree.read_json(text, file) if file.endswith(".json") else tree.read(text, file)
    stated = read_stated(root, Words(vocabulary, register, ()))
    if not stated:
        raise RulebookRefused(file, root.line, "expected at least one fact, such as `harm`")
    return as_reported(stated)
