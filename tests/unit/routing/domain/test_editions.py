"""Editions of the law: one for each day, by the day that a rule is judged on, and what lies over it for the rules it relaxes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.routing.domain.decide import decide
from services.routing.domain.ledger import KnownObligation, terms
from services.routing.domain.rulebook.editions import counts_words, editions_for, names
from tests.support.rulebooks import CALENDAR, LEEDS, LEEDS_DEATH, NOW, decided, england, event, fact, facts, register

EDITIONS = england().book.editions
COUNCIL = f"la:{LEEDS}"
DEATH = facts(LEEDS_DEATH)


def came_under(rule: str, *dates: tuple[str, str]) -> tuple[str, str]:
    """Return under which editions a rule's first duty comes in a case of Leeds with these days, and its period's source."""
    stated = [fact(name, day, of=COUNCIL) for name, day in dates]
    stated.append(fact("abuse_or_neglect", "suspected", of=COUNCIL))
    owed = next(each for each in decided([*DEATH, *stated]).obligations if each.rule.id == rule)
    return names(owed.editions), owed.period_cite


def test_the_editions_shipped_follow_one_another_without_a_gap_and_nobody_has_checked_one() -> None:
    counting = [each for each in EDITIONS if not each.relaxes]

    assert [each.id for each in EDITIONS] == [
        *("RB-2015", "RB-2018.1", "RB-2018.2", "RB-2020.C", "RB-2023.1", "RB-2025.1", "RB-2026.1")
    ]
    assert [each.ends for each in counting] == [*(each.begins - timedelta(days=1) for each in counting[1:]), None]
    assert {each.verified for each in EDITIONS} == {""}


@pytest.mark.parametrize(
    ("rule", "on", "expected"),
    [
        ("N-01", date(2014, 12, 31), ""),
        ("E-01", date(2018, 6, 28), "RB-2015"),
        ("N-01", date(2018, 6, 29), "RB-2018.1"),
        ("N-01", date(2019, 2, 20), "RB-2018.1"),
        ("N-01", date(2019, 2, 21), "RB-2018.2"),
        ("R-01", date(2020, 3, 29), "RB-2018.2"),
        ("R-01", date(2020, 3, 30), "RB-2018.2 with RB-2020.C"),
        ("N-01", date(2020, 3, 30), "RB-2018.2"),  # the five days of a notification were not relaxed
        ("P-01", date(2020, 3, 30), "RB-2018.2"),  # seven days by the Regulations
        ("P-02", date(2020, 3, 30), "RB-2018.2 with RB-2020.C"),  # seven working days by the guidance
        ("L-04", date(2023, 12, 14), "RB-2018.2 with RB-2020.C"),
        ("L-04", date(2023, 12, 15), "RB-2023.1"),
        ("N-16", date(2025, 5, 31), "RB-2023.1"),
        ("N-16", date(2025, 6, 1), "RB-2025.1"),
        ("N-01", date(2026, 3, 17), "RB-2025.1"),
        ("N-01", date(2026, 3, 18), "RB-2026.1"),
    ],
)
def test_a_rule_comes_under_the_edition_of_the_day_that_it_is_judged_on(rule: str, on: date, expected: str) -> None:
    assert names(editions_for(EDITIONS, rule, on)) == expected


def test_a_duty_comes_under_the_edition_of_its_own_day_and_not_of_the_day_of_the_decision() -> None:
    assert came_under("N-01", ("aware_on", "2026-03-17"))[0] == "RB-2025.1"
    assert came_under("N-01", ("aware_on", "2026-03-18"))[0] == "RB-2026.1"
    assert NOW.date() > date(2026, 3, 18)


def test_what_is_relaxed_is_said_where_the_period_is_and_moves_no_date() -> None:
    before, within = (
        came_under("R-01", ("notification.submitted_on", day), ("notification.submitted_by", LEEDS))
        for day in ("2020-03-27", "2020-03-30")
    )

    assert before == ("RB-2018.2", "Working Together 2023, chapter 5, rapid review")
    assert within == (
        "RB-2018.2 with RB-2020.C",
        "Working Together 2023, chapter 5, rapid review; relaxed during the pandemic (RB-2020.C)",
    )


def test_where_a_day_is_supposed_it_gives_the_edition() -> None:
    aware = [fact("aware_on", "2026-06-01", of=COUNCIL), fact("abuse_or_neglect", "suspected", of=COUNCIL)]
    merged = decided([*DEATH, *aware]).evaluation.facts

    then = decide(merged, england(), register(), CALENDAR, NOW, judged_on=date(2019, 1, 1))

    assert {names(each.editions) for each in then.obligations} == {"RB-2018.1"}


def test_while_the_day_is_not_known_there_is_no_edition() -> None:
    evaluation = decided(DEATH).evaluation
    (run,) = [each for each in evaluation.traces if each.rule == "N-01"]

    assert evaluation.editions(run) == ()


def test_a_day_that_is_corrected_into_another_edition_changes_what_is_published_of_the_duty() -> None:
    said = []
    for day in ("2026-03-17", "2026-03-18"):
        stated = [fact("aware_on", day, of=COUNCIL), fact("abuse_or_neglect", "suspected", of=COUNCIL)]
        said.append(next(each for each in decided([*DEATH, *stated]).obligations if each.rule.id == "N-01"))

    before, after = said
    under = tuple(each.id for each in before.editions)
    known = KnownObligation(
        obligation_id=event("duty"),
        case_key="0" * 32,
        slot=before.slot,
        revision=1,
        state="open",
        opened_at=NOW,
        recipients=before.recipients,
        dates=before.dates,
        released=before.released,
        terms=terms(before),
        editions=under,
    )
    assert terms(before) == terms(after)
    assert (known.says_otherwise(before), known.says_otherwise(after)) == (False, True)
    assert not replace(known, editions=None).says_otherwise(after)  # published before there were any


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("N-01", "from RB-2018.1 on"),
        ("R-01", "from RB-2018.1 on; relaxed during the pandemic in RB-2020.C"),
        ("N-08", "from RB-2023.1 on"),
        ("X-02", "from RB-2023.1 on"),  # in force from a day in the middle of that edition
        ("N-16", "from RB-2025.1 on"),
        ("E-01", "RB-2015 only"),
        ("O-01", "from RB-2018.2 to RB-2023.1"),
        ("H-01", "from before RB-2015 on"),
    ],
)
def test_each_rule_says_in_which_editions_it_counts(rule: str, expected: str) -> None:
    found = england().book.rule(rule)

    assert counts_words(EDITIONS, rule, found.in_force_from, found.in_force_until) == expected
