"""Where two rulebooks that are built alike differ, and whether facts still leave it open that they answer otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.routing.domain import reasons
from services.routing.domain.rulebook.compile import UNDECIDED, CompiledRule, CompiledRulebook
from services.routing.domain.rulebook.evaluate import Evaluation
from services.routing.domain.rulebook.model import DUTY_HOLDER, Combined, Condition, Meets, Recorded


@dataclass(frozen=True, slots=True)
class Telling:
    """What the differences make of the same facts.

    `undecided` are the facts of conditions that differ and are not decided, `decided_otherwise` whether one that differs
    is answered otherwise already. While neither, both rulebooks answer alike whatever else becomes known.
    """

    undecided: frozenset[str]
    decided_otherwise: bool


@dataclass(frozen=True, slots=True)
class Differences:
    """The places of conditions that differ, by rule, and the rules whose in-force dates differ."""

    places: dict[str, tuple[int, ...]]
    in_force: frozenset[str]

    def telling(self, before: Evaluation, after: Evaluation) -> Telling | None:
        """Return what they make of the same facts; None if the rules ran for different duty holders."""
        undecided: set[str] = set()
        otherwise = False
        for run, traces in before.runs.items():
            ours, theirs = before.book.rules[run[0]], after.book.rules[run[0]]
            others = after.runs[run]
            if len(traces) != len(others):
                return None
            for one, other in zip(traces, others, strict=True):
                if one.holder != other.holder:
                    return None
                for place in self.places[run[0]]:
                    answers = one.answers[place], other.answers[place]
                    otherwise |= answers[0] != answers[1]
                    if (
                        UNDECIDED in answers
                        or isinstance(ours.conditions[place], Recorded)
                        or isinstance(theirs.conditions[place], Recorded)
                    ):
                        undecided.update(reasons.facts_of(ours.conditions[place]))
                        undecided.update(reasons.facts_of(theirs.conditions[place]))
                if run[0] in self.in_force:
                    otherwise |= one.in_force != other.in_force
                    if UNDECIDED in {one.in_force, other.in_force}:
                        undecided.add(ours.rule.judged_on)
                if one.holder is None and undecided:
                    undecided.add(DUTY_HOLDER)  # whose facts they are is not known yet
        return Telling(frozenset(undecided), otherwise)


def differences(before: CompiledRulebook, after: CompiledRulebook) -> Differences | None:
    """Return where two rulebooks differ; None if they do in more than single conditions and in-force dates."""
    if before.rules.keys() != after.rules.keys():
        return None
    pairs = [(one, after.rules[name]) for name, one in before.rules.items()]
    if not all(_built_alike(one, other) for one, other in pairs):
        return None
    places = {
        one.rule.id: tuple(
            place
            for place, (condition, its_other) in enumerate(zip(one.conditions, other.conditions, strict=True))
            if _alone(condition) != _alone(its_other)
        )
        for one, other in pairs
    }
    dated = frozenset(
        one.rule.id
        for one, other in pairs
        if (one.rule.in_force_from, one.rule.in_force_until) != (other.rule.in_force_from, other.rule.in_force_until)
    )
    return Differences(places, dated)


def _built_alike(one: CompiledRule, other: CompiledRule) -> bool:
    """Say whether two rules differ in nothing but single conditions, in-force dates and what moves no outcome."""
    kept = replace(
        other.rule,
        when=one.rule.when,
        in_force_from=one.rule.in_force_from,
        in_force_until=one.rule.in_force_until,
        source=one.rule.source,
        title=one.rule.title,
        line=one.rule.line,
    )
    return kept == one.rule and [_shape(each) for each in one.conditions] == [_shape(each) for each in other.conditions]


def _shape(condition: Condition) -> tuple[object, ...]:
    """Return what parts a condition has; what it says is left out."""
    return (
        (type(condition), len(condition.parts)) if isinstance(condition, Combined) else (isinstance(condition, Meets),)
    )


def _alone(condition: Condition) -> object:
    """Return what a condition says by itself, without its parts."""
    match condition:
        case Combined():
            return condition.how
        case Meets():
            return "meets"
        case _:
            return condition
