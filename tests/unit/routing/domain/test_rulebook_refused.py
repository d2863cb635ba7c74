"""A malformed rulebook is refused when it is read: with the file, the line, and what to do."""

from __future__ import annotations

from itertools import takewhile

import pytest

from services.routing.domain.register import parse_register
from services.routing.domain.rulebook.compile import compile_rulebook
from services.routing.domain.rulebook.parse import parse_rulebook
from services.routing.domain.rulebook.tree import RulebookRefused
from tests.support.rulebooks import ENGLAND, FOLDER, VOCABULARY, register

TEXT = ENGLAND.read_text("utf-8")
REGISTER = (FOLDER / "register" / "areas.yaml").read_text("utf-8")

BEFORE = "      - name: What it was called before\n        until: 2019-07-10\n"

# What stands in the file, what a slip would put there, and what the refusal has to say.
SLIPS = {
    "flow style list": ("        - harm is: death\n", "        - harm is one of: [death]\n", "one entry per line"),
    "flow style mapping": ("in force:\n      from: 2018-06-29", "in force: {from: 2018-06-29}", "one entry per line"),
    "anchor": ("harm is: death", "harm is: &death death", "write it out"),
    "tag": ("harm is: death", "harm is: !!str death", "tags"),
    "misspelt fact": ("        - harm is: death", "        - harn is: death", "did you mean `harm`"),
    "misspelt value": ("harm is: death", "harm is: deth", "did you mean death"),
    "value in another case": ("harm is: death", "harm is: Death", "did you mean death"),
    "unknown is no value": ("child.looked_after is: yes", "child.looked_after is: unknown", "undecided by itself"),
    "misspelt key": ("    judged on: aware_on", "    judge on: aware_on", "did you mean `judged on`"),
    "key left out": ("    judged on: aware_on\n", "", "`judged on:` is missing"),
    "key twice": ("    judged on: aware_on\n", "    judged on: aware_on\n    judged on: aware_on\n", "stands twice"),
    "nothing after the colon": ("    title: Tell the Panel - the child died", "    title:\n    #", "expected a text"),
    "two conditions in one": (
        "        - incident.country is: england\n",
        "        - incident.country is: england\n          child.looked_after is: yes\n",
        "`all of:`",
    ),
    "misspelt operator": ("child.age_at_death is at least: 16", "child.age_at_death is atleast: 16", "`is at least`"),
    "operator of another kind": ("harm is: death", "harm is at most: 3", "fitting are: is, is not, is one of"),
    "number expected": (
        "child.age_at_death is at least: 16",
        "child.age_at_death is at least: sixteen",
        "whole number",
    ),
    "areas are compared with areas": (
        "is not the same as: child.looked_after_by",
        "is not the same as: harm",
        "kind area",
    ),
    "unknown definition": (
        "- meets: serious-incident",
        "- meets: serious-incidents",
        "did you mean `serious-incident`",
    ),
    "unknown rule": ("- applies: N-01", "- applies: n-01", "did you mean `N-01`"),
    "unknown duty holder": ("duty on: the reporter", "duty on: reporter", "expected la-of(FACT)"),
    "duty holder of no area": ("duty on: la-of(incident.area)", "duty on: la-of(harm)", "kind area"),
    "unknown recipient": ("- tell: panel", "- tell: pannel", "did you mean `panel`"),
    "unknown group": ("- tell: lscp-of(incident.area)", "- tell: lscb-of(incident.area)", "did you mean `lscp`"),
    "several without each of": (
        "tell: each of safeguarding-partners-of(child.placed_in)",
        "tell: safeguarding-partners-of(child.placed_in)",
        "write `each of",
    ),
    "two consequences": (
        "    excludes:                              # says why",
        "    reaches:\n      - ofsted\n    excludes:                              # says why",
        "`then:` or `excludes:` or `reaches:`",
    ),
    "no consequence": (
        "    reaches:                               # nothing is sent by us: it would be told twice\n      - ofsted\n      - dfe\n",
        "",
        "found none",
    ),
    "unknown rule that is excluded": (
        "      - N-01\n      - N-02\n",
        "      - N-1\n      - N-02\n",
        "is not known, did you mean",
    ),
    "a local body that is reached": ("      - ofsted\n      - dfe\n", "      - lscp:E08000035\n", "panel, ofsted"),
    "unknown profile": ("send: panel-notification", "send: panel-notificaton", "did you mean `panel-notification`"),
    "unknown strength": ("duty: must", "duty: shall", "must, should, may, local"),
    "no such day": ("from: 2018-06-29", "from: 2018-06-31", "YYYY-MM-DD"),
    "report judged on another's date": ("judged on: reported_on", "judged on: aware_on", "once per report"),
    "judged on no date": ("judged on: aware_on", "judged on: harm", "kind date"),
    "unknown stop": (
        "stops when: the Panel's reference is recorded",
        "stops when: the Panel reference is recorded",
        "did you mean `the Panel's reference is recorded`",
    ),
    "period in two units": (
        "working days: 5\n          from the later of",
        "working days: 5\n          months: 1\n          from the later of",
        "found 2",
    ),
    "period from nowhere": ("          from: rapid_review.submitted_on\n", "", "found none"),
    "stop that is no date": ("panel.letter_on is recorded", "panel.view is recorded", "kind date"),
    "stop by a value that is none": ("_analysis is yes", "_analysis is done", "one of yes, no"),
    "stop that is an event or no date": ("or referral.outcome_given_on is", "or panel.view is", "kind date"),
    "stop since what is no date": ("since notification.submitted_on", "since notification.submitted_by", "kind date"),
    "stop unless what cannot be": (
        "reconsidered is publish\n",
        "reconsidered is published\n",
        "one of publish, not_publish",
    ),
    "stop with a word that is none": ("recorded since", "recorded after", "perhaps with `since FACT`"),
    "recorded, of an unknown fact": ("is recorded: review.decision\n", "is recorded: review.decsion\n", "did you mean"),
    "holder of nobody": (
        "duty on: lscp-of(incident.area)",
        "duty on: police-of(incident.area)",
        "expected la-of(FACT)",
    ),
    "stop that names no event": (": scsi.notification.submitted", ": scsi.notification", "stops nothing"),
    "unknown personal field": ("personal.child.name: in full ", "personal.child.nam: in full ", "did you mean"),
    "personal field in a rule": (
        "        - harm is: death\n",
        "        - personal.child.sex is: female\n",
        "stays with intake",
    ),
    "unknown way to give": ("harm: in full", "harm: in ful", "did you mean `in full`"),
    "bad one-line condition": ("release: notification.decision is notify", "release: later", "a condition such as"),
    "two conditions, the second of an unknown fact": (
        "release: review.has_improvements is yes and review.has_analysis is yes",
        "release: review.has_improvements is yes and review.has_analisis is yes",
        "did you mean `review.has_analysis`",
    ),
    "two conditions, the second of no fact": (
        "release: review.has_improvements is yes and review.has_analysis is yes",
        "release: review.has_improvements is yes and both",
        "a condition such as",
    ),
    "no such facts file": (
        "facts: schemas/vocabulary/facts.yaml",
        "facts: facts.yaml",
        "expected one of: schemas/vocabulary/facts.yaml",
    ),
    "example of an unknown area": ("      of E08000035:", "      of E08000099:", "no area of the register"),
    "example with an unknown state": ("state: to send", "state: sent", "expected to send"),
    "example of an unknown rule": ("under: N-06H", "under: N-6H", "did you mean `N-06"),
    "tabs": ("    duty: must\n", "\tduty: must\n", "not readable"),
    "two rules of one name": ("- id: N-02", "- id: N-01", "an `id:` of its own"),
    "link without https": ("href: https://www.leedsscp.org.uk", "href: www.leedsscp.org.uk", "https://"),
    "rules in a circle": (
        "    when:\n      any of:\n        - applies: N-01",
        "    when:\n      any of:\n        - applies: N-03",
        "one another",
    ),
    "alias": ("harm is: death", "harm is: *death", "write it out"),
    "two files in one": ("\nrules:\n", "\n---\nrules:\n", "expected a single document"),
    "key of a block misspelt": ("    in force:\n", "    in forse:\n", "did you mean `in force`"),
    "list without dashes": (
        "        - harm is one of:\n            - death\n            - serious_harm\n",
        "        - harm is one of: death\n",
        "expected a list, each entry on its own line after a dash",
    ),
    "source without its words": (
        "      quote: the child dies or is seriously harmed in the local authority's area\n",
        "",
        "`quote:` is missing",
    ),
    "never in force": (
        "      from: 2018-06-29\n",
        "      from: 2018-06-29\n      until: 2018-06-28\n",
        "expected 2018-06-29 or a later day",
    ),
    "date as people write it": ("from: 2018-06-29", "from: 29/06/2018", "YYYY-MM-DD"),
    "age that nobody reaches": ("is at most: 24", "is at most: 240", "from 0 to 150"),
    "days below nought": ("working days: 5", "working days: -5", "expected a whole number, found `-5`"),
    "period without a strength": (
        "          strength: local\n          cite: local procedure; the",
        "          cite: local procedure; the",
        "`strength:` is missing",
    ),
    "unknown area of a recipient": (
        "tell: la-of(incident.area)",
        "tell: la-of(incident.aera)",
        "did you mean `incident.area`",
    ),
    "areas that differ from nothing": (
        "tell: each of safeguarding-partners-of(duty holder)",
        "tell: each of safeguarding-partners-of(the areas that differ)",
        "needs a condition `is not the same as`",
    ),
    "holder in a circle": (
        "duty on: the duty holder of N-01 or N-02",
        "duty on: the duty holder of N-01 or N-03",
        "rules apply one another",
    ),
    "who else is asked": ("    ask: the duty holder\n", "    ask: the reporter\n", "expected one of: the duty holder"),
    "two beginnings of one stop": (
        ": delivery.acknowledged or not_appropriate.recorded\n",
        ": delivery.acknowledged since aware_on or not_appropriate.recorded\n",
        "expected the same `since FACT` after every event",
    ),
    "beginning that is no day": (
        ": delivery.acknowledged or not_appropriate.recorded\n",
        ": delivery.acknowledged since harm or not_appropriate.recorded since harm\n",
        "expected",
    ),
    "content sent along": ("delivery: pointer", "delivery: in full", "expected one of: pointer"),
    "example on a later one": ("    facts as in: a child", "    facts as in: A child", "did you mean"),
    "example with a fact of an authority": (
        "      of E08000035:\n",
        "      aware_on: 2026-12-23\n      of E08000035:\n",
        "give it under `of` and the authority's code",
    ),
    "editions out of order": ("    from: 2019-02-21\n", "    from: 2018-06-29\n", "the oldest edition stands first"),
    "two editions of one name": ("- id: RB-2018.2", "- id: RB-2018.1", "stands twice"),
    "edition with an end of its own": (
        "    from: 2025-06-01\n",
        "    from: 2025-06-01\n    until: 2025-12-31\n",
        "ends where the next one begins",
    ),
    "edition that overlaps another": (
        "  - id: RB-2023.1\n",
        """\
  - id: RB-2021.C
    from: 2021-01-05
    until: 2021-03-31
    says: relaxed again
    cite: none
    href: https://www.gov.uk
    verified: false
    relaxed as: relaxed again
    relaxes:
      - R-01
  - id: RB-2023.1
""",
        "overlaps RB-2020.C, which lies over the others until 2023-12-14",
    ),
    "first edition that relaxes": (
        "    not known: on which day of 2015",
        "    until: 2018-06-28\n    relaxed as: relaxed\n    relaxes:\n      - R-01\n    not known: on which day of 2015",
        "lies over nothing",
    ),
    "edition that relaxes without end": ("    until: 2023-12-14\n", "", "`until:` is missing"),
    "edition that ends before it begins": ("until: 2023-12-14", "until: 2020-03-29", "it would never count"),
    "edition that relaxes an unknown rule": (
        "      - R-01\n      - R-02\n",
        "      - r-01\n      - R-02\n",
        "did you mean `R-01`",
    ),
    "edition that relaxes without a word": ("    relaxed as: relaxed during the pandemic\n", "", "or neither"),
    "misspelt key of an edition": ("    not known: on which", "    not knwon: on which", "did you mean `not known`"),
    "edition without a source": ("    cite: Working Together 2015, chapter 4\n", "", "`cite:` is missing"),
    "edition with a link that is none": (
        "href: https://www.suttonlscb.org.uk",
        "href: www.suttonlscb.org.uk",
        "https://",
    ),
}

# Something left out, or a rule that does not go with others, is refused at the start of what it is part of: lines from the slip.
ELSEWHERE = {
    "key left out": -11,
    "report judged on another's date": -11,
    "source without its words": -3,
    "period without a strength": -5,
    "period in two units": -2,
    "period from nowhere": -2,
    "two conditions in one": -1,
    "areas that differ from nothing": -1,
    "two consequences": -16,
    "no consequence": -20,
    "rules in a circle": -14,
    "holder in a circle": -7,
    "edition that overlaps another": 1,
    "first edition that relaxes": 2,
    "edition that relaxes without end": -2,
    "edition that relaxes without a word": -8,
    "edition without a source": -3,
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_refused_where_it_stands(slip: str) -> None:
    good, bad, hint = SLIPS[slip]
    start = TEXT.index(good)
    broken = TEXT[:start] + bad + TEXT[start + len(good) :]
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(good, bad, strict=False)))
    slipped = TEXT.count("\n", 0, start + alike) + 1

    with pytest.raises(RulebookRefused) as refused:
        compile_rulebook(parse_rulebook(broken, "england.yaml", VOCABULARY, register()), VOCABULARY)

    assert hint in refused.value.problem
    assert str(refused.value).startswith(f"england.yaml, line {slipped + ELSEWHERE.get(slip, 0)}: ")


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(RulebookRefused, match=r"england\.yaml, line 1: the file is empty"):
        parse_rulebook("", "england.yaml", VOCABULARY, register())


def test_characters_that_cannot_be_printed_are_refused() -> None:
    with pytest.raises(RulebookRefused, match="not readable"):
        parse_rulebook("rulebook: \x00", "england.yaml", VOCABULARY, register())


def test_the_digest_is_of_the_files_text() -> None:
    one = parse_rulebook(TEXT, "e.yaml", VOCABULARY, register())
    other = parse_rulebook(TEXT + "\n", "e.yaml", VOCABULARY, register())

    assert len(one.sha256) == 64
    assert one.sha256 != other.sha256


@pytest.mark.parametrize(
    ("good", "bad", "hint"),
    [
        ("kind: police", "kind: polis", "did you mean `police`"),
        ("      - E08000035\n", "      - E08000036\n", "is not known"),
        ("- id: la:E08000035", "- id: la:E09000029", "stands twice"),
        ("- code: E08000035", "- code: E09000029", "stands twice"),
        ("    verified: true", "    verified: perhaps", "expected one of: true, false"),
        ("    until: 2022-06-30", "    until: 2020-03-31", "it would never have existed"),
        ("succeeded by: icb:west-yorkshire", "succeeded by: icb:west-yorkshir", "did you mean `icb:west-yorkshire`"),
        ("    until: 2022-06-30\n", "", "has no end: give `until:` its last day"),
        ("    until: 2022-06-30\n", "    until: 2022-06-29\n", "does not exist on 2022-06-30"),
        ("succeeded by: ccg:south-west-london", "succeeded by: ccg:sutton", "does not exist on 2020-04-01"),
        ("succeeded by: icb:west-yorkshire", "succeeded by: police:west-yorkshire", "is of kind police, expected icb"),
        ("succeeded by: icb:west-yorkshire", "succeeded by: icb:south-yorkshire", "does not serve E08000035"),
        ("        until: 2024-05-31\n", "        until: 2024-05-31\n" * 2, "stands twice"),
        ("        until: 2024-05-31\n", "        until: 2024-05-31\n" + BEFORE, "expected a day after 2024-05-31"),
    ],
)
def test_a_slip_in_the_register_is_refused(good: str, bad: str, hint: str) -> None:
    assert good in REGISTER

    with pytest.raises(RulebookRefused, match=r"areas\.yaml, line \d+: ") as refused:
        parse_register(REGISTER.replace(good, bad, 1), "areas.yaml")

    assert hint in str(refused.value)
