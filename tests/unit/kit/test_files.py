"""A file that is written once: whole, read-only, and never in the place of another. And one that is: whole, too."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from services.kit.files import replace, write_once


def test_a_file_stands_there_whole_and_read_only_and_nothing_beside_it(tmp_path: Path) -> None:
    place = tmp_path / "note"

    write_once(place, "ü\n")

    assert place.read_bytes() == b"\xc3\xbc\n"
    assert place.stat().st_mode & 0o777 == 0o444
    assert [*tmp_path.iterdir()] == [place]


def test_what_stands_there_is_left_as_it_is(tmp_path: Path) -> None:
    place = tmp_path / "note"
    write_once(place, "the first")

    with pytest.raises(FileExistsError):
        write_once(place, "another")

    assert place.read_text() == "the first"
    assert [*tmp_path.iterdir()] == [place]


def test_a_file_that_is_replaced_keeps_who_may_read_it(tmp_path: Path) -> None:
    place = tmp_path / "register"
    place.write_text("the old one")
    place.chmod(0o640)

    replace(place, "ü\n")

    assert place.read_bytes() == b"\xc3\xbc\n"
    assert place.stat().st_mode & 0o777 == 0o640
    assert [*tmp_path.iterdir()] == [place]


def test_a_file_that_cannot_be_written_whole_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    place = tmp_path / "register"
    place.write_text("the old one")
    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space left"):
        replace(place, "half of the new")

    assert place.read_text() == "the old one"
    assert [*tmp_path.iterdir()] == [place]
