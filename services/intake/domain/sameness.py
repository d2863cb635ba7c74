"""Whether two submissions say the same: a keyed digest over the event as it was understood, and what differs if not.

Spelling does not matter (spaces, order of names, offset of a time, encrypted again or not), meaning does. The digest has the
instants in `data` with their offsets, as all that are stored have: where two digests differ, the meanings are compared. It is
keyed because an unkeyed one of a small event could be guessed from a name and a birthday.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Final

import orjson

from schemas.submission import Submission
from services.intake.domain.problems import pointer
from services.intake.domain.validate import Submitted

_UNIT: Final = b"\x1f"
_ITEM_BYTES: Final = 16


def meaning(submitted: Submitted) -> dict[str, object]:
    """Return what the event says, as plain JSON values in one fixed form, every instant in UTC."""
    instants = {name: value.astimezone(UTC) for name, value in submitted.data if isinstance(value, datetime)}
    return _plain(submitted, submitted.data.model_copy(update=instants))


def digest(key: bytes, submitted: Submitted) -> bytes:
    """Return 32 bytes: where those of two submissions of one client are equal, they say the same."""
    said = orjson.dumps(_plain(submitted, submitted.data), option=orjson.OPT_SORT_KEYS)
    return hmac.digest(key, b"event" + _UNIT + said, hashlib.sha256)


def _plain(submitted: Submitted, data: Submission) -> dict[str, object]:
    return {
        "id": submitted.submitted_id,
        "source": submitted.source,
        "type": submitted.type,
        "time": submitted.time.isoformat(),
        "data": data.model_dump(mode="json", exclude_none=True),
    }


def reference_digest(key: bytes, client: str, reference: str) -> bytes:
    """Return what a client's case reference is looked up by: a case number can identify a person, so it is not stored."""
    return hmac.digest(key, _UNIT.join((b"case", client.encode(), reference.encode())), hashlib.sha256)


def child_digest(key: bytes, ref: str) -> bytes:
    """Return what a child reference is looked up by, within linked cases."""
    return hmac.digest(key, _UNIT.join((b"child", ref.encode())), hashlib.sha256)


def item_key(key: bytes, case_key: str, kind: str, ref: str) -> str:
    """Return the key of what a case has several of, such as an action: always the same, and nothing can be read from it."""
    place = (b"item", case_key.encode(), kind.encode(), ref.encode())
    return hmac.digest(key, _UNIT.join(place), hashlib.sha256)[:_ITEM_BYTES].hex()


def differences(before: object, after: object, path: tuple[str | int, ...] = ()) -> tuple[str, ...]:
    """Return the pointers of the fields in which two meanings differ; never a value."""
    if before == after:
        return ()
    match before, after:
        case dict(), dict():
            names = sorted(before.keys() | after.keys())
            return tuple(p for n in names for p in differences(before.get(n), after.get(n), (*path, n)))
        case list(), list() if len(before) == len(after):
            pairs = enumerate(zip(before, after, strict=True))
            return tuple(p for index, (one, two) in pairs for p in differences(one, two, (*path, index)))
    return (pointer(*path),)
