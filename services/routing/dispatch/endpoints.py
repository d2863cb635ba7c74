"""Where recipients are reached: a YAML file of recipient id and webhook URL, read once at the start."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import yaml

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def read_endpoints(path: Path, *, plain_text_hosts: frozenset[str] = _LOOPBACK) -> dict[str, str]:
    """Return the webhook URL of each recipient.

    Raises:
        ValueError: The file is no mapping of ids to URLs, or a URL would send a notice unencrypted to another machine.
    """
    found = yaml.safe_load(path.read_text("utf-8")) or {}
    if not isinstance(found, dict) or not all(isinstance(part, str) for pair in found.items() for part in pair):
        raise ValueError(f"{path}: expected lines of `recipient: https://...`")
    for recipient, url in found.items():
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in plain_text_hosts):
            raise ValueError(f"{path}: the address of {recipient} must begin with https://")
    return found
