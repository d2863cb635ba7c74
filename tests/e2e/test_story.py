"""The story leads to exactly what was worked out by hand, and every single expectation can fail."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from handrail.cli.demo import report
from handrail.demo.expected import Expected, load_expected
from handrail.demo.judge import judge
from tests.support.expectations import alterations
from tests.support.installation import EVENTS, played_demo

EXPECTED = load_expected(EVENTS / "expected.yaml")
ALTERED = list(alterations(EXPECTED))


def test_the_story_leads_to_exactly_what_was_worked_out_by_hand() -> None:
    demo = played_demo()

    findings = judge(demo.observed, demo.expected)

    assert [finding for finding in findings if not finding.holds] == []


@pytest.mark.parametrize("altered", [expected for _, expected in ALTERED], ids=[name for name, _ in ALTERED])
def test_each_altered_expectation_fails_the_check(altered: Expected) -> None:
    findings = judge(played_demo().observed, altered)

    assert report(Console(file=io.StringIO()), findings) == 1
