"""Which facts the events of cases state, and which of the statements stands: those on which routing decides.

Mirrors routing's `facts_of` and `FactBase`, so that what a recipient reads does not contradict why it was told: statements go
by the time that they are about, and a correction takes the place in time of what it corrects. Where sources differ
routing takes a fact for absent, and here each has its say. Codes of former areas, and who said what, stay as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from schemas import case_events as events
from schemas.acts import implied
from schemas.calendar.london import london_date
from schemas.identity import only_item
from schemas.messages import MESSAGES
from schemas.vocabulary import ITEMS, Keeps, Vocabulary

_INCIDENT_FACTS: Final = {
    "harm": "harm",
    "country": "incident.country",
    "area": "incident.area",
    "setting": "incident.setting",
    "unexpected_death": "incident.unexpected_death",
    "reported_on": "reported_on",
    "proposed_route": "referral.proposed_route",
    "child_review": "concern.child_review",
    "adult_at_risk": "concern.adult_at_risk",
    "domestic_death": "concern.domestic_death",
}
_REFERRAL: Final = "referral.submitted.v1"
_OF_THE_REPORTING: Final = frozenset({"reporter.body", "reporter.area", "reported_on", "referral.submitted_on"})
# What intake may have derived itself, from the harm and from personal dates: its reporter then stated none of it to withdraw.
_DERIVED: Final = frozenset({"child.died", "child.age_at_incident", "child.age_at_death"})
_OWN: Final = frozenset({"authority", "reporter"})  # scopes whose facts each source has for itself
_OF_AN_ITEM: Final = frozenset(ITEMS) - _OWN
_DIED: Final = ("child.died", "yes")
_OF_CHILDREN: Final = frozenset({events.IncidentReported, events.FactCorrected})  # what may state anything of a child
Named = tuple[str, str, Any]
"""Field, child key (empty for what is about the incident), value."""
_Corrections = Mapping[tuple[UUID, str, str], "Statement"]
"""The last correction of each statement, by event, field and child."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event that was accepted, and what its case event says: only who told it once it cannot be read any more."""

    case_key: str
    event_id: UUID
    type: str
    occurred_at: datetime
    recorded_at: datetime
    data: events.CaseData
    kept_about: str | None = None
    """The key of the one item that the act, or the act that it corrects, is about; None of what was accepted before that was kept."""

    @property
    def corrects(self) -> UUID | None:
        """The event that it corrects."""
        return self.data.corrects if isinstance(self.data, events.FactCorrectedData) else None

    @property
    def corrects_fact(self) -> str | None:
        """The fact that it corrects, whatever else follows from that."""
        return self.data.fact if isinstance(self.data, events.FactCorrectedData) else None

    @property
    def about(self) -> str | None:
        """The key of the one item that it is about: of an act as it says itself, of a correction that of what it corrects."""
        return self.data.about if isinstance(self.data, events.ActRecordedData) else self.kept_about

    @property
    def is_unread(self) -> bool:
        """Whether what it said is lost."""
        return type(self.data) is events.CaseData

    @property
    def source(self) -> str:
        """In whose name it counts."""
        return self.data.reporter.source


@dataclass(frozen=True, slots=True)
class Statement:
    """One value that one source gives for one field; None says that it is not known. `at` is the time that it is about."""

    field: str
    child: str
    value: Any
    at: datetime
    told: Told

    @property
    def age(self) -> tuple[datetime, datetime, UUID]:
        """What statements are put in order by."""
        return self.at, self.told.recorded_at, self.told.event_id


def standing(
    told: Iterable[Told], vocabulary: Vocabulary, in_place_of: Callable[[str], str], item: str = ""
) -> list[Statement]:
    """Return the statements that stand, in the order in which their sources first spoke; none of them is of None.

    What a body said counts with what the one `in_place_of` it says. Of items only what was said of this one is among them.
    """
    now: defaultdict[tuple[str, str, str], list[Statement]] = defaultdict(list)
    for first, one in _as_corrected(list(told)):
        scope = vocabulary[one.field].scope
        if scope in _OF_AN_ITEM and item not in _items(first.told, scope):
            continue
        owner = in_place_of(first.told.source) if scope in _OWN else ""
        now[one.field, one.child, owner].append(one)
    return [
        one for (field, *_), each in now.items() for one in _one_per_source(each, vocabulary[field].keeps, in_place_of)
    ]


def _items(told: Told, kind: str) -> set[str | None]:
    """Return the keys of the item that an event is about, as routing may have them; grants of before name the incident."""
    return {told.about} if told.kept_about else {told.about, only_item(kind), "incident"}


def of_cases(case_keys: Collection[str], told: Iterable[Told]) -> list[Told]:
    """Return what was told in these cases, and what puts it right: a correction may stand in a case that was linked later."""
    known = {each.event_id: each for each in told}
    return [one for one in known.values() if _corrected(one, known).case_key in case_keys]


def about_report(report: Told, told: Iterable[Told]) -> list[Told]:
    """Return what concerns one report: what its own case reported, and what anybody did or decided.

    What others reported is none of its reporter's business, nor are corrections of that, or of what is not known here.
    """
    known = {each.event_id: each for each in told}
    return [
        one
        for one in known.values()
        if (first := _corrected(one, known)).case_key == report.case_key or MESSAGES[first.type] not in _OF_CHILDREN
    ]


def _corrected(one: Told, known: Mapping[UUID, Told]) -> Told:
    """Return what a correction corrects in the end, as far as that is known; of any other event, itself."""
    while one.corrects and one.corrects in known:
        one = known[one.corrects]
    return one


def by_mistake(told: Iterable[Told]) -> frozenset[str]:
    """Return the children that are none of their case: everything that was stated of them was withdrawn as a mistake.

    A reference of a death does not say that there is such a child: it may have been mistyped.
    An event that cannot be read any more may have spoken of any child of its case, or put its withdrawal right: all stay.
    """
    known = list(told)
    unread = _unread(known)
    said: defaultdict[str, list[bool]] = defaultdict(list)
    for first, one in _as_corrected(known):
        if one.child:
            makes_none = one.field == events.DEATH_NOTIFIED or _is_mistake(one)
            said[one.child].append(makes_none and first.told.case_key not in unread)
    return frozenset(child for child, mistakes in said.items() if all(mistakes))


def made_by_mistake(told: Iterable[Told]) -> frozenset[UUID]:
    """Return the events that are none of their case, with all they tell besides: each of their facts was withdrawn as a mistake.

    Who reported and when is true of a mistaken report, too, and what was derived stands and falls with the rest. As for `by_mistake`, what cannot be read any more keeps all.
    """
    known = list(told)
    unread = _unread(known)
    said: defaultdict[UUID, list[bool]] = defaultdict(list)
    for first, one in _as_corrected(known):
        if first.value is not None and first.field not in _OF_THE_REPORTING | _DERIVED:
            said[first.told.event_id].append(_is_mistake(one) and first.told.case_key not in unread)
    return frozenset(event for event, mistakes in said.items() if all(mistakes))


def _unread(known: Iterable[Told]) -> set[str]:
    """Return the cases in which something cannot be read any more that may have spoken of a child, or corrected something."""
    return {each.case_key for each in known if each.is_unread and MESSAGES[each.type] in _OF_CHILDREN}


def _as_corrected(known: Sequence[Told]) -> Iterator[tuple[Statement, Statement]]:
    """Yield each first statement, the oldest first, and what has become of it."""
    statements = sorted((one for each in known for one in _stated(each)), key=lambda one: one.age)
    # Of two corrections of one event the later stands. Intake takes them only from whose event it was, and from who is in its place.
    corrections = {(one.told.corrects, one.field, one.child): one for one in statements if one.told.corrects}
    # Routing still has what an unread event said. Here it is known that it spoke of what was corrected, and when.
    unread = {each.event_id: each for each in known if each.is_unread}
    lost = [
        (field, child, unread[event])
        for (event, field, child), one in corrections.items()
        if event in unread and one.told.corrects_fact == field  # not what is corrected along: it may not have said that
    ]
    statements += [Statement(field, child, None, each.occurred_at, each) for field, child, each in lost]
    first = [one for one in statements if one.told.corrects is None]
    for one in sorted(_following_the_harm(first, corrections), key=lambda one: one.age):
        yield one, _now(one, corrections)


def _following_the_harm(first: list[Statement], corrections: _Corrections) -> Iterable[Statement]:
    """Return what was first stated, and of who died as if the harm that is put right had been reported so at once.

    Of a death a report says so of an only child, if no other was known by then; of another harm it says so of nobody.
    """
    harms = [(one, _now(one, corrections)) for one in first if one.field == "harm"]
    put_right = {one.told.event_id: now for one, now in harms if now.told.corrects}
    if not put_right:
        return first
    of_nobody = {event for event, harm in put_right.items() if harm.value != "death"}
    said = [
        replace(one, value=None) if one.told.event_id in of_nobody and (one.field, one.value) == _DIED else one
        for one in first
    ]
    of_children = [one for one in first if one.child and one.field != events.DEATH_NOTIFIED]
    for event in put_right.keys() - of_nobody:
        harm = put_right[event]
        known = {one.child for one in of_children if one.told.recorded_at <= harm.told.recorded_at}
        if len(known) == 1 and (event, *known) in {(one.told.event_id, one.child) for one in of_children}:
            field, value = _DIED
            said.append(Statement(field, known.pop(), value, harm.at, harm.told))
    return said


def _now(one: Statement, corrections: _Corrections) -> Statement:
    """Return what has become of a statement: its last correction, at its own time."""
    while following := corrections.get((one.told.event_id, one.field, one.child)):
        one = Statement(one.field, one.child, following.value, one.at, following.told)
    return one


def _is_withdrawn(one: Statement) -> bool:
    return one.told.corrects is not None and one.value is None


def _is_mistake(one: Statement) -> bool:
    """Say whether it was withdrawn because there never was what it said."""
    data = one.told.data
    return _is_withdrawn(one) and isinstance(data, events.FactCorrectedData) and data.reason in events.MISTAKES


def _one_per_source(
    statements: Sequence[Statement], keeps: Keeps, in_place_of: Callable[[str], str]
) -> list[Statement]:
    """Return what each source says, or the one statement that stands for all; `statements` are in order."""
    by_source: dict[str, Statement] = {}
    first: Statement | None = None
    newest: Statement | None = None
    for one in statements:
        if _is_withdrawn(one):
            continue  # as if it had never been said
        newest = one
        first = (first or one) if one.value is not None else None
        source = in_place_of(one.told.source)
        earlier = by_source.get(source)
        if keeps == "the earliest" and earlier and earlier.value and (not one.value or earlier.value <= one.value):
            continue
        by_source[source] = one
    known = [one for one in by_source.values() if one.value is not None]
    match keeps:
        case "the earliest":
            return sorted(known, key=lambda one: (one.value, one.age))[:1]
        case "the newest":
            return [newest] if newest and newest.value is not None else []
        case "the first":
            return [first] if first else []
        case "the latest":
            return known


def _stated(told: Told) -> Iterator[Statement]:
    for field, child, value in named(told.type, told.data):
        plain = value.isoformat() if isinstance(value, date) else value
        at = events.counts_from(told.data, field, told.occurred_at)
        yield Statement(field, child, plain, at, told)


def named(type_: str, data: events.CaseData) -> Iterator[Named]:
    """Yield every statement that an event makes, also one of None."""
    if MESSAGES[type_] is events.IncidentReported:  # of one that cannot be read any more who reports is known still
        yield "reporter.body", "", data.reporter.body
        yield "reporter.area", "", data.reporter.area
    match data:
        case events.IncidentReportedData():
            yield from _report(type_, data)
        case events.BecameAwareData():
            yield from ((fact, "", data.aware_on) for fact in data.facts)
        case events.AbuseSuspicionChangedData():
            yield from _view(data)
        case events.NotificationDecisionData():
            yield "notification.decision", "", data.outcome
            yield "notification.decided_on", "", data.decided_on
            yield "notification.criterion_not_met", "", data.criterion_not_met
            yield "notification.override_of_rule", "", data.override_of_rule
        case events.NotificationSubmittedData():
            yield "notification.submitted_on", "", london_date(data.submitted_at)
            yield "notification.submitted_by", "", data.reporter.area
            yield from ((fact, "", None) for fact in events.WITHDRAWAL)
        case events.DeathNotifiedData():
            yield events.DEATH_NOTIFIED, data.child, london_date(data.notified_at)
        case events.ActRecordedData():
            yield from ((fact, "", value) for fact, value in data.facts.items())
            yield from ((fact, "", value) for fact, value in implied(type_, data.facts, data.reporter.area))
        case events.FactCorrectedData():
            yield from ((fact, data.child or "", value) for fact, value in data.facts)
        case _:
            return


def _view(data: events.AbuseSuspicionChangedData) -> Iterator[Named]:
    yield "abuse_or_neglect", "", data.view
    if data.view in events.SUSPICION:
        yield "suspected_on", "", data.from_on


def _report(type_: str, data: events.IncidentReportedData) -> Iterator[Named]:
    if type_ == _REFERRAL:
        yield "referral.submitted_on", "", data.reported_on
    said = ((fact, getattr(data, name)) for name, fact in _INCIDENT_FACTS.items())
    yield from ((fact, "", value) for fact, value in said if value is not None)
    for child in data.described:  # of one of whom nothing is known it is known that it exists
        known = child.model_dump(exclude={"child"}, exclude_none=True) or {"home_area": None}
        yield from ((f"child.{name}", child.child, value) for name, value in known.items())
