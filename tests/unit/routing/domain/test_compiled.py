"""Compiled conditions: three-valued, complete, equal to an interpreter, and never turned round by another fact."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from schemas.vocabulary import ITEMS, FactSpec, Value
from services.routing.domain.reasons import answered
from services.routing.domain.rulebook.compile import NO, UNDECIDED, YES, compile_conditions, pack
from services.routing.domain.rulebook.evaluate import Trace
from services.routing.domain.rulebook.model import (
    DUTY_HOLDER,
    Applies,
    AreaHolder,
    Combination,
    Combined,
    Compared,
    Condition,
    InFact,
    Meets,
    Operator,
    Recorded,
    ReporterHolder,
    RulesHolder,
    SameArea,
    walk,
)
from services.routing.domain.statements import Fact
from tests.support.cel import Asked, Given
from tests.support.interpreter import interpret
from tests.support.rulebooks import HALTON, LEEDS, NOW, VOCABULARY, WANDSWORTH, decided, england, fact
from tests.support.situations import BODIES, Situation

AREAS = (LEEDS, HALTON, WANDSWORTH)
ANSWER = {True: YES, False: NO, None: UNDECIDED}


def values(spec: FactSpec) -> st.SearchStrategy[Value]:
    match spec.kind:
        case "choice" | "yes_no":
            return st.sampled_from(spec.values)
        case "area":
            return st.sampled_from(AREAS)
        case "body":
            return st.sampled_from(BODIES)
        case "whole number":
            return st.integers(14, 27)
        case "date":
            return st.dates(date(2023, 12, 1), date(2026, 12, 31))


def leaves() -> st.SearchStrategy[Condition]:
    # A rule is about one kind of item at most: here of reports.
    specs = [spec for spec in VOCABULARY.values() if spec.scope == "reporter" or spec.scope not in ITEMS]
    choices = [spec for spec in specs if spec.kind in {"choice", "yes_no", "area"}]
    numbers = [spec.name for spec in specs if spec.kind == "whole number"]
    areas = [spec.name for spec in specs if spec.kind == "area"]
    single: list[Operator] = ["is", "is not"]
    several: list[Operator] = ["is one of", "is not one of"]
    limits: list[Operator] = ["is at most", "is at least"]
    return st.one_of(
        st.sampled_from(choices).flatmap(
            lambda spec: st.builds(Compared, st.just(spec.name), st.sampled_from(single), st.tuples(values(spec)))
        ),
        st.sampled_from(choices).flatmap(
            lambda spec: st.builds(
                Compared, st.just(spec.name), st.sampled_from(several), st.tuples(values(spec), values(spec))
            )
        ),
        st.builds(Compared, st.sampled_from(numbers), st.sampled_from(limits), st.tuples(st.integers(14, 27))),
        st.builds(Recorded, st.sampled_from(areas)),
        st.builds(SameArea, st.sampled_from(areas), st.sampled_from([*areas, DUTY_HOLDER]), st.booleans()),
        st.builds(Applies, st.sampled_from(["N-01", "N-02"])),
    )


def grown(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    how: list[Combination] = ["all of", "any of", "none of"]
    several = st.lists(parts, min_size=1, max_size=4).map(tuple)
    return st.one_of(
        st.builds(Combined, st.sampled_from(how), several),
        st.builds(Meets, st.just("a-definition"), st.just("what it says"), parts),
    )


CONDITIONS = st.recursive(leaves(), grown, max_leaves=12)


@st.composite
def rows(draw: DrawFn) -> dict[str, Value | None]:
    return {name: draw(st.none() | values(spec)) for name, spec in VOCABULARY.items()}


@st.composite
def situations(draw: DrawFn) -> Situation:
    known = draw(rows())
    applied = draw(st.tuples(*[st.sampled_from([True, False, None])] * 2))
    return Situation(
        known={name: value for name, value in known.items() if value is not None},
        holder=draw(st.none() | st.sampled_from(AREAS)),
        applies=dict(zip(("N-01", "N-02"), applied, strict=True)),
    )


def compiled(condition: Condition, situation: Situation) -> list[int]:
    """Return the answers of the compiled function: the condition's own and those of its parts."""
    rules = {rule: ANSWER[each] for rule, each in situation.applies.items()}
    return list(compile_conditions([condition], VOCABULARY)(*situation.rows(VOCABULARY), situation.holder, rules))


@given(CONDITIONS, situations())
def test_compiled_functions_an_interpreter_and_two_libraries_agree_on_every_part(
    condition: Condition, situation: Situation
) -> None:
    ours, parts, asked = compiled(condition, situation), list(walk(condition)), Given(situation)

    known, holder, applies = situation.known, situation.holder, situation.applies
    assert ours == [ANSWER[interpret(part, known.get, holder, applies)] for part in parts]
    assert ours == [ANSWER[Asked(part).by_rust(asked)] for part in parts]
    assert ours == [ANSWER[Asked(part).by_cpp(asked)] for part in parts]


@given(st.lists(CONDITIONS, min_size=2, max_size=4), situations())
def test_conditions_that_are_asked_together_are_answered_as_each_is_alone(
    conditions: list[Condition], situation: Situation
) -> None:
    rules = {rule: ANSWER[each] for rule, each in situation.applies.items()}

    together = compile_conditions(conditions, VOCABULARY)(*situation.rows(VOCABULARY), situation.holder, rules)

    assert list(together) == [answer for each in conditions for answer in compiled(each, situation)]


@given(CONDITIONS, situations(), st.data())
def test_one_more_fact_settles_parts_of_a_condition_and_turns_none(
    condition: Condition, situation: Situation, data: st.DataObject
) -> None:
    """`is recorded` alone is there to turn from no to yes when somebody states its fact."""
    recorded = {part.fact for part in walk(condition) if isinstance(part, Recorded)}
    absent = [name for name in VOCABULARY if name not in recorded and name not in situation.known]
    name = data.draw(st.sampled_from(absent or [DUTY_HOLDER]))
    if name == DUTY_HOLDER:
        more = replace(situation, holder=situation.holder or LEEDS)
    else:
        more = replace(situation, known={**situation.known, name: data.draw(values(VOCABULARY[name]))})

    pairs = zip(compiled(condition, situation), compiled(condition, more), strict=True)

    assert all(before in {UNDECIDED, after} for before, after in pairs)


@given(rows())
def test_answers_survive_packing_four_to_a_byte(known: dict[str, Value | None]) -> None:
    for trace in decided(stated(known)).traces:
        rule = england().rules[trace.rule]

        assert len(trace.packed) == -(-len(rule.conditions) // 4)
        assert rule.unpack(trace.packed) == trace.answers


def test_of_the_two_bits_of_an_answer_the_upper_says_yes_and_the_lower_not_no() -> None:
    assert pack((YES, UNDECIDED, NO, NO, YES)) == bytes((0b00_00_01_11, 0b11))


def stated(known: dict[str, Value | None]) -> list[Fact]:
    """Return statements of one reporter, and of every authority about itself."""
    ordinary = [fact(name, value) for name, value in known.items() if VOCABULARY[name].scope != "authority"]
    own = [
        fact(name, value, of=f"la:{area}")
        for name, value in known.items()
        if VOCABULARY[name].scope == "authority"
        for area in AREAS
    ]
    return [each for each in (*ordinary, *own) if each.value is not None]


def answers(traces: tuple[Trace, ...]) -> dict[tuple[str, str | None], int]:
    """Return the answer of each rule for each holder; a holder that is not known yet stands for all."""
    return {(trace.rule, trace.holder.id if trace.holder else None): trace.answer for trace in traces}


def recorded_for(rule: str) -> set[str]:
    """Return the facts that may turn a rule's no to yes: what it, or one that it depends on, asks to be recorded.

    What an authority has said is recorded for a duty holder once that is known, so whatever names the holder counts too.
    """
    compiled_rule = england().rules[rule]
    own = {part.fact for part in compiled_rule.conditions if isinstance(part, Recorded)}
    if any(VOCABULARY[name].scope == "authority" for name in own):
        own |= naming_the_holder(rule)
    return own.union(*map(recorded_for, compiled_rule.depends_on))


def naming_the_holder(rule: str) -> set[str]:
    match england().rules[rule].rule.holder:
        case AreaHolder(facts=names):
            return set(names)
        case InFact(fact=name):
            return {name}
        case ReporterHolder():
            return {"reporter.area"}
        case RulesHolder(rules=rules):
            return set[str]().union(*map(naming_the_holder, rules))


def other_holders(rule: str) -> set[str]:
    """Return the facts that may give the duty to another body than one that is known: of several areas the first known counts."""
    found = england().rules[rule].rule.holder
    return set(found.facts[:-1]) if isinstance(found, AreaHolder) else set()


@given(rows(), st.data())
def test_one_more_fact_resolves_and_never_turns_yes_into_no_or_back(
    known: dict[str, Value | None], data: st.DataObject
) -> None:
    absent = sorted(name for name, value in known.items() if value is None)
    if not absent:
        return
    name = data.draw(st.sampled_from(absent))
    # A second source cannot conflict with a fact that nobody has given.
    more = known | {name: data.draw(values(VOCABULARY[name]))}

    before, after = answers(decided(stated(known)).traces), answers(decided(stated(more)).traces)

    for (rule, holder), answer in before.items():
        if answer == UNDECIDED or name in recorded_for(rule) | other_holders(rule):
            continue
        same = {each for (other, held), each in after.items() if other == rule and holder in {held, None}}
        assert same <= {answer}


@given(rows())
def test_the_tree_of_answers_follows_the_logic(known: dict[str, Value | None]) -> None:
    decision = decided(stated(known))
    for trace in decision.traces:
        root = answered(decision.evaluation, trace)
        assert root.answer == trace.when
        if isinstance(root.condition, Combined) and root.condition.how == "all of":
            assert root.answer == min(part.answer for part in root.parts)


@pytest.mark.parametrize("days", [0, 1])
def test_a_rule_is_in_force_from_its_first_day(days: int) -> None:
    """AT-21: known on 14 December 2023 none is told; on 15 December the guidance is in force, and what rests on it."""
    on = date(2023, 12, 14) + timedelta(days=days)
    decision = decided(
        [
            *[fact(name, value) for name, value in CARE_LEAVER.items()],
            fact("aware_on", on, of=f"la:{LEEDS}", at=NOW),
        ]
    )

    assert {each.rule.id for each in decision.obligations} == ({"N-08", "N-10"} if days else set())


CARE_LEAVER: dict[str, Value] = {
    "harm": "death",
    "child.age_at_incident": 22,
    "child.age_at_death": 22,
    "child.looked_after": "no",
    "child.care_leaver": "yes",
    "child.care_leaver_of": LEEDS,
}
