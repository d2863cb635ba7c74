"""`handrail rules release` and `verify`: two people let a version count, a person has compared a rule with the full text."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml

from services.routing.checking import Report
from services.routing.law import counting, read_law
from services.routing.missing import NotReleased
from services.routing.releasing import release
from tests.support.releases import APPROVER, AT, AUTHOR, FIRST, SECOND, THIRD, draft, released, rulebooks
from tests.support.rules_command import Ran, Rules

EXAMPLE_FAILS = ("working days: 5\n          from the later of", "working days: 4\n          from the later of")
PEOPLE = ("--author", "Ada Author", "--approved-by", "Bo Approver")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a copy of the rulebooks, which the commands then use."""
    made = rulebooks(tmp_path)
    monkeypatch.setenv("HANDRAIL_RULEBOOKS", str(made))
    return made


def records(folder: Path) -> list[str]:
    return [file.name for file in sorted((folder / "england").iterdir()) if file.suffix != ".yaml"]


def refused(ran: Ran) -> str:
    assert (ran.code, ran.out) == (1, "")
    return ran.err


def test_a_release_writes_a_record_with_both_people_and_the_digest_of_every_file(folder: Path, rules: Rules) -> None:
    draft(folder)

    ran = rules("release", SECOND, *PEOPLE)

    assert ran.code == 0, ran.err
    record = folder / "england" / f"{SECOND}.release"
    said = yaml.safe_load(record.read_text("utf-8"))
    files = [folder / "england" / f"{SECOND}.yaml", *sorted((folder / "local").glob("*/*.yaml"))]
    assert said["files"] == {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    }
    assert (said["author"], said["approved by"]) == ("Ada Author", "Bo Approver")
    assert said["supersedes"] == {"version": FIRST, "sha256": read_law(FIRST, folder).rulebook.sha256}
    assert said["sha256"] == read_law(SECOND, folder).rulebook.sha256
    assert not record.stat().st_mode & 0o222
    assert ran.lines[0] == f"{SECOND} is released: written by Ada Author, approved by Bo Approver"
    assert ran.lines[-1] == f"It supersedes {FIRST}: cases that were decided by that keep it until they are migrated."


@pytest.mark.parametrize(
    ("author", "approver", "says"),
    [
        ("Ada Author", "Ada Author", "expected two people"),
        ("Ada Author", "ada  author", "expected two people"),
        ("Zoë O'Neil", "Zoe ONeil", "expected two people"),
        ("Ada Author", " ", "expected a person's name"),
        ("12", "Bo Approver", "expected a person's name"),
    ],
)
def test_whoever_wrote_it_does_not_approve_it(
    author: str, approver: str, says: str, folder: Path, rules: Rules
) -> None:
    draft(folder)

    assert says in refused(rules("release", SECOND, "--author", author, "--approved-by", approver))
    assert records(folder) == []


def test_a_version_of_which_an_example_fails_is_not_released(folder: Path, rules: Rules) -> None:
    file = draft(folder, SECOND, EXAMPLE_FAILS)

    said = refused(rules("release", SECOND, *PEOPLE))

    assert f"{SECOND} is not released, " in said
    assert f"{file}, line " in said
    assert "fails: " in said
    assert records(folder) == []


def test_a_version_of_which_a_scenario_fails_is_not_released(folder: Path, rules: Rules) -> None:
    draft(folder)
    scenario = folder / "scenarios" / "at-10-scotland.yaml"
    text = scenario.read_text("utf-8")
    scenario.write_text(text.replace("by: ", "by: 2027-01-01 #", 1), "utf-8")

    said = refused(rules("release", SECOND, *PEOPLE))

    assert f"{scenario}, line " in said
    assert "by 2027-01-01" in said
    assert records(folder) == []


def test_a_provision_that_is_not_listed_and_a_file_of_another_name_stop_a_release_too(
    folder: Path, rules: Rules
) -> None:
    draft(folder, SECOND, ("cite: Children Act 2004, section 16C(1)(a)", "cite: Children Act 2005"))
    draft(folder, SECOND).rename(folder / "england" / f"{THIRD}.yaml")

    assert "is called otherwise than its version" in refused(rules("release", THIRD, *PEOPLE))
    draft(folder, SECOND, ("cite: Children Act 2004, section 16C(1)(a)", "cite: Children Act 2005"))
    assert "which instruments.yaml does not list" in refused(rules("release", SECOND, *PEOPLE))


def test_a_version_that_is_changed_while_it_is_checked_is_not_released(folder: Path) -> None:
    draft(folder)

    def meanwhile(file: Path, _folder: Path) -> Report:
        file.write_text(file.read_text("utf-8") + "\n# one word more\n", "utf-8")
        return Report(0, 0, 0, 0)

    with pytest.raises(NotReleased, match="was changed while it was checked"):
        release(SECOND, AUTHOR, APPROVER, AT, folder, meanwhile)

    assert records(folder) == []


def test_a_version_is_released_once_and_only_after_those_that_count(folder: Path, rules: Rules) -> None:
    released(folder, SECOND)
    draft(folder, "2026.11.5")

    again = refused(rules("release", SECOND, *PEOPLE))
    older = refused(rules("release", "2026.11.5", *PEOPLE))
    nothing = refused(rules("release", THIRD, *PEOPLE))

    assert f"{SECOND} was released on 2026-11-27 by Ada Author and Bo Approver; a change is a new version" in again
    assert f"expected a version after {SECOND}, which counts already, got 2026.11.5" in older
    assert f"there is no rulebook {THIRD}" in nothing
    assert records(folder) == [f"{SECOND}.release"]


def test_nothing_is_released_after_a_version_that_was_changed_since(folder: Path, rules: Rules) -> None:
    released(folder, SECOND)
    changed = folder / "england" / f"{SECOND}.yaml"
    draft(folder, THIRD)
    changed.write_text(changed.read_text("utf-8") + "\n# one word more\n", "utf-8")

    assert f"{changed}, line 1: changed after {SECOND} was released" in refused(rules("release", THIRD, *PEOPLE))


def test_a_check_of_the_folder_says_who_approved_a_version_and_that_a_file_was_changed(
    folder: Path, rules: Rules
) -> None:
    released(folder, SECOND)

    good = rules("check", folder)
    changed = folder / "local" / "leeds" / "2026.11.0.yaml"
    changed.write_text(changed.read_text("utf-8") + "\n# one word more\n", "utf-8")
    bad = rules("check", folder)

    assert any(
        line.startswith(f"rulebook      {SECOND}: ") and line.endswith("approved by Ada Author and Bo Approver")
        for line in good.lines
    )
    assert good.lines[-1] == "0 errors"
    assert bad.code == 1
    assert f"wrong {changed}, line 1: changed after {SECOND} was released" in bad.out


def test_that_a_person_verified_a_rule_is_written_into_the_draft_and_nothing_else(folder: Path, rules: Rules) -> None:
    file = draft(folder)
    before = file.read_text("utf-8").split("\n")

    ran = rules("verify", "N-02", "--by", "Cy  O'Lawyer")

    assert ran.code == 0, ran.err
    assert ran.lines == [f"That N-02 was verified stands in {file}"]
    after = file.read_text("utf-8").split("\n")
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [old.strip() for old, _ in changed] == ["verified: false"]
    book = read_law(SECOND, folder).book.book
    assert [rule.id for rule in book.rules if rule.source.verified] == ["N-02"]
    assert book.rule("N-02").source.verified.startswith("Cy O'Lawyer, 20")


def test_a_rule_of_an_overlay_is_verified_in_its_own_file(folder: Path, rules: Rules) -> None:
    draft(folder)

    assert rules("verify", "X-01", "--by", "Cy Lawyer").code == 0

    assert "verified: 'Cy Lawyer, 20" in (folder / "local" / "leeds" / "2026.11.0.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("rule", "by", "says"),
    [
        ("N-99", "Cy Lawyer", f"{SECOND} has no rule N-99"),
        ("N-01", " ", "expected a person's name"),
        ("N-03", "Cy Lawyer", "N-03 was verified already: Someone, 2026-11-01"),
    ],
)
def test_what_cannot_be_verified_is_refused(rule: str, by: str, says: str, folder: Path, rules: Rules) -> None:
    file = draft(folder)
    text = file.read_text("utf-8")
    place = text.index("verified: false", text.index("- id: N-03"))
    file.write_text(text[:place] + text[place:].replace("verified: false", "verified: Someone, 2026-11-01", 1), "utf-8")

    assert says in refused(rules("verify", rule, "--by", by))


def test_a_released_version_is_not_edited_not_even_to_say_that_somebody_verified_a_rule(
    folder: Path, rules: Rules
) -> None:
    released(folder, SECOND)
    national = refused(rules("verify", "N-01", "--by", "Cy Lawyer"))
    draft(folder, THIRD)
    local = refused(rules("verify", "X-01", "--by", "Cy Lawyer"))

    assert f"{SECOND} is released and never edited: copy it to a new version" in national
    assert f"local/leeds/2026.11.0.yaml is part of a release and never edited: copy it to `{THIRD}.yaml`" in local
    assert counting(folder)
