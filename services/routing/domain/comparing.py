"""The complete list of fact patterns in which two rulebooks differ, rule by rule.

Facts are finite to a rule: values that no condition of either rulebook tells apart stand together, dates are told apart by
in-force dates alone, areas by which of them are the same. So the patterns are walked as a tree, one missing fact at a
time, and a branch ends where both rulebooks have decided: a further fact only ever resolves what is undecided, it never
turns an answer round, but for what is asked to be recorded, which `unsettled` knows of. That makes the walk complete without trying every combination.

Where the tree is larger than a given number of patterns, as many random ones are tried instead, and the result says so
with what that may have missed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from schemas.vocabulary import ITEMS, Scope, Value
from services.routing.domain import reasons
from services.routing.domain.differences import differences
from services.routing.domain.facts import AUTHORITY
from services.routing.domain.imagined import imagined_register
from services.routing.domain.outcomes import Outcome, outcome, wanted
from services.routing.domain.register import Register
from services.routing.domain.rulebook.classes import areas_named, classes
from services.routing.domain.rulebook.compile import CompiledRulebook, compile_rulebook
from services.routing.domain.rulebook.evaluate import evaluate
from services.routing.domain.rulebook.model import DUTY_HOLDER, Rule
from services.routing.domain.rulebook.read_examples import CASE
from services.routing.domain.rulebook.render import changed_parts
from services.routing.domain.rulebook.suppose import suppose
from services.routing.domain.words import Words

MOST_PATTERNS: Final = 2_000
_ABSENT: Final = "not known"
_ANY: Final = "any body"
Assigned = dict[tuple[str, str], Value | None]
"""Values by (owner, fact); None is a fact that stays absent."""


@dataclass(frozen=True, slots=True)
class Known:
    """One fact of a pattern, in words, and the values that it may have in it, in words."""

    fact: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Facts under which the outcome changes, whatever else is or is not known."""

    known: tuple[Known, ...]
    before: Outcome
    after: Outcome


@dataclass(frozen=True, slots=True)
class RuleChange:
    """What a change makes of one rule. `parts` are the parts of its text that differ, or `new` or `removed`.

    `examined` is the number of patterns that were tried; they are all there are, unless `sampled`.
    """

    rule: str
    parts: tuple[str, ...]
    patterns: tuple[Pattern, ...]
    examined: int
    sampled: bool

    @property
    def missed_at_most(self) -> float:
        """Return the share of patterns that may change unseen, with 95 % confidence (the rule of three); 0 if all were tried."""
        return 3 / self.examined if self.sampled else 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two rulebooks compared. `unchanged` are the rules that stand in both and rest on the same conditions."""

    changes: tuple[RuleChange, ...]
    unchanged: tuple[str, ...]
    profiles: tuple[str, ...]
    editions: tuple[str, ...]
    defaults_differ: bool


def compare(
    old: CompiledRulebook,
    new: CompiledRulebook,
    register: Register,
    most: int = MOST_PATTERNS,
    only: Collection[str] = (),
) -> Comparison:
    """Return what changes from one rulebook to another.

    Args:
        old: The rulebook before.
        new: The rulebook after, with the same vocabulary.
        register: Gives the national bodies their names.
        most: Patterns of a rule that are all tried; of a rule with more, so many random ones.
        only: The rules to look at; by default all.
    """
    changes, unchanged = [], []
    for rule in dict.fromkeys((*old.rules, *new.rules)):
        if only and rule not in only:
            continue
        parts = _parts(rule, old, new)
        if not parts and _closure(rule, old) == _closure(rule, new):
            unchanged.append(rule)
        else:
            changes.append(_Comparing(rule, old, new, register, most).change(parts))
    editions = [{each.id: each for each in book.book.editions} for book in (old, new)]
    return Comparison(
        changes=tuple(changes),
        unchanged=tuple(unchanged),
        profiles=_not_the_same(old.book.profiles, new.book.profiles),
        editions=_not_the_same(*editions),
        defaults_differ=old.book.defaults != new.book.defaults,
    )


def _not_the_same(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names of what is on one side alone or differs, those that were there before first."""
    return tuple(each for each in dict.fromkeys((*before, *after)) if before.get(each) != after.get(each))


def _parts(rule: str, old: CompiledRulebook, new: CompiledRulebook) -> tuple[str, ...]:
    if rule not in old.rules:
        return ("new",)
    if rule not in new.rules:
        return ("removed",)
    return changed_parts(old.rules[rule].rule, new.rules[rule].rule)


def _closure(rule: str, book: CompiledRulebook) -> dict[str, Rule]:
    """Return a rule and all that it depends on, wherever in the file they stand."""
    found: dict[str, Rule] = {}
    waiting = [rule]
    while waiting:
        each = waiting.pop()
        if each in book.rules and each not in found:
            found[each] = replace(book.rules[each].rule, line=0)
            waiting += book.rules[each].depends_on
    return found


def _only(rule: str, book: CompiledRulebook) -> CompiledRulebook:
    """Return a rulebook with nothing but a rule and what it depends on."""
    kept = _closure(rule, book)
    rules = tuple(each for each in book.book.rules if each.id in kept)
    return compile_rulebook(replace(book.book, rules=rules), book.vocabulary)


class _TooMany(Exception):
    """The tree has more patterns than were to be tried."""


class _Comparing:
    """The comparison of one rule."""

    def __init__(self, rule: str, old: CompiledRulebook, new: CompiledRulebook, register: Register, most: int) -> None:
        self._rule = rule
        self._books = _only(rule, old), _only(rule, new)
        self._differences = differences(*self._books)
        self._vocabulary = new.vocabulary
        self._most = most
        self._examined = 0
        self._rules = (*_closure(rule, old).values(), *_closure(rule, new).values())
        areas = [name for name, spec in self._vocabulary.items() if spec.kind == "area"]
        self._constants = tuple(dict.fromkeys(code for fact in areas for code in areas_named(fact, self._rules)))
        self._register = imagined_register(register, self._constants)
        self._letters = tuple(code for code in self._register.areas if code not in self._constants)
        self._words = Words(self._vocabulary, self._register)
        # One fact of each scope, not known: there is one child and one item of every kind.
        self._there: Assigned = {(CASE, name): None for name in self._first_facts(("child", *ITEMS))}

    def _first_facts(self, scopes: Iterable[Scope]) -> Iterator[str]:
        for scope in scopes:
            yield next(name for name, spec in self._vocabulary.items() if spec.scope == scope)

    def change(self, parts: tuple[str, ...]) -> RuleChange:
        try:
            patterns, sampled = self._walk({}), False
        except _TooMany:
            patterns, sampled = self._sample(), True
        return RuleChange(self._rule, parts, patterns, self._examined, sampled)

    def _walk(self, assigned: Assigned) -> tuple[Pattern, ...]:
        """Return the patterns below what is assigned; options with the same patterns below them stand together."""
        before, after, place = self._ask(assigned)
        if place is None:
            self._examined += 1
            if self._examined > self._most:
                raise _TooMany
            return (Pattern((), before, after),) if before != after else ()
        alike: dict[tuple[Pattern, ...], list[str]] = {}
        options = self._options(place, assigned)
        for words, value in options:
            alike.setdefault(self._walk({**assigned, place: value}), []).append(words)
        if len(alike) == 1:
            return next(iter(alike))
        fact = self._named(place)
        return tuple(
            replace(pattern, known=(Known(fact, tuple(words)), *pattern.known))
            for patterns, words in alike.items()
            for pattern in patterns
        )

    def _sample(self) -> tuple[Pattern, ...]:
        """Return the patterns that change among random ones, in which each option of a fact is as likely as another."""
        found: dict[Pattern, None] = {}
        for number in range(self._most):
            assigned: Assigned = {}
            known: list[Known] = []
            while True:
                before, after, place = self._ask(assigned)
                if place is None:
                    break
                options = self._options(place, assigned)
                words, value = options[_drawn(f"{self._rule} {number} {len(known)}", len(options))]
                assigned[place] = value
                known.append(Known(self._named(place), (words,)))
            if before != after:
                found[Pattern(tuple(known), before, after)] = None
        self._examined = self._most
        return tuple(found)

    def _ask(self, assigned: Assigned) -> tuple[Outcome, Outcome, tuple[str, str] | None]:
        """Return both outcomes, and the next missing fact that may still make them differ: one that tells them apart first."""
        facts = suppose({**self._there, **assigned}, self._vocabulary, self._register)
        before, after = (evaluate(book, facts, self._register) for book in self._books)
        outcomes = tuple(outcome(self._rule, each, self._words) for each in (before, after))

        def settled(missing: reasons.Missing) -> bool:
            return self._place(missing) in assigned

        missing = (each for evaluation in (before, after) for each in wanted(self._rule, evaluation, settled))
        places = (self._place(each) for each in missing)
        telling = self._differences.telling(before, after) if self._differences else None
        if telling is None or (telling.decided_otherwise and not telling.undecided):
            return outcomes[0], outcomes[1], next(places, None)
        left = list(places)
        undecided = telling.undecided & {DUTY_HOLDER, *(fact for _, fact in left)}
        if not undecided and not telling.decided_otherwise:
            return outcomes[0], outcomes[1], None
        first = next((each for each in left if each[1] in undecided), None)
        return outcomes[0], outcomes[1], first or next(iter(left), None)

    def _place(self, missing: reasons.Missing) -> tuple[str, str]:
        own = self._vocabulary[missing.fact].scope == "authority"
        return (missing.owner if own else CASE), missing.fact

    def _options(
        self, place: tuple[str, str], assigned: Mapping[tuple[str, str], Value | None]
    ) -> list[tuple[str, Value | None]]:
        """Return what a fact may be, in words and as a value that stands for it: absent first."""
        spec = self._vocabulary[place[1]]
        if spec.kind == "body":
            return [(_ABSENT, None), (_ANY, next(iter(self._register.bodies)))]
        if spec.kind != "area":
            found = classes(spec, self._rules)
            return [(_ABSENT, None), *((self._words.alike(spec.name, each), each.value) for each in found)]
        used = {value for value in assigned.values() if value in self._letters}
        letters = self._letters[: len(used) + 1]  # one that is the same as an area before, or the next one
        codes = (*self._constants, *letters)
        return [(_ABSENT, None), *((self._words.area(code), code) for code in codes)]

    def _named(self, place: tuple[str, str]) -> str:
        owner, fact = place
        return f"{fact} of {self._words.body(owner)}" if owner.startswith(AUTHORITY) else fact


def _drawn(seed: str, number: int) -> int:
    """Return a number below `number`, random but the same for the same seed."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big") % number
