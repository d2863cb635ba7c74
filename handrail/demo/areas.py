"""The stories of the areas: one file each in `examples/stories`, and what they share in `common.yaml` beside them.

A step lists what happens on a day in a few words, and an event says no more than is its own; the rest is as usual. The
same file says what it must lead to, one line a duty, the figures at its end, and what cannot be told yet.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from handrail.demo.expected import Expected, Overdue, Told
from handrail.demo.figures import NO_FIGURES, Figure, Figures
from handrail.demo.story import ClientSpec, Message, Step, Story, StoryError, laid_out
from schemas.calendar.london import LONDON

COMMON: Final = "common.yaml"
LEFT_OUT: Final = "left out"
_HOUR: Final = time(10)  # when the events of a day begin, one a minute
_PARTNER: Final = re.compile(r"(?P<body>\w+) of (?P<area>\w+)(?: for (?P<recipient>\S+))?")
_EVENT: Final = re.compile(r"(?P<type>\S+) by (?P<client>\S+)")
_ACCEPTED: Final = re.compile(r"(?P<rule>\S+) accepted by (?P<recipients>\S+(?:, \S+)*)")
_TOLD: Final = re.compile(
    r"(?P<rule>\S+) to (?P<who>\S+(?: and \S+)*?)(?: by (?P<by>[0-9]{4}-[0-9]{2}-[0-9]{2}))?, "
    r"(?P<state>open|met|met late|overdue|withdrawn|superseded)(?P<never>, never sent)?"
)
_STATE: Final = {"met late": "met", "overdue": "open"}
"""How routing says it: that a duty is late is for the deadlines to say."""


@dataclass(frozen=True, slots=True)
class Script:
    """A story and what it must lead to. `not_yet`: what its source says and cannot be told, in sentences."""

    title: str
    story: Story
    expected: Expected
    not_yet: tuple[str, ...] = ()


def areas(folder: Path) -> tuple[str, ...]:
    """Return the areas that have a story, by name."""
    return tuple(sorted(path.stem for path in folder.glob("*.yaml") if path.name != COMMON))


def load_area(folder: Path, name: str) -> Script:
    """Read the story of an area.

    Raises:
        StoryError: There is none, or it is not laid out as one.
    """
    path = folder / f"{name}.yaml"
    if name not in areas(folder):
        raise StoryError(f"there is no story of '{name}'; there is one of each of {', '.join(areas(folder))}")
    with laid_out(folder / COMMON) as common, laid_out(path) as page:
        partners = dict(_partners(common["partners"]))
        teller = _Teller(page["area"], partners, common["events"])
        steps = tuple(teller.step(entry) for entry in page["steps"])
        days = [step.at for step in steps if step.at]
        if not days or days != sorted(days):
            raise StoryError(f"{path}: the steps must stand in the order of their days")
        return Script(
            title=page["title"],
            story=Story(days[0], tuple(partners[name] for name in sorted(teller.used)), steps),
            expected=_expected(page),
            not_yet=tuple(page["not yet"]),
        )


def _partners(listed: Mapping[str, str]) -> Iterator[tuple[str, ClientSpec]]:
    for name, text in listed.items():
        found = _matched(_PARTNER, text, "a partner as `BODY of AREA for RECIPIENT`")
        yield name, ClientSpec(name, found["body"], found["area"], found["recipient"])


def _matched(pattern: re.Pattern[str], text: object, expected: str) -> dict[str, Any]:
    found = pattern.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise StoryError(f"expected {expected}, got `{text}`")
    return found.groupdict()


@dataclass
class _Teller:
    """Makes the messages of a story's steps; remembers who reported each case first, because the others name that case."""

    area: str
    partners: Mapping[str, ClientSpec]
    usual: Mapping[str, Mapping[str, Any]]
    used: set[str] = field(default_factory=set)
    _first: dict[str, str] = field(default_factory=dict)
    _sent: int = 0

    def step(self, entry: Mapping[str, Any]) -> Step:
        """Return a step with the messages of each of its events, for every case that it is about."""
        cases = entry["cases"].split(", ") if "cases" in entry else []
        begins = datetime.combine(date.fromisoformat(entry["on"]), _HOUR, LONDON)
        rounds = tuple(
            tuple(
                message for case in cases for message in self._messages(event, case, begins + timedelta(minutes=minute))
            )
            for minute, event in enumerate(entry.get("events", []))
        )
        return Step(entry["title"], entry.get("says", ""), rounds, at=begins)

    def _messages(self, event: str | Mapping[str, Any], case: str, at: datetime) -> Iterator[Message]:
        text, own = (event, {}) if isinstance(event, str) else next(iter(event.items()))
        if not _ACCEPTED.fullmatch(text):
            found = _matched(_EVENT, text, "`EVENT by PARTNER` or `RULE accepted by RECIPIENT`")
            yield self._message(found["type"], found["client"], case, at, own)
            return
        accepted = _matched(_ACCEPTED, text, "")
        for recipient in accepted["recipients"].split(", "):
            notice = {"notice_id": f"{{{{notice {accepted['rule']} to {recipient}}}}}"}
            yield self._message("delivery.acknowledged", self._answering_for(recipient), case, at, notice)

    def _answering_for(self, recipient: str) -> str:
        for partner in self.partners.values():
            if partner.recipient == recipient:
                return partner.name
        raise StoryError(f"no partner in {COMMON} answers for {recipient}")

    def _message(self, kind: str, client: str, case: str, at: datetime, own: Mapping[str, Any]) -> Message:
        if client not in self.partners:
            raise StoryError(f"there is no partner {client} in {COMMON}")
        if kind not in self.usual:
            raise StoryError(f"there is no event {kind} in {COMMON}")
        self.used.add(client)
        self._sent += 1
        first = self._first.setdefault(case, client)
        linked = {} if first == client else {"linked_case": {"client": first, "case_reference": case}}
        words = {"day": at.date().isoformat(), "now": at.isoformat(), "area": self.area, "case": case}
        event = {
            "specversion": "1.0",
            "id": f"{case.lower()}-{self._sent}",
            "source": f"urn:example:{client}",
            "type": f"{kind}.v1",
            "time": at.isoformat(),
            "datacontenttype": "application/json",
            "data": {"case_reference": case, **linked, **filled(merged(self.usual[kind], own), words)},
        }
        return Message(client, f"{kind} of {case} by {client}", json.dumps(event), case)


def merged(usual: Any, own: Any) -> Any:
    """Return what is usual with what is its own in its place; lists are merged entry by entry."""
    if isinstance(usual, Mapping) and isinstance(own, Mapping):
        both = {**usual, **{name: merged(usual.get(name), value) for name, value in own.items()}}
        return {name: value for name, value in both.items() if value != LEFT_OUT}
    if isinstance(usual, list) and isinstance(own, list) and len(usual) == len(own):
        return [merged(*pair) for pair in zip(usual, own, strict=True)]
    return own


def filled(value: Any, words: Mapping[str, str]) -> Any:
    """Return a value with `{{day}}` and the like put in; a text of digits alone is a number."""
    match value:
        case Mapping():
            return {name: filled(each, words) for name, each in value.items()}
        case list():
            return [filled(each, words) for each in value]
        case str() if value.isdecimal():
            return int(value)
        case _:
            return re.sub(r"\{\{(\w+)\}\}", lambda found: words.get(found[1], found[0]), value)


def _expected(page: Mapping[str, Any]) -> Expected:
    """Return what the story must lead to; nothing is in quarantine, and whoever is named is told."""
    told, never, overdue, late = Counter[Told](), Counter[Told](), Counter[Overdue](), Counter[Overdue]()
    for entry in page["leads to"]:
        for case in entry["cases"].split(", "):
            for line in entry["told"]:
                duty = _matched(_TOLD, line, "a duty as `RULE to RECIPIENT by DATE, STATE`")
                rule, by, state = duty["rule"], duty["by"] or "", duty["state"]
                for who in duty["who"].split(" and "):
                    (never if duty["never"] else told)[Told(case, who, rule, by, _STATE.get(state, state))] += 1
                overdue[Overdue(case, rule, by)] += state == "overdue"
                late[Overdue(case, rule, by)] += state == "met late"
    return Expected(
        told=told,
        never_told=never,
        overdue=+overdue,
        late=+late,
        quarantined={},
        kinds=None,
        log="verifies",
        figures=_figures(page),
    )


def _figures(page: Mapping[str, Any]) -> Figures:
    if "figures" not in page:
        return NO_FIGURES
    given = page["figures"]
    figures = tuple(
        Figure(
            says=entry["says"],
            number=int(entry["number"]),
            known=entry["known"],
            **{name: entry.get(name, "") for name in ("considered", "duties", "recorded")},
        )
        for entry in given["are"]
    )
    return Figures(page["area"], given["from"], given["to"], figures)
