"""`handrail rules explain`: each rule with its conditions and facts, each recipient with the reason, from facts in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from services.routing.law import FOLDER
from tests.support.repository import ROOT
from tests.support.rules_command import BOOK, Rules, conditions

EXAMPLES = ROOT / "examples" / "facts"
POLICE = EXAMPLES / "police-report-leeds.json"
LOOKED_AFTER = EXAMPLES / "looked-after-child.yaml"
NOT_ASKED = {
    "R-03",
    "R-06",
    "L-05",
    "A-03A",
    "A-01",
    "A-02",
    "A-05",
    "N-22",
    "N-22A",
}  # of items, or of no incident: here there are none


def part(lines: list[str], start: str) -> list[str]:
    """Return the lines from the one that begins so to the next empty one."""
    first = next(place for place, line in enumerate(lines) if line.startswith(start))
    return lines[first : ([*lines, ""]).index("", first)]


def test_a_rule_that_holds_is_shown_with_its_source_its_facts_and_its_dates(rules: Rules) -> None:
    """AT-07: 28 Aug, 1, 2, 3 and Friday 4 September 2026, because 31 August is a bank holiday."""
    told = part(rules("explain", LOOKED_AFTER).lines, "N-06 ")

    said = "said by Wandsworth Borough Council"
    assert told == [
        "N-06 YES Tell the Secretary of State and Ofsted - a looked after child has died",
        (
            "Children Act 1989, Schedule 2, paragraph 20(1)(a): \"shall notify the Secretary of State and Her Majesty's "
            "Chief Inspector of Education, Children's Services and Skills\". Not yet checked against the full text."
        ),
        "Duty of Wandsworth Borough Council: must (law)",
        (
            "✓ in force from Friday 29 June 2018; judged on the day the authority became aware of the incident "
            "(Wandsworth Borough Council): Thursday 27 August 2026"
        ),
        (
            "edition of the law: RB-2026.1, not yet checked against the full text; "
            "Working Together 2026; Children's Wellbeing and Schools Act 2026"
        ),
        "✓ all of",
        "✓ the child has died",
        "✓ any of",
        "✓ all of",
        f"✓ the harm: death   [harm is death, {said}]",
        f"✓ the child died: yes   [child.died is yes, {said}]",
        "✓ it is recorded of this child that it died, whatever is said of the incident",
        "✓ any of",
        f"✓ the age at death, in completed years: recorded   [child.age_at_death is 14, {said}]",
        "✓ all of",
        f"✓ the child died: recorded   [child.died is yes, {said}]",
        f"✓ the child died: yes   [child.died is yes, {said}]",
        f"✓ the child is looked after by a local authority: yes   [child.looked_after is yes, {said}]",
        *(
            line
            for body in (
                "Department for Education (for the Secretary of State)",
                "Ofsted (His Majesty's Chief Inspector)",
            )
            for line in (
                f"→ tell {body}: to send",
                "due Friday 4 September 2026",
                (
                    "within 5 working days of the latest known of the day the authority became aware of the incident "
                    "and the day the authority became aware of the death: "
                    "should (statutory guidance), GOV.UK, report a serious child safeguarding incident"
                ),
                "sent at once; ends when the notification system's reference is recorded",
            )
        ),
    ]


def test_where_two_areas_are_compared_both_are_shown(rules: Rules) -> None:
    told = part(rules("explain", LOOKED_AFTER).lines, "N-06H ")

    assert any(
        "[child.placed_in is Halton, said by Wandsworth Borough Council; "
        "child.looked_after_by is Wandsworth, said by Wandsworth Borough Council]" in line
        for line in told
    )


def test_a_rule_that_cannot_be_decided_says_which_condition_waits_and_who_is_asked(rules: Rules) -> None:
    told = part(rules("explain", POLICE).lines, "N-01 ")

    assert told[0].startswith("N-01 CANNOT DECIDE YET Tell the Panel")
    assert (
        "? the authority's own view on abuse or neglect: known or suspected   [abuse_or_neglect of E08000035 is not known]"
        in told
    )
    assert told[-2:] == [
        (
            "Ask Leeds City Council: Does your authority know or suspect that the child was abused or neglected? "
            "(abuse_or_neglect of E08000035)"
        ),
        "Ask Leeds City Council: When did your authority become aware of the incident? (aware_on of E08000035)",
    ]


def test_every_recipient_left_out_has_its_reason(rules: Rules) -> None:
    left_out = part(rules("explain", LOOKED_AFTER).lines, "Who is left out")

    assert left_out[1:4] == [
        "Child Safeguarding Practice Review Panel (panel): Cannot decide yet",
        "N-01 not known: the authority's own view on abuse or neglect; the day the authority became aware of the incident",
        "N-07 the authority's own view on abuse or neglect: not suspected, said by Wandsworth Borough Council",
    ]
    place = left_out.index("Halton Safeguarding Adults Board (sab:halton): A condition is false")
    assert left_out[place + 1] == (
        "X-02 the case concerns an adult at risk, or a young person moving to adult services: "
        "no, said by Wandsworth Borough Council; the rule needs yes"
    )
    assert left_out[-1].startswith("No rule names in this situation: foundations, la:E09000029, ")


@pytest.mark.parametrize("file", [POLICE, LOOKED_AFTER], ids=["police", "looked after"])
def test_for_programs_every_rule_every_condition_and_every_registered_body_stands_there_once(
    file: Path, rules: Rules
) -> None:
    found = json.loads(rules("explain", file, "--json").out)

    bodies = yaml.safe_load((FOLDER / "register" / "areas.yaml").read_text("utf-8"))["bodies"]
    named = [each["recipient"] for key in ("told", "left_out") for each in found[key]]
    assert sorted(named + [each["id"] for each in found["unnamed"]]) == sorted(
        each["id"] for each in bodies if "until" not in each
    )
    size = {each["id"]: conditions(each["when"]) for each in BOOK["rules"] if each["id"] not in NOT_ASKED}
    assert {each["rule"]: len(each["conditions"]) for each in found["rules"]} == size
    assert all(each["answers"] for key in ("told", "left_out") for each in found[key])
    came_under = {each["rule"]: each["editions"] for each in found["rules"] if each["in_force_answer"] != "undecided"}
    assert {(one["id"], one["verified"]) for editions in came_under.values() for one in editions} == {
        ("RB-2026.1", False)
    }
    assert all(came_under.values())
    assert all(
        said["recorded_at"] is None for each in found["told"] for one in each["answers"] for said in one["statements"]
    )


def test_the_day_on_which_rules_are_judged_can_be_supposed(tmp_path: Path, rules: Rules) -> None:
    """N-08 is in force from 15 December 2023."""
    facts = {"harm": "death", "child.care_leaver": "yes", "child.care_leaver_of": "E08000035", "child.age_at_death": 20}
    file = tmp_path / "facts.json"
    file.write_text(json.dumps(facts))

    before, after, unknown = (
        part(rules("explain", file, *on).lines, "N-08 ") for on in (("--on", "2023-12-14"), ("--on", "2023-12-15"), ())
    )

    assert before[0].startswith("N-08 NO ")
    assert before[3] == ("✗ in force from Friday 15 December 2023; judged on Thursday 14 December 2023, as was asked")
    assert after[0].startswith("N-08 YES ")
    assert "no due date while it is not open or its clock is not known" in after
    assert unknown[0].startswith("N-08 CANNOT DECIDE YET ")


def test_json_and_yaml_say_the_same(tmp_path: Path, rules: Rules) -> None:
    as_yaml = tmp_path / "facts.yaml"
    facts = json.loads(POLICE.read_text())
    as_yaml.write_text("".join(f"{name}: {value}\n" for name, value in facts.items()))
    tabs = tmp_path / "facts.json"
    tabs.write_text(json.dumps(facts, indent="\t"))

    assert rules("explain", as_yaml).out == rules("explain", POLICE).out == rules("explain", tabs).out


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{\n "harm": death}', "facts.json, line 2: not JSON: Expecting value at column 10"),
        ('{\n "harn": "death"}', "facts.json, line 2: harn: unknown fact `harn`, did you mean `harm`?"),
        ('{\n "harm": "deth"}', "facts.json, line 2: harm: `deth` does not fit: harm: expected one of death"),
        ('{\n\n "child.looked_after": false}', "line 3: child.looked_after: `false` does not fit"),
        ('{"harm": "unknown"}', "a condition cannot ask for unknown"),
        ('{"aware_on": "2026-06-01"}', "give it under `of` and the authority's code"),
        ('{"of E08000099": {"aware_on": "2026-06-01"}}', "`E08000099` is no area of the register"),
        ('{"of E08000035": {"harm": "death"}}', "is not one per authority"),
        ('{"harm": "death", "harm": "other"}', "`harm` stands twice"),
        ("[]", "expected keys with values"),
        ("{}", "expected at least one fact"),
    ],
)
def test_facts_that_cannot_be_read_are_refused_with_line_and_hint(
    content: str, says: str, tmp_path: Path, rules: Rules
) -> None:
    file = tmp_path / "facts.json"
    file.write_text(content)

    for command in ("explain", "ask"):
        ran = rules(command, file)

        assert ran.code == 1
        assert ran.err.startswith(f"handrail: {file}, line ")
        assert says in ran.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nowhere.json",), "neither a file of facts nor the key of a case"),
        ((POLICE, "--on", "yesterday"), "expected a date as YYYY-MM-DD, found `yesterday`"),
        ((POLICE, "--rulebook", "2020.1.0"), "there is no rulebook 2020.1.0 in"),
        (("0" * 32, "--data", "nowhere"), "no Handrail runs in nowhere"),
    ],
)
def test_what_cannot_be_explained_is_said_in_words(arguments: tuple[object, ...], says: str, rules: Rules) -> None:
    ran = rules("explain", *arguments)

    assert ran.code in {1, 2}
    assert says in " ".join(ran.err.replace("│", "").split())


def test_another_rulebook_for_a_case_is_refused(rules: Rules) -> None:
    """A case is asked of the installation, which decides it by the version that it has: the draft would have no effect."""
    told = rules("explain", "3f2b8c0d9e1a4f5b6c7d8e9f0a1b2c3d", "--rulebook", "2026.11.0")

    assert told.code == 2
    assert (
        "a case is explained by the version that decides it: leave --rulebook out, or try the draft with `rules simulate`"
        in told.err
    )
