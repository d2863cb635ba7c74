"""Releases a version of the rulebook: when two people have agreed and everything holds, its record is written.

From then on services take it, and its files are never edited. This is the shell that reads and writes the files.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from services.kit.files import write_once
from services.routing.checking import Report, check_version
from services.routing.domain.rulebook.model import numbers
from services.routing.domain.rulebook.release import (
    SUFFIX,
    Release,
    WrongPeople,
    digest,
    two_people,
    write_release,
)
from services.routing.law import FOLDER, Version, counting, draft, no_such_rulebook, versions
from services.routing.missing import NotReleased


def release(
    version: str,
    author: str,
    approver: str,
    now: datetime,
    folder: Path = FOLDER,
    check: Callable[[Path, Path], Report] = check_version,
) -> Release:
    """Release a version and return its record, which stands next to its file.

    Args:
        version: Of the file `england/<version>.yaml`.
        author: Who wrote it.
        approver: Who approves it; somebody else.
        now: The wall clock.
        folder: Laid out like `rulebooks/`.
        check: Finds what is wrong with a file in its folder.

    Raises:
        NotReleased: The two are one person, the version is released already or not newer than the last, an example or
            scenario fails or something else is wrong with it, or it was changed meanwhile.
        NoSuchRulebook: There is no such file.
        RulebookRefused: A version that was released before was changed since.
    """
    try:
        people = two_people(author, approver)
    except WrongPeople as same:
        raise NotReleased(str(same)) from same
    file = next((each for each in versions(folder) if each.stem == version), None)
    if file is None:
        raise no_such_rulebook(version, folder)
    before = _before(version, counting(folder))
    wanted = draft(file, folder)
    if problems := check(file, folder).problems:
        raise NotReleased("\n  ".join((f"{version} is not released, {len(problems)} errors:", *problems)))
    if draft(file, folder) != wanted:
        raise NotReleased(f"{version} was changed while it was checked: do it again")
    record = file.with_suffix(SUFFIX)
    found = Release(
        version=version,
        supersedes=(before.name, before.sha256) if before else None,
        author=people[0],
        approved_by=people[1],
        released_at=now,
        sha256=wanted.sha256,
        files={Path(each.file).relative_to(folder).as_posix(): digest(each.text) for each in wanted.texts},
        file=str(record),
    )
    try:
        write_once(record, write_release(found))
    except FileExistsError:
        raise NotReleased(f"{record} stands there already") from None
    return found


def _before(version: str, known: list[Version]) -> Version | None:
    """Return the version that this one supersedes, None if it is the first."""
    same = next((each for each in known if each.name == version), None)
    if same is not None and same.release is not None:
        on, people = same.release.released_at, " and ".join(same.release.people)
        raise NotReleased(f"{version} was released on {on:%Y-%m-%d} by {people}; a change is a new version")
    last = known[-1]
    if numbers(version) < numbers(last.name):
        raise NotReleased(f"expected a version after {last.name}, which counts already, got {version}")
    return None if last.name == version else last
