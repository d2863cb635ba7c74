"""`handrail demo --check --all` plays every story on one installation, and each leads to what was worked out by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from handrail.cli.demo import STORIES
from handrail.demo.areas import areas

HANDRAIL = Path(sys.executable).parent / "handrail"


def test_the_demos_own_story_and_that_of_every_area_lead_to_what_was_worked_out_by_hand() -> None:
    done = subprocess.run(
        [HANDRAIL, "demo", "--check", "--all"], capture_output=True, text=True, check=False, timeout=900
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Everything holds.") == 1 + len(areas(STORIES)) == 6
