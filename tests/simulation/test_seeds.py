"""Five hundred runs in bad weather: whatever failed, what was promised held (`make test-faults` plays ten thousand)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache

import pytest

from tests.simulation.__main__ import main
from tests.simulation.simulate import Run, simulate
from tests.support.repository import ROOT

SEEDS, BLOCK = 500, 50


@cache
def played(first: int) -> list[Run]:
    return [simulate(seed) for seed in range(first, first + BLOCK)]


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_everything_holds_whatever_fails(first: int) -> None:
    broken = {run.seed: run.violations for run in played(first) if run.violations}

    assert not broken


@pytest.mark.parametrize(
    "trace",
    [
        "FAULT killed at commit",  # everything is written, nothing is durable
        "FAULT killed at committed",  # durable, not acknowledged
        "FAULT killed at published",  # the broker has it, the cursor does not know
        "FAULT slow at commit",  # a transaction that commits late
        "FAULT away at commit",
        "FAULT sleeps",
        "has handled .*, replaced meanwhile",  # a zombie
        "is not the relay any more",  # two relays at once
        "FAULT publishing stopped after",  # the answer was lost
        "FAULT .* passes over",  # the client lost a batch
        "gives back",
        "sent again",
        "sent poison",
        "sent an unknown type",
        "FAULT leaps by 3456000 s, not logged",
        "FAULT leaps by -3600 s, not logged",
        "moved by -7200 s, logged",
    ],
)
def test_each_kind_of_fault_lands(trace: str) -> None:
    wanted = re.compile(trace)
    runs = (run for first in range(0, SEEDS, BLOCK) for run in played(first))
    assert any(wanted.search(line) for run in runs for line in run.trace)


def test_the_same_seed_gives_the_same_run() -> None:
    assert simulate(3).trace == simulate(3).trace
    assert simulate(3).digest != simulate(4).digest


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_seed_gives_the_same_run_in_another_process(hash_seed: str) -> None:
    command = [sys.executable, "-m", "tests.simulation", "--seed", "6"]
    said = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True
    )

    assert simulate(6).digest in said.stdout


def test_many_seeds_are_counted_with_their_faults(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--seeds", "4", "--first", "20", "--jobs", "1"])

    assert code == 0
    assert re.search(r"simulation: 4 of 4 seeds, [1-9]\d* faults, 0 broke", capsys.readouterr().out)
