"""Fetches the jars of the embedded broker, once, into a cache folder, and checks each against its hash.

`python -m handrail.embedded.fetch` is a step of `make setup`. What to fetch stands in `deploy/kafka/jars.lock`.
jgo's repository client downloads single artifacts; it never resolves dependencies (it would pick other versions).
"""

import hashlib
import logging
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from handrail.embedded.errors import EmbeddedError, NoNetwork, ToolMissing
from handrail.embedded.places import DEPLOY, cache_folder, check_space

LOCK_FILE = DEPLOY / "kafka" / "jars.lock"
_AT_A_TIME = 8
_TIMEOUT_S = 60


@dataclass(frozen=True)
class Jar:
    """One line of the lock file."""

    group: str
    artifact: str
    version: str
    sha256: str

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read `group:artifact:version sha256`."""
        coordinates, sha256 = line.split()
        group, artifact, version = coordinates.split(":")
        return cls(group, artifact, version, sha256)

    @property
    def file_name(self) -> str:
        """The name under which Maven repositories know it."""
        return f"{self.artifact}-{self.version}.jar"


def locked_jars(lock_file: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """Return the jars in the order of the lock file."""
    lines = lock_file.read_text().splitlines()
    return tuple(Jar.parse(line) for line in lines if line and not line.startswith("#"))


def jar_folder(cache: Path | None = None, lock_file: Path = LOCK_FILE) -> Path:
    """Return where the jars of this lock file are kept; another list gets another folder."""
    digest = hashlib.sha256(lock_file.read_bytes()).hexdigest()
    return (cache or cache_folder()) / "kafka" / digest[:16]


def fetched_jars() -> Path:
    """Return the folder with every jar in it.

    Raises:
        ToolMissing: They were not fetched yet.
    """
    folder = jar_folder()
    if not folder.is_dir():
        raise ToolMissing("Kafka is not in the cache folder. Run `make setup`, which fetches it.")
    return folder


def fetch(cache: Path | None = None, lock_file: Path = LOCK_FILE, console: Console | None = None) -> Path:
    """Fetch what is missing and return the folder. The folder appears under its name only when it is complete.

    Raises:
        NoNetwork: A jar could not be fetched.
        EmbeddedError: A jar is not the one that the lock file names, or there is no room.
    """
    folder = jar_folder(cache, lock_file)
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    check_space(folder.parent)
    jars = locked_jars(lock_file)
    progress = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console)
    shown = progress if progress.console.is_terminal else nullcontext()
    if not progress.console.is_terminal:
        progress.console.print(f"Fetching Kafka ({len(jars)} files) ...")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as scratch, shown:
        task = progress.add_task("Fetching Kafka", total=len(jars))
        incoming, complete = Path(scratch, "repository"), Path(scratch, "jars")
        complete.mkdir(mode=0o755)
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            running = [pool.submit(_fetch_one, jar, incoming, complete) for jar in jars]
            try:
                for done in as_completed(running):
                    done.result()
                    progress.advance(task)
            except EmbeddedError:
                pool.shutdown(cancel_futures=True)
                raise
        try:
            complete.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another `make setup` was quicker, with the same checked files
                raise
    return folder


def _fetch_one(jar: Jar, incoming: Path, complete: Path) -> None:
    from jgo.maven import MavenContext  # noqa: PLC0415 - slow to import, and needed only to download

    logging.getLogger("jgo").setLevel(logging.CRITICAL)
    mirror = os.environ.get("HANDRAIL_MAVEN_REPOSITORY")
    context = MavenContext(
        repo_cache=incoming,
        local_repos=[],
        remote_repos={"mirror": mirror} if mirror else None,
        timeout=_TIMEOUT_S,
    )
    try:
        resolved = context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    except (RuntimeError, OSError, ValueError) as error:
        msg = (
            f"Cannot fetch {jar.file_name}: {type(error).__name__}. Check the network connection (or set "
            "HANDRAIL_MAVEN_REPOSITORY to a repository that you can reach) and run `make setup` again."
        )
        raise NoNetwork(msg) from error
    found = hashlib.sha256(resolved.read_bytes()).hexdigest()
    if found != jar.sha256:
        msg = (
            f"{jar.file_name} is not the file in jars.lock: expected sha256 {jar.sha256}, got {found}. It was not kept."
        )
        raise EmbeddedError(msg)
    shutil.move(resolved, complete / jar.file_name)


def main() -> int:
    """Fetch into the default cache folder; one line on failure."""
    try:
        fetch()
    except EmbeddedError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a command's own output
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
