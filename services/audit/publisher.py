"""Signs the head of the log after it was committed, and refuses to sign anything that contradicts what it has signed.

Before each signature the head is compared with the newest checkpoint known to the database and to the folder outside
it. A database restored from a backup is behind the folder; a rewritten one has another root; a folder that is lost, or
not mounted, is behind the database. Each is refused, with an alert, until a person has found out what happened: a second
signed history could never be taken back, and a head that was signed in this machine alone proves nothing against it.
"""

import asyncio
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncConnection

from services.audit.domain.merkle import EMPTY_ROOT
from services.audit.domain.note import Checkpoint
from services.audit.domain.tiles import range_hash
from services.audit.sink import CheckpointFolder
from services.audit.store import POSTGRES, Log
from services.audit.store.log import Head, Signed
from services.kit.faults import faultpoint, register

register("checkpoint.kept")  # signed and outside the database, which does not know of it yet


class RefusedToSign(Exception):
    """The log is not a continuation of what was signed before."""


class Publisher:
    """Signs heads with the log's key and keeps them in the folder first, then in the database."""

    def __init__(self, origin: str, key: Ed25519PrivateKey, folder: CheckpointFolder, log: Log = POSTGRES) -> None:
        self._origin = origin
        self._key = key
        self._folder = folder
        self._log = log
        self._last: Checkpoint | None = None

    async def publish(self, connection: AsyncConnection, now: datetime) -> Checkpoint:
        """Sign the committed head unless it was signed already, and return it.

        Args:
            connection: A connection inside a transaction of its own.
            now: The wall clock.

        Raises:
            RefusedToSign: The head contradicts a checkpoint signed before, or the folder lacks the newest.
            BadNote: The folder holds a checkpoint that is not ours, or another one of this size.
        """
        if self._last is not None and await self._stands(connection, self._last):
            return self._last
        # Another copy may sign meanwhile, into the folder first: what is read last of these three is never behind the others.
        stored = await self._log.newest_checkpoint(connection)
        kept = await asyncio.to_thread(self._folder.newest)
        head = await self._log.read_head(connection) or Head(self._origin)
        checkpoint = Checkpoint(self._origin, head.size, head.root)
        if head.origin != self._origin:
            message = f"expected the log {self._origin}, the database holds {head.origin}"
            raise RefusedToSign(message)
        if stored is not None:
            await self._check(connection, head, Checkpoint(self._origin, stored.size, stored.root), "in the database")
            if kept is None or kept.size < stored.size:
                message = (
                    f"the folder of checkpoints lacks the one of {stored.size} entries that the database has: is it mounted?"
                    " If the folder is lost, put that checkpoint into it"
                )
                raise RefusedToSign(message)
        if kept is not None:
            await self._check(connection, head, kept, "in the folder of checkpoints", stored.size if stored else 0)
        if checkpoint != kept or stored is None or stored.size != head.size:
            note = checkpoint.sign(self._key)
            await asyncio.to_thread(self._folder.keep, checkpoint, note)
            faultpoint("checkpoint.kept")
            await self._log.add_checkpoint(connection, Signed(head.size, head.root, note), now)
        self._last = checkpoint
        return checkpoint

    async def _stands(self, connection: AsyncConnection, last: Checkpoint) -> bool:
        """Say whether the log is, and is known to be signed, as this copy last left it: the folder is large, and can wait.

        What is in the folder is never remembered: another copy may have signed a database that has been restored since.
        """
        stored = await self._log.newest_checkpoint(connection)
        head = await self._log.read_head(connection) or Head(self._origin)
        return (
            Checkpoint(head.origin, head.size, head.root) == last
            and stored is not None
            and (stored.size, stored.root) == (last.size, last.root)
        )

    async def _check(
        self, connection: AsyncConnection, head: Head, signed: Checkpoint, where: str, known: int | None = None
    ) -> None:
        """Refuse unless the first `signed.size` entries still give the root that was signed for them.

        `known`: the size of the newest checkpoint in the database, where the signed one is from elsewhere. If it is smaller,
        nothing says that an entry was changed: an older copy lacks what was signed since, and read on in another order.
        """
        if signed.origin != self._origin:
            message = f"the newest checkpoint {where} is of another log, {signed.origin}"
            raise RefusedToSign(message)
        if signed.size > head.size:
            message = (
                f"the log has {head.size} entries, the newest checkpoint {where} has {signed.size}:"
                " was an older copy of the database restored?"
            )
            raise RefusedToSign(message)
        if await self._root_at(connection, head, signed.size) == signed.root:
            return
        if known is not None and known < signed.size:
            message = (
                f"the database lacks the checkpoint of {signed.size} entries {where}, and went on from {known} with others:"
                " was an older copy of it restored, which has read on since?"
            )
            raise RefusedToSign(message)
        message = f"the first {signed.size} entries do not have the root that was signed for them {where}"
        raise RefusedToSign(message)

    async def _root_at(self, connection: AsyncConnection, head: Head, size: int) -> bytes:
        """Return the root of the first `size` entries, from the tiles."""
        if size == 0:
            return EMPTY_ROOT
        if size == head.size:
            return head.root
        whole = (0, size)
        return range_hash(whole, await self._log.tiles_for(connection, head, [whole]))
