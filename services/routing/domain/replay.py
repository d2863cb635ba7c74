"""Deciding again what was decided before the database was restored from a backup.

A decision covers the events of a case that came together, and its messages are named after the case's revision. So what
is read again is divided as it came the first time: then the same things are said under the same ids, and nobody hears
anything twice. What comes together in another way is decided under a revision that was never published.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

Published = Mapping[str, Mapping[int, frozenset[UUID]]]
"""By case and revision, the events of the decisions that were published and that the database lacks."""


def rounds(events: Sequence[tuple[UUID, str]], published: Published) -> dict[UUID, int]:
    """Return the round, from 0, in which each event is to be decided.

    Args:
        events: Event and case, in the order in which they are read.
        published: The decisions of these cases.
    """
    revision_of = {event: revision for case in published.values() for revision, ids in case.items() for event in ids}
    came: defaultdict[str, list[int | None]] = defaultdict(list)
    found: dict[UUID, int] = {}
    for event, case in events:
        revision = revision_of.get(event)
        if not came[case] or came[case][-1] != revision:
            came[case].append(revision)
        found[event] = len(came[case]) - 1
    return found


def rulebooks(
    own: Mapping[str, int],
    decided_by: Mapping[str, str],
    published: Mapping[str, Mapping[int, str]],
    revisions: Mapping[str, int],
) -> frozenset[str]:
    """Return the versions of the rulebook by which linked cases were decided last, or decided the first time.

    Args:
        own: The last revision of each case that the database has.
        decided_by: The version of that decision, by case.
        published: The versions of decisions that were published, by case and revision.
        revisions: Those of the next decision: one that repeats a published decision is made by the same version.
    """
    found = set()
    for case, revision in revisions.items():
        lacking = {each: version for each, version in published.get(case, {}).items() if each > own[case]}
        if lacking:
            found.add(lacking.get(revision) or lacking[max(lacking)])
        elif case in decided_by:
            found.add(decided_by[case])
    return frozenset(found)


def following(own: Mapping[str, int], published: Published, causes: Collection[UUID]) -> dict[str, int]:
    """Return the revisions of the next decision of linked cases.

    Args:
        own: The last revision of each case that the database has.
        published: The decisions of these cases.
        causes: The events that are decided.
    """
    last = {case: max(published.get(case, {}), default=0) for case in own}
    repeats = all(
        revision >= last[case] or published[case].get(revision + 1) == frozenset(causes)
        for case, revision in own.items()
    )
    return {case: (revision if repeats else max(revision, last[case])) + 1 for case, revision in own.items()}
