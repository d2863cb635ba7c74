"""The rulebook's own examples: they pass as written, and a change of any line in them makes them fail."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.routing.domain.rulebook.examples import load_rulebook
from services.routing.domain.rulebook.tree import RulebookRefused
from tests.support.rulebooks import CALENDAR, ENGLAND, VOCABULARY, register

TEXT = ENGLAND.read_text("utf-8")
RULES, EXAMPLES = TEXT.split("\nexamples:\n")


def load_with(examples: str, rules: str = RULES) -> None:
    load_rulebook(f"{rules}\nexamples:\n{examples}", "england.yaml", VOCABULARY, register(), CALENDAR)


ALTERATIONS: dict[str, Callable[[str], str]] = {
    "by: ": lambda words: words.replace("by: 2", "by: 3"),
    "state: to send": lambda _: "state: owed, awaiting a decision",
    "state: owed": lambda _: "state: to send",
    "state: withdrawn": lambda words: words + " at all",
    "state: met": lambda words: words + " of it",
    "because: ": lambda words: words + "; harm is other",
    "under: ": lambda _: "under: N-02",
    "- aware_on": lambda _: "- harm",
    "- abuse_or_neglect": lambda _: "- harm",
    "- notification": lambda _: "- harm",
    "- N-0": lambda _: "- N-11",
    "- N-1": lambda _: "- N-02",
    "asks: none": lambda _: "asks:\n      - harm",
    "- who: la-of": lambda _: "- who: la-of(E09000029)",
    "- who: lscp-of": lambda _: "- who: lscp-of(E09000029)",
    "- who: each of": lambda _: "- who: each of safeguarding-partners-of(E09000029)",
    "- who: panel": lambda _: "- who: csp:leeds",
    "- who: dfe": lambda _: "- who: csp:leeds",
    "- who: cdr-of": lambda _: "- who: cdr-of(E09000029)",
    "- who: ofsted": lambda _: "- who: csp:leeds",
}


def alterations() -> dict[str, str]:
    """Return the examples with one expectation altered, for every line that expects something, by line and its words."""
    lines = EXAMPLES.split("\n")
    found = {}
    for place, line in enumerate(lines):
        words = line.strip()
        for start, alter in ALTERATIONS.items():
            if words.startswith(start):
                altered = line.replace(words, alter(words))
                found[f"{place}: {words[:40]}"] = "\n".join([*lines[:place], altered, *lines[place + 1 :]])
    return found


def test_the_examples_of_the_shipped_rulebook_pass() -> None:
    load_with(EXAMPLES)


def test_there_is_an_alteration_for_every_expectation() -> None:
    silent = (
        *("of E", "child.", "harm:", "incident.", "concern.", "reporter.", "reported_on", "aware_on:", "suspected_on:"),
        *("abuse_or_neglect:", "notification.decision:"),
        *("- name:", "facts", "and:", "tells:", "asks:", "does not", "cannot"),
    )
    expecting = [line for line in EXAMPLES.split("\n") if line.strip() and not line.strip().startswith(silent)]

    assert len(alterations()) == len(expecting) + EXAMPLES.count("asks: none")


@pytest.mark.parametrize("altered", alterations())
def test_an_altered_example_fails(altered: str) -> None:
    with pytest.raises(RulebookRefused):
        load_with(alterations()[altered])


def test_a_failing_example_says_which_and_how() -> None:
    with pytest.raises(RulebookRefused) as refused:
        load_with(EXAMPLES.replace("by: 2027-01-04", "by: 2027-01-05", 1))

    assert "a child of 3 dies in Leeds" in str(refused.value)
    assert (
        "expected panel under N-01 by 2027-01-05: owed, awaiting a decision, got panel under N-01 by 2027-01-04: owed"
        in str(refused.value)
    )


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("working days: 5", "working days: 6"),
        ("child.age_at_incident is at most: 17", "child.age_at_incident is at most: 8"),
        ("cancelled when: notification.decision is not_notify", "cancelled when: notification.decision is defer"),
        ("- tell: ofsted", "- tell: panel"),
        ("release: notification.decision is notify", "release: at once"),
    ],
)
def test_an_altered_rule_fails_the_examples(good: str, bad: str) -> None:
    assert good in RULES

    with pytest.raises(RulebookRefused, match="fails"):
        load_with(EXAMPLES, RULES.replace(good, bad, 1))


@pytest.mark.parametrize(
    ("good", "bad", "hint"),
    [
        (
            "        suspected_on: 2026-12-23\n",
            "",
            "got asks: notification.decision of E08000035, suspected_on of E08000035",
        ),
        ("      child.looked_after: no\n", "      child.looked_after: yes\n", "got asks: child.looked_after_by"),
        ("      incident.country: england\n", "", "cannot decide"),
    ],
)
def test_an_altered_fact_fails_the_example(good: str, bad: str, hint: str) -> None:
    with pytest.raises(RulebookRefused, match=hint):
        load_with(EXAMPLES.replace(good, bad, 1))
