"""What a withdrawn notification leaves behind: it and what was done on it count no longer beside one that stands. Pure.

Of several that stand the one of the earliest day says who notified: partners of one authority owe the rapid review.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from services.routing.domain.statements import Fact, age

NOTIFIED: Final = "notification.submitted_on"
_NOTIFIED_BY: Final = "notification.submitted_by"
_WITHDRAWN: Final = "notification.withdrawn"
_DUPLICATE: Final = "duplicate"
_DONE_ON_IT: Final = ("rapid_review.", "panel.")
"""How the names begin of what the partners and the Panel do on a notification."""

Said = Mapping[tuple[str, str], tuple[Sequence[Fact], Sequence[Fact]]]
"""Each statement as it was first made, and as it is now, by fact and owner."""


def left_behind(said: Said, in_place_of: Callable[[str], str]) -> frozenset[tuple[UUID, str]]:
    """Return the statements that do not count, by event and fact: none unless a notification was made beside another.

    A rapid review is one of the notification that stands: what was done before that was done on the other. It counts where
    that other was a duplicate, which is about the same. While no notification stands, the withdrawn one is the one that is
    known.
    """
    told = list(_all(said, NOTIFIED))
    days = {first: now.value for first, now in told if isinstance(now.value, date)}
    if not days:
        return frozenset()

    def by_others(standing: Iterable[Fact]) -> set[tuple[UUID, str]]:
        """Return who made each but the first, by its day as it is now and then by its hour, in whatever order they were told."""
        hours = {first.event_id: age(first) for first, _ in _all(said, _NOTIFIED_BY)}  # see `case_events.counts_from`
        earliest = min(standing, key=lambda each: (days[each], hours.get(each.event_id, age(each))))
        return {(first.event_id, _NOTIFIED_BY) for first, _ in told if first is not earliest}

    said_of_it = {owner: _of(said, name, owner) for name, owner in said if name == _WITHDRAWN}
    if not any(now.value is not None for each in said_of_it.values() for _, now in each):
        return frozenset(by_others(days))

    def withdrawn_as(notified: Fact) -> object:
        """Return for which reason its authority withdrew a notification after it was made, or None."""
        own = said_of_it.get(in_place_of(notified.authority), ())
        # A notification says of the day on which it was made that it is not withdrawn, however late it is told.
        made = next((first for first, _ in own if first.event_id == notified.event_id), notified)
        return next((now.value for first, now in own if now.value is not None and age(first) > age(made)), None)

    standing = [first for first in days if withdrawn_as(first) is None]
    found = by_others(standing or days)
    if not standing:
        return frozenset(found)
    found |= {
        (first.event_id, name)
        for name in (NOTIFIED, _NOTIFIED_BY)
        for first, _ in _all(said, name)
        if withdrawn_as(first)
    }
    if any(withdrawn_as(first) not in {None, _DUPLICATE} for first in days):
        since = min(map(age, standing))
        done = (first for (name, _), (firsts, _) in said.items() if name.startswith(_DONE_ON_IT) for first in firsts)
        found |= {(first.event_id, first.name) for first in done if age(first) < since}
    return frozenset(found)


def _all(said: Said, fact: str) -> Iterator[tuple[Fact, Fact]]:
    return (pair for name, owner in said if name == fact for pair in _of(said, name, owner))


def _of(said: Said, fact: str, owner: str) -> list[tuple[Fact, Fact]]:
    return list(zip(*said[fact, owner], strict=True))
