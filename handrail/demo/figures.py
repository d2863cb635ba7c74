"""The figures that a story ends with, each counted from outside: by the page Considered, by the desk, or by the log.

Beside each stands how it is known: the area's own `report` has it, it is `inferred` from that, or `invented` here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from handrail.demo.story import StoryError
from handrail.installation.running import AUDITOR, Running

KNOWN: Final = ("report", "inferred", "invented")
_DUTIES: Final = re.compile(
    r"(?P<rule>\S+)(?: by (?P<holder>\S+))?(?: to (?P<recipient>\S+))?, (?P<state>met late|met|overdue|open|withdrawn)"
)
_RECORDED: Final = re.compile(r"(?P<type>\S+)(?: with (?P<fact>\S+) (?P<value>\S+))?")
Duty = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, and how it is counted: one of the three fields below says it."""

    says: str
    number: int
    known: str
    considered: str = ""
    duties: str = ""
    recorded: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be counted.

        Raises:
            StoryError: The text says what was expected.
        """
        if self.known not in KNOWN:
            raise StoryError(f"'{self.says}': expected to be known from {', '.join(KNOWN)}, got {self.known}")
        if sum(map(bool, (self.considered, self.duties, self.recorded))) != 1:
            raise StoryError(f"'{self.says}': expected one of considered, duties or recorded")
        if self.duties and not _DUTIES.fullmatch(self.duties):
            raise StoryError(f"'{self.says}': expected `RULE by HOLDER to RECIPIENT, STATE`, got `{self.duties}`")


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of an area from one day to another, both included."""

    area: str
    first: str
    last: str
    are: tuple[Figure, ...]


NO_FIGURES: Final = Figures("", "", "", ())


def counted(running: Running, figures: Figures, duties: Iterable[Duty], cases: Iterable[str]) -> Iterator[int]:
    """Yield the number of each figure as it is seen from outside, in their order.

    Args:
        running: The installation on which the story was played.
        figures: What to count.
        duties: Every duty of the story, as the desk's API has them.
        cases: The keys of the story's cases, those linked to them included.

    Raises:
        CallFailed: A service refused or did not answer.
    """
    totals, events = {}, []
    if any(figure.considered for figure in figures.are):
        asked = f"area={figures.area}&from={figures.first}&to={figures.last}"
        totals = running.web("routing", AUDITOR).get(f"/v1/considered?{asked}")["totals"]
    if any(figure.recorded for figure in figures.are):
        events = [event for key in cases for event in _events(running, key, figures)]
    within = [duty for duty in duties if figures.first <= (duty["due_on"] or "") <= figures.last]
    for figure in figures.are:
        if figure.considered:
            yield _total(totals, figure.considered)
        elif figure.duties:
            yield sum(_is(duty, figure.duties) for duty in within)
        else:
            yield sum(_says(event, figure.recorded) for event in events)


def _total(totals: Mapping[str, Any], name: str) -> int:
    group, _, outcome = name.partition(".")
    return int(totals[group][outcome] if outcome else totals[group])


def how(duty: Duty) -> str:
    """Return how a duty stands: its state, or `overdue`, or `met late`."""
    if duty["group"] == "overdue":
        return "overdue"
    return "met late" if duty["working_days_late"] else str(duty["state"])


def _is(duty: Duty, wanted: str) -> bool:
    found = _DUTIES.fullmatch(wanted)
    return (
        found is not None
        and duty["rule"] == found["rule"]
        and found["holder"] in {None, duty["duty_holder"]}
        and (found["recipient"] is None or found["recipient"] in duty["recipients"])
        and how(duty) == found["state"]
    )


def _says(event: Mapping[str, Any], wanted: str) -> bool:
    found = _RECORDED.fullmatch(wanted)
    if found is None or event["type"] != f"{found['type']}.v1":
        return False
    return found["fact"] is None or str(event["data"]["facts"].get(found["fact"])) == found["value"]


def _events(running: Running, case_key: str, figures: Figures) -> Iterator[Mapping[str, Any]]:
    """Yield the acts that the log has of a case, recorded between the days."""
    asked = f"case={case_key}&from={figures.first}&to={figures.last}&limit=200"
    for page in running.web("audit", AUDITOR).pages(f"/v1/entries?{asked}", follows="next_after"):
        for entry in page["entries"]:
            if entry["record"] and "facts" in (entry["record"].get("data") or {}):
                yield entry["record"]
