"""Which versions of the rulebook count, side by side, and that a released one which was changed is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.routing.domain.rulebook.tree import RulebookRefused
from services.routing.law import counting, read_law
from services.routing.laws import FolderOfLaws
from services.routing.missing import NoSuchRulebook
from tests.support.releases import APPROVER, AUTHOR, FIRST, SECOND, THIRD, draft, released, rulebooks

OVERLAY = "local/leeds/2026.11.0.yaml"
NOT_AN_EXAMPLE = ("owner: Safeguarding policy team ", "owner: Policy team ")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a copy of the rulebooks, of which nothing is released."""
    return rulebooks(tmp_path)


def names(folder: Path) -> list[str]:
    return [each.name for each in counting(folder)]


def cut_short(record: str) -> None:
    text = Path(record).read_text("utf-8")
    Path(record).unlink()
    Path(record).write_text(text[:-100], "utf-8")


def forget(record: str) -> None:
    Path(record).unlink()


def refusal(folder: Path) -> str:
    with pytest.raises(RulebookRefused) as refused:
        counting(folder)
    return str(refused.value)


def test_where_nothing_is_released_the_oldest_version_alone_counts_and_nobody_has_approved_it(folder: Path) -> None:
    draft(folder, SECOND)

    laws = FolderOfLaws(folder)

    assert [law.rulebook.version for law in laws.all] == [FIRST]
    assert not laws.newest.rulebook.approved
    with pytest.raises(NoSuchRulebook, match=f"{SECOND} is not released"):
        laws.of(SECOND)


@pytest.mark.parametrize("name", ["draft", f"{FIRST}-draft", "2026.10.0 (copy)"])
def test_a_draft_that_is_not_called_by_a_version_never_counts(name: str, folder: Path) -> None:
    file = draft(folder, SECOND, NOT_AN_EXAMPLE)
    file.rename(folder / "england" / f"{name}.yaml")

    assert [law.rulebook.version for law in FolderOfLaws(folder).all] == [FIRST]


def test_an_overlay_that_is_not_called_by_a_version_is_no_part_of_any(folder: Path) -> None:
    before = read_law(None, folder).rulebook
    overlay = folder / OVERLAY
    overlay.with_name(f"{FIRST}-draft.yaml").write_text("a draft", "utf-8")
    other = folder / "local" / "york"
    other.mkdir()
    (other / "draft.yaml").write_text("a draft", "utf-8")

    assert read_law(None, folder).rulebook == before


@pytest.mark.parametrize("said", [SECOND, f"{FIRST}-draft"])
def test_a_file_that_says_it_is_another_version_does_not_count_but_is_refused(said: str, folder: Path) -> None:
    file = folder / "england" / f"{FIRST}.yaml"
    file.write_text(file.read_text("utf-8").replace(f"version: {FIRST}", f"version: {said}", 1), "utf-8")

    assert refusal(folder) == f"{file}, line 1: is called otherwise than its version, {said}: name it after its version"


def test_a_version_in_quotes_is_the_same_version_with_its_overlays(folder: Path) -> None:
    file = folder / "england" / f"{FIRST}.yaml"
    file.write_text(file.read_text("utf-8").replace(f"version: {FIRST}", f"version: '{FIRST}'", 1), "utf-8")

    assert read_law(FIRST, folder).book.book.overlays


def test_released_versions_stand_side_by_side_and_drafts_are_not_loaded(folder: Path) -> None:
    released(folder, SECOND, NOT_AN_EXAMPLE)
    draft(folder, THIRD)

    laws = FolderOfLaws(folder)

    assert [law.rulebook.version for law in laws.all] == [FIRST, SECOND]
    assert (laws.newest.rulebook.version, laws.newest.rulebook.approved) == (SECOND, True)
    assert laws.newest.book.book.approved_by == (AUTHOR, APPROVER)
    assert laws.of(FIRST).rulebook == read_law(FIRST, folder).rulebook
    assert laws.of(FIRST).rulebook.sha256 != laws.newest.rulebook.sha256


def test_a_new_case_takes_the_newest_and_every_other_keeps_its_own_linked_ones_the_newest_of_theirs(
    folder: Path,
) -> None:
    released(folder, SECOND, NOT_AN_EXAMPLE)

    laws = FolderOfLaws(folder)

    assert laws.of_case(()).rulebook.version == SECOND
    assert laws.of_case({FIRST}).rulebook.version == FIRST
    assert laws.of_case({FIRST, SECOND}).rulebook.version == SECOND


def test_new_cases_can_be_held_to_a_version_that_counts_and_to_no_other(folder: Path) -> None:
    released(folder, SECOND, NOT_AN_EXAMPLE)
    draft(folder, THIRD)

    assert FolderOfLaws(folder, FIRST).newest.rulebook.version == FIRST
    with pytest.raises(NoSuchRulebook, match=f"{THIRD} is not released; versions that count: {FIRST}, {SECOND}"):
        FolderOfLaws(folder, THIRD)


def test_a_command_reads_a_draft_that_it_is_given_and_by_default_what_counts(folder: Path) -> None:
    file = draft(folder, SECOND, NOT_AN_EXAMPLE)

    assert read_law(SECOND, folder).rulebook == read_law(file, folder).rulebook
    assert read_law(None, folder).rulebook.version == FIRST


@pytest.mark.parametrize("path", [f"england/{SECOND}.yaml", OVERLAY])
def test_a_file_that_was_changed_after_its_release_is_refused_by_name(path: str, folder: Path) -> None:
    released(folder)
    changed = folder / path
    changed.write_text(changed.read_text("utf-8") + "\n# a harmless remark\n", "utf-8")

    said = refusal(folder)

    assert said.startswith(f"{changed}, line 1: changed after {SECOND} was released on 2026-11-27")
    assert "make the change in a new version" in said
    with pytest.raises(RulebookRefused):
        FolderOfLaws(folder)


def test_the_version_that_a_released_one_supersedes_is_never_edited_either(folder: Path) -> None:
    released(folder)
    first = folder / "england" / f"{FIRST}.yaml"
    first.write_text(first.read_text("utf-8") + "\n# a harmless remark\n", "utf-8")

    assert refusal(folder).startswith(f"{first}, line 1: changed after {SECOND} was released, which supersedes it")


def test_an_overlay_that_is_added_later_is_no_part_of_what_was_released(folder: Path) -> None:
    found = released(folder)
    (folder / "local" / "leeds" / f"{SECOND}.yaml").write_text("a draft", "utf-8")

    assert counting(folder)[-1].sha256 == found.sha256
    assert [*found.files][:1] == [f"england/{SECOND}.yaml"]


@pytest.mark.parametrize(
    ("good", "bad", "says"),
    [
        ("approved by: Bo Approver", "approved by: ada  áuthor", "approved by: expected two people"),
        ("approved by: Bo Approver", "approved by: '-'", "approved by: expected a person's name"),
        (f"version: {FIRST}", "version: 2026.10.0", "supersedes 2026.10.0, whose file is missing"),
        (f"release: {SECOND}", f"release: {THIRD}", f"is called otherwise than its version, {THIRD}"),
        ("released at: '2026-11-27T09:30:00+00:00'", "released at: today", "released at: expected an instant"),
        ("\nsha256: ", "\nsha256: 0", "sha256: expected a SHA-256"),
        ("author:", "auther:", "did you mean `author`?"),
        (f"  {OVERLAY}:", "  local/leeds/2026.1.0.yaml:", "a part of this release, is missing"),
    ],
)
def test_a_record_that_is_wrong_is_refused_with_its_file_and_a_hint(
    good: str, bad: str, says: str, folder: Path
) -> None:
    record = Path(released(folder).file)
    text = record.read_text("utf-8")
    assert good in text
    record.unlink()
    record.write_text(text.replace(good, bad, 1), "utf-8")

    said = refusal(folder)

    assert said.startswith(f"{record}, line ")
    assert says in said


def test_a_record_of_other_files_than_it_says_is_refused(folder: Path) -> None:
    record = Path(released(folder).file)
    text = record.read_text("utf-8")
    record.unlink()
    record.write_text(text[: text.index("  local/halton")], "utf-8")

    assert "the sha256 is not that of the files" in refusal(folder)


def test_each_release_supersedes_the_one_before_and_no_other(folder: Path) -> None:
    released(folder, SECOND, NOT_AN_EXAMPLE)
    last = Path(released(folder, THIRD).file)
    assert names(folder) == [FIRST, SECOND, THIRD]
    text = last.read_text("utf-8")
    last.unlink()
    last.write_text(text.replace(f"version: {SECOND}", f"version: {FIRST}"), "utf-8")

    assert f"supersedes: expected {SECOND}, the version before" in refusal(folder)


def test_the_first_version_can_be_released_too_and_supersedes_nothing(folder: Path) -> None:
    found = released(folder, FIRST)

    assert found.supersedes is None
    assert names(folder) == [FIRST]
    assert FolderOfLaws(folder).newest.rulebook.approved


async def test_a_release_is_taken_at_the_next_look_and_what_is_refused_changes_nothing(folder: Path) -> None:
    laws, told = FolderOfLaws(folder), []
    laws.after_change.append(lambda: told.append(laws.newest.rulebook.version))
    await laws.look()

    record = released(folder, SECOND, NOT_AN_EXAMPLE).file
    await laws.look()
    await laws.look()
    cut_short(record)
    await laws.look()

    assert told == [SECOND]
    assert [law.rulebook.version for law in laws.all] == [FIRST, SECOND]


async def test_a_release_that_cannot_be_read_for_want_of_memory_changes_nothing_and_is_taken_later(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_arguments: object) -> None:
        raise MemoryError

    laws = FolderOfLaws(folder, retry_s=0)
    released(folder, SECOND, NOT_AN_EXAMPLE)
    with monkeypatch.context() as patched:
        patched.setattr(asyncio, "to_thread", refused)
        await laws.look()
        assert (laws.newest.rulebook.version, laws.refused) == (FIRST, "MemoryError")

    await laws.look()

    assert (laws.newest.rulebook.version, laws.refused) == (SECOND, None)


async def test_a_record_that_comes_before_its_files_is_read_again_until_they_are_there(folder: Path) -> None:
    laws = FolderOfLaws(folder, retry_s=0)
    released(folder, SECOND, NOT_AN_EXAMPLE)
    file, overlay = folder / "england" / f"{SECOND}.yaml", folder / OVERLAY
    texts = {each: each.read_text("utf-8") for each in (file, overlay)}
    for each in texts:
        each.unlink()

    with capture_logs() as logged:
        await laws.look()
        await laws.look()
        assert f"england/{SECOND}.yaml, a part of this release, is missing" in str(laws.refused)
        file.write_text(texts[file], "utf-8")
        await laws.look()
        assert OVERLAY in str(laws.refused)
        overlay.write_text(texts[overlay], "utf-8")
        await laws.look()

    assert laws.newest.rulebook.version == SECOND
    assert laws.refused is None
    assert [each["event"] for each in logged] == ["rulebook.refused", "rulebook.refused", "rulebook.taken"]


async def test_what_is_refused_is_not_read_again_at_every_look(folder: Path) -> None:
    laws = FolderOfLaws(folder)
    file = Path(released(folder, SECOND, NOT_AN_EXAMPLE).file).with_suffix(".yaml")
    text = file.read_text("utf-8")
    file.unlink()
    await laws.look()
    file.write_text(text, "utf-8")

    await laws.look()

    assert laws.newest.rulebook.version == FIRST


async def test_a_record_that_is_taken_away_again_is_refused_no_more(folder: Path) -> None:
    laws = FolderOfLaws(folder)
    record = released(folder, SECOND, NOT_AN_EXAMPLE).file
    cut_short(record)
    await laws.look()
    assert "not that of the files" in str(laws.refused)
    forget(record)

    await laws.look()

    assert laws.refused is None


async def test_without_a_record_a_new_file_is_not_taken_however_complete_it_is(folder: Path) -> None:
    laws = FolderOfLaws(folder)
    draft(folder, SECOND)

    await laws.look()

    assert laws.newest.rulebook.version == FIRST
