"""Faults of recipients: everything that somebody else's system may do to a webhook."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from handrail.installation.web import Web
from tests.support.faults.evidence import journal
from tests.support.faults.load import TOLD
from tests.support.faults.rig import Rig, wait_for
from tests.support.faults.table import Fault, Landed, Scene

TIMES: Final = 3
LONG_S: Final = 60.0  # far beyond the 15 s that a request may take
BUSY_S: Final = 2.0
HOUR_S: Final = 3600
OUTCOMES: Final = {
    "hang": "hung",
    "fail": "failed",
    "busy": "busy",
    "reset": "reset",
    "garbage": "garbage",
    "drip": "dripped",
}
"""By mode of a stub, what its journal says of it."""


def misbehaving(modes: Sequence[str]) -> Fault:
    """Let every recipient misbehave in these ways, one after the other; then let the retries come due."""

    def inject(scene: Scene) -> Landed:
        seen = {mode: _misbehave(scene.rig, mode) for mode in modes}
        scene.rig.move_clock(HOUR_S, "what waits for its next try need not wait longer")
        counted = ", ".join(f"{count} {OUTCOMES[mode]}" for mode, count in seen.items())
        return Landed(f"{TIMES} requests of each recipient: {', '.join(modes)}", f"the recipients' journal: {counted}")

    return Fault(f"Recipients: {', '.join(modes)}", inject)


def _misbehave(rig: Rig, mode: str) -> int:
    """Have the next requests of each recipient misbehave; return how many did."""
    before = _outcomes(rig, OUTCOMES[mode])
    seconds = BUSY_S if mode == "busy" else LONG_S
    stubs = Web(rig.installation.url("stubs"))
    for recipient in TOLD:
        body = json.dumps({"mode": mode, "seconds": seconds, "times": TIMES}).encode()
        path = f"/recipients/{quote(recipient, safe='')}/behaviour"
        assert stubs.call("POST", path, body, {"Content-Type": "application/json"}).status == 200
    wanted = TIMES * len(TOLD)
    return int(
        wait_for(lambda: (new := _outcomes(rig, OUTCOMES[mode]) - before) >= wanted and new, f"{mode} journalled")
    )


def _outcomes(rig: Rig, outcome: str) -> int:
    return sum(entry["outcome"] == outcome for entry in journal(rig))


FAULTS: Final = (misbehaving(tuple(OUTCOMES)),)
