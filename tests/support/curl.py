"""Runs the curl commands of the documentation: with curl, and on a machine that has none, the options that they use."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Final

# Read by curl itself, so that the command stays as the page has it.
_SETTINGS: Final = 'silent\nnoproxy = "*"\nwrite-out = "\\n%{http_code}"\n'


def run(command: str, environment: Mapping[str, str], folder: Path) -> tuple[int, bytes]:
    """Return status and body of what a curl command asks for, typed in `folder`."""
    return with_curl(command, environment, folder) if shutil.which("curl") else without(command, environment, folder)


def with_curl(command: str, environment: Mapping[str, str], folder: Path) -> tuple[int, bytes]:
    """Run the command as it stands."""
    (folder / ".curlrc").write_text(_SETTINGS)
    typed = os.environ | environment | {"CURL_HOME": str(folder)}
    done = subprocess.run(["sh", "-c", command], cwd=folder, env=typed, capture_output=True, check=False, timeout=60)
    body, _, status = done.stdout.rpartition(b"\n")
    assert status, done.stderr.decode()
    return int(status), body


def without(command: str, environment: Mapping[str, str], folder: Path) -> tuple[int, bytes]:
    """Ask for the same without curl.

    Raises:
        ValueError: It is not curl, or has an option that is not known here.
    """
    words = iter(shlex.split(os.path.expandvars(_with(command, environment))))
    if next(words) != "curl":
        raise ValueError("expected a curl command")
    url, headers, body = "", {}, None
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "--data-binary":
            body = (folder / next(words).removeprefix("@")).read_bytes()
        elif word.startswith("-") and word != "--fail-with-body":
            raise ValueError(f"option {word} is not known here")
        elif not word.startswith("-"):
            url = word
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:  # noqa: S310 - our own server
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def _with(command: str, environment: Mapping[str, str]) -> str:
    for name, value in environment.items():
        command = command.replace(f"${name}", value)
    return command
