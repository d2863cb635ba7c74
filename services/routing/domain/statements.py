"""What one source has stated of one fact, and which of several such statements stand. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from schemas.vocabulary import Keeps, Value


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement of one source.

    `authority` is the source: the recipient id of who states it, or `client:<name>`. `subject` is `incident`, a child
    key, the event id of the report for facts of the reporter, or the key of another item. `value` None says "unknown", and
    in a correction that the statement is withdrawn. A correction has the id of the corrected event in `corrects` and counts
    only from the source that made the statement; it takes the place of that statement in time.
    """

    case_key: str
    subject: str
    authority: str
    name: str
    value: Value | None
    occurred_at: datetime
    recorded_at: datetime
    event_id: UUID
    corrects: UUID | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Sources disagree on a fact, so it is absent. `statements` has the standing one of each source, by source."""

    name: str
    owner: str
    statements: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Ignored:
    """A statement that does not count, and why."""

    fact: Fact
    reason: str


def age(fact: Fact) -> tuple[datetime, datetime, UUID]:
    """Return what puts statements in the order of their time."""
    return fact.occurred_at, fact.recorded_at, fact.event_id


def is_withdrawn(fact: Fact) -> bool:
    """Say whether a statement, corrections applied, is as if it had never been made."""
    return fact.corrects is not None and fact.value is None


def kept(statements: Iterable[Fact], keeps: Keeps, in_place_of: Callable[[str], str]) -> tuple[Fact, ...]:
    """Return which statements of one fact stand; if they differ, sources disagree.

    Args:
        statements: Corrections applied, in the order in which they were first said.
        keeps: What the vocabulary says of the fact.
        in_place_of: Gives the body that stands in the place of another, and speaks for it.
    """
    said = [fact for fact in statements if not is_withdrawn(fact)]
    if keeps == "the first":
        return _first(said)
    if keeps == "the newest":
        return tuple(fact for fact in said[-1:] if fact.value is not None)
    standing = _one_per_source(said, keeps, in_place_of)
    if standing and keeps == "the earliest":
        return (min(standing, key=lambda fact: (fact.value, age(fact))),)
    return standing


def _first(statements: Iterable[Fact]) -> tuple[Fact, ...]:
    """Return the first statement since the last one of None, whoever made it."""
    first: Fact | None = None
    for fact in statements:
        first = (first or fact) if fact.value is not None else None
    return (first,) if first else ()


def _one_per_source(statements: Iterable[Fact], keeps: Keeps, in_place_of: Callable[[str], str]) -> tuple[Fact, ...]:
    """Return what each source says, by source."""
    by_source: dict[str, Fact] = {}
    for fact in statements:
        source = in_place_of(fact.authority)
        earlier = by_source.get(source)
        if keeps == "the earliest" and earlier is not None and _not_later(earlier.value, fact.value):
            continue
        by_source[source] = fact
    known = [fact for fact in by_source.values() if fact.value is not None]
    return tuple(sorted(known, key=lambda fact: fact.authority) if len(known) > 1 else known)


def _not_later(one: Value | None, other: Value | None) -> bool:
    """Say whether the date `one` is no later than `other`; an absent one never is, an absent other always follows it."""
    if not isinstance(one, date):
        return False
    return not isinstance(other, date) or one <= other
