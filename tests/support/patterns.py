"""Reads the patterns that `handrail rules compare` prints, and says whether facts fall under one; from the text alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from tests.support.rulebooks import VOCABULARY

Facts = Mapping[tuple[str, str], str | int | date]
"""Values by (area code of the authority or empty, fact)."""
_OF = " of the local authority of "


@dataclass(frozen=True, slots=True)
class Printed:
    """One pattern as it was printed."""

    known: tuple[tuple[str, str], ...]  # fact, words of its values
    before: str
    after: str

    def has(self, facts: Facts) -> bool:
        """Say whether facts fall under the pattern; areas get their letters in the order in which it names them."""
        letters: dict[str, str] = {}
        for named, words in self.known:
            fact, _, of = named.partition(_OF)
            owner = next((code for code, letter in letters.items() if letter == of), "")
            if not is_one_of(fact, facts.get((owner, fact)), words, letters):
                return False
        return True


def is_one_of(fact: str, value: str | int | date | None, words: str, letters: dict[str, str]) -> bool:
    """Say whether a value is among those that the words name."""
    spec = VOCABULARY[fact]
    if value is None:
        return "not known" in words.split(" or ")
    if spec.kind == "area":
        letter = letters.setdefault(str(value), f"area {chr(ord('A') + len(letters))}")
        return letter in words.split(" or ")
    for each in words.split(" or "):
        if isinstance(value, date):
            found = re.fullmatch(r"(?:from (?P<first>\w+ \d+ \w+ \d+))? ?(?:until (?P<last>\w+ \d+ \w+ \d+))?", each)
            if (
                each != "not known"
                and found
                and _day(found["first"], date.min) <= value <= _day(found["last"], date.max)
            ):
                return True
        elif isinstance(value, int):
            found = re.fullmatch(r"(\d+)(?: to (\d+))?", each)
            if found and int(found[1]) <= value <= int(found[2] or found[1]):
                return True
        elif each == spec.said_as.get(value, value.replace("_", " ")):
            return True
    return False


def _day(words: str | None, otherwise: date) -> date:
    return datetime.strptime(words, "%A %d %B %Y").date() if words else otherwise  # noqa: DTZ007 - a day of the calendar


def printed(out: str, rule: str) -> list[Printed]:
    """Return the patterns that were printed of a rule, in order."""
    _, _, section = out.partition(f"\n{rule} changed: ")
    found = re.findall(r"^  if (.*)\n    before: (.*)\n    after:  (.*)$", section.partition("\n\n")[0], re.MULTILINE)
    return [
        Printed(
            tuple((one, other) for one, _, other in (each.partition(": ") for each in known.split("; ")) if other),
            before,
            after,
        )
        for known, before, after in found
    ]
