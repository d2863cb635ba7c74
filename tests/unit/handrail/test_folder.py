"""Pins whose a folder is: one running Handrail's at a time, and nobody's once that has ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from handrail.cli import main as command_line
from handrail.cli.status import NotRunning, find_running
from handrail.embedded import process
from handrail.embedded.errors import FolderInUse
from handrail.embedded.process import empty_folder, lock_folder
from handrail.installation.running import Running


def say_that_it_runs(folder: Path) -> None:
    """Write the status file, as a start does and a crash leaves behind."""
    Running(
        folder=str(folder),
        keys=str(folder / "keys"),
        demo=True,
        urls={},
        kafka_bootstrap="127.0.0.1:1",
        kafka_security="SASL_PLAINTEXT",
        kafka_admin="admin",
        kafka_ca_file=None,
        database="127.0.0.1:1/handrail",
        log_public_key="log.pub",
    ).write()


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """Return the folder of a demo with a key in it, and a status file that says that it runs."""
    folder = tmp_path / "handrail-demo"
    (folder / "keys").mkdir(parents=True)
    (folder / "keys" / "log.key").write_text("kept")
    say_that_it_runs(folder)
    return folder


@pytest.fixture
def held(demo: Path) -> Iterator[int]:
    """Hold the lock of the demo's folder, as the command that started it does."""
    lock = lock_folder(demo, "Handrail")
    yield lock
    os.close(lock)


def refused_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Start a demo, whose folder is `handrail-demo`, and return what it says as it is refused."""
    monkeypatch.setenv("HANDRAIL_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(sys, "argv", ["handrail", "demo", "--port", "0"])

    with pytest.raises(SystemExit):
        command_line.main()

    return capsys.readouterr().err


@pytest.mark.usefixtures("held")
def test_a_second_demo_is_refused_and_leaves_the_first_one_its_data(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused_demo(tmp_path, monkeypatch, capsys) == (
        f"handrail: Handrail is already running on {demo}. Stop the other one first, or choose another folder.\n"
    )
    assert (demo / "keys" / "log.key").read_text() == "kept"


def test_a_demo_does_not_empty_a_folder_that_is_kept(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (demo / ".kept").touch()  # as `handrail up` does
    assert refused_demo(tmp_path, monkeypatch, capsys) == (
        f"handrail: {demo} holds what `handrail up` keeps, and would be emptied. "
        "Let HANDRAIL_DATA name another folder for one of the two.\n"
    )
    assert (demo / "keys" / "log.key").read_text() == "kept"


def test_a_demo_does_not_empty_a_folder_that_no_demo_has_used(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such as the folder of secrets of a deployment, or somebody's copy of this repository."""
    assert refused_demo(tmp_path, monkeypatch, capsys) == (
        f"handrail: {demo} holds what no demo has put there, and would be emptied. "
        "Let HANDRAIL_DATA name a folder beside another one.\n"
    )
    assert (demo / "keys" / "log.key").read_text() == "kept"


@pytest.mark.usefixtures("held")
def test_a_folder_is_emptied_but_for_its_lock(demo: Path) -> None:
    empty_folder(demo)

    assert [entry.name for entry in demo.iterdir()] == [".in-use"]


@pytest.mark.usefixtures("held")
def test_a_folder_is_not_emptied_while_a_program_of_its_last_owner_still_ends(
    demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LOCK_WAIT_S", 0.1)
    (demo / "run" / "intake").mkdir(parents=True)
    ending = lock_folder(demo / "run" / "intake", "intake")

    with pytest.raises(FolderInUse, match="intake is already running"):
        empty_folder(demo)

    os.close(ending)
    assert (demo / "keys" / "log.key").exists()


@pytest.mark.usefixtures("held")
def test_what_a_crash_left_behind_does_not_stand_before_a_running_demo(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashed = tmp_path / "data"
    crashed.mkdir()
    say_that_it_runs(crashed)
    os.close(lock_folder(crashed, "Handrail"))
    monkeypatch.setenv("HANDRAIL_DATA", str(crashed))

    assert find_running().folder == str(demo)
    with pytest.raises(NotRunning, match=f"no Handrail runs in {crashed}"):
        find_running(crashed)


def test_a_status_file_without_a_lock_is_that_of_containers(demo: Path) -> None:
    assert find_running(demo).demo
