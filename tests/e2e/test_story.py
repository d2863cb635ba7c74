"""The story leads to exactly what was worked out by hand, and every single expectation can fail."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from handrail.cli.demo import report
from handrail.demo.expected import Expected, load_expected
from handrail.demo.judge import judge
from tests.support.expectations import alterations
from tests.support.installation import EVENTS, played_demo

EXPECTED = load_expected(EVENTS / "expected.yaml")
HANDRAIL = Path(sys.executable).parent / "handrail"
ANOTHER = """
starts at: 2026-06-01T09:00:00+01:00
clients:
  - name: west-yorkshire-police
    body: police
    area: E08000035
    recipient: police:west-yorkshire
steps:
  - title: The police report another case
    send: report.json
    as: west-yorkshire-police
    says: It has an effect.
  - title: The clock goes back to where the demo's own story ended
    clock: +8d
    says: So that this story leaves it as it was.
"""
NOTHING = """
cases: []
overdue: []
quarantined: []
kinds told: []
log: verifies
"""
ALTERED = list(alterations(EXPECTED))


def test_the_story_leads_to_exactly_what_was_worked_out_by_hand() -> None:
    demo = played_demo()

    findings = judge(demo.observed, demo.expected)

    assert [finding for finding in findings if not finding.holds] == []


@pytest.mark.parametrize("altered", [expected for _, expected in ALTERED], ids=[name for name, _ in ALTERED])
def test_each_altered_expectation_fails_the_check(altered: Expected) -> None:
    findings = judge(played_demo().observed, altered)

    assert report(Console(file=io.StringIO()), findings) == 1


def test_the_command_exits_1_and_says_what_is_too_much_when_a_story_leads_to_more_than_is_expected(
    tmp_path: Path,
) -> None:
    report_again = (EVENTS / "01-police-report.json").read_text().replace("0001", "0300")
    for name, text in (("report.json", report_again), ("story.yaml", ANOTHER), ("expected.yaml", NOTHING)):
        (tmp_path / name).write_text(text)

    done = subprocess.run(
        [HANDRAIL, "demo", "--check", "--events", tmp_path, "--data", played_demo().installation.folder],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**os.environ, "COLUMNS": "240"},  # the table breaks no sentence in this width
    )

    assert done.returncode == 1, done.stdout + done.stderr
    assert "WYP-2026-0300: lscp:E08000035 under N-11 by 2026-06-02, open" in " ".join(done.stdout.split())
