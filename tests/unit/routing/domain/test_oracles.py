"""The newest rulebook is answered alike by its compiled functions, a slow interpreter, and two libraries that know nothing of ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from schemas.vocabulary import Scope
from services.routing.domain.decide import Decision
from services.routing.domain.rulebook.compile import NO, UNDECIDED, YES, compile_conditions, compile_rulebook
from services.routing.domain.rulebook.evaluate import About, evaluate
from services.routing.domain.rulebook.model import Combined, Compared, Condition, Meets, Recorded, SameArea, walk
from services.routing.domain.statements import Fact
from tests.support.cel import Asked, Given
from tests.support.interpreter import SlowRulebook, interpret
from tests.support.rulebooks import base, decided, fact, law, register
from tests.support.situations import AREAS, Situation, Situations

LAW = law()
RULES = LAW.book.book.rules
ANSWER = {NO: False, UNDECIDED: None, YES: True}
ANSWERED = {said: answer for answer, said in ANSWER.items()}
SITUATIONS = 200  # for each rule, half of them leaning to yes
CASES = 200


def situations(number: int) -> list[Situation]:
    """Return the situations for the rule at this place in the rulebook."""
    return list(Situations(LAW.book.book, LAW.vocabulary, seed=number).of(RULES[number], SITUATIONS))


def compiled(condition: Condition, given: list[Situation], per: Scope | None) -> list[list[bool | None]]:
    """Return what the compiled function answers in each situation: every condition, in order."""
    ask = compile_conditions([condition], LAW.vocabulary)
    found = []
    for each in given:
        rules = {rule: ANSWERED[answer] for rule, answer in each.applies.items()}
        found.append([ANSWER[answer] for answer in ask(*each.rows(LAW.vocabulary, per), each.holder, rules)])
    return found


@pytest.mark.parametrize("number", range(len(RULES)), ids=[rule.id for rule in RULES])
def test_every_condition_of_a_rule_is_answered_alike_by_four_engines(number: int) -> None:
    condition, made = RULES[number].when, situations(number)
    parts = list(walk(condition))
    asked = [Asked(part) for part in parts]
    answers = compiled(condition, made, LAW.book.rules[RULES[number].id].per)
    for situation, ours in zip(made, answers, strict=True):
        given = Given(situation)

        assert ours == [interpret(part, situation.known.get, situation.holder, situation.applies) for part in parts]
        assert ours == [each.by_rust(given) for each in asked]
        assert ours == [each.by_cpp(given) for each in asked]

    # Where it is asked what is recorded, what nobody has stated is a plain no.
    always = {True, False} if any(isinstance(part, Recorded) for part in parts) else {True, False, None}
    assert always <= {each[0] for each in answers}


def spoilt(condition: Condition) -> Iterator[Condition]:
    """Yield the condition with one error at a time: a test turned round, a limit moved by one, a combination exchanged."""
    match condition:
        case Compared(operator="is" | "is not" as operator):
            yield replace(condition, operator="is not" if operator == "is" else "is")
        case Compared(operator="is one of" | "is not one of", values=values):
            yield replace(condition, values=values[1:])
        case Compared(values=(int() as limit,)):
            yield replace(condition, values=(limit + 1,))
            yield replace(condition, values=(limit - 1,))
        case SameArea(negated=negated):
            yield replace(condition, negated=not negated)
        case Recorded():
            yield Combined("none of", (condition,))
        case Meets(when=when):
            yield from (replace(condition, when=each) for each in spoilt(when))
        case Combined(how=how, parts=parts):
            if len(parts) > 1:
                yield replace(condition, how="any of" if how == "all of" else "all of")
            for place, part in enumerate(parts):
                yield from (
                    replace(condition, parts=(*parts[:place], each, *parts[place + 1 :])) for each in spoilt(part)
                )
        case _:
            return


@pytest.mark.parametrize("number", range(len(RULES)), ids=[rule.id for rule in RULES])
def test_one_error_in_a_compiled_rule_would_turn_its_answer_in_some_situation(number: int) -> None:
    condition, made = RULES[number].when, situations(number)
    asked, per = Asked(condition), LAW.book.rules[RULES[number].id].per
    right = [asked.by_rust(Given(each)) for each in made]

    assert [error for error in spoilt(condition) if [each[0] for each in compiled(error, made, per)] == right] == []


def test_a_missing_fact_is_undecided_to_the_libraries_and_never_settled_by_another_missing_one() -> None:
    """Others say yes where both areas are missing: nothing equals nothing."""
    same = Asked(SameArea("child.home_area", "incident.area", negated=False))
    either = Asked(
        Combined("any of", (Compared("harm", "is", ("death",)), Compared("child.care_leaver", "is", ("yes",))))
    )
    nothing, dead = Given(Situation({}, None, {})), Given(Situation({"harm": "death"}, None, {}))

    assert [same.by_rust(nothing), same.by_cpp(nothing)] == [None, None]
    assert [either.by_rust(nothing), either.by_cpp(nothing)] == [None, None]
    assert [either.by_rust(dead), either.by_cpp(dead)] == [True, True]


def cases() -> Iterator[list[Fact]]:
    """Yield the facts of as many invented cases, each leaning towards one rule after the other; in some a second body differs."""
    made = Situations(LAW.book.book, LAW.vocabulary, seed=7)
    for number in range(CASES):
        case = list(made.of(RULES[number % len(RULES)], 4))
        yield stated(case) + (contradicted(case[3]) if number % 3 == 0 else [])


def contradicted(situation: Situation) -> list[Fact]:
    """Return what another body says of the incident and of one of its children."""
    return [
        fact(name, situation.known[name], of="client:two", subject="child-1" if spec.scope == "child" else None)
        for name, spec in LAW.vocabulary.items()
        if spec.scope in {"incident", "child"} and name in situation.known
    ]


def stated(case: list[Situation]) -> list[Fact]:
    """Return a case of two children, two items of each kind and three authorities, each with facts of its own."""
    subjects: dict[str, list[tuple[str, str | None]]] = {
        "incident": [("client:one", None)],
        "child": [("client:one", "child-1"), ("client:one", "child-2")],
        "reporter": [("client:one", "report-1"), (f"la:{AREAS[0]}", "report-2")],
        "action": [("client:one", "action-1"), (f"la:{AREAS[0]}", "action-2")],
        "recommendation": [("client:one", "recommendation-1"), ("client:one", "recommendation-2")],
        "request": [("client:one", "request-1"), ("client:one", "request-2")],
        "yearly_report": [("client:one", "report-of-2025"), ("client:one", "report-of-2026")],
        "delay": [("client:one", "delay-1"), ("client:one", "delay-2")],
        "withdrawal": [(f"la:{AREAS[0]}", "withdrawal-1"), (f"la:{AREAS[1]}", "withdrawal-2")],
        "placement": [(f"la:{AREAS[0]}", "placement-1"), (f"la:{AREAS[0]}", "placement-2")],
        "authority": [(f"la:{area}", None) for area in AREAS],
    }
    return [
        fact(name, situation.known[name], of=source, subject=subject)
        for name, spec in LAW.vocabulary.items()
        for situation, (source, subject) in zip(case, subjects[spec.scope], strict=False)
        if name in situation.known
    ]


def test_the_whole_rulebook_is_answered_as_an_interpreter_answers_it_for_every_child_item_and_holder() -> None:
    """A rule that is not asked once for each child or item has to have the same answers for all of them."""
    several_holders = disputed = 0
    for case in cases():
        facts = base(case)
        disputed += len(facts.conflicts) > 0
        slow = SlowRulebook(LAW.book.book, facts, register())
        evaluation = evaluate(LAW.book, facts, register())
        for rule in LAW.book.rules.values():
            for child in facts.children or (None,):
                for number in range(2):
                    items = {
                        scope: of_scope[number] for scope, of_scope in facts.items.items() if number < len(of_scope)
                    }
                    if rule.per is not None and rule.per not in items:
                        continue
                    about = About(child if rule.per_child else None, items[rule.per] if rule.per else None, rule.per)
                    ours = [
                        (
                            trace.holder.id if trace.holder else None,
                            ANSWER[trace.answer],
                            ANSWER[trace.in_force],
                            tuple(ANSWER[each] for each in trace.answers),
                        )
                        for trace in evaluation.runs[rule.rule.id, about]
                    ]
                    runs = slow.runs(rule.rule, child, items)
                    assert ours == [(run.holder[0], run.answer, run.in_force, run.parts) for run in runs]
                    several_holders += len(ours) > 1

    assert several_holders > 10
    assert disputed > 10


def test_the_order_of_the_rules_in_the_file_does_not_change_what_comes_out() -> None:
    shuffled, owed = list(RULES), 0
    random = Random(7)  # noqa: S311 - only shuffles
    for case in cases():
        random.shuffle(shuffled)
        there = decided(case, book=LAW.book)
        back = decided(case, book=compile_rulebook(replace(LAW.book.book, rules=tuple(shuffled)), LAW.vocabulary))

        assert {each.slot: each for each in there.obligations} == {each.slot: each for each in back.obligations}
        assert set(there.undecided) == set(back.undecided)
        assert asked(there) == asked(back)
        owed += len(there.obligations)

    assert owed > CASES


def asked(decision: Decision) -> dict[tuple[str, str, str], frozenset[str]]:
    return {(each.in_words, each.subject, each.of_whom): frozenset(each.rules) for each in decision.questions}
