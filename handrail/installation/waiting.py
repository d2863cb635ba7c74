"""Wait for the processes of an installation, by what they answer over HTTP.

A service may refuse to be ready by design, until a person has put something right: its relay after a restore, audit
while the log contradicts what was signed. The others work meanwhile, and what the person needs is among them.
"""

from __future__ import annotations

import json
import math
import time
import urllib.error
from collections.abc import Mapping
from http.client import HTTPException
from typing import Final

from handrail.embedded.process import Child
from handrail.installation.web import OPENER
from schemas.topics import SERVICES

# For each process; if it ends, the wait does too. Four services that start at once on two busy cores have needed over 60 s.
READY_S: Final = 120.0
_ANSWER_S: Final = 2.0


def wait_ready(name: str, child: Child, url: str) -> None:
    """Return once a process answers that it is ready.

    Raises:
        StartFailed: It ended first, or took too long.
    """
    child.wait_until(lambda: _unready(name, url) == "", timeout_s=READY_S)


def wait_while_it_helps(children: Mapping[str, Child], urls: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with each process that is alive and was not ready in time, by name; at best, nothing.

    Args:
        children: The processes, by name.
        urls: Their addresses, by name.

    Raises:
        StartFailed: One ended, or did not answer at all.
    """
    end = time.monotonic() + READY_S
    for name, child in children.items():
        child.wait_until(lambda: _ask(f"{urls[name]}/health/live") is not None, timeout_s=READY_S)  # noqa: B023 - at once
    for name, child in children.items():
        child.wait_until(lambda: time.monotonic() > end or _unready(name, urls[name]) == "", timeout_s=math.inf)  # noqa: B023
    said = {name: _unready(name, urls[name]) for name in children}
    return {name: wrong or "it does not answer in time" for name, wrong in said.items() if wrong != ""}


def _unready(name: str, url: str) -> str | None:
    """Return what a process says is wrong with it, empty if it is ready, None if it does not answer."""
    return _ask(f"{url}/health/{'ready' if name in SERVICES else 'live'}")


def _ask(url: str) -> str | None:
    try:
        with OPENER.open(url, timeout=_ANSWER_S):
            return ""
    except urllib.error.HTTPError as error:
        with error:
            return _wrong(error)
    except (OSError, HTTPException):
        return None


def _wrong(error: urllib.error.HTTPError) -> str:
    try:
        return "; ".join(f"{check}: {wrong}" for check, wrong in json.load(error)["wrong"].items())
    except (OSError, HTTPException, ValueError, LookupError, AttributeError, TypeError):
        return f"it answers {error.code}"
