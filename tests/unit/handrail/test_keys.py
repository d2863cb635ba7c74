"""The keys of an installation: each made once, and whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from handrail.installation.keys import make_keys, read_password, write_secret


def test_a_secret_is_readable_by_its_owner_alone_and_nothing_stands_beside_it(tmp_path: Path) -> None:
    place = tmp_path / "vault.key"

    write_secret(place, b"a secret")

    assert place.read_bytes() == b"a secret"
    assert place.stat().st_mode & 0o777 == 0o600
    assert [*tmp_path.iterdir()] == [place]


def test_a_full_disk_leaves_no_empty_secret_which_would_be_taken_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            read_password(tmp_path, "kafka-intake")

    assert [*tmp_path.iterdir()] == []
    assert len(read_password(tmp_path, "kafka-intake")) > 32


def test_keys_that_are_there_are_left_as_they_are(tmp_path: Path) -> None:
    make_keys(tmp_path)
    first = {path: path.read_bytes() for path in tmp_path.iterdir()}

    make_keys(tmp_path)

    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == first
