"""Where recipients are reached: a YAML file of recipient id and webhook URL, read once at the start."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import yaml

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def read_endpoints(path: Path, *, plain_text_ok: bool = False) -> dict[str, str]:
    """Return the webhook URL of each recipient.

    Args:
        path: The file.
        plain_text_ok: The network to the recipients is trusted, as in a test installation.

    Raises:
        ValueError: The file is no mapping of ids to URLs, or a URL would send a notice unencrypted to another machine.
    """
    found = yaml.safe_load(path.read_text("utf-8")) or {}
    if not isinstance(found, dict) or not all(isinstance(part, str) for pair in found.items() for part in pair):
        raise ValueError(f"{path}: expected lines of `recipient: https://...`")
    for recipient, url in found.items():
        try:
            parts = urlsplit(url)
        except ValueError:  # such as https://[
            raise ValueError(f"{path}: the address of {recipient} cannot be read; expected https://...") from None
        if parts.scheme != "https" and not (parts.scheme == "http" and (plain_text_ok or parts.hostname in _LOOPBACK)):
            raise ValueError(
                f"{path}: the address of {recipient} must begin with https:// (or set HANDRAIL_ENDPOINTS_PLAINTEXT_OK)"
            )
    return found
