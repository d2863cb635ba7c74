"""The shipped rulebook, register and calendar for tests, and short ways to state facts and decide them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from uuid import UUID, uuid5

from schemas.calendar import load_england
from schemas.vocabulary import ITEMS, Value, load
from services.routing.domain.changes import Known
from services.routing.domain.decide import Decision, decide
from services.routing.domain.facts import INCIDENT, FactBase
from services.routing.domain.happenings import Happening, Slot
from services.routing.domain.register import Register, parse_register
from services.routing.domain.rulebook.compile import CompiledRulebook
from services.routing.domain.rulebook.examples import load_rulebook
from services.routing.domain.statements import Fact
from services.routing.law import Law, read_law, texts_of

FOLDER = Path(__file__).parents[2] / "rulebooks"
ENGLAND = FOLDER / "england" / "2026.11.0.yaml"
OVERLAYS = texts_of(ENGLAND, FOLDER)[1:]
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
VOCABULARY = load()
CALENDAR = load_england()
LEEDS, HALTON, WANDSWORTH = "E08000035", "E06000006", "E09000032"
CHILD, REPORT, POLICE = "child-1", "report-1", "police:west-yorkshire"
_NAMESPACE = UUID(int=7)

LEEDS_DEATH: dict[str, Value] = {
    "harm": "death",
    "child.died": "yes",
    "child.age_at_incident": 9,
    "incident.country": "england",
    "incident.area": LEEDS,
    "child.home_area": LEEDS,
    "child.looked_after": "no",
    "child.care_leaver": "no",
    "concern.adult_at_risk": "no",
    "concern.domestic_death": "no",
    "reporter.body": "police",
    "reporter.area": LEEDS,
    "reported_on": VOCABULARY.check("reported_on", "2026-06-01") or "",
}
"""A child of 9 dies in Leeds; the police report it and the council has not spoken."""


@cache
def register() -> Register:
    return parse_register((FOLDER / "register" / "areas.yaml").read_text("utf-8"), "areas.yaml")


@cache
def law() -> Law:
    return read_law()


@cache
def england() -> CompiledRulebook:
    return load_rulebook(ENGLAND.read_text("utf-8"), "england.yaml", VOCABULARY, register(), CALENDAR, OVERLAYS)


def event(name: str) -> UUID:
    """Return the id of the event called `name` in a test."""
    return uuid5(_NAMESPACE, name)


def fact(
    name: str,
    value: object,
    *,
    of: str = POLICE,
    subject: str | None = None,
    at: datetime = NOW,
    recorded_at: datetime | None = None,
    by: str = "first",
    corrects: str | None = None,
) -> Fact:
    """Return one statement of the source `of` in the event called `by`, about the usual subject of its scope."""
    usual: dict[str, str] = {"child": CHILD}
    usual |= {scope: f"{word}-1" for scope, word in ITEMS.items()}
    return Fact(
        case_key="0" * 32,
        subject=subject or usual.get(VOCABULARY[name].scope, INCIDENT),
        authority=of,
        name=name,
        value=VOCABULARY.check(name, value),
        occurred_at=at,
        recorded_at=recorded_at or at,
        event_id=event(by),
        corrects=event(corrects) if corrects else None,
    )


def facts(values: dict[str, Value], of: str = POLICE) -> list[Fact]:
    """Return one statement for each value, all of one source."""
    return [fact(name, value, of=of) for name, value in values.items()]


def base(stated: Iterable[Fact], as_known_at: datetime | None = None, there: Register | None = None) -> FactBase:
    known = there or register()
    return FactBase(
        stated, VOCABULARY, former_areas=known.former_areas, successors=known.successors, as_known_at=as_known_at
    )


def decided(
    stated: Iterable[Fact],
    happenings: Iterable[Happening] = (),
    *,
    book: CompiledRulebook | None = None,
    as_known_at: datetime | None = None,
    on: date | None = None,
    there: Register | None = None,
) -> Decision:
    """Return a decision by the bodies that exist on a day, by default by those that have no end."""
    known = (there or register()).on(on)
    return decide(base(stated, as_known_at, known), book or england(), known, CALENDAR, NOW, happenings)


def known(decision: Decision) -> dict[Slot, Known]:
    """Return what a shell would keep of a decision."""
    return {
        each.slot: Known(
            each.standing.state,
            each.dates.due_on,
            each.dates.warn_on,
            each.recipients,
            each.released,
            each.dates.from_on,
            each.standing.met_on,
            each.dates.provisional,
        )
        for each in decision.obligations
    }
