"""Pins that only the jars of the lock file are ever used, and that a half-made folder never looks complete."""

import hashlib
import re
from pathlib import Path

import pytest

from handrail.embedded import fetch
from handrail.embedded.errors import EmbeddedError, NoSpace, ToolMissing
from handrail.embedded.places import check_space

CONTENT = b"a jar"
GOOD = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for the network: every artifact is the same few bytes."""

    def download(jar: fetch.Jar, incoming: Path) -> Path:
        incoming.mkdir(exist_ok=True)
        path = incoming / jar.file_name
        path.write_bytes(CONTENT)
        return path

    monkeypatch.setattr(fetch, "_download", download)


def lock(folder: Path, *lines: str) -> Path:
    path = folder / "jars.lock"
    path.write_text("\n".join(["# a comment", *lines]))
    return path


@pytest.mark.usefixtures("repository")
def test_the_folder_holds_the_jars_of_the_lock_file(tmp_path: Path) -> None:
    folder = fetch.fetch(tmp_path, lock(tmp_path, f"org.example:first:1.0 {GOOD}", f"org.example:second:2.0 {GOOD}"))

    assert sorted(path.name for path in folder.iterdir()) == ["first-1.0.jar", "second-2.0.jar"]


@pytest.mark.usefixtures("repository")
def test_a_jar_with_another_hash_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    locked = lock(tmp_path, f"org.example:first:1.0 {GOOD}", f"org.example:second:2.0 {'0' * 64}")

    with pytest.raises(EmbeddedError, match=r"second-2\.0\.jar is not the file in jars\.lock: expected sha256 000"):
        fetch.fetch(tmp_path, locked)

    assert not fetch.jar_folder(tmp_path, locked).exists()
    assert list((tmp_path / "kafka").iterdir()) == []


def test_a_second_fetch_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = lock(tmp_path, f"org.example:first:1.0 {GOOD}")
    fetch.jar_folder(tmp_path, locked).mkdir(parents=True)
    monkeypatch.setattr(fetch, "_download", None)

    assert fetch.fetch(tmp_path, locked) == fetch.jar_folder(tmp_path, locked)


def test_without_a_network_one_line_says_what_to_do_and_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fetch, "_PAUSES_S", (0.0, 0.0))
    monkeypatch.setenv("HANDRAIL_MAVEN_REPOSITORY", "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setenv("HANDRAIL_CACHE", str(tmp_path))

    ended = fetch.main()

    told = capsys.readouterr()
    assert ended == 1
    assert re.fullmatch(
        r"handrail: Cannot fetch \S+\.jar \(\w+\)\. Check the network connection, or set HANDRAIL_MAVEN_REPOSITORY to a "
        r"repository that you can reach, and run `make setup` again\.\n",
        told.err,
    )
    assert list((tmp_path / "kafka").iterdir()) == []


def test_another_lock_file_gets_another_folder(tmp_path: Path) -> None:
    first = fetch.jar_folder(tmp_path, lock(tmp_path, f"org.example:first:1.0 {GOOD}"))
    second = fetch.jar_folder(tmp_path, lock(tmp_path, f"org.example:first:1.1 {GOOD}"))

    assert first != second


def test_a_broker_without_its_jars_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDRAIL_CACHE", str(tmp_path))

    with pytest.raises(ToolMissing, match="Run `make setup`"):
        fetch.fetched_jars()


def test_the_committed_lock_file_names_the_broker_of_the_compose_file() -> None:
    versions = {jar.artifact: jar.version for jar in fetch.locked_jars()}

    assert (
        f"apache/kafka:{versions['kafka_2.13']}" in Path(__file__).parents[3].joinpath("docker-compose.yml").read_text()
    )
    assert versions["kafka-clients"] == versions["kafka_2.13"]


def test_too_little_space_gets_one_line_with_both_numbers(tmp_path: Path) -> None:
    with pytest.raises(NoSpace, match=r"has \d+ MB free, \d+ MB are needed"):
        check_space(tmp_path, needed_bytes=1 << 60)
