"""Folders of rulebooks to change and release in, for tests. The names of people are invented."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from services.routing.checking import Report
from services.routing.domain.rulebook.release import Release
from services.routing.domain.rulebook.tree import Text
from services.routing.law import FOLDER, Law, Materials, Version
from services.routing.releasing import release

FIRST, SECOND, THIRD = "2026.11.0", "2026.12.0", "2027.1.0"
AT: Final = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
AUTHOR, APPROVER = "Ada Author", "Bo Approver"


def rulebooks(folder: Path) -> Path:
    """Return a copy of the shipped rulebooks with one scenario, which is quick to check."""
    made = Path(shutil.copytree(FOLDER, folder / "rulebooks"))
    for file in (made / "scenarios").glob("*.yaml"):
        if file.name != "at-10-scotland.yaml":
            file.unlink()
    return made


def draft(folder: Path, version: str = SECOND, *changes: tuple[str, str], of: str = FIRST) -> Path:
    """Write a version that differs from another by `changes`, each made once, and return its file."""
    text = (folder / "england" / f"{of}.yaml").read_text("utf-8").replace(f"version: {of}", f"version: {version}", 1)
    for good, bad in changes:
        assert good in text, good
        text = text.replace(good, bad, 1)
    file = folder / "england" / f"{version}.yaml"
    file.write_text(text, "utf-8")
    return file


def released(folder: Path, version: str = SECOND, *changes: tuple[str, str], of: str = FIRST) -> Release:
    """Write a version as `draft` does and release it, without looking for errors in it: that takes long."""
    draft(folder, version, *changes, of=of)
    return release(version, AUTHOR, APPROVER, AT, folder, lambda _file, _folder: Report(0, 0, 0, 0))


@cache
def national(version: str = FIRST, *changes: tuple[str, str]) -> Law:
    """Return the law with the national rules alone, changed, as if that were a version; its examples are left out."""
    text, _, _ = (FOLDER / "england" / f"{FIRST}.yaml").read_text("utf-8").partition("\nexamples:\n")
    text = text.replace(f"version: {FIRST}", f"version: {version}", 1)
    for good, bad in changes:
        assert good in text, good
        text = text.replace(good, bad, 1)
    file = Path(f"{version}.yaml")
    return Materials().law(Version(file, (Text(file.name, text),)))


LATER_REFERRAL: Final = (
    "working days: 1\n          from: reported_on",
    "working days: 2\n          from: reported_on",
)
"""N-11: the authority is told of another agency's report within two working days and not within one."""
NO_PARTNERSHIP: Final = (
    """\
      - tell: lscp-of(incident.area)
        send: referral
        within:
          working days: 1
          from: reported_on
          strength: local
          cite: default of this rulebook; local procedures say "as soon as aware"
        release: at once
        stops when: a named person at the partnership has accepted it
""",
    "",
)
"""N-11: the partnership is no longer told of another agency's report."""
