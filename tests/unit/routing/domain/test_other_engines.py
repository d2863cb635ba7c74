"""Pins that other people's rule engines, with which `make bench-rules` compares ours, can read the newest rulebook and agree with it."""

from __future__ import annotations

from benchmarks.rules import OURS, engines, settled
from tests.support.rulebooks import law


def test_every_engine_of_the_bench_reads_the_newest_rulebook_and_answers_as_ours_does() -> None:
    found = {name: engine.answers() for name, engine in engines(law(), settled(law(), of_each=2)).items()}

    assert len(found) > 1
    assert {name: answers == found[OURS] for name, answers in found.items()} == dict.fromkeys(found, True)
    assert 0 < sum(map(sum, found[OURS])) < sum(map(len, found[OURS]))
