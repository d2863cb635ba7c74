"""Where recipients are reached: a YAML file of recipient id and webhook URL, read again when it changes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import structlog
import yaml

from services.kit.files import state_of

SETTLED_S: Final = 1.0
"""How long a changed file must have stayed as it is: half of an address that is being written is an address, too."""
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_log = structlog.get_logger("services.routing.dispatch")


class Endpoints:
    """The addresses of a file.

    `new`: recipients that got an address since somebody last dealt with them, at the start all; whoever has done so takes them out.
    """

    def __init__(self, path: Path, *, plain_text_ok: bool = False) -> None:
        """Read the file; for what is raised, and `plain_text_ok`, see `read_endpoints`."""
        self._path: Final = path
        self._plain_text_ok: Final = plain_text_ok
        self._read = self._seen = state_of(self._path)
        self._seen_s = 0.0
        self._addresses = read_endpoints(path, plain_text_ok=plain_text_ok)
        self._refused: str | None = None
        self.new: Final = set(self._addresses)

    def get(self, recipient: str) -> str | None:
        """Return the webhook URL of a recipient, if there is one."""
        return self._addresses.get(recipient)

    def look(self, now_s: float) -> None:
        """Take a file that was changed; one that is refused is logged once, and what was read before counts. `now_s`: monotonic."""
        state = state_of(self._path)
        if state != self._seen:
            self._seen, self._seen_s = state, now_s
        if state == self._read or now_s - self._seen_s < SETTLED_S:
            return
        self._read = state
        try:
            found = read_endpoints(self._path, plain_text_ok=self._plain_text_ok)
        except OSError as error:
            self._read = None  # the next look may find it
            self._refuse(f"{self._path}: it cannot be read ({type(error).__name__})")
        except ValueError as error:
            self._refuse(str(error))
        else:
            self.new.update(found.keys() - self._addresses.keys())
            self.new.intersection_update(found)
            self._addresses, self._refused = found, None
            _log.info("endpoints.taken", count=len(found))

    async def unready(self) -> str | None:
        """Return why the file that is there is not the one that counts, or nothing."""
        return self._refused and f"the addresses of before the last change count: {self._refused}"

    def _refuse(self, reason: str) -> None:
        if reason != self._refused:
            _log.error("endpoints.refused", reason=reason)
        self._refused = reason


def read_endpoints(path: Path, *, plain_text_ok: bool = False) -> dict[str, str]:
    """Return the webhook URL of each recipient.

    Args:
        path: The file.
        plain_text_ok: The network to the recipients is trusted, as in a test installation.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is no mapping of ids to URLs, a recipient stands there twice, or a URL would send a notice
            unencrypted to another machine.
    """
    text = path.read_text("utf-8")
    try:
        found = yaml.safe_load(text) or {}
    except yaml.YAMLError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(part, str) for pair in found.items() for part in pair):
        raise ValueError(f"{path}: expected lines of `recipient: https://...`")
    if (recipient := _twice(text)) is not None:
        raise ValueError(f"{path}: {recipient} stands there twice; expected each recipient once")
    for recipient, url in found.items():
        try:
            parts = urlsplit(url)
            (parts.hostname or ".").encode("idna"), parts.port
        except ValueError:  # such as https://[ or https://a..example or no host at all
            raise ValueError(f"{path}: the address of {recipient} cannot be read; expected https://...") from None
        if parts.scheme != "https" and not (parts.scheme == "http" and (plain_text_ok or parts.hostname in _LOOPBACK)):
            raise ValueError(
                f"{path}: the address of {recipient} must begin with https:// (or set HANDRAIL_ENDPOINTS_PLAINTEXT_OK)"
            )
    return found


def _twice(text: str) -> str | None:
    """Return a recipient that has more than one line: of equal keys the reader of YAML keeps the last and says nothing."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    keys = Counter(key.value for key, _ in root.value) if isinstance(root, yaml.MappingNode) else Counter[str]()
    return next((key for key, lines in keys.items() if lines > 1), None)
