"""The story leads to exactly what was worked out by hand, and every single expectation can fail."""

from __future__ import annotations

import dataclasses
import io
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest
from rich.console import Console

from handrail.cli.demo import report
from handrail.demo.expected import Expected, Told, load_expected
from handrail.demo.judge import judge
from tests.support.installation import EVENTS, played_demo

EXPECTED = load_expected(EVENTS / "expected.yaml")
HANDRAIL = Path(sys.executable).parent / "handrail"


def replaced(expected: Expected, part: str, told: Counter[Told]) -> Expected:
    """Return the expectations with one part replaced."""
    if part == "told":
        return dataclasses.replace(expected, told=+told)
    return dataclasses.replace(expected, never_told=+told)


def alterations(expected: Expected) -> Iterator[tuple[str, Expected]]:
    """Yield every expectation altered on its own: each date, state, recipient, rule and count, and each left out."""
    for part in ("told", "never_told"):
        told = getattr(expected, part)
        for item in told:
            for change in ({"by": "2026-06-09"}, {"state": "superseded"}, {"who": "la:E09000029"}, {"under": "N-02"}):
                altered = Counter(told)
                altered[item] -= 1
                altered[dataclasses.replace(item, **change)] += 1
                yield f"{part}: {item.case} {item.who} {change}", replaced(expected, part, altered)
            without = Counter(told)
            without[item] -= 1
            yield f"{part}: without {item.case} {item.who}", replaced(expected, part, without)
    for late in expected.overdue:
        for count in (expected.overdue[late] - 1, expected.overdue[late] + 1):
            altered_late = Counter(expected.overdue) | Counter({late: count})
            altered_late[late] = count
            yield f"overdue: {late} {count}", dataclasses.replace(expected, overdue=+altered_late)
    yield "quarantined", dataclasses.replace(expected, quarantined={"intake": 2})
    yield "kinds", dataclasses.replace(expected, kinds=expected.kinds - {"panel"})
    yield "log", dataclasses.replace(expected, log="does not verify")


ALTERED = list(alterations(EXPECTED))


def test_the_story_leads_to_exactly_what_was_worked_out_by_hand() -> None:
    demo = played_demo()

    findings = judge(demo.observed, demo.expected)

    assert [finding for finding in findings if not finding.holds] == []


@pytest.mark.parametrize("altered", [expected for _, expected in ALTERED], ids=[name for name, _ in ALTERED])
def test_each_altered_expectation_fails_the_check(altered: Expected) -> None:
    findings = judge(played_demo().observed, altered)

    assert report(Console(file=io.StringIO()), findings) == 1


def test_the_command_exits_0_on_the_story_as_it_is() -> None:
    done = subprocess.run([HANDRAIL, "demo", "--check"], capture_output=True, text=True, check=False, timeout=240)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Everything holds." in done.stdout


def test_the_command_exits_1_when_the_expectations_beside_the_story_say_otherwise(tmp_path: Path) -> None:
    events = copytree(EVENTS, tmp_path / "events")
    page = events / "expected.yaml"
    page.write_text(page.read_text().replace("2026-06-08", "2026-06-09", 1))

    done = subprocess.run(
        [HANDRAIL, "demo", "--check", "--events", events],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**os.environ, "COLUMNS": "240"},  # the table breaks no sentence in this width
    )

    assert done.returncode == 1, done.stdout + done.stderr
    assert "panel under N-01 by 2026-06-09" in " ".join(done.stdout.split())
