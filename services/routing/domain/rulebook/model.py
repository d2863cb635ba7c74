"""What a rulebook says, as values: rules, conditions, recipients, periods, disclosure profiles and examples.

The values mirror the file one to one, with every word already checked; nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from schemas.calendar import Length
from schemas.vocabulary import Value
from services.routing.domain.rulebook.editions import Edition

Strength = Literal["must", "should", "may", "local"]
Operator = Literal["is", "is not", "is one of", "is not one of", "is at most", "is at least"]
Combination = Literal["all of", "any of", "none of"]
DUTY_HOLDER: Literal["duty holder"] = "duty holder"
AREAS_THAT_DIFFER: Literal["the areas that differ"] = "the areas that differ"


@dataclass(frozen=True, slots=True)
class Compared:
    """A condition that compares a fact with fixed values; one value unless the operator says `one of`."""

    fact: str
    operator: Operator
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class SameArea:
    """A condition that compares the area in a fact with that in another, or with the duty holder's area."""

    fact: str
    other: str  # a fact's name or DUTY_HOLDER
    negated: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """A condition that holds once anybody has stated a fact, whatever it says; it is yes or no, never undecided.

    What is in dispute is not recorded: so `unless` what is recorded excludes nobody in doubt. See `changes.lapsed` for what was owed.
    """

    fact: str


@dataclass(frozen=True, slots=True)
class Applies:
    """A condition that holds when the `when` of another rule holds."""

    rule: str


@dataclass(frozen=True, slots=True)
class Meets:
    """A condition written once under `definitions:`."""

    definition: str
    says: str
    when: Condition


@dataclass(frozen=True, slots=True)
class Combined:
    """Several conditions under `all of`, `any of` or `none of`."""

    how: Combination
    parts: tuple[Condition, ...]


Condition = Compared | SameArea | Recorded | Applies | Meets | Combined
Test = Compared | Recorded
"""What is written on one line: `notification.decision is notify`, `notification.withdrawn is recorded`."""


@dataclass(frozen=True, slots=True)
class AreaHolder:
    """The duty is on the body of a kind that serves the area in a fact: `la-of(incident.area)`; of several, in the first that is known."""

    group: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RulesHolder:
    """The duty is on the duty holder of whichever of these rules is not no; with a `group`, on that of its area."""

    rules: tuple[str, ...]
    group: str | None = None


@dataclass(frozen=True, slots=True)
class ReporterHolder:
    """The duty is on whoever reported."""


@dataclass(frozen=True, slots=True)
class InFact:
    """The body that a fact names, as duty holder or as recipient: `the body in action.owner`."""

    fact: str


Holder = AreaHolder | RulesHolder | ReporterHolder | InFact


@dataclass(frozen=True, slots=True)
class Named:
    """One national body, by its id."""

    body: str


@dataclass(frozen=True, slots=True)
class Serving:
    """The bodies of a group that serve an area: a fact's name, DUTY_HOLDER or AREAS_THAT_DIFFER."""

    group: str
    area: str


@dataclass(frozen=True, slots=True)
class TheReporter:
    """Whoever made the report that the rule runs for."""


Recipients = Named | Serving | TheReporter | InFact


@dataclass(frozen=True, slots=True)
class Within:
    """A period and the facts that its clock may start from.

    With several facts the latest counts. Until all are known it is counted from the rulebook's default fact if that is one of them;
    with `as_known` it is counted from those that are known, and moves on as others become known: a task that comes round
    again, until a last day if `until` gives one, which is counted from the first of the facts. What is first to be done after that
    day is not owed. `anew_from` counts beside them for a duty that was called off before the child died, and stands again.
    """

    length: Length
    clock: tuple[str, ...]
    as_known: bool
    warn_from: str | None
    strength: Strength
    cite: str
    until: Length | None = None
    anew_from: str | None = None

    def anew(self) -> Within:
        """Return the period of a duty that stands again after a death: `anew_from` is known, and nobody is to be warned of a day before it."""
        return replace(
            self, clock=(*self.clock, *filter(None, (self.anew_from,))), warn_from=self.anew_from or self.warn_from
        )


@dataclass(frozen=True, slots=True)
class Done:
    """A date that ends a duty once it is recorded; it does not while `unless` holds, nor if it is before the date in `since`."""

    fact: str
    unless: Test | None = None
    since: str | None = None

    @property
    def facts(self) -> tuple[str, ...]:
        """Return the names of the facts that it reads."""
        return (self.fact, *((self.unless.fact,) if self.unless else ()), *((self.since,) if self.since else ()))


@dataclass(frozen=True, slots=True)
class Stop:
    """What ends a duty: the phrase in the file, and the events that it names, the dates recorded, or what has to be so.

    One event or date is enough; of the conditions in `holds` all have to hold. An event does not count if it is before the date in
    `since`. A task that comes round again ends once the date in `at_the_end` is the last day of its `until`, or later.
    """

    phrase: str
    events: tuple[str, ...]
    recorded: tuple[Done, ...] = ()
    holds: tuple[Test, ...] = ()
    at_the_end: str | None = None
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Duty:
    """One entry of a rule's `then`.

    `release` has what must all hold before it is sent, nothing means at once; `sooner` has shorter periods of some areas, by code.
    """

    tell: Recipients
    profile: str
    within: Within
    release: tuple[Test, ...]
    stop: Stop
    only_if: Test | None
    sooner: Mapping[str, Within] = field(default_factory=dict, hash=False)

    @property
    def tests(self) -> tuple[Test, ...]:
        """Return every condition of its own: on which it is owed, then on which it is sent."""
        return (*(() if self.only_if is None else (self.only_if,)), *self.release)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule comes from. `verified` is empty until a person has checked it against the full text."""

    cite: str
    href: str
    quote: str
    verified: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, in force on days from `in_force_from` to `in_force_until`, both included.

    It has one of three consequences: somebody is told (`then`), other rules do not apply (`excludes`, their ids, which says
    why of what follows from their conditions), or bodies hear of it through another system (`reaches`, their ids).
    `explains` are rules whose lateness it gives the reasons of.
    `layer` is the name of the overlay that adds it, empty for a national rule; `file` and `line` say where it stands.
    """

    id: str
    title: str
    source: Source
    holder: Holder
    strength: Strength
    in_force_from: date
    in_force_until: date | None
    judged_on: str
    when: Condition
    then: tuple[Duty, ...]
    cancelled_when: Test | None
    line: int
    file: str = field(compare=False)
    layer: str = ""
    excludes: tuple[str, ...] = ()
    reaches: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()

    def duties_in(self, area: str | None) -> tuple[Duty, ...]:
        """Return what the rule asks of a duty holder of an area, each with the period that counts there."""
        sooner = ((duty, duty.sooner.get(area or "")) for duty in self.then)
        return tuple(replace(duty, within=within) if within else duty for duty, within in sooner)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What happens when a fact is missing."""

    ask_within_working_days: int
    missing_clock_counts_from: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What a recipient may see: field to how much of it. Anything not listed is not sent."""

    name: str
    purpose: str
    lawful_basis: tuple[str, ...]
    delivery: str
    give: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tells:
    """An expected obligation. `who` is an expression of recipients with area codes in place of facts.

    `edition` is that of the law, with what lies over it; empty where the example does not say.
    """

    who: str
    under: str
    by: date | None
    state: str
    line: int
    edition: str = ""


@dataclass(frozen=True, slots=True)
class TellsNot:
    """A recipient that must not be told, with the conditions that are no."""

    who: str
    because: str
    line: int


@dataclass(frozen=True, slots=True)
class Example:
    """A situation and everything that must come out of it. `facts` has (owner, name, value); owner "" is the case.

    `decided_on` is the day on which whoever is told has to exist; None: those are meant that have no end.
    """

    name: str
    facts: Mapping[tuple[str, str], Value]
    tells: tuple[Tells, ...]
    asks: tuple[str, ...]
    cannot_decide: tuple[str, ...]
    tells_not: tuple[TellsNot, ...]
    line: int
    decided_on: date | None = None


@dataclass(frozen=True, slots=True)
class Overlay:
    """The local rules of some areas, by code; no `areas` means every area. Its examples know all layers."""

    name: str
    title: str
    owner: str
    areas: tuple[str, ...]
    file: str
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A national rulebook with its local overlays.

    `sha256` is the digest of all their texts; `examples` know the national rules alone; `approved_by` are the two people of its
    release, nobody while there is none.
    """

    id: str
    title: str
    version: str
    owner: str
    sha256: str
    file: str
    defaults: Defaults
    editions: tuple[Edition, ...]
    rules: tuple[Rule, ...]
    profiles: Mapping[str, Profile]
    examples: tuple[Example, ...]
    overlays: tuple[Overlay, ...] = ()
    approved_by: tuple[str, ...] = ()

    def without_overlays(self) -> Rulebook:
        """Return the national rules alone, with the periods that count everywhere."""
        rules = (rule for rule in self.rules if not rule.layer)
        return replace(
            self,
            rules=tuple(replace(rule, then=tuple(replace(duty, sooner={}) for duty in rule.then)) for rule in rules),
            overlays=(),
        )

    def rule(self, identifier: str) -> Rule:
        """Return the rule with this id.

        Raises:
            KeyError: There is none.
        """
        for rule in self.rules:
            if rule.id == identifier:
                return rule
        raise KeyError(identifier)


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, by which versions are in order."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def outline(condition: Condition, depth: int = 0) -> Iterator[tuple[int, Condition]]:
    """Yield a condition and all within it, each before its parts, with how deep it stands."""
    yield depth, condition
    match condition:
        case Combined():
            for part in condition.parts:
                yield from outline(part, depth + 1)
        case Meets():
            yield from outline(condition.when, depth + 1)
        case _:
            pass


def walk(condition: Condition) -> Iterator[Condition]:
    """Yield a condition and all within it, each before its parts: the order in which answers are recorded."""
    return (part for _, part in outline(condition))
