"""The folder of checkpoints on a disk: years of it are one file per signed head."""

import tracemalloc
from pathlib import Path

from services.audit.domain.note import Checkpoint
from services.audit.sink import CheckpointFolder
from tests.support.audit import KEY, NOTE_KEY, ORIGIN

NOTES = 20_000


def test_the_newest_of_many_is_found_without_holding_or_opening_the_others(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, NOTE_KEY)
    for size in range(NOTES):
        (tmp_path / f"{size:020d}.note").touch()
    (tmp_path / ".new-later").touch()
    newest = Checkpoint(ORIGIN, NOTES, bytes(32))
    folder.keep(newest, newest.sign(KEY))

    tracemalloc.start()
    found = folder.newest()
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found == newest
    assert most_bytes < NOTES
