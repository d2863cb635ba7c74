"""Finds the Chromium of the Debian package `chromium`, or installs it when it may (root, apt-get at hand).

`HANDRAIL_CHROMIUM` names another one. Nothing is downloaded from anywhere but the machine's own package sources.
"""

import os
import shutil
import subprocess
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Arial's stand-in: without a font the pages have no text to measure.
_PACKAGES = ("chromium", "fonts-liberation")
_INSTALL_TIMEOUT_S = 600


class ChromiumMissingError(RuntimeError):
    """Chromium is needed to test the pages: install the package `chromium`, or set HANDRAIL_CHROMIUM to its path."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def chromium() -> Path:
    """Return the path of the browser; installs it first when it is missing and this process may.

    Raises:
        ChromiumMissingError: There is none, and it could not be installed.
    """
    found = _find()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _install()
        found = _find()
    if found is None:
        raise ChromiumMissingError
    return found


def _find() -> Path | None:
    named = os.environ.get("HANDRAIL_CHROMIUM")
    if named:
        return Path(named) if os.access(named, os.X_OK) else None
    return next((Path(path) for path in map(shutil.which, _NAMES) if path), None)


def _install() -> None:
    """Run apt-get; what it says goes to the test output, its failure shows as a browser still missing."""
    print("Installing Chromium for the page tests (apt-get install chromium) ...", flush=True)  # noqa: T201 (progress)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", *_PACKAGES]):
        subprocess.run(["apt-get", *step], env=environment, timeout=_INSTALL_TIMEOUT_S, check=False)
