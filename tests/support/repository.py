"""What the architecture tests look at: the files that are committed, by kind."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def committed() -> tuple[Path, ...]:
    """Return every file under version control that is present, relative to the root, sorted."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return tuple(sorted(Path(name) for name in listed.decode().split("\0") if name and (ROOT / name).exists()))


def python_files(*folders: str) -> tuple[Path, ...]:
    """Return the committed Python files below the folders."""
    return tuple(path for path in committed() if path.suffix == ".py" and path.parts[0] in folders)
