"""Local overlays add rules and shorten limits in their areas; whatever else they try is refused where it stands."""

from __future__ import annotations

from datetime import date

import pytest

from schemas.vocabulary import Value
from services.routing.domain.rulebook.compile import CompiledRulebook
from services.routing.domain.rulebook.examples import load_rulebook
from services.routing.domain.rulebook.tree import RulebookRefused, Text, whole
from tests.support.rulebooks import (
    CALENDAR,
    ENGLAND,
    LEEDS,
    LEEDS_DEATH,
    VOCABULARY,
    WANDSWORTH,
    decided,
    england,
    facts,
    register,
)

NATIONAL = ENGLAND.read_text("utf-8")
HEAD = f"""\
overlay: testshire
title: Local rules of Testshire
adds to: england-serious-incidents 2026.11.0
owner: Testshire
areas:
  - {LEEDS}
"""
RULE = f"""\
rules:
  - id: TEST-1
    title: A look at each report
    source:
      cite: Local, made up
      href: https://example.org
      quote: made up
      verified: false
    duty on: lscp-of(reporter.area)
    duty: local
    in force:
      from: 2024-04-01
    judged on: reported_on
    when:
      all of:
        - reporter.area is: {LEEDS}
        - applies: N-11
    then:
      - tell: lscp-of(reporter.area)
        send: review-duty
        within:
          working days: 2
          from: reported_on
          strength: local
          cite: Local, made up
        release: at once
        stops when: the referral is accepted
"""
SOONER = """\
sooner:
  - rule: N-03
    tell: each of safeguarding-partners-of(duty holder)
    within:
      working days: 2
      from the later of:
        - aware_on
        - suspected_on
      strength: local
      cite: Local, made up
"""


def book_with(*overlays: str) -> CompiledRulebook:
    texts = [Text(f"local/{place}.yaml", text) for place, text in enumerate(overlays)]
    return load_rulebook(NATIONAL, "england.yaml", VOCABULARY, register(), CALENDAR, texts)


def due(book: CompiledRulebook, rule: str, area: str, said: dict[str, Value] | None = None) -> set[date | None]:
    reported = {**LEEDS_DEATH, "incident.area": area, "reporter.area": area, "child.home_area": area}
    stated = [*facts(reported), *facts(said or {}, of=f"la:{area}")]
    return {each.dates.due_on for each in decided(stated, book=book).obligations if each.rule.id == rule}


def test_a_local_rule_counts_in_its_area_and_is_marked_as_local() -> None:
    book = book_with(HEAD + RULE)

    assert due(book, "TEST-1", LEEDS) == {date(2026, 6, 3)}
    assert due(book, "TEST-1", WANDSWORTH) == set()
    assert (book.rules["TEST-1"].rule.layer, book.rules["N-01"].rule.layer) == ("testshire", "")


def test_a_limit_is_shorter_in_the_overlays_area_and_nowhere_else() -> None:
    first = date(2026, 6, 1)
    aware: dict[str, Value] = {"aware_on": first, "suspected_on": first, "abuse_or_neglect": "suspected"}
    book = book_with(HEAD + SOONER)

    assert due(england(), "N-03", LEEDS, aware) == due(book, "N-03", WANDSWORTH, aware) == {date(2026, 6, 8)}
    assert due(book, "N-03", LEEDS, aware) == {date(2026, 6, 3)}


def test_the_digest_covers_the_overlays() -> None:
    assert book_with().book.sha256 != book_with(HEAD + RULE).book.sha256
    assert whole([Text("a", "one"), Text("b", "two")]) == "one\n---\ntwo"


REFUSED = {
    "a duty removed": (HEAD + "removes:\n  - N-01\n", 7, "never remove or change a national duty"),
    "a national rule excluded": (
        HEAD + RULE[: RULE.index("    then:")] + "    excludes:\n      - N-01\n",
        24,
        "never remove or change a national duty",
    ),
    "a national rule written anew": (HEAD + RULE.replace("TEST-1", "N-01"), 8, "`N-01` is a national rule"),
    "a rule twice": (HEAD + RULE + RULE.removeprefix("rules:\n"), 34, "an `id:` of its own, found `TEST-1`"),
    "a rule that counts everywhere": (
        HEAD + RULE.replace(f"        - reporter.area is: {LEEDS}\n", "        - concern.child_review is: yes\n"),
        20,
        "counts in its areas only",
    ),
    "a rule that counts in another area": (
        HEAD + RULE.replace(f"is: {LEEDS}", f"is: {WANDSWORTH}"),
        20,
        "in its areas",
    ),
    "a rule that counts in its area or not": (
        HEAD + RULE.replace("all of:", "any of:"),
        20,
        "counts in its areas only",
    ),
    "an unknown area": (HEAD.replace(LEEDS, "E99999999") + RULE, 6, "`E99999999` is not known"),
    "a later rulebook's overlay": (
        HEAD.replace("2026.11.0", "2026.12.0") + RULE,
        3,
        "england-serious-incidents 2026.11.0",
    ),
    "a limit that is longer": (HEAD + SOONER.replace("days: 2", "days: 6"), 10, "expected fewer than 5 working days"),
    "a limit that is as long": (HEAD + SOONER.replace("days: 2", "days: 5"), 10, "expected fewer than 5 working days"),
    "a limit in another unit": (HEAD + SOONER.replace("working days: 2", "calendar days: 2"), 10, "counted as there"),
    "a limit from another day": (HEAD + SOONER.replace("        - suspected_on\n", ""), 10, "counted as there"),
    "a limit of a duty that is not there": (
        HEAD + SOONER.replace("safeguarding-partners", "police"),
        9,
        "tells nobody",
    ),
    "a limit of an unknown rule": (HEAD + SOONER.replace("N-03", "N-99"), 8, "`N-99` is not known"),
    "a limit for every area": (
        HEAD.replace(f"areas:\n  - {LEEDS}", "areas: every area") + SOONER,
        6,
        "a national rule's own",
    ),
    "an unknown key": (HEAD + "sonner:\n  - rule: N-03\n", 7, "did you mean `sooner`"),
    "flow style": (HEAD + "rules: []\n", 7, "one entry per line"),
}


@pytest.mark.parametrize("slip", REFUSED)
def test_an_overlay_that_does_more_than_it_may_is_refused_where_it_stands(slip: str) -> None:
    text, line, hint = REFUSED[slip]

    with pytest.raises(RulebookRefused) as refused:
        book_with(text)

    assert hint in refused.value.problem
    assert (refused.value.file, refused.value.line) == ("local/0.yaml", line)


def test_an_overlays_example_that_comes_out_otherwise_is_refused_where_it_stands() -> None:
    example = "examples:\n  - name: nothing\n    facts:\n      harm: other\n    cannot decide:\n      - N-01\n"

    with pytest.raises(RulebookRefused, match=r"local/0\.yaml, line 8: example `nothing` fails"):
        book_with(HEAD + example)


def test_two_overlays_cannot_both_shorten_a_limit_in_one_area() -> None:
    with pytest.raises(RulebookRefused, match=f"another overlay has a limit of its own for {LEEDS}"):
        book_with(HEAD + SOONER, HEAD.replace("testshire", "other") + SOONER)
