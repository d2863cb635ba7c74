"""A whole installation for end-to-end tests: started once, the story played on it once, looked at by many tests."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from deploy.stubs.journal import FILE_NAME
from handrail.demo.expected import Expected, load_expected
from handrail.demo.judge import Observed, observe
from handrail.demo.player import Played, Player
from handrail.demo.story import load_story
from handrail.installation.clients import ClientRegistry, Credentials
from handrail.installation.installation import Installation, Options
from handrail.installation.keys import read_password
from tests.support.ending import ENDING, GROUP_ENDING

EVENTS = Path(__file__).resolve().parents[2] / "examples" / "events"
_Kind = TypeVar("_Kind", bound=Installation)
DEMO = Options(demo=True, clock_movable=True, base_port=None, keep=False)


@dataclass(frozen=True)
class PlayedDemo:
    """A running installation, what the player knows, and what could be seen right after the story."""

    installation: Installation
    played: Played
    observed: Observed
    expected: Expected

    @property
    def password(self) -> str:
        """Password of the demo accounts."""
        return read_password(self.installation.keys, "accounts")


def start_installation() -> Installation:
    """Start a fresh installation; it is stopped, and its data deleted, when the test run ends."""
    return start_one(Installation)


def start_one(kind: type[_Kind]) -> _Kind:
    """Start a fresh installation of this kind, as `start_installation` does."""
    folder = tempfile.TemporaryDirectory(prefix="handrail-e2e-")
    Path(folder.name).chmod(0o711)  # where root runs the tests, another account runs PostgreSQL
    ENDING.callback(folder.cleanup)
    installation = kind(Path(folder.name) / "data", DEMO).start()
    ENDING.callback(installation.stop)
    return installation


@cache
def played_demo() -> PlayedDemo:
    """Return the one installation of this group of tests on which the story of `examples/events` was played."""
    installation = start_installation()
    GROUP_ENDING.callback(played_demo.cache_clear)
    GROUP_ENDING.callback(installation.stop)
    played = Player(installation.running, load_story(EVENTS), lambda _step, _receipts: None).play()
    return PlayedDemo(
        installation, played, observe(installation.running, played), load_expected(EVENTS / "expected.yaml")
    )


def journal(installation: Installation) -> list[dict[str, Any]]:
    """Return all that the stub recipients of an installation were sent, oldest first.

    A line that is being written, or was when they were killed, has not been answered.
    """
    path = installation.folder / "stubs" / FILE_NAME
    whole, _, _ = path.read_text().rpartition("\n") if path.exists() else ("", "", "")
    return [json.loads(line) for line in whole.splitlines()]


def registry(installation: Installation) -> ClientRegistry:
    """Return the clients of an installation."""
    return installation.running.clients


def add_police(installation: Installation, name: str) -> Credentials:
    """Register one more partner system: a police force in Leeds."""
    return registry(installation).add(name, body="police", area="E08000035", recipient=None)
