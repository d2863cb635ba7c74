"""Files that are written once and never changed, such as signed checkpoints and records of a release."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_once(place: Path, text: str) -> None:
    """Write a read-only file so that nobody ever reads a part of it, and it survives a crash once this returns.

    Raises:
        FileExistsError: Something stands there already, which is left as it is.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".new-") as file:
            file.write(text.encode())
            file.flush()
            os.fchmod(file.fileno(), 0o444)
            os.fsync(file.fileno())
            os.link(file.name, place)  # unlike a rename, never replaces what is there
    finally:
        _sync(place.parent)  # also what stands there already: whoever wrote it may have ended before this


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
