"""A log of which a server in memory tells the verifier, as audit does."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from services.audit.domain.entry import message_entry, poison_entry
from services.audit.domain.merkle import leaf_hash
from services.audit.domain.note import Checkpoint
from tests.support import merkle_reference as reference
from tests.support.audit import EVENTS, KEY, NOON, ORIGIN, event, record

PUBLIC = KEY.public_key()


class Line(NamedTuple):
    """One entry as the raw log gives it."""

    in_tree: bytes
    salt: bytes
    payload: bytes
    entry: bytes


def lines(count: int) -> list[Line]:
    """Return a log of events, every seventh record poison."""
    found = []
    for number in range(1, count + 1):
        if number % 7 == 0:
            entry = poison_entry(record(b"?", number), entry_id=EVENTS, kind="poison", logged_at=NOON)
        else:
            place = number - number // 7
            read = record(event(place), number)
            entry = message_entry(read, salt=number.to_bytes(32), logged_at=NOON)
        found.append(Line(leaf_hash(entry.text), entry.salt or b"", entry.payload or b"", entry.text))
    return found


class MemoryServer:
    """Answers as an audit service does that holds these lines and signed these sizes."""

    def __init__(self, served: list[Line], signed: dict[int, bytes]) -> None:
        self.served, self.signed = served, signed
        self.said: dict[str, int] = {}  # what an answer says of the log beside its entries, in some versions

    def fetch(self, path: str) -> bytes:
        """Return what stands at a path."""
        parts = urlsplit(path)
        notes = [Checkpoint(ORIGIN, size, root).sign(KEY) for size, root in sorted(self.signed.items())]
        if parts.path == "/v1/checkpoint":
            return notes[-1].encode()
        if parts.path == "/v1/checkpoints":
            return json.dumps({"checkpoints": notes}).encode()
        if parts.path == "/v1/entries":
            return json.dumps({"size": max(self.signed), **self.said}).encode()
        assert parts.path == "/v1/entries/raw"
        asked = {name: int(values[0]) for name, values in parse_qs(parts.query).items()}
        rows = self.served[asked["start"] : asked["end"]]
        return b"".join(self._line(one) for one in rows)

    @staticmethod
    def _line(one: Line) -> bytes:
        salt, payload = one.salt.hex().encode() or b"-", b64encode(one.payload) or b"-"
        return b" ".join((one.in_tree.hex().encode(), salt, payload, one.entry)) + b"\n"


HONEST = lines(40)
ROOTS = {size: reference.tree_hash([one.entry for one in HONEST[:size]]) for size in (10, 25, 40)}
