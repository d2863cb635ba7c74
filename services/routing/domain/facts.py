"""What is known about a case: facts stated by authorities and agencies, merged into one value each, or none.

Two times are kept: `occurred_at` (when it was so) and `recorded_at` (when Handrail learned of it), so that a `FactBase`
can be made as things were known at any time. The merge never guesses: sources that differ make a fact absent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final, get_args
from uuid import UUID

from schemas.acts import TWINS
from schemas.case_events import DEATH_NOTIFIED
from schemas.vocabulary import ITEMS, Scope, Topic, Value, Vocabulary
from services.routing.domain.held_since import add_held_since
from services.routing.domain.notified_anew import NOTIFIED, left_behind
from services.routing.domain.register import GROUPS
from services.routing.domain.statements import Conflict, Fact, Ignored, age, is_withdrawn, kept

INCIDENT: Final = "incident"
AUTHORITY: Final = "la:"  # ids of local authorities start so
PARTNERSHIP: Final = "lscp:"  # ids of children's partnerships start so
REPORTER: Final = "client:the-reporter"  # who states supposed facts that are not an authority's
HARM: Final = "harm"
DEATH: Final = "death"
DIED: Final = "child.died"
AGE_AT_DEATH: Final = "child.age_at_death"
AWARE_OF_DEATH: Final = "aware_of_death_on"
_EITHER: Final[frozenset[Topic]] = frozenset(get_args(Topic))
_Corrected = tuple[UUID, str, str, str]  # event, fact, owner and source of a statement
Row = list[Value | None]  # values of one scope and owner, at the positions that the vocabulary gives


_Stated = dict[tuple[str, str], list[Fact]]  # by fact and owner


class FactBase:
    """The facts of one case (or of linked cases), merged. An owner is `incident`, a child, an item or an authority."""

    def __init__(
        self,
        facts: Iterable[Fact],
        vocabulary: Vocabulary,
        *,
        former_areas: Mapping[str, str] | None = None,
        successors: Mapping[str, str] | None = None,
        as_known_at: datetime | None = None,
    ) -> None:
        """Merge `facts`, in any order.

        Args:
            facts: Statements whose values the vocabulary has checked.
            vocabulary: Gives each fact its scope and position.
            former_areas: Former area code to present one, so that an authority with two codes stays one.
            successors: Body that has ended to the one in its place, which speaks for it from then on.
            as_known_at: Leave out what was recorded after this instant.

        Raises:
            FactRefused: A fact's name is not in the vocabulary.
        """
        self.vocabulary: Final = vocabulary
        codes = former_areas or {}
        self._known_of = partial(FactBase, vocabulary=vocabulary, former_areas=former_areas, successors=successors)
        # The same words stand in values (E08000016) and in ids of bodies (la:E08000016).
        kinds = ("", *(f"{group}:" for group in GROUPS))
        self._present = {kind + old: kind + new for old, new in codes.items() for kind in kinds}
        self._successors = successors or {}
        self._rows: dict[Scope, dict[str, Row]] = {scope: {} for scope in vocabulary.scopes}
        self._standing: dict[tuple[str, str], tuple[Fact, ...]] = {}
        # Each statement of a fact as it was first made, and as it is now.
        self._said: dict[tuple[str, str], tuple[list[Fact], list[Fact]]] = {}
        self._left_behind: frozenset[tuple[UUID, str]] = frozenset()
        self._known_since: dict[str, datetime] = {}
        self._named_by: dict[str, UUID] = {}  # the event that first named a child
        self._reporters: dict[str, str] = {}
        self._reported_by: dict[UUID, str] = {}  # the report that an event made
        self._empty: dict[Scope, Row] = {scope: [None] * vocabulary.size(scope) for scope in self._rows}
        self.latest_recorded_at: datetime | None = None
        self.first_source: str | None = None
        self.conflicts: tuple[Conflict, ...] = ()
        self.ignored: list[Ignored] = []
        known = sorted((fact for fact in facts if as_known_at is None or fact.recorded_at <= as_known_at), key=age)
        if known:
            self.latest_recorded_at = max(fact.recorded_at for fact in known)
        self._known = known
        # A reference of a death says nothing of the case but that: what is known of it is not known by that.
        speaking = [fact for fact in known if fact.name != DEATH_NOTIFIED]
        if speaking:
            self.first_source = self.in_place_of(speaking[0].authority)
        self.was_a_death_from_the_first = False
        self._children: set[str] = set()
        self._items: dict[Scope, set[str]] = {scope: set() for scope in ITEMS}
        self._merge(known)
        self.about: Final[frozenset[Topic]] = (
            frozenset(vocabulary.spec(fact.name).about for fact in speaking) or _EITHER
        )
        """What is told of: an incident, something else, or both; of a case of which nothing is known it may be either."""
        self.children: Final = tuple(sorted(self._children))
        self.items: Final = {scope: tuple(sorted(found)) for scope, found in self._items.items()}
        self.reports: Final = self.items["reporter"]

    @property
    def subjects(self) -> Mapping[str, str]:
        """Return what each child and each item but the reports is, in a word, by its key."""
        items = {key: word for scope, word in ITEMS.items() if scope != "reporter" for key in self.items[scope]}
        return {**dict.fromkeys(self.children, "child"), **items}

    def row(self, scope: Scope, owner: str | None) -> Row:
        """Return the values that an owner's facts have, by position; all None for an owner that nobody spoke of."""
        found = self._rows[scope].get(owner) if owner is not None else None
        return self._empty[scope] if found is None else found

    def value(self, name: str, owner: str | None) -> Value | None:
        """Return the merged value of one fact, or None when it is absent."""
        spec = self.vocabulary[name]
        return self.row(spec.scope, owner)[spec.position]

    def standing(self, name: str, owner: str | None) -> tuple[Fact, ...]:
        """Return the statements that stand behind a fact, one per source, corrections applied."""
        return self._standing.get((name, owner), ()) if owner is not None else ()

    def standing_for(self, child: str | None, name: str, owner: str | None) -> tuple[Fact, ...]:
        """Return what stands behind a fact of what was stated since a child was known; without a child, `standing`.

        Whoever speaks of the case means the children of whom it is known then, or those of them that have died by then, where the
        vocabulary says so of a fact; else all of them. A correction takes the place of its statement in that, too.
        """
        spec = self.vocabulary[name]
        if child is None or owner is None or spec.means == "the incident":
            return self.standing(name, owner)
        counting = self._counting(name, owner)
        said = [now for first, now in counting if self._is_meant(child, first)]
        return self.standing(name, owner) if len(said) == len(counting) else kept(said, spec.keeps, self.in_place_of)

    def repeated(self, child: str | None, name: str, owner: str | None) -> bool:
        """Say whether a fact has been stated more than once, of a child as in `standing_for`; a correction is no other statement."""
        return sum(fact.value is not None for fact in self.said_for(child, name, owner)) > 1

    def said_for(self, child: str | None, name: str, owner: str | None) -> tuple[Fact, ...]:
        """Return all that was said of a fact, also that it is not so, in the order in which it was first said; of a child as in `standing_for`.

        Corrections are applied; what was withdrawn was never said.
        """
        counting = self._counting(name, owner)
        if child is not None and self.vocabulary[name].means != "the incident":
            counting = [(first, now) for first, now in counting if self._is_meant(child, first)]
        return tuple(now for _, now in counting if not is_withdrawn(now))

    def first_said(self, name: str, owner: str) -> list[tuple[Fact, Fact]]:
        """Return each statement of a fact that counts, as it was first made and as it is now."""
        return self._counting(name, owner)

    def is_in(self, said: Fact, report: str | None) -> bool:
        """Say whether a statement, as it was first made, stands in a report."""
        return report is not None and self._reported_by.get(said.event_id) == report

    def notified(self) -> dict[UUID, Fact]:
        """Return what has become of each statement of what was notified in the national system, by its event; None is withdrawn."""
        said = (pair for (name, _), pair in self._said.items() if name in {NOTIFIED, DEATH_NOTIFIED})
        return {first.event_id: now for pair in said for first, now in zip(*pair, strict=True)}

    def _counting(self, name: str, owner: str | None) -> list[tuple[Fact, Fact]]:
        """Return the statements of a fact that count, each as it was first made and as it is now."""
        said = self._said.get((name, owner)) if owner is not None else None
        pairs = zip(*said, strict=True) if said else ()
        return [pair for pair in pairs if (pair[0].event_id, name) not in self._left_behind]

    def knew(self, child: str, at: datetime) -> bool:
        """Say whether it had been recorded by an instant that there is such a child; of what is none it is no question.

        Before any child was known, whoever spoke meant those who became known first.
        """
        since = self._known_since.get(child)
        return since is None or since <= max(at, min(self._known_since.values()))

    def _is_meant(self, child: str, said: Fact) -> bool:
        """Say whether a statement about the case is of a child that was known then or, if it is one about deaths, known to have died.

        Before anybody was known to have died, whoever spoke of a death meant those of whom it became known first.
        """
        of_deaths = self.vocabulary[said.name].means == "the deaths known then"
        if not self.knew(child, said.recorded_at) or not of_deaths or child not in self.dead():
            return self.knew(child, said.recorded_at)
        later = sorted({each.recorded_at for each in self._known if each.recorded_at > said.recorded_at})
        known = (self._known_of(self._known, as_known_at=at) for at in (said.recorded_at, *later))
        return child in next(filter(None, (then.dead() for then in known)))

    def dead(self) -> frozenset[str]:
        """Return the children of whom any source says that they have died."""
        died = {child for child in self._children if any(each.value == "yes" for each in self.standing(DIED, child))}
        return frozenset(died | {child for child in self._children if self.standing(AGE_AT_DEATH, child)})

    def first_named_in(self, report: str | None) -> str | None:
        """Return a child that a report was the first to name, or None; of several any one, as all of them are known since then."""
        if report is None:
            return None
        return next((each for each in self.children if self._reported_by.get(self._named_by[each]) == report), None)

    def reporter_of(self, report: str) -> str:
        """Return the source that made a report, or the body that stands in its place."""
        return self._reporters[report]

    def known_to(self, statement: Fact) -> FactBase:
        """Return what a statement was made on: what was so, and had been recorded, when it was made."""
        known = [
            each
            for each in self._known
            if each.occurred_at <= statement.occurred_at and each.recorded_at <= statement.recorded_at
        ]
        return self if len(known) == len(self._known) else self._known_of(known)

    def in_place_of(self, body: str) -> str:
        """Return the body that stands in the place of another; mostly it is that one itself."""
        present = self._present.get(body, body)
        return self._successors.get(present, present)

    def _merge(self, facts: list[Fact]) -> None:
        stated, corrections = self._sorted(facts)
        self._follow_the_harm(stated, corrections)
        add_held_since(stated, INCIDENT, lambda each: self._now_stated(each, INCIDENT, corrections, set()))
        used: set[UUID] = set()
        spoken_of: set[str] = set()
        harm: list[Fact] = []
        for (name, owner), statements in stated.items():
            self._said[name, owner] = (
                statements,
                [self._now_stated(each, owner, corrections, used) for each in statements],
            )
        self._left_behind = left_behind(self._said, self.in_place_of)
        for (name, owner), (_, now) in self._said.items():
            counting = [each for _, each in self._counting(name, owner)] if self._left_behind else now
            self._settle(name, owner, self._as_undone(name, counting, stated, corrections))
            if name != DEATH_NOTIFIED and not all(map(is_withdrawn, now)):
                spoken_of.add(owner)
            if name == HARM:
                harm = now
        self._leave_the_first_awareness(harm)
        # Of whom everything was withdrawn was reported by mistake; a reference alone may name nobody, if it was mistyped.
        for child in self._children - spoken_of:
            self._children.discard(child)
            self._known_since.pop(child, None)
        self.ignored += [
            Ignored(fact, "it corrects nothing that its source has stated")
            for fact in corrections.values()
            if fact.event_id not in used
        ]

    def _sorted(self, facts: list[Fact]) -> tuple[_Stated, dict[_Corrected, Fact]]:
        """Return what was first stated, by fact and owner, and the last correction of each statement; ignore what does not count."""
        stated: defaultdict[tuple[str, str], list[Fact]] = defaultdict(list)
        corrections: dict[_Corrected, Fact] = {}
        for fact in sorted(facts, key=lambda each: each.corrects is not None):  # a correction may claim an earlier time
            scope = self.vocabulary.spec(fact.name).scope
            source = self.in_place_of(fact.authority)
            owner = self._owner(fact, scope, source)
            if owner is None:
                self.ignored.append(Ignored(fact, f"{fact.name} counts only from the {scope} that it is about"))
            elif fact.corrects is None:
                stated[fact.name, owner].append(fact)
                if scope == "child" and fact.name != DEATH_NOTIFIED:
                    self._knows_of(owner, fact)
            else:
                key = (fact.corrects, fact.name, owner, source)
                if key not in corrections or age(fact) > age(corrections[key]):
                    corrections[key] = fact
        return stated, corrections

    def _knows_of(self, child: str, fact: Fact) -> None:
        """Keep since when a child is known, and by which event."""
        since = self._known_since.get(child)
        if since is None or fact.recorded_at < since:
            self._known_since[child] = fact.recorded_at
            self._named_by[child] = fact.event_id

    def _follow_the_harm(self, stated: _Stated, corrections: Mapping[_Corrected, Fact]) -> None:
        """Take what a report says of who died as if the harm that is put right had been reported so at once.

        Of a death it says so of an only child, if no other was known by then (see `IncidentReportedData.described`); of another
        harm it says so of nobody.
        """
        if not any(name == HARM for _, name, _, _ in corrections):
            return
        for report in stated.get((HARM, INCIDENT), ()):
            harm = self._now_stated(report, INCIDENT, corrections, set())
            if harm.corrects is None:
                continue
            if harm.value != DEATH:
                self._take_nobody_for_dead(report, stated)
                continue
            known = [each for each, since in self._known_since.items() if since <= harm.recorded_at]
            if len(known) != 1:
                continue
            said_of = (said for (_, owner), statements in stated.items() if owner == known[0] for said in statements)
            if any(said.event_id == report.event_id for said in said_of):
                died = replace(harm, subject=known[0], name=DIED, value="yes", corrects=None)
                stated[DIED, known[0]] = sorted((*stated.get((DIED, known[0]), ()), died), key=age)

    def _take_nobody_for_dead(self, report: Fact, stated: _Stated) -> None:
        dead = (report.event_id, "yes")
        for (name, child), statements in stated.items():
            if name == DIED:
                stated[name, child] = [
                    replace(each, value=None) if (each.event_id, each.value) == dead else each for each in statements
                ]

    def _as_undone(
        self, name: str, now: list[Fact], stated: _Stated, corrections: Mapping[_Corrected, Fact]
    ) -> list[Fact]:
        """Return what was said of a fact of an item, and what undid it for all items: who notifies anew undoes each withdrawal before."""
        twin = TWINS.get(name)
        if twin is None or self.vocabulary[name].scope not in ITEMS:
            return now
        source = self.in_place_of(now[0].authority)
        undone = (
            self._now_stated(fact, source, corrections, set())
            for fact in stated.get((twin, source), ())
            if fact.value is None
        )
        return sorted((*now, *(fact for fact in undone if not is_withdrawn(fact))), key=age)

    def _leave_the_first_awareness(self, harm: Iterable[Fact]) -> None:
        """Leave out the later awareness of a death in a case that was one from the first: it may be of another child's.

        Whoever was aware of such a case was aware of the death. What follows from it is never due later than that.

        Args:
            harm: What was said of the harm, in the order in which it was first said, as it is now.
        """
        self.was_a_death_from_the_first = next((fact.value for fact in harm if fact.value is not None), None) == DEATH
        if not self.was_a_death_from_the_first:
            return
        position = self.vocabulary[AWARE_OF_DEATH].position
        for owner, row in self._rows["authority"].items():
            row[position] = None
            self._standing.pop((AWARE_OF_DEATH, owner), None)

    def _owner(self, fact: Fact, scope: Scope, source: str) -> str | None:
        """Return whose fact it is, or None if it does not count. What only a correction speaks of does not exist."""
        match scope:
            case "incident":
                return INCIDENT
            case "authority":
                about = self.in_place_of(fact.subject)
                return source if source.startswith(AUTHORITY) and about in {INCIDENT, source} else None
            case "reporter" if fact.subject != INCIDENT:
                if fact.corrects is None:
                    self._reporters.setdefault(fact.subject, source)
                    self._reported_by[fact.event_id] = fact.subject
                    self._items[scope].add(fact.subject)
                return fact.subject if self._reporters.get(fact.subject) == source else None
            case _ if fact.subject != INCIDENT:
                known = self._children if scope == "child" else self._items[scope]
                if fact.corrects is None:
                    known.add(fact.subject)
                return fact.subject if fact.subject in known else None
        return None

    def _now_stated(self, fact: Fact, owner: str, corrections: Mapping[_Corrected, Fact], used: set[UUID]) -> Fact:
        """Return what has become of a statement: its last correction, at its own time, with present area codes."""
        source = self.in_place_of(fact.authority)
        # A correction corrects one event, so the chain from a first statement is finite.
        following = corrections.get((fact.event_id, fact.name, owner, source)) if corrections else None
        if following is not None:
            used.add(following.event_id)
            return self._now_stated(replace(following, occurred_at=fact.occurred_at), owner, corrections, used)
        # Who said it keeps its name, also when another body stands in its place; one council with two codes has one name.
        said_by = self._present.get(fact.authority, fact.authority)
        if said_by != fact.authority or fact.value in self._present:
            value = self._present.get(fact.value, fact.value) if isinstance(fact.value, str) else fact.value
            return replace(fact, authority=said_by, value=value)
        return fact

    def _settle(self, name: str, owner: str, statements: list[Fact]) -> None:
        spec = self.vocabulary[name]
        standing = kept(statements, spec.keeps, self.in_place_of)
        if not standing:
            return
        self._standing[name, owner] = standing
        if any(fact.value != standing[0].value for fact in standing[1:]):
            self.conflicts = (*self.conflicts, Conflict(name, owner, standing))
            return
        rows = self._rows[spec.scope]
        if owner not in rows:
            rows[owner] = self._empty[spec.scope].copy()
        rows[owner][spec.position] = standing[0].value
