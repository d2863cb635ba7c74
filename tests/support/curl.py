"""Runs the curl commands of the documentation, also on a machine that has no curl: the options that they use, no more."""

from __future__ import annotations

import os
import shlex
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path


def run(command: str, environment: Mapping[str, str], folder: Path) -> tuple[int, bytes]:
    """Return status and body of what a curl command asks for.

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
