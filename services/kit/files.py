"""Files that are whole at every moment: those that are written once, such as signed checkpoints, and those that replace another.

`state_of` tells whether one has changed since it was last read.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def state_of(place: Path) -> tuple[int, int, int] | None:
    """Return what tells one state of a file from another, nothing if there is none."""
    try:
        found = place.stat()
    except OSError:
        return None
    return found.st_ino, found.st_ctime_ns, found.st_size  # a copy may keep the other time


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


def replace(place: Path, text: str) -> None:
    """Write a file anew: whoever reads it meanwhile, or finds it after a crash or on a full disk, has the old or the new one.

    Raises:
        FileNotFoundError: There is none yet.
    """
    place = place.resolve()  # of a link, what it leads to
    write_whole(place, text.encode(), place.stat().st_mode)
    _sync(place.parent)


def write_whole(place: Path, content: bytes, mode: int) -> None:
    """Write a file, in the place of any that stands there: whole, or not at all. Nobody reads it whom `mode` does not let, not even for a moment."""
    descriptor, beside = tempfile.mkstemp(dir=place.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        Path(beside).replace(place)
    except BaseException:
        Path(beside).unlink()
        raise


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
