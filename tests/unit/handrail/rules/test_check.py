"""`handrail rules check`: counts what there is, and says everything that is wrong with file, line and a hint."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.routing.law import FOLDER
from tests.support.rules_command import BOOK, Rules

VERSION = "england/2026.11.0.yaml"
LOCAL = "local/leeds/2026.11.0.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a copy of the rulebooks to spoil."""
    return Path(shutil.copytree(FOLDER, tmp_path / "rulebooks"))


def spoil(file: Path, good: str, bad: str) -> int:
    """Put one thing wrong, the first time that it stands in the file; return its line."""
    text = file.read_text("utf-8")
    assert good in text
    file.write_text(text.replace(good, bad, 1), "utf-8")
    return text[: text.index(good)].count("\n") + 1


def entries(path: Path, key: str) -> list[Any]:
    """Return the entries of a file, read without Handrail."""
    found: list[Any] = yaml.safe_load(path.read_text("utf-8"))[key]
    return found


def test_what_is_shipped_is_counted_and_has_no_error(rules: Rules) -> None:
    listed = BOOK["rules"]
    unverified = [each["id"] for each in listed if each["source"]["verified"] is False]
    files = sorted((FOLDER / "scenarios").glob("*.yaml"))
    bodies, areas = (entries(FOLDER / "register" / "areas.yaml", key) for key in ("bodies", "areas"))

    checked = rules("check")

    assert checked.code == 0, checked.out
    words = yaml.safe_load(Path("schemas/vocabulary/facts.yaml").read_text())
    personal = [name for name, word in words.items() if word.get("personal")]
    assert checked.lines[:2] == [
        f"vocabulary    {len(words) - len(personal)} facts, {len(personal)} personal fields that no rule can use",
        f"register      {len(areas)} areas, {len(bodies)} bodies",
    ]
    assert f"provisions    {len(entries(FOLDER / 'instruments.yaml', 'instruments'))}, 0 verified" in checked.lines
    cited = {
        words: (FOLDER / each["text"]).read_text("utf-8")
        for each in entries(FOLDER / "instruments.yaml", "instruments")
        if "text" in each
        for words in each["cited as"]
    }
    quotes = [each["source"]["quote"] for each in listed if each["source"]["cite"] in cited]
    assert f"quotes      {len(quotes)} of {len(listed)} stand in a provision whose words are kept here" in checked.lines
    assert len(quotes) >= 15
    examples = len(entries(FOLDER / VERSION, "examples"))
    assert f"rulebook      2026.11.0: {len(listed)} rules, {examples} examples, not approved" in checked.lines
    assert f"verified    {len(listed) - len(unverified)}" in checked.lines
    assert f"unverified  {len(unverified)}: {', '.join(unverified)}" in checked.lines
    assert (
        f"scenarios     {sum(len(entries(each, 'scenarios')) for each in files)} in {len(files)} files" in checked.lines
    )
    rows = re.findall(r"^\| ([A-Z]-\d\w+) \|[^|]+\|([^|]*)\|", (FOLDER / "coverage.md").read_text(), re.MULTILINE)
    left = [row for row, encoded in rows if not encoded.strip()]
    counted = f"{len(rows)} rows of the law, {len(rows) - len(left)} encoded, {len(left)} not: {', '.join(left)}"
    assert f"coverage      {counted}" in checked.lines
    assert checked.lines[-1] == "0 errors"


@pytest.mark.parametrize(
    ("good", "bad", "says"),
    [
        ("| N-01 | |", "| N-99 | |", "N-01 names rule N-99, which 2026.11.0 does not have"),
        ("| N-18 | |", "| | |", "N-18 names no rule and does not say why"),
        ("| N-18 | |", "| N-01 | |", "no row of the law names rule N-18"),
    ],
)
def test_coverage_and_rulebook_must_know_each_other(good: str, bad: str, says: str, folder: Path, rules: Rules) -> None:
    spoil(folder / "coverage.md", good, bad)

    checked = rules("check", folder)

    assert checked.code == 1
    assert says in checked.out


def test_a_rule_that_somebody_has_verified_is_no_longer_listed(folder: Path, rules: Rules) -> None:
    spoil(folder / VERSION, "verified: false ", "verified: A. Lawyer, 2026-11-20 ")

    checked = rules("check", folder)

    assert checked.code == 0, checked.out
    assert "verified    1" in checked.lines
    others = len(BOOK["rules"]) - 1
    assert any(line.startswith(f"unverified  {others}: N-02, N-03") for line in checked.lines)


@pytest.mark.parametrize(
    ("file", "good", "bad", "says"),
    [
        (
            VERSION,
            "harn is: death".replace("harn", "harm"),
            "harn is: death",
            "unknown fact `harn`, did you mean `harm`?",
        ),
        (VERSION, "tell: ofsted", "tell: offsted", "unknown recipient `offsted`, did you mean `ofsted`?"),
        (VERSION, "duty: should", "duty: shuold", "did you mean `should`?"),
        ("register/areas.yaml", "kind: panel", "kind: pannel", "did you mean `panel`?"),
        ("instruments.yaml", "title: Children Act 2004", "titel: Children Act 2004", "did you mean `title`?"),
        (
            "instruments.yaml",
            "- Working Together 2023, chapter 5\n",
            "- Children Act 2004, section 16C(1)(a)\n",
            "twice",
        ),
        ("instruments.yaml", "https://", "http://", "expected a link that starts with https://"),
        ("scenarios/at-05-weekend.yaml", "harm: death", "harm: deth", "did you mean death?"),
    ],
)
def test_a_slip_is_said_with_file_line_and_a_hint(
    file: str, good: str, bad: str, says: str, folder: Path, rules: Rules
) -> None:
    line = spoil(folder / file, good, bad)

    checked = rules("check", folder)

    assert checked.code == 1
    wrong = [each for each in checked.lines if each.startswith(f"wrong {folder / file}, line {line}: ")]
    assert len(wrong) == 1, checked.out
    assert says in wrong[0]


@pytest.mark.parametrize(
    ("rule", "good", "bad", "says"),
    [
        (
            "N-01",
            "quote: the child dies or is seriously harmed in",
            "quote: the child dies or is badly harmed in",
            (
                "N-01 quotes `the child dies or is badly harmed in the local authority's area`, which does not stand (there) "
                "in Children Act 2004, section 16C(1)(a); copy its words"
            ),
        ),
        (
            "L-06",
            "quote: must include ... a summary of any recommended improvements ... ",
            "quote: a summary of any recommended improvements ... must include ... ",
            "L-06 quotes `must include`, which does not stand (there)",
        ),
    ],
)
def test_a_quote_has_the_words_of_a_provision_that_is_kept_in_their_order(
    rule: str, good: str, bad: str, says: str, folder: Path, rules: Rules
) -> None:
    spoil(folder / VERSION, good, bad)
    line = (folder / VERSION).read_text("utf-8").split(f"- id: {rule}\n")[0].count("\n") + 1

    checked = rules("check", folder)

    assert checked.code == 1
    wrong = [each for each in checked.lines if each.startswith(f"wrong {folder / VERSION}, line {line}: ")]
    assert len(wrong) == 1, checked.out
    assert says in wrong[0]


def test_words_of_a_provision_that_are_not_there_are_missed(folder: Path, rules: Rules) -> None:
    (folder / "texts" / "si2018-789.txt").unlink()

    checked = rules("check", folder)

    assert checked.code == 1
    assert "si2018-789.txt is missing; si2018-789 says that it has the provision's own words" in checked.out


def test_a_provision_that_is_not_listed_is_named_with_the_rule_that_cites_it(folder: Path, rules: Rules) -> None:
    spoil(folder / VERSION, "cite: GOV.UK, report a serious", "cite: GOV.UK, raport a serious")

    checked = rules("check", folder)

    assert checked.code == 1
    assert (
        "N-06 cites `GOV.UK, raport a serious child safeguarding incident`, which instruments.yaml does not list, "
        "did you mean `GOV.UK, report a serious child safeguarding incident`?" in checked.out
    )


def test_a_source_of_an_edition_that_is_not_listed_is_named_with_the_edition(folder: Path, rules: Rules) -> None:
    line = spoil(
        folder / VERSION, "cite: Working Together 2015, chapter 4\n", "cite: Working Together 2015, chapter 5\n"
    )

    checked = rules("check", folder / VERSION)

    assert checked.code == 1
    assert (
        f"line {line - 3}: RB-2015 cites `Working Together 2015, chapter 5`, which instruments.yaml does not list, "
        "did you mean `Working Together 2015, chapter 4`?" in checked.out
    )


def test_an_example_and_a_scenario_that_come_out_otherwise_are_told_with_what_was_expected(
    folder: Path, rules: Rules
) -> None:
    example = spoil(folder / LOCAL, "by: 2026-06-03", "by: 2026-06-04") - 2
    line = spoil(folder / "scenarios" / "at-10-scotland.yaml", "by: ", "by: 2027-01-01 #") - 2

    alone = rules("check", folder / VERSION)
    spoil(folder / LOCAL, "by: 2026-06-04", "by: 2026-06-03")
    together = rules("check", folder)

    assert (alone.code, together.code) == (1, 1)
    said = f"line {example}: expected lscp-of(E08000035) under X-01 by 2026-06-04: to send, got lscp-of(E08000035)"
    assert said in alone.out
    assert f"wrong {folder}/scenarios/at-10-scotland.yaml, line {line}: scenario `" in together.out
    assert "by 2027-01-01" in together.out


def test_every_file_that_is_wrong_is_said_at_once(folder: Path, rules: Rules) -> None:
    spoil(folder / "scenarios" / "at-05-weekend.yaml", "harm: death", "harm: deth")
    spoil(folder / "scenarios" / "at-02-leeds.yaml", "harm: death", "harm: deth")
    (folder / "instruments.yaml").unlink()
    (folder / "england" / "2026.10.0.yaml").write_bytes(b"\xff\xfe")

    checked = rules("check", folder)

    wrong = [line for line in checked.lines if line.startswith("wrong ")]
    for said in ("at-05-weekend.yaml, line", "at-02-leeds.yaml, line", "instruments.yaml is missing", "text in UTF-8"):
        assert sum(said in line for line in wrong) == 1, checked.out
    assert checked.lines[-1] == f"{len(wrong)} errors"
    assert checked.code == 1


def test_a_file_that_is_called_otherwise_than_its_version_is_wrong(folder: Path, rules: Rules) -> None:
    (folder / VERSION).rename(folder / "england" / "2026.12.0.yaml")

    checked = rules("check", folder)

    assert checked.code == 1
    assert "2026.12.0.yaml, line 1: is called otherwise than its version, 2026.11.0" in checked.out
    assert checked.lines[-1] == "1 errors"


@pytest.mark.parametrize("path", ["england/2026.12.0-draft.yaml", "local/leeds/draft.yaml"])
def test_a_file_that_is_not_called_by_a_version_is_wrong(path: str, folder: Path, rules: Rules) -> None:
    shutil.copy(folder / VERSION, folder / path)

    checked = rules("check", folder)

    assert checked.code == 1
    assert f"wrong {folder / path}, line 1: is not called by a version, so that it never counts" in checked.out


def test_a_rulebook_alone_is_checked_with_its_examples_and_without_scenarios(folder: Path, rules: Rules) -> None:
    draft = folder / "draft.yaml"
    shutil.copy(folder / VERSION, draft)

    checked = rules("check", draft)

    assert checked.code == 0, checked.out
    assert not any(line.startswith("scenarios") for line in checked.lines)


def test_what_is_no_folder_of_rulebooks_is_refused_in_one_line(tmp_path: Path, rules: Rules) -> None:
    checked = rules("check", tmp_path)

    assert checked.code == 1
    assert checked.err == (
        f"handrail: {tmp_path} is no rulebook, and no folder with england/*.yaml and register/areas.yaml\n"
    )
