"""Editions of the law: which Acts and guidance counted from which day on, what changed with each, and where that is known from.

An edition counts until the next one begins. One that relaxes rules lies over the others until a last day of its own: it
takes no duty away and moves no date, it says that the periods of those rules were not insisted on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

from services.routing.domain.rulebook.tree import Node

_EDITION: Final = ("id", "from", "says", "cite", "href", "verified")
_OVERLAY: Final = ("relaxes", "relaxed as")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition, from `begins` to `ends`, both included; `ends` None: it still counts.

    `verified` is empty until a person has checked it against the full text, `not_known` what nobody has found out about it.
    `relaxes` are the rules whose periods it relaxes, by id, and `relaxed_as` says so in words; of any other there are none.
    """

    id: str
    begins: date
    ends: date | None
    says: str
    cite: str
    href: str
    verified: str
    not_known: str
    relaxes: tuple[str, ...]
    relaxed_as: str
    line: int = field(compare=False)
    file: str = field(compare=False)

    def counts_for(self, rule: str, day: date) -> bool:
        """Say whether a rule that is judged on a day comes under it."""
        within = self.begins <= day and (self.ends is None or day <= self.ends)
        return within and (not self.relaxes or rule in self.relaxes)


def read_editions(node: Node, rules: Collection[str]) -> tuple[Edition, ...]:
    """Return the editions that a rulebook lists, the oldest first.

    Args:
        node: The list.
        rules: Ids of the national rules.

    Raises:
        RulebookRefused: With file, line and what to do: out of order, over one another, or over a rule that there is not.
    """
    found: list[Edition] = []
    for each in node.items():
        edition = _edition(each, rules, found)
        if not edition.relaxes:
            found = [_ended(before, edition.begins) for before in found]
        found.append(edition)
    return tuple(found)


def _edition(node: Node, rules: Collection[str], before: Sequence[Edition]) -> Edition:
    entry = node.fields(_EDITION, ("until", "not known", *_OVERLAY))
    if entry["id"].text() in {each.id for each in before}:
        raise entry["id"].refuse(f"`{entry['id'].text()}` stands twice")
    if not entry["href"].text().startswith("https://"):
        raise entry["href"].refuse("expected a link that starts with https://")
    begins, verified = entry["from"].day(), entry["verified"].text()
    if before and begins <= before[-1].begins:
        raise entry["from"].refuse(
            f"expected a day after {before[-1].begins}, on which {before[-1].id} begins: the oldest edition stands first"
        )
    return Edition(
        id=entry["id"].text(),
        begins=begins,
        ends=_last_day(node, entry, begins, before),
        says=entry["says"].text(),
        cite=entry["cite"].text(),
        href=entry["href"].text(),
        verified="" if verified == "false" else verified,
        not_known=entry["not known"].text() if "not known" in entry else "",
        relaxes=tuple(each.one_of(rules) for each in entry["relaxes"].items()) if "relaxes" in entry else (),
        relaxed_as=entry["relaxed as"].text() if "relaxed as" in entry else "",
        line=node.line,
        file=node.file,
    )


def _last_day(node: Node, entry: dict[str, Node], begins: date, before: Sequence[Edition]) -> date | None:
    """Return the last day of an edition that lies over others; any other ends where the next one begins."""
    if ("relaxes" in entry) != ("relaxed as" in entry):
        raise node.refuse("expected `relaxes:` the rules and `relaxed as:` what to say of them, or neither")
    if "relaxes" not in entry:
        if "until" in entry:
            raise entry["until"].refuse(
                "an edition ends where the next one begins; only one that `relaxes` rules has an end"
            )
        return None
    if not before:
        raise entry["relaxes"].refuse("lies over nothing: the first edition relaxes no rules")
    if "until" not in entry:
        raise node.refuse("`until:` is missing: what relaxes rules has a last day")
    ends = entry["until"].day()
    if ends < begins:
        raise entry["until"].refuse(f"expected {begins} or a later day, found {ends}: it would never count")
    over = next((each for each in before if each.relaxes and each.ends and each.ends >= begins), None)
    if over is not None:
        raise entry["from"].refuse(f"overlaps {over.id}, which lies over the others until {over.ends}")
    return ends


def _ended(edition: Edition, begins: date) -> Edition:
    """Return an edition as it is once another begins, which ends it unless it has an end."""
    return edition if edition.ends is not None else replace(edition, ends=begins - _DAY)


def editions_for(editions: Sequence[Edition], rule: str, day: date) -> tuple[Edition, ...]:
    """Return the editions that a rule judged on a day comes under: one, then what lies over it; none before the first."""
    return tuple(each for each in editions if each.counts_for(rule, day))


def names(editions: Iterable[Edition]) -> str:
    """Return what a rule comes under: "RB-2018.2 with RB-2020.C", empty before the first edition."""
    return " with ".join(each.id for each in editions)


def relaxed_words(editions: Iterable[Edition]) -> str:
    """Return how the periods of a rule are relaxed under these editions: "relaxed during the pandemic (RB-2020.C)"."""
    return ", ".join(f"{each.relaxed_as} ({each.id})" for each in editions if each.relaxes)


def counts_words(editions: Sequence[Edition], rule: str, begins: date, ends: date | None) -> str:
    """Return in which editions a rule counts that is in force from a day to another: "from RB-2018.1 on"."""
    over = "".join(
        f"; {each.relaxed_as} in {each.id}"
        for each in editions
        if rule in each.relaxes and begins <= (each.ends or begins) and (ends is None or each.begins <= ends)
    )
    return _span_words(editions, begins, ends) + over


def _span_words(editions: Sequence[Edition], begins: date, ends: date | None) -> str:
    counting = [each for each in editions if not each.relaxes]
    first = next((each for each in reversed(counting) if each.begins <= begins), None)
    since = first.id if first else f"before {counting[0].id}"
    if ends is None:
        return f"from {since} on"
    last = next((each for each in reversed(counting) if each.begins <= ends), None)
    if last is first:
        return f"{since} only"
    return f"from {since} to {last.id}" if last else since
