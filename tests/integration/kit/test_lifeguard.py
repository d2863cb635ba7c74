"""A real process of the kit ends itself once it is dead, whether a task of it has ended or its event loop hangs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from services.kit.lifeguard import DEAD
from tests.support import kit, kit_kafka

WITHIN_S = 120.0  # a busy machine is no finding
PROCESS = """
import asyncio, time
from services.kit import lifeguard
from services.kit.http import build_http
from services.kit.runtime import Loop, Runtime, lifespan, serve
from services.kit.settings import KitSettings

async def cancelled():
    asyncio.current_task().cancel()
    await asyncio.sleep(0)

async def hangs():
    time.sleep(3_600)

lifeguard.LOOK_EVERY_S = 0.2
settings = KitSettings()
runtime = Runtime(settings, "kit")
loop = Loop("ill", STEP, every_s=LIMIT_S, stuck_after_s=0)
serve(build_http(runtime, "kit", lifespan=lifespan(runtime, [], [loop])), settings)
"""


@pytest.mark.parametrize(
    ("step", "limit_s", "said"),
    [
        ("cancelled", 60, '"kind": "task ill", "reason": "the task has ended"'),
        ("hangs", 1, '"kind": "loop ill", "reason": "no progress for '),
    ],
)
def test_a_process_whose_loop_is_gone_says_so_and_ends(step: str, limit_s: int, said: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as output:
        ended = subprocess.run(
            [sys.executable, "-c", PROCESS.replace("STEP", step).replace("LIMIT_S", str(limit_s))],
            env=kit_kafka.environment(kit.migrated()),
            stderr=output,
            check=False,
            timeout=WITHIN_S,
        )

    assert ended.returncode == DEAD, log.read_text()
    assert said in log.read_text()
    assert '"event": "runtime.dead"' in log.read_text()
