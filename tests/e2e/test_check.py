"""`handrail demo --check` judges from outside: every story leads to what was worked out by hand, and one that does not fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from shutil import copy

from handrail.cli.demo import STORIES
from handrail.demo.areas import areas
from tests.support.installation import EVENTS

HANDRAIL = Path(sys.executable).parent / "handrail"
WIDE = {**os.environ, "COLUMNS": "240"}  # the tables break no sentence in this width

STORY = """
starts at: 2026-06-01T09:00:00+01:00
clients:
  - name: west-yorkshire-police
    body: police
    area: E08000035
steps:
  - title: The police report
    send: 01-police-report.json
    as: west-yorkshire-police
    says: It has an effect.
"""
NOTHING = """
cases: []
overdue: []
quarantined: []
kinds told: []
log: verifies
"""


def checked(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Check a story on an installation of its own."""
    return subprocess.run(
        [HANDRAIL, "demo", "--check", *arguments], capture_output=True, text=True, check=False, timeout=240, env=WIDE
    )


def test_the_demos_own_story_and_that_of_every_area_lead_to_what_was_worked_out_by_hand() -> None:
    done = checked("--all")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Everything holds.") == 1 + len(areas(STORIES)) == 6


def test_a_story_that_leads_to_more_than_is_expected_exits_1_and_says_what_is_too_much(tmp_path: Path) -> None:
    copy(EVENTS / "01-police-report.json", tmp_path)
    (tmp_path / "story.yaml").write_text(STORY)
    (tmp_path / "expected.yaml").write_text(NOTHING)

    done = checked("--events", tmp_path)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "WYP-2026-0001: lscp:E08000035 under N-11 by 2026-06-02, open" in " ".join(done.stdout.split())
