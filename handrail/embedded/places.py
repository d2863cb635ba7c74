"""Where the local runtime finds its files and keeps its own: repository, cache, space on disk."""

import os
import shutil
from pathlib import Path

from handrail.embedded.errors import EmbeddedError, NoSpace

REPOSITORY = Path(__file__).resolve().parents[2]
DEPLOY = REPOSITORY / "deploy"

NEEDED_BYTES = 1 << 30  # a broker, a database and the downloads, with room to work


def cache_folder() -> Path:
    """Return the folder for downloads that several clones can share: `HANDRAIL_CACHE`, else the user's cache."""
    if chosen := os.environ.get("HANDRAIL_CACHE"):
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "handrail"


def private_folder(path: Path) -> Path:
    """Make `path` (mode 0700 when it is new) and return it as an absolute path."""
    path = path.absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"Cannot make the folder {path}: {error.strerror}. Choose a folder that you may write to."
        raise EmbeddedError(msg) from error
    return path


def check_space(path: Path, needed_bytes: int = NEEDED_BYTES) -> None:
    """Refuse a disk on which a server would fail half-way.

    Raises:
        NoSpace: Fewer than `needed_bytes` are free where `path` is.
    """
    free = shutil.disk_usage(path).free
    if free < needed_bytes:
        msg = f"{path} has {free >> 20} MB free, {needed_bytes >> 20} MB are needed. Free some space or choose another folder."
        raise NoSpace(msg)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, never readable by others even for a moment."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
