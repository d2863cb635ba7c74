"""Pins how the story of an area is read, that each one is a story intake would take, and that the judge misses nothing in it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from handrail.cli.demo import EVENTS, STORIES
from handrail.demo.areas import COMMON, areas, filled, load_area, merged
from handrail.demo.expected import Expected
from handrail.demo.judge import Observed, judge
from handrail.demo.story import EVENT, NOTICE, Message, StoryError, load_story
from schemas.submissions import SUBMISSIONS
from tests.support.docs import ROOT
from tests.support.expectations import alterations
from tests.support.rulebooks import register

AREAS = areas(STORIES)
SMALL = """
title: Leeds, a small story
area: E08000035
steps:
  - on: 2025-03-03
    title: The police report BRIAR
    cases: BRIAR
    events:
      - incident.reported by west-yorkshire-police:
          harm: death
          adult_at_risk: left out
          children:
            - age_at_death: 3
  - on: 2025-03-04
    title: The council is aware
    cases: BRIAR
    events:
      - la.became_aware by leeds-city-council
      - N-11 accepted by lscp:E08000035
leads to:
  - cases: BRIAR
    told:
      - N-11 to la:E08000035 by 2025-03-04, met
      - N-03 to la:E08000035 and icb:west-yorkshire by 2025-03-11, overdue
      - L-04 to lscp:E08000035 by 2025-03-04, met late
      - N-01 to panel, withdrawn, never sent
not yet: []
"""


def loaded(folder: Path, text: str = SMALL) -> Any:
    """Return a story of this text, read from a folder with what stories share."""
    (folder / COMMON).write_text((STORIES / COMMON).read_text())
    (folder / "small.yaml").write_text(text)
    return load_area(folder, "small")


def messages(name: str) -> list[Message]:
    return [each for step in load_area(STORIES, name).story.steps for group in step.rounds for each in group]


def seen(expected: Expected) -> Observed:
    """Return what is seen where everything came out as expected."""
    told = list(expected.told.elements())
    return Observed(
        notices=Counter((item.case, item.who, item.under) for item in told),
        dates=Counter((item.case, item.who, item.under, item.by) for item in told if item.by),
        unverified=Counter(),
        owed=expected.told + expected.never_told,
        overdue=expected.overdue,
        late=expected.late,
        quarantined=Counter(expected.quarantined),
        log=expected.log,
        figures=tuple(figure.number for figure in expected.figures.are),
    )


def test_each_area_whose_page_handrail_was_asked_for_with_has_a_story() -> None:
    asked_for_without = {"north east lincolnshire"}

    assert sorted({*AREAS, *asked_for_without}) == sorted(area.name.lower() for area in register().areas.values())


@pytest.mark.parametrize("name", AREAS)
def test_each_event_of_a_story_is_laid_out_as_intake_wants_it(name: str) -> None:
    for message in messages(name):
        event = json.loads(EVENT.sub(str(UUID(int=0)), NOTICE.sub(str(UUID(int=0)), message.text)))
        model = SUBMISSIONS[event["type"]]

        assert "{{" not in json.dumps(event), message.name
        assert model.model_validate_json(json.dumps(event["data"])).case_reference == message.case


@pytest.mark.parametrize("name", AREAS)
def test_the_judge_notices_each_single_thing_that_came_out_otherwise(name: str) -> None:
    expected = load_area(STORIES, name).expected
    observed = seen(expected)

    unnoticed = [what for what, altered in alterations(expected) if all(f.holds for f in judge(observed, altered))]

    assert [finding for finding in judge(observed, expected) if not finding.holds] == []
    assert unnoticed == []


def test_a_partner_system_is_the_same_in_every_story() -> None:
    own = {client.name: client for client in load_story(EVENTS).clients}
    others = [client for name in AREAS for client in load_area(STORIES, name).story.clients]

    assert [client for client in others if own.setdefault(client.name, client) != client] == []


def test_a_case_has_another_name_in_every_story() -> None:
    named = [{message.case for message in messages(name)} for name in AREAS]

    assert len(set[str | None]().union(*named)) == sum(map(len, named))


def test_an_event_says_what_is_usual_and_what_is_its_own(tmp_path: Path) -> None:
    story = loaded(tmp_path).story

    report, aware = (json.loads(step.rounds[0][0].text) for step in story.steps)

    assert report["type"] == "incident.reported.v1"
    assert report["time"] == "2025-03-03T10:00:00+00:00"
    assert report["data"]["case_reference"] == "BRIAR"
    assert (report["data"]["harm"], report["data"]["country"]) == ("death", "england")
    assert (report["data"]["area"], report["data"]["reported_on"]) == ("E08000035", "2025-03-03")
    assert "adult_at_risk" not in report["data"]
    assert report["data"]["children"][0]["age_at_death"] == 3
    assert report["data"]["children"][0]["age_at_incident"] == 9
    assert aware["data"]["linked_case"] == {"client": "west-yorkshire-police", "case_reference": "BRIAR"}


def test_an_acceptance_is_sent_by_whoever_answers_for_the_recipient(tmp_path: Path) -> None:
    (accepted,) = loaded(tmp_path).story.steps[1].rounds[1]

    assert accepted.client == "leeds-scp"
    assert json.loads(accepted.text)["data"]["notice_id"] == "{{notice N-11 to lscp:E08000035}}"


def test_a_line_names_each_recipient_and_says_how_the_duty_stands(tmp_path: Path) -> None:
    expected = loaded(tmp_path).expected

    told = {(item.who, item.under, item.by, item.state) for item in expected.told}
    assert told == {
        ("la:E08000035", "N-11", "2025-03-04", "met"),
        ("la:E08000035", "N-03", "2025-03-11", "open"),
        ("icb:west-yorkshire", "N-03", "2025-03-11", "open"),
        ("lscp:E08000035", "L-04", "2025-03-04", "met"),
    }
    assert [(item.who, item.state) for item in expected.never_told] == [("panel", "withdrawn")]
    assert [(item.under, item.due) for item in expected.overdue.elements()] == [("N-03", "2025-03-11")]
    assert [(item.under, item.due) for item in expected.late.elements()] == [("L-04", "2025-03-04")]


@pytest.mark.parametrize(
    ("good", "bad", "says"),
    [
        ("west-yorkshire-police:", "west-yorkshire-fire:", "there is no partner west-yorkshire-fire"),
        ("incident.reported by", "incident.repeated by", "there is no event incident.repeated"),
        ("la.became_aware by leeds", "la.became_aware from leeds", "expected `EVENT by PARTNER`"),
        ("accepted by lscp:E08000035", "accepted by lscp:nowhere", "answers for lscp:nowhere"),
        ("2025-03-04, met\n", "2025-03-04, green\n", "expected a duty as `RULE to RECIPIENT by DATE, STATE`"),
        ("on: 2025-03-04", "on: 2025-03-02", "in the order of their days"),
        ("on: 2025-03-04", "on: Tuesday", "is not laid out like those in examples"),
        ("- cases: BRIAR\n    told:", "- told:", "lacks 'cases'"),
        ("not yet: []\n", "", "lacks 'not yet'"),
        (
            "not yet: []\n",
            "not yet: []\nfigures:\n  from: x\n  to: x\n  are:\n    - says: it\n      number: 1\n      known: rumour\n",
            "expected to be known from report, inferred, invented, got rumour",
        ),
        (
            "not yet: []\n",
            "not yet: []\nfigures:\n  from: x\n  to: x\n  are:\n    - says: it\n      number: 1\n      known: report\n",
            "expected one of considered, duties or recorded",
        ),
    ],
)
def test_a_story_with_a_slip_is_refused_in_words(good: str, bad: str, says: str, tmp_path: Path) -> None:
    assert good in SMALL

    with pytest.raises(StoryError, match=says.replace("(", r"\(")):
        loaded(tmp_path, SMALL.replace(good, bad, 1))


def test_an_area_without_a_story_is_answered_with_those_that_have_one() -> None:
    with pytest.raises(StoryError, match="no story of 'nowhere'; there is one of each of barnsley, halton, leeds"):
        load_area(STORIES, "nowhere")


def test_lists_are_merged_entry_by_entry_and_digits_are_a_number() -> None:
    usual = {"children": [{"ref": "child-1", "age": "9"}], "harm": "death", "day": "{{day}}"}

    whole = filled(merged(usual, {"children": [{"age": "3"}], "harm": "left out"}), {"day": "2025-03-03"})

    assert whole == {"children": [{"ref": "child-1", "age": 3}], "day": "2025-03-03"}


def test_the_guide_has_the_figures_of_the_year_as_the_story_has_them() -> None:
    guide = (ROOT / "docs" / "how-to" / "play-the-story-of-an-area.md").read_text("utf-8")

    for figure in load_area(STORIES, "leeds").expected.figures.are:
        assert f"| {figure.says} | {figure.number} | {figure.known} |\n" in guide
