"""`handrail demo --check` judges from outside: every story leads to what was worked out by hand, and one that does not fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree

from handrail.cli.demo import STORIES
from handrail.demo.areas import areas
from tests.support.installation import EVENTS

HANDRAIL = Path(sys.executable).parent / "handrail"
WIDE = {**os.environ, "COLUMNS": "240"}  # the tables break no sentence in this width


def checked(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Check a story on an installation of its own."""
    return subprocess.run(
        [HANDRAIL, "demo", "--check", *arguments], capture_output=True, text=True, check=False, timeout=240, env=WIDE
    )


def test_the_demos_own_story_and_that_of_every_area_lead_to_what_was_worked_out_by_hand() -> None:
    done = checked("--all")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Everything holds.") == 1 + len(areas(STORIES)) == 6


def test_the_command_exits_1_when_the_expectations_beside_the_story_say_otherwise(tmp_path: Path) -> None:
    events = copytree(EVENTS, tmp_path / "events")
    page = events / "expected.yaml"
    page.write_text(page.read_text().replace("2026-06-08", "2026-06-09", 1))

    done = checked("--events", events)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "panel under N-01 by 2026-06-09" in " ".join(done.stdout.split())
