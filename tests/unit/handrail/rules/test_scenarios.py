"""`handrail rules test`: anybody's scenarios run, exactly; a date a day off and an absence turned round both fail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.routing.law import FOLDER
from tests.support.rules_command import Ran, Rules

SHIPPED = sorted((FOLDER / "scenarios").glob("*.yaml"))
Scenarios = list[dict[str, Any]]


def read(path: Path) -> Scenarios:
    """Return the scenarios of a file with every scalar as text, read without Handrail."""
    found: Scenarios = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)["scenarios"]  # noqa: S506 - only text
    return found


def write(path: Path, scenarios: Scenarios) -> None:
    path.write_text(yaml.safe_dump({"scenarios": scenarios}, sort_keys=False, allow_unicode=True), "utf-8")


def listed(scenario: dict[str, Any], key: str) -> list[Any]:
    """Return the entries under a key; `none` and a key that is left out are none."""
    found = scenario.get(key, [])
    return found if isinstance(found, list) else []


def put(scenario: dict[str, Any], key: str, entries: list[Any]) -> dict[str, Any]:
    """Return the scenario with other entries under a key."""
    changed = deepcopy(scenario)
    changed.pop(key, None)
    return changed | ({key: entries} if entries else {})


def shifted(scenario: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the scenario once for each expected date and direction, with that date a day off."""
    for place, tells in enumerate(listed(scenario, "tells")):
        for days in (-1, 1) if "by" in tells else ():
            entries = deepcopy(scenario["tells"])
            entries[place]["by"] = str(date.fromisoformat(tells["by"]) + timedelta(days))
            yield f"by {tells['by']} {days:+}", put(scenario, "tells", entries)


def inverted(scenario: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the scenario with one absence turned round: told though not told, asked though not asked, and so on."""
    told, told_not = listed(scenario, "tells"), listed(scenario, "does not tell")
    for place, absent in enumerate(told_not):
        rest = put(scenario, "does not tell", [each for n, each in enumerate(told_not) if n != place])
        claimed = {"who": absent["who"], "under": "N-01", "state": "to send"}
        yield f"told {absent['who']}", put(rest, "tells", [*told, claimed])
        yield (
            f"not because {absent['who']}",
            put(scenario, "does not tell", [each | {"because": each["because"] + " not"} for each in told_not]),
        )
    for place, each in enumerate(told):
        rest = put(scenario, "tells", [other for n, other in enumerate(told) if n != place])
        yield f"not told {each['who']} {each['under']}", rest
        absent = {"who": each["who"], "because": "harm is other"}
        yield f"does not tell {each['who']} {each['under']}", put(rest, "does not tell", [*told_not, absent])
    for key, other in (("asks", "child.age_at_death of nobody"), ("cannot decide", "X-01")):
        entries = listed(scenario, key)
        yield f"also {key}", put(scenario, key, [*entries, other])
        for place in range(len(entries)):
            yield f"not {key} {place}", put(scenario, key, [each for n, each in enumerate(entries) if n != place])


def standing_alone(scenarios: Scenarios) -> Iterator[dict[str, Any]]:
    """Yield the scenarios with the facts that they take over from one another written out."""
    facts: dict[str, dict[str, Any]] = {}
    for scenario in scenarios:
        own = scenario.get("facts") or merged(facts[scenario["facts as in"]], scenario.get("and", {}))
        facts[scenario["name"]] = own
        yield {"facts": own, **{key: each for key, each in scenario.items() if key not in {"facts as in", "and"}}}


def merged(facts: dict[str, Any], differ: dict[str, Any]) -> dict[str, Any]:
    """Return facts with what differs; those of an authority stand in a mapping of their own."""
    both = {key: {**facts.get(key, {}), **each} for key, each in differ.items() if isinstance(each, dict)}
    return {**facts, **differ, **both}


def verdicts(ran: Ran) -> dict[tuple[str, str], str]:
    """Return `ok` or `FAIL` for each file and scenario that was printed."""
    found = re.findall(r"^(ok|FAIL) +(\S+):\d+ (.*)$", ran.out, re.MULTILINE)
    return {(Path(file).name, name): verdict for verdict, file, name in found}


def test_all_that_is_shipped_comes_out_as_written(rules: Rules) -> None:
    ran = rules("test", FOLDER / "scenarios")

    expected = {(path.name, each["name"]): "ok" for path in SHIPPED for each in read(path)}
    assert verdicts(ran) == expected
    assert ran.lines[-1] == f"{len(expected)} scenarios on rulebook 2026.11.0: none failed"
    assert ran.code == 0


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_each_date_a_day_off_and_each_absence_turned_round_fails_the_scenario(
    path: Path, tmp_path: Path, rules: Rules
) -> None:
    expected: dict[tuple[str, str], str] = {}
    kinds = set()
    for place, scenario in enumerate(standing_alone(read(path))):
        for number, (what, altered) in enumerate([*shifted(scenario), *inverted(scenario)]):
            file = tmp_path / f"{place}-{number}.yaml"
            write(file, [altered])
            expected[file.name, scenario["name"]] = "FAIL"
            kinds.add(what.split()[0])

    ran = rules("test", tmp_path)

    assert verdicts(ran) == expected
    assert kinds >= {"by", "not", "also", "does"}
    assert ran.code == 1


def test_a_date_a_day_off_says_what_was_expected_and_what_came_out(tmp_path: Path, rules: Rules) -> None:
    file = tmp_path / "mine.yaml"
    text = (FOLDER / "scenarios" / "at-05-weekend.yaml").read_text("utf-8")
    good = re.search(r"under: N-01\n +by: (\S+)", text)
    assert good
    file.write_text(text.replace(good[0], good[0].replace(good[1], "2026-06-30"), 1), "utf-8")

    ran = rules("test", file)

    line = text[: text.index("- who: panel")].count("\n") + 1
    assert f"line {line} expected: panel under N-01 by 2026-06-30: owed, awaiting a decision" in ran.lines
    assert f"line {line} came out: panel under N-01 by {good[1]}: owed, awaiting a decision" in ran.lines
    assert ran.lines[-1].endswith("1 failed")
    assert ran.code == 1


def test_scenarios_run_on_a_draft_that_is_named(tmp_path: Path, rules: Rules) -> None:
    draft = tmp_path / "draft.yaml"
    text = (FOLDER / "england" / "2026.11.0.yaml").read_text("utf-8")
    draft.write_text(text.split("\nexamples:\n", maxsplit=1)[0].replace("working days: 5", "working days: 4"), "utf-8")

    ran = rules("test", FOLDER / "scenarios" / "at-05-weekend.yaml", "--rulebook", draft)

    assert "FAIL" in verdicts(ran).values()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("scenarios:\n  - name: one\n    facts:\n      harn: death\n", "line 4: scenarios > entry 1 > facts > harn"),
        ("scenario:\n  - name: one\n", "unknown key, did you mean `scenarios`?"),
        ("scenarios: []\n", "braces or brackets are not used here"),
        ("", "the file is empty"),
    ],
)
def test_a_file_that_is_no_scenario_is_refused_with_its_line(
    content: str, says: str, tmp_path: Path, rules: Rules
) -> None:
    (tmp_path / "mine.yaml").write_text(content)

    ran = rules("test", tmp_path / "mine.yaml")

    assert ran.code == 1
    assert ran.err.startswith(f"handrail: {tmp_path / 'mine.yaml'}, line ")
    assert says in ran.err


def test_a_folder_without_a_scenario_is_no_success(tmp_path: Path, rules: Rules) -> None:
    ran = rules("test", tmp_path)

    assert (ran.code, ran.err) == (1, f"handrail: {tmp_path} holds no scenario: expected files that end in .yaml\n")
