"""`handrail rules ask`: the open questions, first the one whose answers settle most duties, each answer tried."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

from schemas.vocabulary import FactSpec, Value
from services.routing.domain.asking import Ranked, ranked
from services.routing.domain.decide import Decision, Question
from services.routing.domain.rulebook.classes import ValueClass
from services.routing.domain.rulebook.compile import UNDECIDED
from services.routing.domain.rulebook.evaluate import About
from services.routing.domain.rulebook.read_examples import CASE, Stated
from tests.support.repository import ROOT
from tests.support.rulebooks import law
from tests.support.rules_command import Rules

POLICE = ROOT / "examples" / "facts" / "police-report-leeds.json"
LAW = law()
INCIDENT: dict[str, Value] = {
    "harm": "death",
    "child.age_at_incident": 9,
    "incident.country": "england",
    "incident.area": "E08000035",
    "child.home_area": "E08000035",
    "child.looked_after": "no",
    "concern.adult_at_risk": "no",
    "concern.domestic_death": "no",
    "reporter.body": "police",
    "reporter.area": "E08000035",
}
KNOWN: Stated = {(CASE, name): value for name, value in INCIDENT.items()}


def asked(stated: Stated) -> tuple[Ranked, ...]:
    def retry(question: Question, value: Value) -> Decision:
        return LAW.suppose({**stated, (question.owner or CASE, question.fact): value})

    return ranked(LAW.suppose(stated), retry)


def undecided(stated: Stated) -> set[tuple[str, About]]:
    return {(each.rule, each.about) for each in LAW.suppose(stated).traces if each.answer == UNDECIDED}


def settled(before: Stated, after: Stated) -> int:
    """Return how many duties of undecided rules are settled: none of these rules has an `if` that is not known."""
    rules = LAW.book.rules
    return sum(len(rules[rule].rule.then) for rule, _ in undecided(before) - undecided(after))


def every_value(spec: FactSpec) -> list[Value]:
    """Return all values that a fact may have, but for areas and dates those that the register and the rules name."""
    match spec.kind:
        case "whole number":
            return list(range(151))
        case "area":
            return list(LAW.register.areas)
        case "date":
            return [LAW.vocabulary.check(spec.name, day) or "" for day in ("2018-06-28", "2018-06-29", "2026-01-01")]
        case _:
            return list(spec.values)


def belongs(value: Value, to: ValueClass) -> bool:
    if to.values:
        return value in to.values
    if to.first is None and to.last is None:
        return value == to.value
    return (to.first is None or to.first <= value) and (to.last is None or value <= to.last)  # type: ignore[operator] # one kind


def test_the_answers_stand_for_every_value_and_each_settles_what_it_is_said_to() -> None:
    found = asked(KNOWN)

    assert {each.question.fact for each in found} >= {"abuse_or_neglect", "child.care_leaver", "child.age_at_death"}
    for each in found:
        spec, owner = LAW.vocabulary[each.question.fact], each.question.owner or CASE
        for value in every_value(spec):
            alike = [tried for tried in each.tried if belongs(value, tried.answer)]
            if spec.kind == "area" and not alike:
                alike = [each.tried[-1]]  # any other area
            [tried] = alike
            assert tried.settles == settled(KNOWN, KNOWN | {(owner, spec.name): value}), (spec.name, value)


def test_questions_are_sorted_by_the_mean_then_by_the_worst_answer() -> None:
    found = asked(KNOWN)

    means = [sum(tried.settles for tried in each.tried) / len(each.tried) for each in found]
    worsts = [min(tried.settles for tried in each.tried) for each in found]
    assert len(set(means)) > 2
    assert all(one >= other for one, other in pairwise(zip(means, worsts, strict=True)))


def test_an_answer_settles_as_many_duties_as_are_said(tmp_path: Path, rules: Rules) -> None:
    first = rules("ask", POLICE)
    facts = json.loads(POLICE.read_text()) | {"of E08000035": {"abuse_or_neglect": "not_suspected"}}
    (tmp_path / "facts.json").write_text(json.dumps(facts))

    then = rules("ask", tmp_path / "facts.json")

    place = next(n for n, line in enumerate(first.lines) if line.endswith("(abuse_or_neglect of E08000035)"))
    assert first.lines[0] == "10 duties cannot be decided yet; 7 questions are open, best first"
    assert first.lines[place + 1 : place + 4] == [
        "settles 1.5 on average, 0 at worst, 3 at best; wanted by N-01, N-03, N-04",
        "0 if known or suspected",
        "3 if not suspected",
    ]
    assert then.lines[0].startswith("7 duties cannot be decided yet; ")
    assert not any("abuse_or_neglect" in line for line in then.lines)


def test_a_question_put_to_two_is_asked_once_of_both(rules: Rules) -> None:
    [line] = [line for line in rules("ask", POLICE).lines if "(child.care_leaver)" in line]

    assert re.fullmatch(
        r"\d\. Leeds City Council or the reporter: Is the person a care leaver\? \(child.care_leaver\)", line
    )


def test_a_question_that_settles_no_duty_but_starts_a_clock_comes_last() -> None:
    known = KNOWN | {
        ("la:E08000035", "abuse_or_neglect"): "suspected",
        ("la:E08000035", "aware_on"): LAW.vocabulary.check("aware_on", "2026-06-01") or "",
    }

    found = asked(known)

    assert {each.question.fact for each in found if each.best == 0} == {"suspected_on", "notification.decision"}
    assert [each.best == 0 for each in found] == sorted(each.best == 0 for each in found)


def test_where_nothing_is_open_that_is_said(tmp_path: Path, rules: Rules) -> None:
    file = tmp_path / "facts.json"
    file.write_text(json.dumps({"harm": "other", "child.looked_after": "no"}))

    assert rules("ask", file).out == "Nothing is open: every duty is decided and has its date.\n"
