"""A file that is written once: whole, read-only, and never in the place of another."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.kit.files import write_once


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
