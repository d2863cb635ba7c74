"""`handrail rules compare`: the patterns listed are all those in which two rulebooks give another outcome, and no others."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from random import Random

import pytest

from services.routing.domain.rulebook.read_examples import CASE
from services.routing.law import FOLDER, Law, read_law
from tests.support.patterns import Facts, Printed, printed
from tests.support.rules_command import BOOK, Rules

TEXT, _, _ = (FOLDER / "england" / "2026.11.0.yaml").read_text("utf-8").partition("\nexamples:\n")
RULES = [rule["id"] for rule in BOOK["rules"]]
DRAWS = 600
LEEDS, HALTON = "E08000035", "E06000006"
DAYS = (
    date(2018, 6, 28),
    date(2018, 6, 29),
    date(2023, 12, 14),
    date(2023, 12, 15),
    date(2024, 1, 1),
    date(2026, 6, 1),
)


def altered(good: str, bad: str, rule: str) -> str:
    """Return the rulebook with something changed, the first time that it stands in a rule."""
    start = TEXT.index(f"  - id: {rule}\n") if rule else 0
    assert good in TEXT[start:]
    return TEXT[:start] + TEXT[start:].replace(good, bad, 1)


CHANGES = {
    "a limit of an age": ("N-08", altered("age_at_death is at most: 24", "age_at_death is at most: 25", "N-08")),
    "a date in force": ("N-08", altered("from: 2023-12-15", "from: 2024-01-01", "N-08")),
    "a wider condition": (
        "N-08",
        altered("meets: has-died", "meets: died-or-harmed", "N-08"),
    ),
    "a condition less": ("N-08", altered("        - child.care_leaver is: yes\n", "", "N-08")),
    "another duty holder": ("N-08", altered("la-of(child.care_leaver_of)", "la-of(child.home_area)", "N-08")),
    "a shorter period": ("N-08", altered("working days: 5", "working days: 3", "N-08")),
    "another recipient": ("N-08", altered("tell: ofsted", "tell: panel", "N-08")),
    "two areas compared": (
        "N-06H",
        altered(
            "child.placed_in is not the same as: child.looked_after_by",
            "child.placed_in is not the same as: child.home_area",
            "N-06H",
        ),
    ),
    "a definition": ("N-01", altered("age_at_incident is at most: 17", "age_at_incident is at most: 18", "")),
    "what is recorded": ("N-01", altered("                - is recorded: child.unborn\n", "", "")),
    "what is no longer recorded": ("N-01", altered("is recorded: child.unborn", "child.looked_after is: yes", "")),
    "released at once": ("N-01", altered("release: notification.decision is notify", "release: at once", "N-01")),
    "never withdrawn": ("N-01", altered("    cancelled when: notification.decision is not_notify\n", "", "N-01")),
}


AREAS = (LEEDS, LEEDS, HALTON, None)
LIKELY: dict[str, tuple[str | int | date | None, ...]] = {
    "harm": ("death", "death", "death", "serious_harm", "other", None),
    "child.age_at_incident": (16, 17, 18, 18, 18, 19, None),
    "child.age_at_death": (15, 16, 24, 25, 25, 25, 26, None),
    "child.died": ("yes", "yes", "no", None),
    "child.care_leaver": ("yes", "yes", "yes", "no", None),
    "child.looked_after": ("yes", "yes", "yes", "no", None),
    "child.unborn": ("yes", "no", None, None, None),
    "incident.country": ("england", "england", "england", "wales", None),
    "incident.area": AREAS,
    "child.home_area": AREAS,
    "child.care_leaver_of": AREAS,
    "child.looked_after_by": AREAS,
    "child.placed_in": AREAS,
}
LIKELY_OF_AN_AUTHORITY: dict[str, tuple[str | int | date | None, ...]] = {
    "aware_on": (*DAYS, *DAYS[2:5], None),
    "abuse_or_neglect": ("known", "suspected", "suspected", "not_suspected", None),
    "notification.decision": ("notify", "not_notify", "defer", None),
}
"""Facts on which N-01, N-06H and N-08 depend, with the values that tell rulebooks apart more often than others."""


def drawn(chance: Random) -> dict[tuple[str, str], str | int | date]:
    """Draw facts, each of them absent at times."""
    found = {(CASE, name): chance.choice(values) for name, values in LIKELY.items()}
    for code in (LEEDS, HALTON):
        found |= {(f"la:{code}", name): chance.choice(values) for name, values in LIKELY_OF_AN_AUTHORITY.items()}
    return {place: value for place, value in found.items() if value is not None}


def outcome(law: Law, rule: str, known: dict[tuple[str, str], str | int | date]) -> object:
    """Return what the engine decides under one rule: its duties with period and state, and whether it is undecided."""
    decision = law.suppose(known)
    duties = {
        (each.recipients, each.duty.within, each.slot.duty_holder, each.in_words)
        for each in decision.obligations
        if each.rule.id == rule
    }
    return duties, rule in decision.undecided


def by_area(known: dict[tuple[str, str], str | int | date]) -> Facts:
    return {(owner.removeprefix("la:"), fact): value for (owner, fact), value in known.items()}


@pytest.mark.parametrize("change", CHANGES)
def test_facts_fall_under_a_pattern_if_and_only_if_the_engine_decides_them_otherwise(
    change: str, tmp_path: Path, rules: Rules
) -> None:
    rule, text = CHANGES[change]
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(TEXT)
    new.write_text(text)

    ran = rules("compare", old, new, "--most", 3000, "--rule", rule)

    patterns = printed(ran.out, rule)
    before, after = read_law(old), read_law(new)
    chance = Random(change)  # noqa: S311 - the same draws in each run
    changed = 0
    for _ in range(DRAWS):
        known = drawn(chance)
        differs = outcome(before, rule, known) != outcome(after, rule, known)
        found = [pattern for pattern in patterns if pattern.has(by_area(known))]
        assert len(found) == (1 if differs else 0), (known, found)
        changed += differs
    assert "all " in section(ran.out, rule)
    assert 0 < changed < DRAWS


def section(out: str, rule: str) -> str:
    return out.partition(f"\n{rule} changed: ")[2].partition("\n\n")[0]


def test_a_limit_of_an_age_changes_the_outcome_at_that_age_alone(tmp_path: Path, rules: Rules) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(CHANGES["a limit of an age"][1])

    ran = rules("compare", "2026.11.0", draft)

    certain = [
        Printed(each.known, each.before, each.after.partition(" within ")[0])
        for each in printed(ran.out, "N-08")
        if "decided" not in each.before + each.after
    ]
    tells = "the local authority of area A tells Department for Education (for the Secretary of State)"
    assert certain == [
        Printed(
            (
                ("child.age_at_death", "25"),
                ("child.care_leaver_of", "area A"),
                ("child.care_leaver", "yes"),
                ("aware_on of the local authority of area A", "from Friday 15 December 2023"),
            ),
            "tells nobody",
            tells,
        )
    ]
    assert {dict(each.known)["child.age_at_death"] for each in printed(ran.out, "N-08")} == {"25"}
    resting_on_it = {"N-08", "N-10"}
    assert f"Unchanged: {', '.join(each for each in RULES if each not in resting_on_it)}" in ran.lines


def test_a_rulebook_is_the_same_as_itself(rules: Rules) -> None:
    ran = rules("compare", "2026.11.0", "2026.11.0")

    assert ran.out == f"From 2026.11.0 to 2026.11.0\n\nUnchanged: {', '.join(RULES)}\n"


def test_words_that_move_no_outcome_are_named_and_no_pattern_is_listed(tmp_path: Path, rules: Rules) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(altered("quote: shall notify", "quote: must notify", "N-06"))

    ran = rules("compare", "2026.11.0", draft)

    assert "N-06 changed: source" in ran.lines
    assert printed(ran.out, "N-06") == []
    assert re.search(r"all 1 patterns were tried; in 0 the outcome changes", section(ran.out, "N-06"))


def test_rules_that_are_new_or_removed_and_profiles_that_give_more_are_listed(tmp_path: Path, rules: Rules) -> None:
    draft = tmp_path / "draft.yaml"
    start, end = TEXT.index("  - id: X-02\n"), TEXT.index("  - id: X-02A\n")
    draft.write_text(TEXT[:start] + TEXT[end:].replace("incident_date: as month", "incident_date: in full", 1))

    away, back = rules("compare", "2026.11.0", draft), rules("compare", draft, "2026.11.0")

    assert "X-02 changed: removed" in away.lines
    assert "X-02 changed: new" in back.lines
    assert [(each.known, each.before, each.after) for each in printed(away.out, "X-02")] == [
        (each.known, each.after, each.before) for each in printed(back.out, "X-02")
    ]
    assert any(("concern.domestic_death", "yes") in each.known for each in printed(away.out, "X-02"))
    assert "What may be seen changed: other-area-notification" in away.lines


def test_where_there_are_too_many_patterns_it_says_so_with_what_that_may_have_missed(
    tmp_path: Path, rules: Rules
) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(CHANGES["a definition"][1])

    ran = rules("compare", "2026.11.0", draft, "--most", 400, "--rule", "N-01", "--rule", "N-04")

    assert "all " in section(ran.out, "N-01")
    assert (
        "sampled: 400 random patterns of more were tried; with 95 % confidence at most 0.750% of such patterns change "
        "and are not listed (--most tries more)" in section(ran.out, "N-04")
    )
    assert all(dict(each.known)["child.age_at_incident"] == "18" for each in printed(ran.out, "N-04"))


def test_a_rule_that_neither_rulebook_has_is_refused(rules: Rules) -> None:
    told = rules("compare", "2026.11.0", "2026.11.0", "--rule", "N-01", "--rule", "n-4")

    assert told.code == 2
    assert "neither rulebook has a rule n-4" in told.err
    assert told.out == ""
