"""The folder outside the database where every checkpoint is written once and never changed.

It is what a restored or tampered database is compared with: mount a folder that the database's administrator cannot
write to. Files are named by size, so the newest has the last name; they are made whole, synced, and read-only.
"""

import os
from pathlib import Path

from services.audit.domain.note import BadNote, Checkpoint, NoteKey, open_checkpoint
from services.kit.files import write_once

SUFFIX = ".note"


class CheckpointFolder:
    """Checkpoints as files. Blocking; call it in a thread."""

    def __init__(self, folder: Path, key: NoteKey) -> None:
        self._folder = folder
        self._key = key
        folder.mkdir(parents=True, exist_ok=True)

    def newest(self) -> Checkpoint | None:
        """Return the checkpoint of the greatest size, None if there is none yet.

        Raises:
            BadNote: It was not signed by the log's key.
        """
        with os.scandir(self._folder) as found:  # after years hundreds of thousands: one name at a time
            newest = max((entry.name for entry in found if entry.name.endswith(SUFFIX)), default=None)
        if newest is None:
            return None
        return open_checkpoint((self._folder / newest).read_text("utf-8"), [self._key])

    def keep(self, checkpoint: Checkpoint, note: str) -> None:
        """Write a checkpoint, unless the very same stands there.

        Raises:
            BadNote: Another one of that size stands there: two heads of one size were signed.
        """
        place = self._folder / f"{checkpoint.size:020d}{SUFFIX}"
        try:
            write_once(place, note)
        except FileExistsError:
            if place.read_text("utf-8") != note:
                message = f"two different checkpoints of size {checkpoint.size}"
                raise BadNote(message) from None
