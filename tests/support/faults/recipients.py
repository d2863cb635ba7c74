"""Faults of recipients: everything that somebody else's system may do to a webhook."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from handrail.installation.web import Web
from tests.support.faults.impostor import Impostor
from tests.support.faults.rig import DidNotLand, Rig, wait_for
from tests.support.faults.table import Fault, Landed, Scene
from tests.support.installation import journal
from tests.support.reports import TOLD

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

_DISTRUSTED: Final = "SELECT count(*) FROM routing.delivery_history WHERE reason LIKE '%Certificate%'"


def misbehaving(modes: Sequence[str]) -> Fault:
    """Let every recipient misbehave in these ways, one after the other; then let the retries come due."""

    def inject(scene: Scene) -> Landed:
        seen = {mode: _misbehave(scene.rig, mode) for mode in modes}
        scene.rig.move_clock(HOUR_S, "what waits for its next try need not wait longer")
        counted = ", ".join(f"{count} {OUTCOMES[mode]}" for mode, count in seen.items())
        return Landed(f"{TIMES} requests of each recipient: {', '.join(modes)}", f"the recipients' journal: {counted}")

    return Fault(f"Recipients: {', '.join(modes)}", inject)


def killed_in_flight(scene: Scene) -> Landed:
    """Kill the recipients' system while a webhook is in flight that it has taken and not answered."""
    installation, before = scene.rig.installation, _outcomes(scene.rig, "hung")
    _behave(scene.rig, min(TOLD), mode="hang", seconds=LONG_S, times=1)
    seen = wait_for(lambda: _outcomes(scene.rig, "hung") - before, "a webhook in flight")
    os.kill(installation.processes["stubs"].pid, signal.SIGKILL)
    installation.processes["stubs"].stop()
    installation.start_service("stubs")
    installation.wait_ready("stubs")
    return Landed("SIGKILL of the recipients' system", f"{seen} webhook in flight")


def wrong_certificate(scene: Scene) -> Landed:
    """Put somebody with another certificate at a recipient's address for a while; nothing may be sent there."""
    rig, installation = scene.rig, scene.rig.installation
    endpoints = installation.folder / "endpoints.yaml"
    sound = endpoints.read_text()
    before = rig.ask(_DISTRUSTED)
    with Impostor(installation.folder) as impostor:
        endpoints.write_text(
            "\n".join(f"{to}: {impostor.url}" if to == min(TOLD) else line for to, line in _by_recipient(sound))
        )
        try:
            rig.restart_all("routing")
            seen = wait_for(lambda: rig.ask(_DISTRUSTED) - before, "a try that ends at the certificate")
        finally:
            endpoints.write_text(sound)
            rig.restart_all("routing")
        if impostor.told:
            raise DidNotLand(f"{impostor.told} notices went to somebody without the recipient's certificate")
    rig.move_clock(HOUR_S, "what waits for its next try need not wait longer")
    return Landed("somebody else at a recipient's address", f"{seen} tries that ended at the certificate, none told")


def _by_recipient(endpoints: str) -> list[tuple[str, str]]:
    return [(line.rpartition(": ")[0], line) for line in endpoints.splitlines()]


def _misbehave(rig: Rig, mode: str) -> int:
    """Have the next requests of each recipient misbehave; return how many did."""
    before = _outcomes(rig, OUTCOMES[mode])
    for recipient in TOLD:
        _behave(rig, recipient, mode=mode, seconds=BUSY_S if mode == "busy" else LONG_S, times=TIMES)
    wanted = TIMES * len(TOLD)
    return int(
        wait_for(lambda: (new := _outcomes(rig, OUTCOMES[mode]) - before) >= wanted and new, f"{mode} journalled")
    )


def _behave(rig: Rig, recipient: str, **how: Any) -> None:
    path = f"/recipients/{quote(recipient, safe='')}/behaviour"
    stubs = Web(rig.installation.url("stubs"))
    assert stubs.call("POST", path, json.dumps(how).encode(), {"Content-Type": "application/json"}).status == 200


def _outcomes(rig: Rig, outcome: str) -> int:
    return sum(entry["outcome"] == outcome for entry in journal(rig.installation))


MISBEHAVING: Final = misbehaving(tuple(OUTCOMES))
KILLED: Final = Fault("Recipients: killed with a webhook in flight", killed_in_flight)
FAULTS: Final = (MISBEHAVING, KILLED, Fault("Recipients: another certificate", wrong_certificate))
