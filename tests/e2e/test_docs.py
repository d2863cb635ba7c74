"""The commands of the tutorial and the guides do what the pages say, on a running demo after its story.

Blocks marked `console` are typed as they stand, in order, one shell per command, in a folder with `examples` and `rulebooks` alone.
In the output that a page shows, `...` stands for anything, on a line or for lines.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import READY_S
from tests.support.docs import ROOT, Document, documents
from tests.support.installation import PlayedDemo, played_demo

TYPED = [page for page in documents() if any(block.language == "console" for block in page.blocks())]


def steps(page: Document) -> list[tuple[str, str]]:
    """Return each command with the output that the page shows for it."""
    found: list[tuple[str, str]] = []
    for block in page.blocks():
        if block.language == "console":
            for part in re.split(r"^\$ ", block.body, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                found.append((command, output.strip()))
    return found


def fits(output: str, shown: str) -> bool:
    """Say whether `output` is what a page shows."""
    pattern = re.escape(shown).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, output.strip(), re.DOTALL) is not None


def typed(command: str, folder: Path, demo: PlayedDemo) -> str:
    """Type a command as a reader would and return what it prints."""
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": search, "HANDRAIL_DATA": str(demo.installation.folder), "COLUMNS": "120"}
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=READY_S
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("page", TYPED, ids=[str(page.path.relative_to(ROOT)) for page in TYPED])
def test_every_command_of_the_page_prints_what_the_page_shows(page: Document, tmp_path: Path) -> None:
    demo = played_demo()
    for folder in ("examples", "rulebooks"):
        (tmp_path / folder).symlink_to(ROOT / folder)

    for command, shown in steps(page):
        output = typed(command, tmp_path, demo)
        assert fits(output, shown), f"$ {command}\n{output}\nshown on the page:\n{shown}"


def test_the_tutorial_and_the_guides_are_among_the_pages() -> None:
    assert len(TYPED) >= 3


@pytest.mark.parametrize(
    ("output", "shown", "expected"),
    [
        ("one\ntwo", "one\n...", True),
        ("verified: 12 entries", "verified: ... entries", True),
        ("one\ntwo", "one", False),
        ("", "verified", False),
    ],
)
def test_what_is_shown_is_compared_with_what_is_printed(output: str, shown: str, *, expected: bool) -> None:
    assert fits(output, shown) is expected
